"""The age of the oldest run."""
slips = {
    "2_dashboard": {
        "queries": [
            ('time() - max by',
             'time() - min by'),
        ],
    },
}
loses = {"2_dashboard": {"test_drift_age": 1}}
