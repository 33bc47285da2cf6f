"""Performance in numbers: a metric with its interval, the difference of two, and a trend.

Nothing here decides. An interval errs with ``(1 - confidence) / 2`` at each end, and `Estimate.tail`
says at which error an end just reaches a limit. The intervals are those that keep their rate with ten
positives among a thousand rows, where value plus or minus two standard errors does not:
Wilson's for shares (accuracy; AUC with as many effective rows as DeLong's variance is worth; PR-AUC
likewise by bootstrap), the score interval of a positive mean for losses and costs (the standard error
grows with the mean), Wald's for calibration, percentiles of the bootstrap for any other metric.
"""
from dataclasses import dataclass, field
from functools import partial
from numbers import Real

import numpy as np
import scipy

from mlmon import _check

NAMES = ("auc", "pr_auc", "accuracy", "brier", "log_loss", "cost", "calibration_slope", "calibration_intercept")
LEAST = 8           # labels that any metric needs
FEW = 5             # rows of either class that a metric of ranks or of calibration needs
DRAWS = 999         # of the bootstrap
_EPS = np.finfo(float).eps


@dataclass(frozen=True)
class Estimate:
    """A number and its interval.

    Parameters
    ----------
    value, low, high : float
        None where the number cannot be computed.
    n : int
        Rows it was computed from.
    method : str
        How the interval was made.
    reason : str
        Why there is no value; else empty.
    confidence : float
        Of the interval from `low` to `high`.

    Examples
    --------
    >>> Estimate.given(0.89, 0.01)
    0.89 (0.87 to 0.91)
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    reason: str = ""
    confidence: float = 0.95
    ends: object = field(default=None, repr=False, compare=False)      # error of one end -> (low, high)

    @classmethod
    def given(cls, value, se, *, n=0, confidence=0.95):
        """A number that is known with a standard error: 0 for a target that nobody measured."""
        for number, name in ((value, "value"), (se, "se")):
            if not isinstance(number, Real) or not np.isfinite(number) or (name == "se" and number < 0):
                raise ValueError(f"{name} needs a finite number{' of 0 or more' * (name == 'se')}, got {number!r}. Pass one.")
        return _estimate(float(value), n, "given", partial(_wald, float(value), float(se)), confidence)

    def interval(self, confidence):
        """The ends at another confidence, or (None, None) without a value.

        Examples
        --------
        >>> low, high = Estimate.given(0, 1).interval(0.90)
        >>> round(low, 3), round(high, 3)
        (-1.645, 1.645)
        """
        if self.value is None:
            return None, None
        low, high = self.ends((1 - _check.open_share(confidence, "confidence")) / 2)
        return float(low), float(high)

    def tail(self, limit):
        """The error at which the end towards `limit` just reaches it: a one-sided p-value, 0.5 at the value itself.

        Examples
        --------
        >>> round(Estimate.given(0, 1).tail(1.645), 3)
        0.05
        """
        if self.value is None:
            return None
        side = 1 if limit > self.value else 0
        low, high = -300.0, float(np.log(0.5))       # of the error's logarithm
        if limit == self.value:
            return 0.5
        for _ in range(45):
            middle = (low + high) / 2
            end = self.ends(np.exp(middle))[side]
            reached = end >= limit if side else end <= limit
            low, high = (middle, high) if reached else (low, middle)
        return float(np.exp(high))

    def __repr__(self):
        if self.value is None:
            return f"None ({self.reason})"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class Trend:
    """Does a series rise or fall?

    Parameters
    ----------
    tau : float
        Kendall's: the share of pairs that rise less the share that fall. None where the series is too short.
    pvalue : float
        Two-sided, that the order is chance.
    slope, low, high : float
        Sen's: the median rise a step, and its interval.
    n : int
        Values compared.
    reason : str
        Why there is no trend to tell; else empty.
    """

    tau: float | None
    pvalue: float | None
    slope: float | None
    low: float | None
    high: float | None
    n: int
    reason: str = ""


def evaluate(metric, y_true, score, *, confidence=0.95, threshold=0.5, costs=None, seed=0):
    """A metric of labels and scores, with its interval.

    Parameters
    ----------
    metric : str or callable
        "auc", "pr_auc" (average precision), "accuracy" (at `threshold`), "brier", "log_loss", "cost" (mean cost a row at
        `threshold`), "calibration_slope" and "calibration_intercept" (logistic recalibration: 1 and 0 are perfect); or
        ``metric(y_true, score)``, as scikit-learn's metrics are.
    y_true : array-like of shape (n,)
        0 or 1; for a callable, any numbers.
    score : array-like of shape (n,)
        Larger for class 1; probabilities but for "auc" and "pr_auc". For a callable also of shape (n, k).
    confidence : float
        Of the interval.
    threshold : float
        Class 1 is foretold from this score on.
    costs : pair of float
        Of a false positive and of a false negative, for "cost".
    seed : int
        Of the bootstrap.

    Returns
    -------
    Estimate
        Without a value, and with the reason, where there are under 8 rows, one class only, or under 5 rows of a class
        for metrics of ranks and calibration.

    Raises
    ------
    ValueError
        For labels other than 0 and 1, missing values, scores that are no probabilities, unequal lengths.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845; Sun and Xu (2014), IEEE SPL 21, 1389-1393 (by sorting).
    Wilson (1927), JASA 22, 209-212; Newcombe (2006), Stat. Med. 25, 559-573. Cox (1958), Biometrika 45, 562-565.

    Examples
    --------
    >>> y, score = [0, 0, 0, 0, 1, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9]
    >>> evaluate("auc", y, score)
    0.96 (0.631 to 0.996)
    >>> evaluate("auc", [0] * 20, [0.5] * 20).reason
    'one class only: all 20 labels are 0'
    """
    confidence = _check.open_share(confidence, "confidence")
    if callable(metric):
        return _bootstrap(metric, _labels(y_true, None), _scores(score, len(np.asarray(y_true))), confidence, seed)
    _check.one_of(metric, NAMES, "metric")
    y, s = _labels(y_true, (0, 1)), _check.numeric(score, "score", least=0)
    _same_length(y, s)
    if metric not in ("auc", "pr_auc") and len(s) and (s.min() < 0 or s.max() > 1):
        raise ValueError(f"score needs probabilities from 0 to 1 for {metric}, got {s.min():.3g} to {s.max():.3g}. Calibrate it, or use auc.")
    least = 1 if metric in ("accuracy", "brier", "log_loss", "cost") else FEW
    if reason := _too_few(y, least):
        return _none(len(y), reason)
    if metric == "auc":
        return _area(y, s, confidence)
    if metric == "pr_auc":
        return _average_precision(y, s, confidence, seed)
    if metric == "accuracy":
        return _shared(float(np.mean((s >= threshold) == y)), None, len(y), "Wilson", confidence, len(y))
    if metric.startswith("calibration"):
        return _calibration(y, s, metric.endswith("slope"), confidence)
    losses, worst = _losses(metric, y, s, threshold, costs)
    return _mean(losses, worst, confidence)


def difference(current, baseline, *, confidence=0.95):
    """One estimate less another of other rows, with the interval of the difference.

    Its ends come from the ends of both (the square-and-add rule), so a skew interval makes a skew difference:
    ``d - sqrt((a - a_low)^2 + (b_high - b)^2)`` to ``d + sqrt((a_high - a)^2 + (b - b_low)^2)``.

    Parameters
    ----------
    current, baseline : Estimate
        From different rows.
    confidence : float

    Returns
    -------
    Estimate

    References
    ----------
    Newcombe (1998), Stat. Med. 17, 873-890; Zou and Donner (2008), Stat. Med. 27, 1693-1702.

    Examples
    --------
    >>> difference(Estimate.given(0.85, 0.03), Estimate.given(0.9, 0.04))
    -0.05 (-0.148 to 0.048)
    """
    for side, name in ((current, "current"), (baseline, "baseline")):
        if side.value is None:
            return _none(current.n, f"{name}: {side.reason}")
    ends = partial(_apart, current.value, current.ends, baseline.value, baseline.ends)
    return _estimate(current.value - baseline.value, current.n, "square and add", ends, confidence)


def delong(y, score):
    """AUC and DeLong's variance of it, by one sort; two rows of each class or more.

    Examples
    --------
    >>> delong(np.array([0, 0, 1, 1]), np.array([1, 3, 2, 4]))
    (0.75, 0.125)
    """
    value, *parts = _placements(np.asarray(y) == 1, np.asarray(score))
    return value, float(sum(parts))


def area(y, score):
    """AUC: the chance that a row of class 1 scores above one of class 0, ties counting half.

    Examples
    --------
    >>> area([1, 0, 0], [0.5, 0.5, 0.1])
    0.75
    """
    return float(_places(np.asarray(y) == 1, np.asarray(score))[0].mean())


def wilson(share, rows, z):
    """Wilson's interval of a share: all shares p that differ from it by at most z times ``sqrt(p (1 - p) / rows)``.

    Parameters
    ----------
    share : float
    rows : float
        What it is a share of, or as many rows as its variance is worth.
    z : float
        Normal quantile, such as 1.96 for 95 %.

    Returns
    -------
    (float, float)

    References
    ----------
    Wilson (1927), JASA 22, 209-212.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(0, 10, 1.96)]
    [0.0, 0.278]
    """
    z2 = z * z
    middle, half = share + z2 / (2 * rows), np.sqrt(z2 * (share * (1 - share) / rows + z2 / (4 * rows * rows)))
    return max(0.0, float((middle - half) / (1 + z2 / rows))), min(1.0, float((middle + half) / (1 + z2 / rows)))


def average_precision(positive, weight, score):
    """Average precision of each row of weights: of class 1, and of both classes. Tied scores are taken together.

    Examples
    --------
    >>> average_precision([[0, 1, 0, 1]], [[1, 1, 1, 1]], [0.1, 0.4, 0.6, 0.9]).round(4).tolist()
    [0.8333]
    """
    hits, taken = cumulated(positive, score), cumulated(weight, score)
    gained = np.diff(hits, axis=1, prepend=0)
    return (gained * hits / np.maximum(taken, _EPS)).sum(axis=1) / hits[:, -1]


def cumulated(weight, score):
    """Weights of shape (draws, n), added up from the highest score down, one column for each different score.

    Examples
    --------
    >>> cumulated([[1, 2, 3]], [0.5, 0.5, 0.9]).tolist()
    [[3.0, 6.0]]
    """
    order = np.argsort(-np.asarray(score), kind="stable")
    s = np.asarray(score)[order]
    ends = np.append(np.flatnonzero(s[1:] != s[:-1]), len(s) - 1)
    return np.cumsum(np.asarray(weight)[:, order], axis=1, dtype=float)[:, ends]


def mann_kendall(values, *, confidence=0.95):
    """Mann and Kendall's test for a trend, with Sen's slope.

    ``S`` is the number of pairs that rise less those that fall. Its null is exact up to 50 values without ties;
    else normal with the variance reduced for ties and a correction for continuity. The values must not share rows
    (windows that do not overlap): shared rows make runs, and runs look like trends.

    Parameters
    ----------
    values : array-like of shape (n,)
        In order of time; missing ones leave a gap.
    confidence : float
        Of the slope's interval.

    Returns
    -------
    Trend

    References
    ----------
    Mann (1945), Econometrica 13, 245-259; Sen (1968), JASA 63, 1379-1389.

    Examples
    --------
    >>> trend = mann_kendall([0.90, 0.89, 0.87, 0.88, 0.85, 0.84])
    >>> round(trend.tau, 2), round(trend.pvalue, 3), round(trend.slope, 3)
    (-0.87, 0.017, -0.012)
    """
    values = _check.numeric(values, "values", least=0, finite=False)
    if np.isinf(values).any():
        raise ValueError(f"values needs finite numbers, got {int(np.isinf(values).sum())} infinite. Drop them first.")
    tail = (1 - _check.open_share(confidence, "confidence")) / 2
    times = np.flatnonzero(~np.isnan(values))
    values, n = values[times], len(times)
    if n < 5:
        return Trend(None, None, None, None, None, n, f"needs at least 5 values, got {n}: four that fall in turn have p = 0.083")
    first, second = np.triu_indices(n, 1)
    rises = values[second] - values[first]
    s = int(np.sign(rises).sum())
    ties = np.unique(values, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - float(np.sum(ties * (ties - 1) * (2 * ties + 5)))) / 18
    slopes = np.sort(rises / (times[second] - times[first]))
    reach = -scipy.special.ndtri(tail) * np.sqrt(variance)
    low, middle, high = np.interp([(len(slopes) - reach) / 2 - 1, (len(slopes) - 1) / 2, (len(slopes) + reach) / 2], np.arange(len(slopes)), slopes)
    if len(ties) == n and n <= 50:
        p = _kendall_p(s, n)
    else:
        p = 1.0 if variance == 0 else float(2 * scipy.special.ndtr(-max(abs(s) - 1, 0) / np.sqrt(variance)))
    return Trend(s / len(rises), min(1.0, p), float(middle), float(low), float(high), n)


# --- intervals: the error of one end gives both ends ------------------------------------------------------

def _wald(value, se, tail):
    z = -scipy.special.ndtri(tail)
    return value - z * se, value + z * se


def _share_ends(share, rows, tail):
    return wilson(share, rows, scipy.special.ndtri(tail))


def _area_ends(value, rows, careful, df, tail):
    inner = wilson(value, careful, scipy.special.ndtri(tail))
    outer = wilson(value, rows, scipy.special.stdtrit(df, tail))
    return (inner[0], outer[1]) if value >= 0.5 else (outer[0], inner[1])


def _positive_mean(mean, rate, tail):
    """Where ``(mean - m)^2 <= z^2 rate m``: the variance of the mean is `rate` times the true mean."""
    half = scipy.special.ndtri(tail) ** 2 * rate / 2
    root = np.sqrt(half * half + 2 * half * mean)
    return max(0.0, mean + half - root), mean + half + root


def _percentiles(value, draws, tail):
    """Quantiles of the draws; beyond what the draws hold, stretched as a normal tail goes on."""
    held = max(tail, 10 / len(draws))
    low, high = np.quantile(draws, [held, 1 - held])
    stretch = scipy.special.ndtri(tail) / scipy.special.ndtri(held) if held > tail else 1.0
    return min(value, value + stretch * (low - value)), max(value, value + stretch * (high - value))


def _apart(a, a_ends, b, b_ends, tail):
    (a_low, a_high), (b_low, b_high) = a_ends(tail), b_ends(tail)
    return a - b - np.hypot(a - a_low, b_high - b), a - b + np.hypot(a_high - a, b - b_low)


def _estimate(value, n, method, ends, confidence):
    low, high = ends((1 - _check.open_share(confidence, "confidence")) / 2)
    return Estimate(float(value), float(low), float(high), int(n), method, "", float(confidence), ends)


def _none(n, reason):
    return Estimate(None, None, None, int(n), "none", reason)


# --- metrics --------------------------------------------------------------------------------------------

def _shared(share, variance, n, method, confidence, rows):
    """Wilson's interval; `rows` count where no variance is known, or none is seen."""
    if variance and 0 < share < 1:
        rows = share * (1 - share) / variance
    return _estimate(share, n, method, partial(_share_ends, share, rows), confidence)


