"""The metrics of a served model, in five layers, as data; and the registry that counts them.

Business asks what the decisions brought, model whether they were right, prediction what was
answered, data what came in, system how fast and how often in vain. `CATALOGUE` holds one row a
metric, so that dashboards, rules and tests speak of the same names; `Metrics` makes them live.

Every label has its values from a closed set, or at most a stated number of them; what comes after
that is counted as "other". So the number of series has a limit, whatever traffic brings.
"""
import os
from dataclasses import dataclass, replace
from math import isfinite, isnan, prod
from threading import Lock

import numpy as np

from mlmon import _check

LAYERS = ("business", "model", "prediction", "data", "system")
OTHER = "other"
LATENCY = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SCORES = tuple(round(0.05 * step, 2) for step in range(1, 21))
VALUES = tuple(float(f"{lead}e{power}") for power in range(-2, 6) for lead in (1, 2, 5))
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
DELAYS = (1.0, 10.0, _MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY)

# The values of each label: all of them, or how many there may be before "other".
LABELS = {
    "model": 5,
    "version": 10,
    "feature": 100,
    "decision": 20,
    "outcome": ("ok", "fallback", "nonfinite", "invalid", "error"),
    "source": ("model", "fallback"),
    "fallback": ("model", "cache", "default"),
    "size": ("one", "batch"),
    "error": (
        "ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "RuntimeError", "TimeoutError", "MemoryError",
        "OSError", "ZeroDivisionError", "InjectedError", OTHER,
    ),
    "stage": ("log", "window", "drift", "quality", "cache"),
    "mistake": ("false_positive", "false_negative"),
    "cell": ("true_positive", "false_positive", "true_negative", "false_negative"),
    "result": ("joined", "corrected", "duplicate", "unknown", "invalid"),
    "measure": ("accuracy", "precision", "recall", "f1", "auc"),
    "bound": ("lower", "upper"),
    "verdict": ("stable", "drifted", "undecided"),
    "kind": ("classifier", "regressor"),
    "route": ("/predict", "/feedback", "/metrics", "/healthz", "/admin/faults", OTHER),
    "code": ("200", "400", "403", "404", "405", "409", "413", "415", "422", "500", "503", OTHER),
}


@dataclass(frozen=True)
class Metric:
    """One row of the catalogue.

    Parameters
    ----------
    name : str
        As Prometheus shows it, unit and ``_total`` included.
    type : {"counter", "gauge", "histogram"}
    unit : str
        Base unit, or "" where a number has none.
    labels : tuple of str
        Names; their values stand in `LABELS`.
    help : str
        One sentence.
    layer : str
        One of `LAYERS`.
    buckets : tuple of float
        Upper edges of a histogram, without the last, infinite one.
    across : str
        How a gauge is put together from several processes (prometheus_client's `multiprocess_mode`).
    """

    name: str
    type: str
    unit: str
    labels: tuple
    help: str
    layer: str
    buckets: tuple = ()
    across: str = "mostrecent"


def _counter(layer, name, labels, help, unit=""):
    return Metric(name, "counter", unit, labels, help, layer)


def _gauge(layer, name, labels, help, unit="", across="mostrecent"):
    return Metric(name, "gauge", unit, labels, help, layer, (), across)


def _histogram(layer, name, labels, help, buckets, unit=""):
    return Metric(name, "histogram", unit, labels, help, layer, buckets)


_OF = ("model", "version")

