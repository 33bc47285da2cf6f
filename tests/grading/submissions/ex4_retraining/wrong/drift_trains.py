"""Drift alone is a cause."""
slips = {
    "1_trigger": {
        "decide": [
            ('("performance fell", evidence["performance"] == "DRIFTED"),',
             '''("performance fell", evidence["performance"] == "DRIFTED"),
        ("inputs drifted", evidence["drift"] == "DRIFTED"),'''),
        ],
    },
}
loses = {"1_trigger": {"test_decide_drift": 2}}