def _placements(y, score):
    """AUC, and the two parts of DeLong's variance: of the positives' places among the negatives, and the reverse."""
    above, below = _places(y, score)
    return float(above.mean()), float(above.var(ddof=1) / len(above)), float(below.var(ddof=1) / len(below))


def _places(y, score):
    """Share of negatives below each positive, and of positives above each negative."""
    _, place = np.unique(score, return_inverse=True)
    ones = np.bincount(place, weights=y)
    zeros = np.bincount(place) - ones
    above = ((np.cumsum(zeros) - zeros / 2) / zeros.sum())[place[y]]
    below = 1 - ((np.cumsum(ones) - ones / 2) / ones.sum())[place[~y]]
    return above, below


def _area(y, s, confidence):
    """AUC as a share of so many rows as DeLong's variance is worth.

    With few positives, a sample whose AUC is too high also has a variance that is too low. So the end towards 1/2
    takes Hanley and McNeil's variance, which depends on the AUC alone, into account as if it were known from
    50 rows; and the other end has Student's quantile. Counted with 6 to 50 positives, AUC 0.75 to 0.97 and two
    kinds of scores, ends set at 5 % err in 0 to 6.5 %, at 1 % in 0 to 1.6 %, and at 0.25 % in 0 to 0.6 %.
    """
    value, one, two = _placements(y == 1, s)
    m, n = int(y.sum()), int((1 - y).sum())
    perfect = m * n / ((max(m, n) + 1) / 2)                 # what an AUC of 0 or 1 is worth: the least of Hanley and McNeil
    if not 0 < value < 1 or one + two == 0:
        rows, careful, df = perfect, perfect, 3.0 * (min(m, n) - 1)
    else:
        rows = value * (1 - value) / (one + two)
        first, second = value / (2 - value) - value**2, 2 * value**2 / (1 + value) - value**2
        usual = m * n / (1 + ((m - 1) * first + (n - 1) * second) / (value * (1 - value)))
        weight = 50 / (min(m, n) + 50)
        careful = 1 / ((1 - weight) / rows + weight / usual)
        df = 3 * (one + two) ** 2 / (one**2 / (m - 1) + two**2 / (n - 1))
    return _estimate(value, len(y), "Wilson, DeLong's variance", partial(_area_ends, value, rows, careful, df), confidence)