CATALOGUE = (
    _counter("business", "mlmon_decisions_total", (*_OF, "decision"), "Rows by the decision that was taken."),
    _counter("business", "mlmon_revenue_euros_total", _OF, "Money that the outcomes brought, as fed back.", "euros"),
    _counter("business", "mlmon_mistake_cost_euros_total", (*_OF, "mistake"), "What wrong decisions cost, at the stated costs.", "euros"),

    _counter("model", "mlmon_labels_total", (*_OF, "result"), "Labels that came back, by what became of them."),
    _counter("model", "mlmon_labelled_predictions_total", (*_OF, "cell"), "Labelled decisions by cell of the confusion table."),
    _histogram("model", "mlmon_label_delay_seconds", _OF, "Time from a prediction to its label.", DELAYS, "seconds"),
    _gauge("model", "mlmon_quality_ratio", (*_OF, "measure"), "Quality over the mature cohort; absent while unknown.", "ratio"),
    _gauge("model", "mlmon_quality_bound_ratio", (*_OF, "measure", "bound"), "Ends of the 95 % interval of a quality.", "ratio"),
    _gauge("model", "mlmon_calibration_error_ratio", _OF, "Mean gap between score and observed rate, over ten bins.", "ratio"),
    _gauge("model", "mlmon_mean_absolute_error", _OF, "Mean absolute error of a regressor, in the target's unit."),
    _gauge("model", "mlmon_quality_undecided", _OF, "1 while the mature cohort cannot say how good the model is."),
    _gauge("model", "mlmon_quality_cohort_labels", _OF, "Labelled predictions of the mature cohort."),
    _gauge("model", "mlmon_label_coverage_ratio", _OF, "Share of the mature cohort that has its label.", "ratio"),
    _gauge("model", "mlmon_quality_last_run_timestamp_seconds", _OF, "When the quality job last ran.", "seconds", "max"),

    _counter("prediction", "mlmon_predictions_total", (*_OF, "source"), "Rows answered, by who answered."),
    _counter("prediction", "mlmon_fallbacks_total", (*_OF, "fallback"), "Calls that a fallback answered, by its kind."),
    _counter("prediction", "mlmon_nonfinite_scores_total", _OF, "Rows whose score is not a finite number."),
    _histogram("prediction", "mlmon_prediction_score", _OF, "Scores of a classifier.", SCORES),
    _histogram("prediction", "mlmon_prediction_value", _OF, "Predictions of a regressor, in the target's unit.", VALUES),
    _gauge("prediction", "mlmon_prediction_psi", _OF, "PSI between the window's scores and the reference's."),
    _gauge("prediction", "mlmon_prediction_drifted", _OF, "1 while the scores drift."),

    _gauge("data", "mlmon_feature_psi", (*_OF, "feature"), "PSI between the window and the reference; absent while unknown."),
    _gauge("data", "mlmon_feature_drifted", (*_OF, "feature"), "1 while the feature drifts, judged by its corrected p-value."),
    _gauge("data", "mlmon_feature_missing_ratio", (*_OF, "feature"), "Share of the window's values that are missing.", "ratio"),
    _gauge("data", "mlmon_feature_out_of_range_ratio", (*_OF, "feature"), "Share of values that the reference never saw the like of.", "ratio"),
    _gauge("data", "mlmon_drift_verdict", (*_OF, "verdict"), "1 at the verdict on the window, 0 at the other two."),
    _gauge("data", "mlmon_drift_window_rows", _OF, "Rows of the window."),
    _gauge("data", "mlmon_drift_last_run_timestamp_seconds", _OF, "When the drift job last ran.", "seconds", "max"),

    _counter("system", "mlmon_requests_total", (*_OF, "outcome"), "Calls by outcome."),
    _histogram("system", "mlmon_prediction_latency_seconds", (*_OF, "size"), "Time of a call, failed ones too.", LATENCY, "seconds"),
    _gauge("system", "mlmon_requests_in_progress", _OF, "Calls that are under way.", "", "livesum"),
    _counter("system", "mlmon_errors_total", (*_OF, "error"), "Errors of the model by class."),
    _counter("system", "mlmon_monitoring_errors_total", (*_OF, "stage"), "Failures of the monitoring itself."),
    _gauge("system", "mlmon_model_info", (*_OF, "kind"), "Always 1; says what is served.", "", "max"),
    _gauge("system", "mlmon_model_loaded_timestamp_seconds", _OF, "When the model was loaded.", "seconds", "max"),
    _counter("system", "mlmon_http_requests_total", ("route", "code"), "HTTP requests by route and status."),
    _histogram("system", "mlmon_http_request_duration_seconds", ("route",), "Time of an HTTP request.", LATENCY, "seconds"),
)


