"""The chapter's own queries: a percentile for each instance, a window of a minute, the mean of a gauge."""
slips = {
    "2_dashboard": {
        "queries": [
            ('"requests": total("churn_requests_total", "5m")', '"requests": "rate(churn_requests_total[1m])"'),
            ('f"histogram_quantile(0.95, {buckets})"',
             '"histogram_quantile(0.95, rate(churn_request_latency_seconds_bucket[5m]))"'),
            ('share("churn_score_sum", "churn_score_count", "10m")', '"avg_over_time(churn_score_sum[1h])"'),
        ],
    },
}
loses = {"2_dashboard": {"test_requests": 1, "test_latency": 2, "test_mean_score": 1}}
