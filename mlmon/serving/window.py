"""The last rows that were served, kept for the drift job; and what it says of them."""
from collections import deque
from dataclasses import dataclass
from threading import Lock

import numpy as np

from mlmon.drift.distance import psi
from mlmon.drift.verdict import Verdict

_FEATURE = tuple(f"mlmon_feature_{what}" for what in ("psi", "drifted", "missing_ratio", "out_of_range_ratio"))


class Window:
    """The newest rows and scores, bounded in number and age.

    Parameters
    ----------
    rows : int
        The most that are kept.
    seconds : float
        The oldest that is given out: when traffic stops, the window empties.
    like : DataFrame or array, optional
        Calls with other columns than this one's are not given out.

    Examples
    --------
    >>> window = Window(rows=3, seconds=60)
    >>> for at, row in enumerate([[1.0], [2.0], [3.0], [4.0]]):
    ...     window.add(at, np.array([row]), np.array([0.5]))
    >>> window.take(now=61.5)[0].ravel().tolist()
    [3.0, 4.0]
    """

    def __init__(self, *, rows, seconds, like=None):
        self.rows, self.seconds = rows, seconds
        self._like = None if like is None else _columns(like)
        self._parts, self._count, self._lock = deque(), 0, Lock()

    def add(self, time, X, scores):
        """Keep a call's rows. The caller may change them afterwards; of long calls the last rows are kept."""
        if len(scores) > self.rows:
            X, scores = X[-self.rows:], scores[-self.rows:]
        part = time, _own(X), scores
        with self._lock:
            self._parts.append(part)
            self._count += len(scores)
            while self._count - len(self._parts[0][2]) >= self.rows:
                self._count -= len(self._parts.popleft()[2])

    def take(self, now):
        """The rows and scores, oldest first, and how many rows had other columns."""
        with self._lock:
            parts = [part for part in self._parts if part[0] >= now - self.seconds and len(part[2])]
        fitting = [(X, scores) for _, X, scores in parts if self._like is None or _columns(X) == self._like]
        if not fitting:
            return None, np.empty(0), sum(len(part[2]) for part in parts)
        rows, scores = _joined([X for X, _ in fitting]), np.concatenate([scores for _, scores in fitting])
        return rows[-self.rows:], scores[-self.rows:], sum(len(part[2]) for part in parts) - len(scores)


@dataclass(frozen=True)
class Drift:
    """What the drift job says of a window.

    Parameters
    ----------
    verdict : Verdict
        DRIFTED if features or scores drift; UNDECIDED if either cannot be judged.
    reason : str
    rows : int
        Of the window.
    report : DriftReport
        Of the features; None where they were not judged.
    prediction_psi : float
        Of the scores; None where they were not judged.
    prediction : Verdict
        On the scores.
    """

    verdict: Verdict
    reason: str
    rows: int
    report: object = None
    prediction_psi: float | None = None
    prediction: Verdict = Verdict.UNDECIDED

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED


class DriftJob:
    """Compares windows with the reference that the model was accepted on.

    Parameters
    ----------
    reference : DataFrame or array-like of shape (n, k)
        Features, as the model takes them.
    scores : callable
        Gives the model's scores of the reference; asked once.
    alpha : float
        Chance of a false alarm on one window of clean data, half of it for features and half for scores.
    least : int
        Fewest rows to judge by.
    seed : int
    """

    def __init__(self, reference, scores, *, alpha, least, seed):
        self.reference, self.least = reference, least
        self._scores, self._alpha, self._seed = scores, alpha, seed
        self._features = self._predictions = self._past = None

    def judge(self, rows, scores, odd=0):
        """The drift of a window.

        Parameters
        ----------
        rows, scores, odd
            As `Window.take` gives them.

        Returns
        -------
        Drift
        """
        n = len(scores)
        if n < self.least:
            beside = f"; {odd} others have not the reference's columns" if odd else ""
            return Drift(Verdict.UNDECIDED, f"the window has {n} rows and needs {self.least}{beside}", n)
        self._learn()
        report = self._features.detect(rows)
        finite = scores[np.isfinite(scores)]
        if len(finite) < self.least:
            verdict, reason = _both(report, Verdict.UNDECIDED, f"{len(finite)} of the window's scores are finite numbers")
            return Drift(verdict, reason, n, report)
        found = self._predictions.detect(finite)
        verdict, reason = _both(report, found.verdict, f"scores: {found.reason}")
        return Drift(verdict, reason, n, report, psi(self._past, finite), found.verdict)

    def _learn(self):
        if self._features is None:
            from mlmon.drift.detect import DataDriftDetector

            past = np.asarray(self._scores(), dtype=float)
            self._past = past[np.isfinite(past)]
            self._predictions = DataDriftDetector(self._past, alpha=self._alpha / 2, seed=self._seed)
            self._features = DataDriftDetector(self.reference, alpha=self._alpha / 2, seed=self._seed)


def show(series, drift):
    """Set the gauges of a window's drift; those without a value are taken away.

    Parameters
    ----------
    series : mlmon.serving.metrics.Series
    drift : Drift
    """
    for verdict in Verdict:
        series.gauge("mlmon_drift_verdict", int(verdict is drift.verdict), verdict=verdict.lower())
    series.gauge("mlmon_drift_window_rows", drift.rows)
    series.gauge("mlmon_prediction_psi", drift.prediction_psi)
    series.gauge("mlmon_prediction_drifted", _flag(drift.prediction))
    if drift.report is None:
        for gauge in _FEATURE:
            series.gauge(gauge, None)
        return
    for f in drift.report.features:
        for gauge, value in zip(_FEATURE, (f.psi, _flag(f.verdict), f.missing_current, f.out_of_range)):
            series.gauge(gauge, value, feature=f.feature)


def _flag(verdict):
    return None if verdict is Verdict.UNDECIDED else int(verdict is Verdict.DRIFTED)


def _both(report, prediction, reason):
    for verdict in (Verdict.DRIFTED, Verdict.UNDECIDED):
        if report.verdict is verdict:
            return verdict, report.reason
        if prediction is verdict:
            return verdict, reason
    return Verdict.STABLE, "no more than chance"


def _columns(X):
    return tuple(sorted(map(str, X.columns))) if hasattr(X, "columns") else np.shape(X)[1:]


def _own(X):
    """Rows that the caller cannot change. pandas 3 copies a frame when it is written to; before, it is copied now."""
    if not hasattr(X, "iloc"):
        return np.array(X)
    import pandas

    return X.copy(deep=int(pandas.__version__.split(".")[0]) < 3)


def _joined(parts):
    if not hasattr(parts[0], "iloc"):
        return np.concatenate(parts)
    import pandas

    return pandas.concat(parts, ignore_index=True)
