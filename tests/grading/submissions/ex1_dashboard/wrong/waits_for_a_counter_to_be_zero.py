"""A counter does not go back to 0 when nobody calls."""
slips = {
    "3_alerts": {
        "watch_rules": [
            ('sum(rate(churn_requests_total[5m])) == 0',
             'sum(churn_requests_total) == 0'),
        ],
    },
}
loses = {"3_alerts": {"test_no_requests": 1}}
