"""absent() is content with one version that has a time stamp."""
slips = {
    "3_alerts": {
        "watch_rules": [
            ('f"count by (version) (churn_requests_total) unless on (version) {run}"',
             'f"absent({run})"'),
        ],
    },
}
loses = {"3_alerts": {"test_drift_absent": 1}}
