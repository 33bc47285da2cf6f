"""Asks for enough customers in the canary alone."""
slips = {
    "3_canary": {
        "bounds": [
            ('if min(n, n0) < 50:',
             'if n < 50:'),
        ],
    },
}
loses = {"3_canary": {"test_bounds_few": 2}}