def _average_precision(y, s, confidence, seed):
    value = float(average_precision(y[None, :], np.ones((1, len(y))), s)[0])
    rng, n, draws = np.random.default_rng(seed), len(y), []
    block = max(1, 1_000_000 // n)
    while (have := sum(map(len, draws))) < DRAWS // 3:
        rows = rng.integers(n, size=(min(block, DRAWS // 3 - have), n))
        weights = np.bincount((rows + n * np.arange(len(rows))[:, None]).ravel(), minlength=rows.size).reshape(rows.shape)
        weights = weights[weights @ y > 0]
        draws.append(average_precision(weights * y, weights, s))
    variance = float(np.var(np.concatenate(draws), ddof=1))
    return _shared(value, variance, n, "Wilson, bootstrap variance", confidence, int(y.sum()))


def _losses(metric, y, s, threshold, costs):
    """The loss of each row, and the worst that one row can cost (for log loss, of a score of 1/e)."""
    if metric == "brier":
        return (s - y) ** 2, 1.0
    if metric == "log_loss":
        s = np.clip(s, _EPS, 1 - _EPS)
        return -np.where(y == 1, np.log(s), np.log1p(-s)), 1.0
    if costs is None:
        raise ValueError("costs needs the costs of a false positive and of a false negative, got None. Pass them, such as (1, 20).")
    wrong, missed = (_check.positive(cost, "costs") for cost in costs)
    foretold = s >= threshold
    return wrong * (foretold & (y == 0)) + missed * (~foretold & (y == 1)), max(wrong, missed)


def _mean(losses, worst, confidence):
    n, mean = len(losses), float(losses.mean())
    rate = float(losses.var(ddof=1)) / n / mean if mean > 0 else 0.0
    return _estimate(mean, n, "score interval of a mean", partial(_positive_mean, mean, rate or worst / n), confidence)


def _calibration(y, s, slope, confidence):
    """``logit P(y = 1) = a + b logit(score)`` by Newton's steps: b, or a with b held at 1."""
    p = np.clip(s, _EPS, 1 - _EPS)
    x = np.log(p) - np.log1p(-p)
    if slope and np.ptp(x) == 0:
        return _none(len(y), "all scores are the same: there is no slope")
    design = np.column_stack([np.ones(len(x)), x])[:, : 2 if slope else 1]
    centre = x.mean() if slope else 0.0
    if slope:
        design[:, 1] -= centre
    offset, beta = (np.zeros(len(x)) if slope else x), np.zeros(design.shape[1])
    for _ in range(100):
        fitted = scipy.special.expit(design @ beta + offset)
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design
        if not np.linalg.cond(information) < 1e12:
            return _none(len(y), "the scores separate the classes: the fit has no end")
        step = np.linalg.solve(information, design.T @ (y - fitted))
        largest = np.abs(step).max()
        beta = beta + step * min(1.0, 3.0 / largest) if largest > 0 else beta
        if largest < 1e-9:
            break
    else:
        return _none(len(y), "the scores separate the classes: the fit has no end")
    se = float(np.sqrt(np.linalg.inv(information)[-1, -1]))
    return _estimate(float(beta[-1]), len(y), "Wald", partial(_wald, float(beta[-1]), se), confidence)


def _bootstrap(metric, y, score, confidence, seed):
    """Rows are drawn whole, not class by class: how many of each class come is part of the chance."""
    if len(y) < LEAST:
        return _none(len(y), f"needs at least {LEAST} labels, got {len(y)}")
    value, reason = _called(metric, y, score)
    if reason:
        return _none(len(y), reason)
    rng, draws = np.random.default_rng(seed), []
    for _ in range(2 * DRAWS):         # a draw without a number, such as of one class, is drawn again
        rows = rng.integers(len(y), size=len(y))
        drawn, failed = _called(metric, y[rows], score[rows])
        if not failed:
            draws.append(drawn)
        if len(draws) == DRAWS:
            break
    else:
        return _none(len(y), "most bootstrap samples give no number: a class or a value is too rare")
    return _estimate(value, len(y), "bootstrap percentiles", partial(_percentiles, value, np.sort(draws)), confidence)


def _called(metric, y, score):
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")      # what it warns of comes back as nan
            value = float(metric(y, score))
    except ValueError as error:
        return None, f"the metric says: {str(error).splitlines()[0] if str(error) else 'no number'}"
    return (value, "") if np.isfinite(value) else (None, f"the metric gives {value}")


def _kendall_p(s, n):
    """Two-sided chance of so large an S among all orders of n different values."""
    ways = np.ones(1)
    for k in range(2, n + 1):
        ways = np.convolve(ways, np.ones(k) / k)         # inversions that the k-th value adds
    falls = (n * (n - 1) // 2 - abs(s)) // 2
    return float(min(1.0, 2 * ways[: falls + 1].sum()))


# --- at the door -----------------------------------------------------------------------------------------

def _labels(values, allowed):
    y = _check.numeric(values, "y_true", least=0)
    if allowed is not None:
        odd = y[~np.isin(y, allowed)]
        if len(odd):
            raise ValueError(f"y_true needs labels 0 and 1, got {odd[0]:g}. Map the classes first.")
        return y.astype(int)
    return y


def _scores(score, rows):
    array = np.asarray(score)
    if array.ndim == 2 and array.dtype.kind in "biuf":
        if not np.isfinite(array).all():
            raise ValueError("score needs finite numbers, got missing or infinite ones. Drop those rows first.")
    else:
        array = _check.numeric(score, "score", least=0)
    _same_length(np.empty(rows), array)
    return array


def _same_length(y, score):
    if len(y) != len(score):
        raise ValueError(f"score needs one row for each label, got {len(score)} for {len(y)}. Join them by prediction first.")


def _too_few(y, least):
    n, ones = len(y), int(y.sum())
    if n < LEAST:
        return f"needs at least {LEAST} labels, got {n}"
    if ones in (0, n):
        return f"one class only: all {n} labels are {int(ones > 0)}"
    if min(ones, n - ones) < least:
        return f"needs at least {least} rows of each class, got {ones} of class 1 and {n - ones} of class 0"
    return ""
