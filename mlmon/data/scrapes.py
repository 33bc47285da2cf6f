"""An hour of scrapes of a served model: the series of two instances, with one known fault.

The model scores customers who may leave (churn) and decides who gets an offer. What Prometheus would have
collected of it is made here directly, so that a dashboard has something to show and no server has to run.
"""
import numpy as np

from mlmon._check import one_of, whole
from mlmon.data._stream import stream

EVERY = 15          # seconds between two scrapes
FEATURES = ("income", "age", "visits")
EDGES = {"churn_score": np.arange(1, 11) / 10, "churn_request_latency_seconds": np.array([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0])}
FAULTS = ("none", "errors", "latency", "drift", "missing", "stale", "scores", "silence", "down")
_RESTART = 0.25     # of the time; then instance b begins to count anew


def churn(fault="none", *, minutes=60, seed=0):
    """Series of a churn model, one value every 15 seconds.

    Parameters
    ----------
    fault : str
        One of `FAULTS`; it begins at half of the time. ``errors``: a fifth of the requests fail.
        ``latency``: most take a third of a second. ``drift``: PSI of the income rises to 0.6.
        ``missing``: two thirds of the ages are lost, and what stands in for them raises scores by a tenth.
        ``stale``: the drift job stands still. ``scores``: scores rise by a quarter. ``silence``: nobody asks.
        ``down``: instance b does not answer.
    minutes : int
    seed : int or sequence of int

    Returns
    -------
    dict of str to numpy.ndarray
        By name and labels, as PromQL writes them.

    Examples
    --------
    >>> series = churn("errors", minutes=10)
    >>> values = series['churn_requests_total{instance="a:8000",version="7",outcome="error"}']
    >>> bool(values[19] < 5 < values[-1]), len(values)
    (True, 41)
    """
    one_of(fault, FAULTS, "fault")
    rng = stream(seed, "scrapes", fault)
    steps = whole(minutes, "minutes", 1) * 60 // EVERY + 1
    now = np.arange(steps) * float(EVERY)
    late = now >= now[-1] / 2
    series = {}
    for instance in ("a:8000", "b:8000"):
        series.update(_instance(instance, now, late & (fault != "none"), fault, rng))
    return series


def _instance(instance, now, faulty, fault, rng):
    """The series of one instance."""
    first = int(_RESTART * len(now)) if instance.startswith("b") else 0
    found = {}

    def put(name, values, **labels):
        inner = ",".join(f'{key}="{value}"' for key, value in {"instance": instance, "version": "7", **labels}.items())
        found[f"{name}{{{inner}}}"] = values

    def count(name, steps, **labels):
        total = np.cumsum(steps).astype(float)
        total[first:] -= total[first - 1] if first else 0.0
        put(name, total, **labels)

    asked = rng.poisson(4 * EVERY, len(now)) * ~(faulty & (fault == "silence"))
    failed = rng.binomial(asked, np.where(faulty & (fault == "errors"), 0.2, 0.001))
    scored = asked - failed
    count("churn_requests_total", scored, outcome="ok")
    count("churn_requests_total", failed, outcome="error")
    count("churn_requests_total", 0 * asked, outcome="nonfinite")
    put("churn_requests_in_progress", rng.poisson(0.3, len(now)).astype(float))

    slow = np.where(faulty & (fault == "latency"), 0.33, 0.03)
    _histogram(count, "churn_request_latency_seconds", asked, lambda step: rng.lognormal(np.log(slow[step]), 0.5))
    up = faulty * {"scores": 0.25, "missing": 0.1}.get(fault, 0.0)
    _histogram(count, "churn_score", scored, lambda step: np.minimum(rng.beta(2, 5, len(step)) + up[step], 1.0))

    offered = rng.binomial(scored, 0.12 + 1.7 * up)
    count("churn_decisions_total", offered, decision="offer")
    count("churn_decisions_total", scored - offered, decision="wait")
    count("churn_revenue_euros_total", 9.0 * rng.binomial(offered, 0.3))
    for cell, share in (("true_positive", 0.09), ("false_positive", 0.03), ("false_negative", 0.05), ("true_negative", 0.83)):
        count("churn_labels_total", rng.binomial(scored, 0.5 * share), cell=cell)

    runs = np.floor(now / 300) * 300      # of the drift job, every five minutes
    put("churn_drift_last_run_timestamp_seconds", np.where(faulty & (fault == "stale"), now[len(now) // 2] // 300 * 300, runs))
    for feature in FEATURES:
        gone = np.where(faulty & (fault == "missing") & (feature == "age"), 0.66, 0.02)
        missing = rng.binomial(asked, gone)
        count("churn_feature_values_total", missing, feature=feature, state="missing")
        count("churn_feature_values_total", asked - missing, feature=feature, state="present")
        psi = np.where(faulty & (fault == "drift") & (feature == "income"), 0.6, 0.02) + 0.01 * rng.random(len(now))
        put("churn_feature_psi", psi, feature=feature)
    found[f'up{{instance="{instance}",job="churn"}}'] = np.ones(len(now))
    return _gone(found, faulty) if fault == "down" and first else found


def _gone(found, faulty):
    """The series of an instance that does not answer: only Prometheus' own `up` goes on, at 0."""
    return {name: np.where(faulty, 0.0 if name.startswith("up{") else np.nan, values) for name, values in found.items()}


def _histogram(count, name, sizes, draw):
    """Buckets, sum and count of a histogram; `draw(step)` draws one value for the scrape of each step."""
    step = np.repeat(np.arange(len(sizes)), sizes)
    values = draw(step)
    for edge in EDGES[name]:
        count(f"{name}_bucket", np.bincount(step[values <= edge], minlength=len(sizes)), le=f"{edge:g}" if edge % 1 else f"{edge:.1f}")
    count(f"{name}_bucket", sizes, le="+Inf")
    count(f"{name}_sum", np.bincount(step, values, minlength=len(sizes)))
    count(f"{name}_count", sizes)
