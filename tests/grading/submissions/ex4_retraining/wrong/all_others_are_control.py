"""Whoever is not in the canary is compared with it."""
slips = {
    "3_canary": {
        "arm": [
            ('"control" if place >= 1 - share else "rest"',
             '"control"'),
        ],
    },
}
loses = {"3_canary": {"test_arm_shares": 2, "test_arm_stays": 1}}
