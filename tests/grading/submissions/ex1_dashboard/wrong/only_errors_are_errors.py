"""Nonfinite answers do not count as bad."""
slips = {
    "2_dashboard": {
        "queries": [
            ('{outcome!="ok"}\', "churn',
             '{outcome="error"}\', "churn'),
        ],
    },
}
loses = {"2_dashboard": {"test_error_share": 1}}
