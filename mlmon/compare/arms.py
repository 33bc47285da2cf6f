"""Is B better than A? The difference of two models on the same rows, or of two arms, with its interval.

Each comparison is a `Comparison`: B less A, larger is better, with an interval and one of four findings. By default
B is BETTER or WORSE when the interval leaves out 0. With a `margin`, the most that B may be worse by, it is NOT_WORSE
when the interval lies above ``-margin``: that is non-inferiority, and what a new version has to show before
it replaces an old one. UNDECIDED is no permission.
"""
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np
import scipy

from mlmon import _check
from mlmon.drift import metric as metrics
from mlmon.drift.metric import Estimate

DRAWS = 999


class Finding(StrEnum):
    """What a comparison says of B.

    Examples
    --------
    >>> Finding.BETTER == "BETTER"
    True
    """

    BETTER = "BETTER"
    NOT_WORSE = "NOT_WORSE"
    WORSE = "WORSE"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class Comparison:
    """B against A.

    Parameters
    ----------
    difference : Estimate
        B less A; larger is better.
    pvalue : float
        Two-sided, that there is no difference. None where it cannot be computed.
    finding : Finding
    reason : str
    """

    difference: Estimate
    pvalue: float | None
    finding: Finding
    reason: str


def paired_bootstrap(metric, y_true, score_a, score_b, *, margin=0.0, confidence=0.95, draws=DRAWS, seed=0):
    """Two models on the same rows: the difference of a metric, by redrawing rows.

    Both models meet the same easy and hard rows, so the difference varies far less than either metric. The interval
    holds the percentiles of the differences; ``pvalue`` is the error at which it reaches 0.

    Parameters
    ----------
    metric : {"auc", "pr_auc", "accuracy", "brier", "log_loss"} or callable
        Losses are turned round, so that larger is better. A callable is ``metric(y_true, score)``, larger is better.
    y_true : array-like of shape (n,)
        0 or 1; any numbers for a callable.
    score_a, score_b : array-like of shape (n,)
        A is what runs now.
    margin : float
        The most that B may be worse by.
    confidence : float
    draws : int
        100 or more.
    seed : int

    Returns
    -------
    Comparison
        UNDECIDED where the metric cannot be computed (one class only).

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.random(1000) < 0.3
    >>> noise = rng.normal(size=(2, 1000))
    >>> found = paired_bootstrap("auc", y, y + noise[0] + noise[1], y + noise[0])
    >>> found.finding, found.difference
    (<Finding.BETTER: 'BETTER'>, 0.0544 (0.0281 to 0.0797))
    """
    y, a, b = (_check.numeric(values, name, least=metrics.LEAST) for values, name in ((y_true, "y_true"), (score_a, "score_a"), (score_b, "score_b")))
    if not len(y) == len(a) == len(b):
        raise ValueError(f"scores needs one of each model for each label, got {len(y)} labels, {len(a)} and {len(b)} scores. Pass the same rows.")
    _check.whole(draws, "draws", 100)
    measured = _metric(metric, y)
    one_class = not callable(metric) and len(np.unique(y)) < 2
    if one_class:
        return undecided(len(y), f"one class only: all {len(y)} labels are {y[0]:g}")
    rng, moved = np.random.default_rng(seed), []
    while len(moved) < draws:
        rows = rng.integers(len(y), size=len(y))
        if callable(metric) or 0 < y[rows].sum() < len(y):
            moved.append(measured(y[rows], b[rows]) - measured(y[rows], a[rows]))
    value = float(measured(y, b) - measured(y, a))
    return _compared(value, partial(metrics._percentiles, value, np.sort(moved)), len(y), "paired bootstrap", margin, confidence)


def means(a, b, *, margin=0.0, confidence=0.95):
    """Two arms with other people in them: the difference of means, after Welch.

    Parameters
    ----------
    a, b : array-like of shape (n,) and (m,)
        One number a person, not one an event: events of one person go together.
    margin, confidence : float

    Returns
    -------
    Comparison

    References
    ----------
    Welch (1947), Biometrika 34, 28-35.

    Examples
    --------
    >>> means([1, 2, 3, 4], [2, 3, 4, 6]).difference
    1.25 (-1.42 to 3.92)
    """
    a, b = _check.numeric(a, "a", least=2), _check.numeric(b, "b", least=2)
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    se = np.sqrt(sum(parts))
    if se == 0:
        return undecided(len(a) + len(b), "all values of an arm are alike: nothing tells how far chance moves a mean")
    df = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    value = float(b.mean() - a.mean())
    return _compared(value, partial(_student, value, se, df), len(a) + len(b), "Welch", margin, confidence)


