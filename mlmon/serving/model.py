"""A model that counts what it does: the answers of the model inside, and a record of each.

The hot path only counts, logs and keeps the row. Whatever compares, such as drift and quality, runs in
`refresh`, which a thread of its own calls. A failure of the watching never costs the caller the answer.
"""
import time
from collections import Counter
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from threading import Event, Lock, Thread
from uuid import uuid4

import numpy as np

from mlmon import _check
from mlmon.drift.verdict import Verdict
from mlmon.serving import quality, window
from mlmon.serving.metrics import LABELS, Metrics, observe_many
from mlmon.serving.predictions import PredictionLog


@dataclass(frozen=True, eq=False)
class Answer:
    """Predictions with the ids under which their labels can be fed back.

    Parameters
    ----------
    ids : tuple of str
    scores : numpy.ndarray of shape (n,)
        A classifier's probability of its positive class (of the decided class, where there is none);
        a regressor's prediction. nan where the model gives none.
    decisions : tuple
        The class decided for, one of the model's; None for a regressor and where the score is not finite.
    source : {"model", "fallback"}
    fallback : str
        The kind of the fallback that answered; None where the model did.
    version : str
    """

    ids: tuple
    scores: np.ndarray
    decisions: tuple
    source: str
    fallback: str | None
    version: str


@dataclass(frozen=True)
class Health:
    """What one refresh found.

    Parameters
    ----------
    drift : mlmon.serving.window.Drift
    quality : mlmon.serving.quality.Quality
    """

    drift: window.Drift
    quality: quality.Quality


