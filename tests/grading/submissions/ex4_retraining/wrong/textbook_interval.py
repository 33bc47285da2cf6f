"""The textbook's interval, looked at thirty times."""
slips = {
    "3_canary": {
        "bounds": [
            ('h = math.sqrt(v * (v + tau**2) / tau**2 * (2 * math.log(1 / alpha) + math.log((v + tau**2) / v)))',
             'h = 1.645 * math.sqrt(v)'),
        ],
    },
}
loses = {"3_canary": {"test_bounds_value": 2, "test_bounds_looks": 2}}