class Metrics:
    """The catalogue, live on a registry.

    Parameters
    ----------
    registry : prometheus_client.CollectorRegistry, optional
        A new one by default, so that a notebook cell can run twice.
    latency_slo : float
        Seconds. Becomes an edge of the latency buckets, for the share of calls within the
        objective is exact only at an edge.
    values : sequence of float
        Bucket edges for a regressor's predictions, in the target's unit.
    limits : dict
        How many values an open label may have, where 5 models, 10 versions, 100 features and
        20 decisions do not fit.

    Notes
    -----
    Where ``PROMETHEUS_MULTIPROC_DIR`` is set, prometheus_client keeps the numbers in files of
    that folder, one set a process. Then make one `Metrics` a process, and show `text`: it adds
    the processes up.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.child("mlmon_requests_total", model="churn", version="1", outcome="ok").inc()
    >>> metrics.value("mlmon_requests_total", model="churn", version="1", outcome="ok")
    1.0
    """

    def __init__(self, registry=None, *, latency_slo=0.25, values=VALUES, limits=None):
        import prometheus_client

        self.registry = prometheus_client.CollectorRegistry() if registry is None else registry
        self.latency_slo = _check.positive(latency_slo, "latency_slo")
        self.limits = _limits(limits or {})
        edges = {LATENCY: tuple(sorted({*LATENCY, self.latency_slo})), VALUES: _edges(values)}
        self.catalogue = tuple(_with_edges(metric, edges.get(metric.buckets)) for metric in CATALOGUE)
        self._rows = {metric.name: metric for metric in self.catalogue}
        self._seen, self._lock = {label: set() for label in self.limits}, Lock()
        self._live = {metric.name: _live(metric, self.registry) for metric in self.catalogue}

    def child(self, name, **labels):
        """The series of a metric with these labels, on which to call `inc`, `set` or `observe`.

        Raises
        ------
        ValueError
            An unknown metric, other labels than it has, or a value outside of a closed set.
        """
        values = self._values(name, labels)
        return self._live[name].labels(*values)

    def of(self, model, version):
        """The series of one model and version."""
        return Series(self, {"model": str(model), "version": str(version)})

    def forget(self, name, **labels):
        """Take away the series of a gauge that have these labels, as long as their value is unknown: 0 would be a lie."""
        metric, row = self._live[name], self._rows[name]
        wanted = {label: self._bounded(label, str(value)) for label, value in labels.items()}
        for sample in next(iter(metric.collect())).samples:
            if all(sample.labels[label] == value for label, value in wanted.items()):
                if _shared_folder():      # the files of several processes cannot lose a series: text() leaves nan out
                    metric.labels(**sample.labels).set(float("nan"))
                else:
                    metric.remove(*(sample.labels[label] for label in row.labels))

    def value(self, name, **labels):
        """What a series stands at in this process; None where it is absent.

        `name` is that of a sample, such as ``mlmon_prediction_score_count``.
        """
        found = self.registry.get_sample_value(name, {label: str(value) for label, value in labels.items()})
        return None if found is None or isnan(found) else found

    def text(self, accept=None):
        """All samples as text for Prometheus, of all processes where they share a folder.

        Parameters
        ----------
        accept : str, optional
            The header of that name, which chooses the format.

        Returns
        -------
        (str, str)
            Content and content type.
        """
        from prometheus_client.exposition import choose_encoder

        encode, kind = choose_encoder(accept or "")
        return encode(_AllProcesses() if _shared_folder() else self.registry).decode(), kind

    def series_limit(self):
        """The most samples that the catalogue can have, ``_created`` ones included.

        A promise about memory: `child` gives no more, whatever its labels are.
        """
        return sum(_samples(metric) * prod(self._room(label) for label in metric.labels) for metric in self.catalogue)

    def _values(self, name, labels):
        row = self._rows[_check.one_of(name, self._rows, "metric")]
        if labels.keys() != set(row.labels):
            raise ValueError(f"labels of {name} needs {', '.join(row.labels)}, got {', '.join(labels) or 'none'}. Pass each once.")
        return [self._bounded(label, str(labels[label])) for label in row.labels]

    def _bounded(self, label, value):
        if label in self._seen:
            return self._few(label, value)
        allowed = LABELS[label]
        return value if value in allowed else OTHER if OTHER in allowed else _check.one_of(value, allowed, label)

    def _few(self, label, value):
        seen = self._seen[label]
        with self._lock:
            if value not in seen and len(seen) >= self.limits[label]:
                return OTHER
            seen.add(value)
        return value

    def _room(self, label):
        return self.limits[label] + 1 if label in self.limits else len(LABELS[label])


