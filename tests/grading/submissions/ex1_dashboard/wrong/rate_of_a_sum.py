"""Sums first: a restart of one instance looks like a jump."""
slips = {
    "2_dashboard": {
        "queries": [
            ('"requests": total("churn_requests_total", "5m")',
             '"requests": "rate(sum by (version) (churn_requests_total)[5m:15s])"'),
        ],
    },
}
loses = {"2_dashboard": {"test_requests": 1}}
