"""What a call of a measured model costs: beside the model inside, the chapter's wrapper and one row of scikit-learn."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlmon.serving.fallback import CachedScore
from mlmon.serving.model import MonitoredModel
from mlmon.serving.predictions import PredictionLog
from tests.benchmarks import tables

FEATURES = 13
SIZES = (1, 100, 10_000)


class Nothing:
    """A model that costs nothing: what is measured around it is the wrapper."""

    classes_ = np.array([0, 1])

    def __init__(self, most):
        scores = np.linspace(0.01, 0.99, most)
        self._answers = {n: np.column_stack([1 - scores[:n], scores[:n]]) for n in SIZES if n <= most}

    def predict_proba(self, X):
        return self._answers[len(X)]


class Chapter:
    """The chapter's rule: a counter, a histogram of latencies, and a gauge that keeps the last mean. No log, no window."""

    def __init__(self, model):
        registry = CollectorRegistry()
        self.model = model
        self.count = Counter("model_predictions_total", "Rows.", ["model_name", "model_version"], registry=registry)
        self.latency = Histogram("model_prediction_latency_seconds", "Time.", ["model_name"], registry=registry,
                                 buckets=[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0])
        self.score = Gauge("model_prediction_score", "Mean.", ["model_name"], registry=registry)

    def predict_proba(self, X):
        start = time.time()
        shares = self.model.predict_proba(X)
        self.latency.labels(model_name="m").observe(time.time() - start)
        self.count.labels(model_name="m", model_version="1").inc(len(shares))
        self.score.labels(model_name="m").set(shares[:, 1].mean())
        return shares


def data(rows):
    return np.random.default_rng(0).normal(size=(rows, FEATURES))


def models(folder):
    """(what it does, a model to call, whether it takes frames)."""
    nothing, X = Nothing(max(SIZES)), data(500)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(FEATURES)])

    def watch(**settings):
        return MonitoredModel(nothing, name="m", version="1", **settings)

    return [
        ("a model that costs nothing", nothing, False),
        ("the chapter's wrapper: four numbers, no log", Chapter(nothing), False),
        ("MonitoredModel: all counts, log in memory", watch(), False),
        ("the same, window for drift, arrays", watch(reference=X), False),
        ("the same, window for drift, frames", watch(reference=frame), True),
        ("the same, arrays, cached scores as fallback", watch(reference=X, fallbacks=[CachedScore()]), False),
        ("the same, arrays, log in a file that processes share", watch(reference=X, log=PredictionLog(Path(folder) / "log")), False),
    ]


def peers():
    """scikit-learn's own predictions, which a wrapper should be small beside."""
    X = data(500)
    y = (X[:, 0] + np.random.default_rng(1).normal(size=500) > 0).astype(int)
    return [
        ("scikit-learn: LogisticRegression", LogisticRegression().fit(X, y), False),
        ("scikit-learn: scaler and LogisticRegression", make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), False),
        ("scikit-learn: RandomForestClassifier, 100 trees", RandomForestClassifier(random_state=0).fit(X, y), False),
    ]


def measure(entries, size, *, rounds=30, seconds=0.02):
    """Least processor time of a call, in microseconds, the entries in turn so that the machine's load falls on all alike."""
    X = data(size)
    rows = {False: X, True: pd.DataFrame(X, columns=[f"x{i}" for i in range(FEATURES)])}
    calls = {}
    for label, model, frames in entries:
        model.predict_proba(rows[frames])
        start = time.process_time()
        model.predict_proba(rows[frames])
        calls[label] = max(1, int(seconds / max(time.process_time() - start, 1e-6)))
    best = dict.fromkeys(calls, np.inf)
    for _ in range(rounds):
        for label, model, frames in entries:
            start = time.process_time()
            for _ in range(calls[label]):
                model.predict_proba(rows[frames])
            if hasattr(model, "log"):
                model.log.find("")      # whatever waits is written down, on the account of these calls
            best[label] = min(best[label], (time.process_time() - start) / calls[label])
    return {label: 1e6 * value for label, value in best.items()}


def markdown(quick=False):
    """The table: microseconds of a call, by rows in it, and the added ones beside one row of scikit-learn."""
    with tempfile.TemporaryDirectory() as folder:
        wrapped, others = models(folder), peers()
        how = {"rounds": 2, "seconds": 0.002} if quick else {}
        found = {size: measure(wrapped + others, size, **how) for size in SIZES}
    bare, unit = found[1][wrapped[0][0]], found[1][others[0][0]]
    added = {label: f"{100 * (found[1][label] - bare) / unit:.0f} %" for label, _, _ in wrapped[1:]}
    rows = [[label, *(f"{found[size][label]:,.0f}" for size in SIZES), added.get(label, "")] for label, _, _ in wrapped + others]
    return tables.table(["a call", *(f"{size:,} row{'s' * (size > 1)}, us" for size in SIZES), "added at one row"], rows)
