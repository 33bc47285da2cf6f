"""How good were the predictions whose labels are in? Numbers over a cohort, or the reason why none can be given."""
from dataclasses import dataclass

import numpy as np

from mlmon.drift.metric import area, wilson

_Z = 1.959963984540054      # of a two-sided interval of 95 %


@dataclass(frozen=True)
class Quality:
    """What the labels of a cohort say.

    Parameters
    ----------
    labels : int
        Labelled predictions.
    coverage : float
        Share of the cohort that is labelled; None for an empty one.
    accuracy, precision, recall, f1, auc, calibration_error : float
        Of a classifier; None where they have no value.
    mean_absolute_error : float
        Of a regressor, in the target's unit.
    intervals : tuple of (str, float, float)
        Measure, and the ends of its 95 % interval.
    reason : str
        Why nothing can be said; empty where something can.
    """

    labels: int
    coverage: float | None
    accuracy: float | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    auc: float | None = None
    calibration_error: float | None = None
    mean_absolute_error: float | None = None
    intervals: tuple = ()
    reason: str = ""

    @property
    def undecided(self):
        return bool(self.reason)


def judge(cohort, *, positive=None, regressor=False, least=30):
    """The quality of a cohort of logged predictions.

    Parameters
    ----------
    cohort : mlmon.serving.predictions.Cohort
    positive : str
        The class that the score is the probability of; None judges by accuracy alone.
    regressor : bool
    least : int
        Fewest labels to judge by.

    Returns
    -------
    Quality

    Examples
    --------
    >>> from mlmon.serving.predictions import Cohort
    >>> found = judge(Cohort(np.array([0.9, 0.8, 0.3, 0.1]), ("1", "1", "0", "0"), ("1", "0", "0", "0")), positive="1", least=4)
    >>> found.accuracy, found.precision, found.recall, found.auc
    (0.75, 0.5, 1.0, 1.0)
    """
    known = dict(labels=cohort.labelled, coverage=cohort.coverage)
    at = [i for i, label in enumerate(cohort.labels) if label is not None]
    if len(at) < least:
        return Quality(**known, reason=f"the cohort has {len(at)} labels and needs {least}")
    scores = cohort.scores[at]
    if regressor:
        targets = np.array([cohort.labels[i] for i in at], dtype=float)
        finite = np.isfinite(scores)
        if not finite.any():
            return Quality(**known, reason="no prediction of the cohort is a finite number")
        return Quality(**known, mean_absolute_error=float(np.abs(scores - targets)[finite].mean()))
    pairs = [(cohort.decisions[i], cohort.labels[i]) for i in at]
    if positive is None:
        accuracy = _share("accuracy", sum(d == y for d, y in pairs), len(pairs))
        return Quality(**known, accuracy=accuracy[0], intervals=accuracy[1])
    truth = np.array([y == positive for _, y in pairs])
    if truth.all() or not truth.any():
        return Quality(**known, reason=f"all {len(at)} labels of the cohort are of one class")
    return Quality(**known, **_two_classes(truth, np.array([d == positive for d, _ in pairs]), pairs), **_by_score(truth, scores))


def show(series, found):
    """Set the gauges of a cohort's quality; those without a value are taken away.

    Parameters
    ----------
    series : mlmon.serving.metrics.Series
    found : Quality
    """
    for measure in ("accuracy", "precision", "recall", "f1", "auc"):
        series.gauge("mlmon_quality_ratio", getattr(found, measure), measure=measure)
    ends = {measure: (lower, upper) for measure, lower, upper in found.intervals}
    for measure in ("accuracy", "precision", "recall"):
        for bound, value in zip(("lower", "upper"), ends.get(measure, (None, None))):
            series.gauge("mlmon_quality_bound_ratio", value, measure=measure, bound=bound)
    series.gauge("mlmon_calibration_error_ratio", found.calibration_error)
    series.gauge("mlmon_mean_absolute_error", found.mean_absolute_error)
    series.gauge("mlmon_quality_undecided", int(found.undecided))
    series.gauge("mlmon_quality_cohort_labels", found.labels)
    series.gauge("mlmon_label_coverage_ratio", found.coverage)


def calibration_error(truth, scores, *, bins=10):
    """Mean gap between score and observed rate over equal bins of the score, weighted by rows.

    Parameters
    ----------
    truth : array-like of bool of shape (n,)
    scores : array-like of shape (n,)
        Probabilities.
    bins : int

    Returns
    -------
    float
        From 0, which is perfect, to 1.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), AAAI, 2901-2907.

    Examples
    --------
    >>> calibration_error([True, False, False, False], [0.25, 0.25, 0.25, 0.25])
    0.0
    """
    truth, scores = np.asarray(truth, dtype=float), np.asarray(scores, dtype=float)
    cells = np.clip((scores * bins).astype(int), 0, bins - 1)
    return float(np.abs(np.bincount(cells, weights=truth - scores)).sum() / len(scores))


def _two_classes(truth, decided, pairs):
    hits = int((truth & decided).sum())
    precision, recall = (_share(name, hits, int(total.sum())) for name, total in (("precision", decided), ("recall", truth)))
    accuracy = _share("accuracy", sum(d == y for d, y in pairs), len(pairs))
    f1 = 2 * hits / int(truth.sum() + decided.sum())
    return dict(accuracy=accuracy[0], precision=precision[0], recall=recall[0], f1=f1,
                intervals=accuracy[1] + precision[1] + recall[1])


def _by_score(truth, scores):
    finite = np.isfinite(scores)
    truth, scores = truth[finite], scores[finite]
    if truth.all() or not truth.any():
        return {}
    return dict(auc=area(truth, scores), calibration_error=calibration_error(truth, scores))


def _share(name, hits, n):
    """The share and its interval; nothing of nothing is None."""
    return (hits / n, ((name, *wilson(hits / n, n, _Z)),)) if n else (None, ())
