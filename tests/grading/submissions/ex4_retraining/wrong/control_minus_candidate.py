"""The difference the other way round."""
slips = {
    "3_canary": {
        "bounds": [
            ('d = bad / n - bad0 / n0',
             'd = bad0 / n0 - bad / n'),
        ],
    },
}
loses = {"3_canary": {"test_bounds_value": 2, "test_bounds_looks": 2, "test_bounds_few": 2}}
