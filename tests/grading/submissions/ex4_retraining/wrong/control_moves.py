"""The control lies next to the candidate: when the share grows, it moves."""
slips = {
    "3_canary": {
        "arm": [
            ('"control" if place >= 1 - share else "rest"',
             '"control" if place < 2 * share else "rest"'),
        ],
    },
}
loses = {"3_canary": {"test_arm_shares": 2, "test_arm_stays": 1}}
