"""V is 0 while nothing has gone wrong."""
slips = {
    "3_canary": {
        "bounds": [
            ('p, p0 = (bad + 1) / (n + 2), (bad0 + 1) / (n0 + 2)',
             '''p, p0 = bad / n, bad0 / n0
    if p == p0 == 0:
        return {"difference": 0.0, "low": 0.0, "high": 0.0}'''),
        ],
    },
}
loses = {"3_canary": {"test_bounds_value": 2, "test_bounds_few": 2}}
