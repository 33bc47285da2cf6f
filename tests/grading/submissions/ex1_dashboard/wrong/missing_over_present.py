"""Missing over present values."""
slips = {
    "2_dashboard": {
        "queries": [
            ('{state="missing"}\', "churn_feature_values_total"',
             '{state="missing"}\', \'churn_feature_values_total{state="present"}\''),
        ],
    },
}
loses = {"2_dashboard": {"test_missing_share": 1}}
