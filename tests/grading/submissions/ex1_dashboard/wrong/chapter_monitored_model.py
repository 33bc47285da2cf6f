"""The chapter's own wrapper, under the catalogue's names: global metrics, successes only, a gauge for the scores, an error counter that is not there."""
answers = {
    "1_instrument": {
        "MonitoredModel": '''
registry = CollectorRegistry()
prediction_counter = Counter("churn_requests_total", "Total number of predictions", ["version", "outcome"], registry=registry)
prediction_latency = Histogram("churn_request_latency_seconds", "Model prediction latency", ["version"],
                               buckets=[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0], registry=registry)
prediction_score = Gauge("churn_score", "Distribution of prediction scores", ["version"], registry=registry)
feature_drift_gauge = Gauge("churn_feature_psi", "PSI score for feature drift", ["version", "feature"], registry=registry)

class MonitoredModel:
    """Wrapper around ML model with comprehensive monitoring"""

    def __init__(self, predict, version, features, clock=time.perf_counter):
        self.model, self.version = predict, version

    def predict(self, rows):
        start_time = time.time()
        try:
            predictions = self.model(rows)
            latency = time.time() - start_time
            prediction_latency.labels(version=self.version).observe(latency)
            prediction_counter.labels(version=self.version, outcome="ok").inc(len(predictions))
            prediction_score.labels(version=self.version).set(np.mean(predictions))
            self._log_predictions(rows, predictions)
            return predictions
        except Exception as e:
            error_counter.labels(model_name=self.version).inc()
            raise e

    def _log_predictions(self, features, predictions):
        pass

    def feedback(self, decision, churned, euros):
        pass

    def drift(self, psi, now):
        for feature, value in psi.items():
            feature_drift_gauge.labels(version=self.version, feature=feature).set(value or 0)

    def text(self):
        return generate_latest(registry).decode()
''',
    },
}
# What is left: text that promtool takes, and a number of series that has a limit.
loses = {"1_instrument": {"test_requests": 2, "test_latency": 2, "test_error_passes": 1, "test_in_progress": 1, "test_registry": 1,
                          "test_score": 2, "test_decisions": 1, "test_missing": 2, "test_feedback": 2, "test_drift": 2,
                          "test_catalogue": 2, "test_zero": 2, "test_bounded": 1}}
