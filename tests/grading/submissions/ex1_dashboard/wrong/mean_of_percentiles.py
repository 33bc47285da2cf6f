"""The mean of the instances' percentiles."""
slips = {
    "2_dashboard": {
        "queries": [
            ('f"histogram_quantile(0.95, {buckets})"',
             '"avg by (version) (histogram_quantile(0.95, rate(churn_request_latency_seconds_bucket[5m])))"'),
        ],
    },
}
loses = {"2_dashboard": {"test_latency": 2}}
