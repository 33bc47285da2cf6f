"""The chapter's window of a minute: four scrapes at best, and two of them lost."""
slips = {
    "2_dashboard": {
        "queries": [
            ('"requests": total("churn_requests_total", "5m")',
             '"requests": total("churn_requests_total", "1m")'),
        ],
    },
}
loses = {"2_dashboard": {"test_requests": 1}}
