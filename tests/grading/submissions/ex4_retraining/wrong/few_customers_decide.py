"""Judges ten customers."""
slips = {
    "3_canary": {
        "bounds": [
            ('if min(n, n0) < 50:',
             'if min(n, n0) < 1:'),
        ],
    },
}
loses = {"3_canary": {"test_bounds_few": 2}}
