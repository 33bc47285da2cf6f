"""Counts in dicts and writes the page by hand, without prometheus_client."""
answers = {
    "1_instrument": {
        "histogram_text": '''
from bisect import bisect_left
from itertools import accumulate

def histogram_text(name, help, values, edges):
    edges = [*map(float, edges), math.inf]
    cells = [0] * len(edges)
    for value in values:
        cells[bisect_left(edges, value)] += 1
    lines = [f"# HELP {name} {help}", f"# TYPE {name} histogram"]
    for edge, count in zip(edges, accumulate(cells)):
        label = "+Inf" if edge == math.inf else repr(edge)
        lines.append(name + '_bucket{le="' + label + '"} ' + str(count))
    lines.append(f"{name}_sum {math.fsum(values)!r}")
    lines.append(f"{name}_count {len(values)}")
    return "".join(line + "\\n" for line in lines)
''',
        "MonitoredModel": '''
HELP = {
    "churn_requests_total": ("counter", "Calls."), "churn_request_latency_seconds": ("histogram", "Time of a call."),
    "churn_requests_in_progress": ("gauge", "Calls under way."), "churn_score": ("histogram", "Scores."),
    "churn_decisions_total": ("counter", "Decisions."), "churn_revenue_euros_total": ("counter", "Revenue."),
    "churn_labels_total": ("counter", "Labels."), "churn_feature_values_total": ("counter", "Values."),
    "churn_feature_psi": ("gauge", "PSI."), "churn_drift_last_run_timestamp_seconds": ("gauge", "Last run."),
}
EDGES = {"churn_request_latency_seconds": (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
         "churn_score": tuple(i / 10 for i in range(1, 11))}

class MonitoredModel:
    def __init__(self, predict, version, features, clock=time.perf_counter):
        self._predict, self._version, self._features, self._clock = predict, str(version), tuple(features), clock
        self._series = {}
        for outcome in ("ok", "nonfinite", "error"):
            self._add("churn_requests_total", 0, outcome=outcome)
        for decision in ("offer", "wait"):
            self._add("churn_decisions_total", 0, decision=decision)
        for sign in ("true", "false"):
            for side in ("positive", "negative"):
                self._add("churn_labels_total", 0, cell=f"{sign}_{side}")
        for feature in self._features:
            for state in ("present", "missing"):
                self._add("churn_feature_values_total", 0, feature=feature, state=state)
        self._add("churn_revenue_euros_total", 0)
        self._add("churn_requests_in_progress", 0)
        for name in EDGES:
            self._observe(name, None)

    def _key(self, name, labels):
        inner = ",".join(f'{k}="{v}"' for k, v in {"version": self._version, **labels}.items())
        return name, f"{name}{{{inner}}}"

    def _add(self, name, amount, family=None, **labels):
        key = family or name, self._key(name, labels)[1]
        self._series[key] = self._series.get(key, 0) + amount

    def _observe(self, name, value):
        for edge in (*EDGES[name], math.inf):
            inside = value is not None and value <= edge
            self._add(name + "_bucket", int(inside), name, le="+Inf" if edge == math.inf else str(edge))
        self._add(name + "_sum", value or 0, name)
        self._add(name + "_count", int(value is not None), name)

    def predict(self, rows):
        start = self._clock()
        self._add("churn_requests_in_progress", 1)
        for row in rows:
            for feature in self._features:
                value = row.get(feature)
                state = "missing" if value is None or (isinstance(value, float) and math.isnan(value)) else "present"
                self._add("churn_feature_values_total", 1, feature=feature, state=state)
        outcome = "error"
        try:
            answer = self._predict(rows)
            odd = [s for s in answer if math.isnan(s) or math.isinf(s)]
            outcome = "nonfinite" if odd else "ok"
        except Exception:
            raise
        else:
            for s in answer:
                if not (math.isnan(s) or math.isinf(s)):
                    self._observe("churn_score", s)
                    self._add("churn_decisions_total", 1, decision="wait" if s < 0.5 else "offer")
            return answer
        finally:
            self._add("churn_requests_in_progress", -1)
            self._add("churn_requests_total", 1, outcome=outcome)
            self._observe("churn_request_latency_seconds", self._clock() - start)

    def feedback(self, decision, churned, euros):
        names = {("offer", True): "true_positive", ("offer", False): "false_positive",
                 ("wait", True): "false_negative", ("wait", False): "true_negative"}
        self._add("churn_labels_total", 1, cell=names[decision, bool(churned)])
        self._add("churn_revenue_euros_total", euros)

    def drift(self, psi, now):
        for feature, value in psi.items():
            key = self._key("churn_feature_psi", {"feature": feature})
            self._series.pop(key, None)
            if value is not None:
                self._series[key] = value
        self._series[self._key("churn_drift_last_run_timestamp_seconds", {})] = now

    def text(self):
        lines = []
        for name, (kind, help) in HELP.items():
            mine = [f"{series} {value}" for (family, series), value in self._series.items() if family == name]
            if mine:
                lines += [f"# HELP {name} {help}", f"# TYPE {name} {kind}", *mine]
        return "\\n".join(lines) + "\\n"
''',
    },
}
