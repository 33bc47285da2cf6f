"""The run is not in the hash."""
slips = {
    "3_canary": {
        "arm": [
            ('f"{run} {customer}"',
             'f"{customer}"'),
        ],
    },
}
loses = {"3_canary": {"test_arm_shares": 2, "test_arm_runs": 1}}