class MonitoredModel:
    """A scikit-learn style classifier or regressor, with its metrics, its log and its fallbacks.

    Parameters
    ----------
    model : estimator
        Has `predict`; a classifier also `classes_` and, for scores, `predict_proba`.
    name, version : str
        Labels of every series.
    metrics : Metrics, optional
        Shared by the models of a process. By default one on a registry of its own.
    reference : DataFrame or array-like, optional
        Features that the model was accepted on. Without it drift is UNDECIDED.
    reference_scores : array-like, optional
        The model's scores of them; by default it is asked once, at the first refresh.
    positive : optional
        The class that the score is the probability of; by default the second of two.
    threshold : float
        The lowest score that is decided for `positive`.
    costs : dict, optional
        Euros that a "false_positive" and a "false_negative" cost.
    log : PredictionLog, optional
        By default one in memory. Processes that serve together share a file.
    fallbacks : sequence
        Asked in turn when the model raises; see `mlmon.serving.fallback`.
    window_rows, window_seconds : int, float
        The rows that the drift job compares: so many at most, none older.
    least_rows, least_labels : int
        Below these, drift and quality are UNDECIDED.
    maturity, cohort_seconds : float
        Quality is that of the predictions made in the `cohort_seconds` that ended `maturity`
        seconds ago: older than their labels take to come.
    alpha : float
        Chance that a refresh on clean data sees drift.
    clock, timer : callable
        Seconds since 1970, and seconds that never go back.
    seed : int
        Of the drift job.

    Notes
    -----
    Safe to call from many threads, as far as the model inside is.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> inner = DummyClassifier(strategy="prior").fit([[0], [1], [2], [3]], [0, 0, 0, 1])
    >>> model = MonitoredModel(inner, name="churn", version="3")
    >>> model.predict_proba([[5], [6]])[:, 1]
    array([0.25, 0.25])
    >>> model.metrics.value("mlmon_prediction_score_sum", model="churn", version="3")
    0.5
    >>> answer = model.ask([[7]], ids=["order-7"])
    >>> answer.decisions, model.feedback("order-7", 1)
    ((0,), 'joined')
    """

    def __init__(self, model, *, name, version, metrics=None, reference=None, reference_scores=None, positive=None, threshold=0.5,
                 costs=None, log=None, fallbacks=(), window_rows=2000, window_seconds=3600.0, least_rows=200, maturity=0.0,
                 cohort_seconds=86400.0, least_labels=30, alpha=0.01, clock=time.time, timer=time.perf_counter, seed=0):
        self.model, self.name, self.version = model, str(name), str(version)
        self.metrics = Metrics() if metrics is None else metrics
        self.classes = _classes(model)
        self.positive = _positive(self.classes, positive)
        self.threshold, self.costs = _check.share(threshold, "threshold"), _costs(costs)
        self.fallbacks, self.clock, self.timer = tuple(fallbacks), clock, timer
        self._of = self.metrics.of(name, version)
        self.log, self._owns_log = PredictionLog() if log is None else log, log is None
        self.maturity, self.cohort_seconds, self.least_labels = maturity, cohort_seconds, least_labels
        self._window = window.Window(rows=window_rows, seconds=window_seconds, like=reference)
        self._job = reference is not None and window.DriftJob(
            reference, lambda: self._reference_scores(reference, reference_scores), alpha=alpha, least=least_rows, seed=seed)
        self._refreshing, self._thread, self._ended = Lock(), None, Event()
        self._prepare()

    @property
    def regressor(self):
        return self.classes is None

    def predict(self, X, *, ids=None):
        """What the model's own `predict` gives, recorded.

        Parameters
        ----------
        X : array-like of shape (n, k)
            As the model takes it.
        ids : sequence of str, optional
            Under which labels can be fed back later. New ones by default.

        Returns
        -------
        numpy.ndarray of shape (n,)

        Raises
        ------
        Exception
            Whatever the model raises, if no fallback answers.
        """
        return self._call("predict", X, ids)[0]

    def predict_proba(self, X, *, ids=None):
        """What the model's own `predict_proba` gives, recorded; otherwise as `predict`.

        Returns
        -------
        numpy.ndarray of shape (n, classes)
        """
        return self._call("predict_proba", X, ids)[0]

    def ask(self, X, *, ids=None):
        """Scores, decisions and ids: what a service needs; otherwise as `predict`.

        Returns
        -------
        Answer
        """
        method = "predict_proba" if self._graded else "predict"
        return self._call(method, X, ids)[1]

    def feedback(self, id, label, *, value=None):
        """Join a label, however late, to the prediction that it judges.

        Parameters
        ----------
        id : str
        label
            The true class, or the true value of a regressor's target.
        value : float, optional
            Euros that came of it, 0 or more. Counted when the label joins first.

        Returns
        -------
        {"joined", "corrected", "duplicate", "unknown"}
            "corrected": it replaces another label. "unknown": no such prediction is logged.

        Raises
        ------
        ValueError
            Where the label is no class, or no finite number, or the value is negative.
        """
        try:
            label, value = self._label(label), _value(value)
        except ValueError:
            self._of.count("mlmon_labels_total", result="invalid")
            raise
        now = self.clock()
        result, entry = self.log.label(str(id), label, now)
        of = self._of if entry is None else self.metrics.of(self.name, entry.version)
        of.count("mlmon_labels_total", result=result)
        if result == "joined":
            self._judged(of, entry, label, value, now)
        return result

    def refresh(self):
        """Judge drift over the window and quality over the mature cohort, and set their gauges.

        What cannot be judged is UNDECIDED, and its gauges are absent rather than stale.

        Returns
        -------
        Health
        """
        with self._refreshing:
            now = self.clock()
            drift, found = self._drift(now), self._quality(now)
            window.show(self._of, drift)
            quality.show(self._of, found)
            for job in ("drift", "quality"):
                self._of.gauge(f"mlmon_{job}_last_run_timestamp_seconds", now)
            return Health(drift, found)

    def refuse(self):
        """Count a call that never reached the model, since what came was wrong."""
        self._outcomes["invalid"].inc()

    def start(self, every=30.0, *, unless=lambda: False):
        """Refresh every so many seconds, in a thread of its own, until `stop`.

        Parameters
        ----------
        every : float
            Seconds.
        unless : callable
            Skips a turn where it gives True.
        """
        _check.positive(every, "every")
        self.stop()
        self._ended = Event()
        self._thread = Thread(target=self._turns, args=(every, unless, self._ended), name=f"refresh {self.name}", daemon=True)
        self._thread.start()

    def stop(self):
        """End the thread that `start` began, after the turn it is at."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def close(self):
        """Stop, and take this version's gauges away; its counts stay."""
        self.stop()
        for metric in self.metrics.catalogue:
            if metric.type == "gauge" and metric.labels[:2] == ("model", "version"):
                self._of.gauge(metric.name, None)
        if self._owns_log:
            self.log.close()

    def __repr__(self):
        return f"MonitoredModel({type(self.model).__name__}, name={self.name!r}, version={self.version!r})"

    # --- the hot path ---

    def _prepare(self):
        """Look up once what every call needs."""
        series = self._of.child
        self._graded = hasattr(self.model, "predict_proba")
        self._place = None if self.positive is None else self.classes.index(self.positive)
        self._in_progress = series("mlmon_requests_in_progress")
        self._outcomes = {outcome: series("mlmon_requests_total", outcome=outcome) for outcome in LABELS["outcome"]}
        self._latency = {size: series("mlmon_prediction_latency_seconds", size=size) for size in ("one", "batch")}
        self._rows = {source: series("mlmon_predictions_total", source=source) for source in ("model", "fallback")}
        self._scores = series("mlmon_prediction_value" if self.regressor else "mlmon_prediction_score")
        self._nonfinite = series("mlmon_nonfinite_scores_total")
        self._decisions = {c: series("mlmon_decisions_total", decision=c) for c in (() if self.regressor else self.classes)}
        for name, label, values in (
                ("mlmon_labels_total", "result", LABELS["result"]), ("mlmon_monitoring_errors_total", "stage", LABELS["stage"]),
                ("mlmon_labelled_predictions_total", "cell", () if self.positive is None else LABELS["cell"]),
                ("mlmon_mistake_cost_euros_total", "mistake", self.costs),
                ("mlmon_fallbacks_total", "fallback", [each.kind for each in self.fallbacks])):
            for value in values:      # at 0 from the start, or the first event would not be an increase
                series(name, **{label: value})
        series("mlmon_revenue_euros_total")
        self._of.gauge("mlmon_model_info", 1, kind="regressor" if self.regressor else "classifier")
        self._of.gauge("mlmon_model_loaded_timestamp_seconds", self.clock())

    def _call(self, method, X, ids):
        start, outcome, n = self.timer(), "invalid", None
        self._in_progress.inc()
        try:
            n = _length(X)
            ids, outcome = _ids(ids, n), "error"
            answer, (scores, decisions), fallback = self._answer(method, X, n)
            outcome = self._counted(scores, decisions, fallback)
            self._kept(method, X, ids, answer, scores, decisions, fallback)
            return answer, Answer(ids, scores, decisions, "fallback" if fallback else "model", fallback, self.version)
        finally:
            self._in_progress.dec()
            self._outcomes[outcome].inc()
            self._latency["one" if n == 1 else "batch"].observe(self.timer() - start)

    def _answer(self, method, X, n):
        """The model's answer, else that of the first fallback that has one, else the model's own error."""
        try:
            answer = getattr(self.model, method)(X)
            return answer, self._read(method, answer, n), None
        except Exception as error:
            self._of.count("mlmon_errors_total", error=type(error).__name__)
            for fallback in self.fallbacks:
                try:
                    answer = fallback.answer(method, X, self.classes)
                    return answer, self._read(method, answer, n), fallback.kind
                except Exception as other:
                    error.add_note(f"The fallback of kind {fallback.kind!r} gave no answer either: {other!r}")
            self._watched(X, np.full(n, np.nan))      # the rows that a model fails on are the ones to look at
            raise

    def _read(self, method, answer, n):
        """(scores, decisions) of an answer of the right shape; the scores are a copy, since the caller owns the answer."""
        shape = (n, len(self.classes)) if method == "predict_proba" else (n,)
        array = np.asarray(answer)
        if array.shape == (n, 1) != shape:
            array = array[:, 0]
        if array.shape != shape:
            raise ValueError(f"model needs to give an answer of shape {shape} for {n} rows, got {array.shape}. Check its {method}.")
        if method == "predict_proba":
            return self._decided(array)
        if self.regressor:
            return array.astype(float), (None,) * n
        return np.full(n, np.nan), tuple(array.tolist())

    def _decided(self, shares):
        if self.positive is None:
            best = shares.argmax(axis=1)
            scores, chosen = shares[np.arange(len(best)), best], [self.classes[i] for i in best.tolist()]
        else:
            scores = shares[:, self._place].copy()
            if len(self.classes) > 2:
                chosen = [self.classes[i] for i in shares.argmax(axis=1).tolist()]
            else:
                yes, no, limit = self.positive, self.classes[1 - self._place], self.threshold
                chosen = [yes if score >= limit else no for score in scores.tolist()]
        if not isfinite(scores.sum()):
            chosen = [c if isfinite(score) else None for c, score in zip(chosen, scores)]
        return scores, tuple(chosen)

    def _counted(self, scores, decisions, fallback):
        """Count an answer; its outcome."""
        if fallback:
            self._of.count("mlmon_fallbacks_total", fallback=fallback)
        self._rows["fallback" if fallback else "model"].inc(len(scores))
        for decision, times in Counter(decisions).items() if len(decisions) > 1 else [(d, 1) for d in decisions]:
            if decision is not None:
                (self._decisions.get(decision) or self._of.child("mlmon_decisions_total", decision=decision)).inc(times)
        finite = scores if isfinite(scores.sum()) else scores[np.isfinite(scores)]
        if len(finite):
            observe_many(self._scores, finite)
        lost = len(scores) - len(finite)
        if not lost or (not self.regressor and None not in decisions):      # a classifier's bare classes have no score to lose
            return "fallback" if fallback else "ok"
        self._nonfinite.inc(lost)
        return "nonfinite"

    def _kept(self, method, X, ids, answer, scores, decisions, fallback):
        """Log the predictions, keep the rows for the drift job, tell the fallbacks. Failures are counted, not raised."""
        self._of.attempt("log", self.log.add, ids, self.clock(), self.version, scores, decisions, "fallback" if fallback else "model")
        self._watched(X, np.full(len(scores), np.nan) if fallback else self._marks(scores, decisions))
        if not fallback:
            for each in self.fallbacks:
                self._of.attempt("cache", each.remember, method, X, answer)

    def _watched(self, X, marks):
        if self._job:
            self._of.attempt("window", self._window.add, self.clock(), X, marks)

    def _marks(self, scores, decisions):
        """What the drift job compares: scores, or the classes' places where a model gives none."""
        if self.regressor or self._graded:
            return scores
        return np.array([self.classes.index(d) if d in self.classes else np.nan for d in decisions], dtype=float)

    # --- labels ---

    def _label(self, label):
        if self.regressor:
            if not isinstance(label, Real) or not isfinite(label):
                raise ValueError(f"label needs a finite number, got {label!r}. Pass the true value of the target.")
            return float(label)
        found = next((str(c) for c in self.classes if type(label) is not bytes and (c == label or str(c) == str(label))), None)
        if found is None:
            raise ValueError(f"label needs one of {', '.join(map(str, self.classes))}, got {label!r}. Pass the true class.")
        return found

    def _judged(self, of, entry, label, value, now):
        of.child("mlmon_label_delay_seconds").observe(max(0.0, now - entry.time))
        if value:
            of.count("mlmon_revenue_euros_total", value)
        if self.positive is None or entry.decision is None:
            return
        said, true = entry.decision == str(self.positive), label == str(self.positive)
        cell = f"{'true' if said == true else 'false'}_{'positive' if said else 'negative'}"
        if entry.source == "model":
            of.count("mlmon_labelled_predictions_total", cell=cell)
        if self.costs.get(cell):
            of.count("mlmon_mistake_cost_euros_total", self.costs[cell], mistake=cell)

    # --- off the hot path ---

    def _turns(self, every, unless, ended):
        while not ended.wait(every):
            if not unless():
                self._of.attempt("drift", self.refresh)

    def _reference_scores(self, reference, given):
        if given is not None:
            return given
        method = "predict_proba" if self._graded else "predict"
        return self._marks(*self._read(method, getattr(self.model, method)(reference), _length(reference)))

    def _drift(self, now):
        if not self._job:
            return window.Drift(Verdict.UNDECIDED, "the model was given no reference", 0)
        try:
            return self._job.judge(*self._window.take(now))
        except Exception as error:
            self._of.count("mlmon_monitoring_errors_total", stage="drift")
            return window.Drift(Verdict.UNDECIDED, f"the drift job failed: {error!r}", 0)

    def _quality(self, now):
        end = now - self.maturity
        positive = None if self.positive is None else str(self.positive)
        try:
            self.log.prune(now)
            cohort = self.log.cohort(self.version, end - self.cohort_seconds, end)
            return quality.judge(cohort, positive=positive, regressor=self.regressor, least=self.least_labels)
        except Exception as error:
            self._of.count("mlmon_monitoring_errors_total", stage="quality")
            return quality.Quality(0, None, reason=f"the quality job failed: {error!r}")


