"""The chapter's slip: a gauge holds the mean of the last call."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('make(Histogram, "churn_score", "Scores.", buckets=[edge / 10 for edge in range(1, 11)])',
             'make(Gauge, "churn_score", "Scores.")'),
            ('self.score.labels(self.version).observe(score)',
             'self.score.labels(self.version).set(np.mean(finite))'),
        ],
    },
}
loses = {"1_instrument": {"test_score": 2}}
