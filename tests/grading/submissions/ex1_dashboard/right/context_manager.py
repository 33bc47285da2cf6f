"""prometheus_client by its own helpers: a context manager around the call, track_inprogress, metrics in a dict, NumPy."""
answers = {
    "1_instrument": {
        "histogram_text": '''
def histogram_text(name, help, values, edges):
    values = np.sort(np.asarray(values, dtype=float))
    counts = np.searchsorted(values, edges, side="right")
    buckets = "".join('%s_bucket{le="%s"} %d\\n' % (name, float(edge), count) for edge, count in zip(edges, counts))
    return f"""# HELP {name} {help}
# TYPE {name} histogram
{buckets}{name}_bucket{{le="+Inf"}} {values.size}
{name}_sum {values.sum()}
{name}_count {values.size}
"""
''',
        "MonitoredModel": '''
from contextlib import contextmanager
from itertools import product

class MonitoredModel:
    KNOWN = {"outcome": ["ok", "nonfinite", "error"], "decision": ["offer", "wait"], "state": ["present", "missing"],
             "cell": [f"{a}_{b}" for a, b in product(["true", "false"], ["positive", "negative"])]}

    def __init__(self, predict, version, features, clock=time.perf_counter):
        self.run, self.now, self.registry, self.version = predict, clock, CollectorRegistry(), version
        self.known = {**self.KNOWN, "feature": features, "version": [version]}
        score_edges = np.round(np.arange(0.1, 1.05, 0.1), 1).tolist()
        self.m = {
            "requests": Counter("churn_requests", "Calls by outcome", ["version", "outcome"], registry=self.registry),
            "latency": Histogram("churn_request_latency_seconds", "Time of calls", ["version"], registry=self.registry,
                                 buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, float("inf"))),
            "running": Gauge("churn_requests_in_progress", "Calls under way", ["version"], registry=self.registry),
            "score": Histogram("churn_score", "Scores", ["version"], registry=self.registry, buckets=score_edges),
            "decisions": Counter("churn_decisions", "Decisions", ["version", "decision"], registry=self.registry),
            "revenue": Counter("churn_revenue_euros", "Revenue", ["version"], registry=self.registry),
            "labels": Counter("churn_labels", "Labels", ["version", "cell"], registry=self.registry),
            "values": Counter("churn_feature_values", "Values", ["version", "feature", "state"], registry=self.registry),
            "ran": Gauge("churn_drift_last_run_timestamp_seconds", "Last run", ["version"], registry=self.registry),
        }
        self.psi = Gauge("churn_feature_psi", "PSI", ["version", "feature"], registry=self.registry)
        for name, metric in self.m.items():
            if name != "ran":
                for values in product(*(self.known[label] for label in metric._labelnames)):
                    metric.labels(*values)

    def of(self, name, **labels):
        return self.m[name].labels(version=self.version, **labels)

    @contextmanager
    def watched(self):
        start, call = self.now(), {"outcome": "error"}
        try:
            with self.of("running").track_inprogress():
                yield call
        finally:
            self.of("latency").observe(self.now() - start)
            self.of("requests", **call).inc()

    def predict(self, rows):
        with self.watched() as call:
            for feature in self.known["feature"]:
                lost = sum(row.get(feature) is None or row[feature] != row[feature] for row in rows)
                self.of("values", feature=feature, state="missing").inc(lost)
                self.of("values", feature=feature, state="present").inc(len(rows) - lost)
            scores = self.run(rows)
            good = np.isfinite(np.asarray(scores, dtype=float))
            call["outcome"] = "ok" if good.all() else "nonfinite"
            kept = np.asarray(scores, dtype=float)[good]
            for value in kept:
                self.of("score").observe(value)
            self.of("decisions", decision="offer").inc(int((kept >= 0.5).sum()))
            self.of("decisions", decision="wait").inc(int((kept < 0.5).sum()))
        return scores

    def feedback(self, decision, churned, euros):
        side = "positive" if decision == "offer" else "negative"
        truth = "true" if churned is (decision == "offer") else "false"
        self.of("labels", cell=f"{truth}_{side}").inc()
        self.of("revenue").inc(euros)

    def drift(self, psi, now):
        self.psi.clear()
        for feature in filter(lambda name: psi[name] is not None, psi):
            self.psi.labels(self.version, feature).set(psi[feature])
        self.of("ran").set(now)

    def text(self):
        return generate_latest(self.registry).decode("utf-8")
''',
    },
}