def _classes(model):
    """The model's classes, in the order of its probabilities; None for a regressor."""
    classes = getattr(model, "classes_", None)
    if classes is None and hasattr(model, "predict_proba"):
        raise ValueError(f"model needs classes_ beside predict_proba, got {type(model).__name__} without. Fit it first.")
    if classes is None and not hasattr(model, "predict"):
        raise ValueError(f"model needs a predict method, got {type(model).__name__}. Pass a fitted estimator.")
    return None if classes is None else tuple(np.asarray(classes).tolist())


def _positive(classes, chosen):
    if classes is None or (chosen is None and len(classes) != 2):
        return None
    if chosen is None:
        return classes[1]
    found = next((c for c in classes if c == chosen), None)
    if found is None:
        raise ValueError(f"positive needs one of {', '.join(map(str, classes))}, got {chosen!r}. Pick a class of the model.")
    return found


def _costs(costs):
    for mistake, cost in (costs or {}).items():
        _check.one_of(mistake, ("false_positive", "false_negative"), "costs")
        _value(cost, mistake)
    return dict(costs or {})


def _value(value, name="value"):
    if value is not None and (not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value < float("inf")):
        raise ValueError(f"{name} needs a finite amount of 0 or more, got {value!r}. Pass euros.")
    return value


def _length(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _ids(ids, n):
    if ids is None:
        base = uuid4().hex
        return (base,) if n == 1 else tuple(f"{base}-{i}" for i in range(n))
    ids = (ids,) if isinstance(ids, str) else tuple(map(str, ids))
    if len(ids) != n or len(set(ids)) < n:
        raise ValueError(f"ids needs one of its own for each of {n} rows, got {len(ids)}, {len(set(ids))} different. Pass one a row.")
    if not all(map(str.isprintable, ids)):      # half a character would be refused by the log, and its neighbours with it
        raise ValueError(f"ids needs printable text, got {next(id for id in ids if not id.isprintable())!r}. Pass other ids.")
    return ids
