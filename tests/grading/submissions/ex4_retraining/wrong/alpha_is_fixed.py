"""Alpha is always 5 %."""
slips = {
    "3_canary": {
        "bounds": [
            ('math.log(1 / alpha)',
             'math.log(20)'),
        ],
    },
}
loses = {"3_canary": {"test_bounds_value": 2}}
