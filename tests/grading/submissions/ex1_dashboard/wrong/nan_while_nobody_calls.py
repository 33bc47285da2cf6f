"""0 / 0 is nan."""
slips = {
    "2_dashboard": {
        "queries": [
            ('share(\'churn_requests_total{outcome!="ok"}\', "churn_requests_total", "5m")',
             'share(\'churn_requests_total{outcome!="ok"}\', "churn_requests_total", "5m").replace(" > 0", "")'),
        ],
    },
}
loses = {"2_dashboard": {"test_error_share_quiet": 1}}