def ratios(a, b, *, margin=0.0, confidence=0.95):
    """Two arms and a ratio of sums, such as clicks over views, where one person has many views.

    The delta method: a person's part in the error is ``(clicks - ratio * views) / mean views``.

    Parameters
    ----------
    a, b : pair of array-like of shape (n,)
        Numerators and denominators, one of each a person.
    margin, confidence : float

    Returns
    -------
    Comparison

    References
    ----------
    Deng, Knoblich and Lu (2018), KDD, 233-242.

    Examples
    --------
    >>> ratios(([1, 2, 1], [10, 20, 9]), ([2, 5, 2], [10, 20, 11])).finding
    <Finding.BETTER: 'BETTER'>
    """
    found = means(_linear(a, "a"), _linear(b, "b"), margin=margin, confidence=confidence)
    return replace(found, difference=replace(found.difference, method="delta method"))


def two_proportions(a, b, *, margin=0.0, confidence=0.95):
    """Two arms and a share, such as people who bought.

    The interval is Newcombe's, from Wilson's of either share, so it holds with rare events; the p-value is that of the same
    interval.

    Parameters
    ----------
    a, b : pair of int
        Successes and people of each arm.
    margin, confidence : float

    Returns
    -------
    Comparison

    References
    ----------
    Newcombe (1998), Stat. Med. 17, 873-890.

    Examples
    --------
    >>> two_proportions((100, 1000), (140, 1000)).difference
    0.04 (0.0115 to 0.0686)
    """
    sides = []
    for pair, name in ((a, "a"), (b, "b")):
        hits, n = (_check.whole(value, name) for value in pair)
        if not 0 < n >= hits:
            raise ValueError(f"{name} needs successes and people, got {hits} of {n}. Pass at least as many people, and one or more.")
        ends = partial(_share, hits / n, n)
        sides.append(Estimate(hits / n, *ends(0.025), n, "Wilson", ends=ends))
    found = metrics.difference(sides[1], sides[0])
    return _compared(found.value, found.ends, sides[0].n + sides[1].n, "Newcombe", margin, confidence)


def finding_of(low, high, margin):
    """What an interval of B less A says, given the most that B may be worse by."""
    if low > 0:
        return Finding.BETTER
    if margin > 0 and low > -margin:
        return Finding.NOT_WORSE
    return Finding.WORSE if high < -margin else Finding.UNDECIDED


def told(estimate, margin):
    """The same as a sentence."""
    limit = f", margin {margin:g}" if margin else ""
    return f"B less A is {estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g}{limit}), from {estimate.n} rows"


def undecided(n, reason):
    """No comparison, and why."""
    return Comparison(Estimate(None, None, None, n, "none", reason), None, Finding.UNDECIDED, reason)


def margin_of(margin):
    """A margin of 0 or more, or ValueError."""
    return 0.0 if margin == 0 else _check.positive(margin, "margin")


# --- parts ------------------------------------------------------------------------------------------------

_METRICS = {
    "auc": metrics.area,
    "pr_auc": lambda y, s: float(metrics.average_precision(y[None, :], np.ones((1, len(y))), s)[0]),
    "accuracy": lambda y, s: np.mean((s >= 0.5) == y),
    "brier": lambda y, s: -np.mean((s - y) ** 2),
    "log_loss": lambda y, s: np.mean(scipy.special.xlogy(y, np.clip(s, metrics._EPS, 1)) + scipy.special.xlog1py(1 - y, -np.clip(s, 0, 1 - metrics._EPS))),
}


def _metric(metric, y):
    if callable(metric):
        return metric
    _check.one_of(metric, _METRICS, "metric")
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"y_true needs labels 0 and 1 for {metric}, got {sorted(set(y.tolist()))[:4]}. Pass a callable for other targets.")
    return _METRICS[metric]


def _compared(value, ends, n, method, margin, confidence):
    margin, confidence = margin_of(margin), _check.open_share(confidence, "confidence")
    low, high = ends((1 - confidence) / 2)
    estimate = Estimate(float(value), float(low), float(high), n, method, confidence=confidence, ends=ends)
    finding = finding_of(low, high, margin)
    return Comparison(estimate, min(1.0, 2 * estimate.tail(0.0)), finding, told(estimate, margin))


def _share(share, n, tail):
    return metrics.wilson(share, n, scipy.special.ndtri(tail))


def _student(value, se, df, tail):
    half = scipy.special.stdtrit(df, 1 - tail) * se
    return value - half, value + half


def _linear(pair, name):
    """One number a person, whose mean is the ratio of sums and whose spread is that of its error."""
    top, bottom = _check.numeric(pair[0], name, least=2), _check.numeric(pair[1], name, least=2)
    if len(top) != len(bottom) or not bottom.sum() > 0 or (bottom < 0).any():
        raise ValueError(f"{name} needs as many denominators as numerators, 0 or more and not all 0, got {len(bottom)} for {len(top)}. Pass one of each a person.")
    ratio = top.sum() / bottom.sum()
    return ratio + (top - ratio * bottom) / bottom.mean()
