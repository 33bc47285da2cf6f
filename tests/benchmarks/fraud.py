"""What the fraud monitor costs a transaction: beside the bare model, latency at its percentiles and how many a second."""

import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from mlmon.fraud import Field, FraudMonitor
from tests.benchmarks import tables

FEATURES = 13
SHARES = (0.5, 0.95, 0.99, 0.999)


def entries(folder):
    """(what it does, a function of one transaction)."""
    rng = np.random.default_rng(0)
    names = ["amount", *(f"x{k}" for k in range(1, FEATURES))]
    X = rng.normal(size=(5000, FEATURES))
    X[:, 0] = rng.lognormal(4, 1, 5000)
    model = LogisticRegression(max_iter=1000).fit(X, X[:, 1] + rng.normal(size=5000) > 2)
    rows = [dict(zip(names, row)) for row in X.tolist()]
    fields = [Field(name=name) for name in names]

    def monitored(path):
        watch = FraudMonitor(model, fields, version="1", path=path)
        return lambda k: watch.score({"id": k, **rows[k % 5000]})

    return [
        ("the bare model", lambda k: model.predict_proba([list(rows[k % 5000].values())])[0, 1]),
        ("FraudMonitor, in memory", monitored(None)),
        ("FraudMonitor, in a file that outlives it", monitored(Path(folder) / "fraud.db")),
    ]


def measure(calls, n):
    """Seconds of each of n calls, the entries in turn so that the machine's load falls on all alike."""
    taken = np.empty((len(calls), n))
    for k in range(n):
        for i, (_, call) in enumerate(calls):
            start = time.perf_counter()
            call(k)
            taken[i, k] = time.perf_counter() - start
    return taken


def markdown(quick=False):
    """The table: latency in microseconds, and transactions a second of one thread."""
    with tempfile.TemporaryDirectory() as folder:
        calls = entries(folder)
        taken = measure(calls, 300 if quick else 20_000)
    rows = [[label, *(f"{1e6 * np.quantile(found, share):,.0f}" for share in SHARES), f"{1 / found.mean():,.0f}"] for (label, _), found in zip(calls, taken)]
    return tables.table(["a transaction", "median, us", "95 %, us", "99 %, us", "99.9 %, us", "a second"], rows)
