"""The mean score since the start of the service."""
slips = {
    "2_dashboard": {
        "queries": [
            ('share("churn_score_sum", "churn_score_count", "10m")',
             '"sum by (version) (churn_score_sum) / sum by (version) (churn_score_count)"'),
        ],
    },
}
loses = {"2_dashboard": {"test_mean_score": 1}}