class Series:
    """The series of one model and version: `Metrics.child` with these two labels filled in.

    Examples
    --------
    >>> churn = Metrics().of("churn", 3)
    >>> churn.count("mlmon_labels_total", result="joined")
    >>> churn.metrics.value("mlmon_labels_total", result="joined", **churn.labels)
    1.0
    """

    def __init__(self, metrics, labels):
        self.metrics, self.labels = metrics, labels

    def child(self, name, **labels):
        """The series on which to call `inc`, `set` or `observe`."""
        return self.metrics.child(name, **self.labels, **labels)

    def count(self, name, amount=1, **labels):
        """Add to a counter."""
        self.child(name, **labels).inc(amount)

    def gauge(self, name, value, **labels):
        """Set a gauge, or take it away where there is no finite value."""
        if value is None or not isfinite(value):
            self.metrics.forget(name, **self.labels, **labels)
        else:
            self.child(name, **labels).set(value)

    def attempt(self, stage, act, *args):
        """Do a piece of monitoring; a failure of it is counted and costs nothing else."""
        try:
            act(*args)
        except Exception:
            self.count("mlmon_monitoring_errors_total", stage=stage)


def observe_many(histogram, values):
    """Observe many values at once: what a loop over `observe` does, with one addition a bucket.

    Parameters
    ----------
    histogram : prometheus_client.Histogram
        A series of one, as `Metrics.child` gives it.
    values : numpy.ndarray of shape (n,)
        Finite numbers.
    """
    if len(values) == 1 or not hasattr(histogram, "_buckets"):
        for value in values.tolist():
            histogram.observe(value)
        return
    # prometheus_client has no such call. Its buckets are summed up when they are shown, so each value counts in one.
    cells = np.bincount(np.searchsorted(histogram._upper_bounds, values), minlength=len(histogram._upper_bounds))
    histogram._sum.inc(float(values.sum()))
    for cell in np.flatnonzero(cells):
        histogram._buckets[cell].inc(int(cells[cell]))


class _AllProcesses:
    """What all processes of the shared folder counted, without the series that were taken away."""

    def collect(self):
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        for metric in registry.collect():
            metric.samples = [sample for sample in metric.samples if not isnan(sample.value)]
            yield metric


def _shared_folder():
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR")


def _limits(chosen):
    known = {label: most for label, most in LABELS.items() if isinstance(most, int)}
    for label, most in chosen.items():
        _check.one_of(label, known, "limits")
        if not isinstance(most, int) or isinstance(most, bool) or most < 1:
            raise ValueError(f"limits needs a whole number from 1 for {label}, got {most!r}. Pass how many there may be.")
    return known | chosen


def _edges(values):
    edges = tuple(float(edge) for edge in values)
    if not edges or not all(map(isfinite, edges)) or list(edges) != sorted(set(edges)):
        raise ValueError(f"values needs finite bucket edges in rising order, got {values!r}. Sort them, each once.")
    return edges


def _with_edges(metric, edges):
    return metric if edges is None else replace(metric, buckets=edges)


def _live(metric, registry):
    import prometheus_client

    make = {"counter": prometheus_client.Counter, "gauge": prometheus_client.Gauge, "histogram": prometheus_client.Histogram}[metric.type]
    how = {"gauge": {"multiprocess_mode": metric.across}, "histogram": {"buckets": metric.buckets}}.get(metric.type, {})
    return make(metric.name, metric.help, metric.labels, registry=registry, **how)


def _samples(metric):
    """Samples of one series: a counter and its birthday; a histogram's buckets, count, sum, birthday; a gauge."""
    return {"counter": 2, "gauge": 1, "histogram": len(metric.buckets) + 4}[metric.type]
