"""Label drift, once labels are there: have the shares of the classes changed, and is P(X|y) as it was?

A change of a share is told three ways, because each hides something: the difference
hides a rare class (0.1 % to 1 % is "only" 0.9 points), the ratio hides a common one
(50 % to 60 % is "only" 1.2 times), and neither knows how many rows there were. So the
verdict is by an exact or chi-squared test, and each class has both changes with their
intervals. What can be known before the labels arrive is in `prior`.
"""
from dataclasses import dataclass, fields

import numpy as np
import scipy

from mlmon import _check
from mlmon.drift.column import read, same_kind
from mlmon.drift.detect import DataDriftDetector
from mlmon.drift.metric import wilson
from mlmon.drift.twosample import FEW, LEAST, _as_levels, _chi2_null, _rank_p, chi2_of, share_p
from mlmon.drift.verdict import Verdict

DOUBLED, POINTS = 2.0, 0.1      # a change is large from this ratio, or this difference, on


@dataclass(frozen=True)
class ClassShift:
    """One class: its share before and now, and both ways to say what lies between.

    Parameters
    ----------
    label : hashable
    reference, current : float
        Shares of the labelled rows.
    difference, difference_low, difference_high : float
        Current share less reference share, and Newcombe's interval.
    ratio, ratio_low, ratio_high : float
        Current share over reference share (the relative risk), and Koopman's interval. Where the
        reference has no row of the class, the data set no upper limit: `ratio` and
        `ratio_high` are None, `ratio_low` still says "at least so many times".
    """

    label: object
    reference: float
    current: float
    difference: float
    difference_low: float
    difference_high: float
    ratio: float | None
    ratio_low: float
    ratio_high: float | None


@dataclass(frozen=True)
class LabelDrift:
    """What `label_drift` found.

    Parameters
    ----------
    test : str
        "exact" for two classes, "chi2" for more.
    statistic, pvalue : float
        Pearson's chi-squared, and the p-value that decides; None where UNDECIDED.
    effect : float
        Total variation distance: the share of rows that changed class. None where UNDECIDED.
    severity : str
        "none" where STABLE; "large" if a class that changed beyond chance doubled, halved or moved by
        ten points, else "small"; "unknown" where UNDECIDED.
    verdict : Verdict
    reason : str
    classes : tuple of ClassShift
        The most changed first. Their intervals hold together with probability ``1 - alpha``.
    missing_reference, missing_current : float
        Shares of rows without a label, which are left out.
    alpha : float
    """

    test: str
    statistic: float | None
    pvalue: float | None
    effect: float | None
    severity: str
    verdict: Verdict
    reason: str
    classes: tuple
    missing_reference: float
    missing_current: float
    alpha: float

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    def __getitem__(self, label):
        """The row of one class."""
        return _row(self.classes, "label", label)

    def to_frame(self):
        """One row a class, as a pandas DataFrame."""
        import pandas

        names = [f.name for f in fields(ClassShift)]
        return pandas.DataFrame([[getattr(row, name) for name in names] for row in self.classes], columns=names)


@dataclass(frozen=True)
class ConditionalDrift:
    """What `class_conditional_drift` found.

    Parameters
    ----------
    verdict : Verdict
        DRIFTED if the features of any class are; else UNDECIDED if any class is; else STABLE.
    pvalue : float
        The smallest of all classes, corrected for their number; None where no class could be compared.
    reason : str
    reports : tuple of (label, DriftReport)
        One for each class that could be compared.
    undecided : tuple of (label, str)
        Classes without a report, and why.
    alpha : float
    """

    verdict: Verdict
    pvalue: float | None
    reason: str
    reports: tuple
    undecided: tuple
    alpha: float

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def drifted_classes(self):
        """Classes whose features are no longer as they were."""
        return tuple(label for label, report in self.reports if report.drifted)

    def __getitem__(self, label):
        """The report of one class."""
        for name, report in self.reports:
            if name == label:
                return report
        raise KeyError(f"no report on class {label!r}; there are {', '.join(repr(name) for name, _ in self.reports)}")


def label_drift(reference, current, *, alpha=0.05, min_ratio=1.0, seed=0):
    """Have the shares of the classes changed? Two classes or many, common or rare.

    Two classes are compared exactly (hypergeometric mid-p, which is `alpha` on average over the rates
    and 0.06 for 0.05 at worst), more by chi-squared, whose null is drawn where a count under 5 is expected. Where no
    split of the rows at hand could give a p-value of `alpha`, such as two frauds in all, the verdict is UNDECIDED and
    not STABLE.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Labels: numbers, text or booleans. Missing ones have not arrived: they are left out and
        counted. Those that arrive first are seldom a fair sample; compare ripe cohorts.
    alpha : float
        Chance of a false alarm.
    min_ratio : float
        Drift counts only if some class's share changed at least so many times, up or down. 1
        decides by significance alone.
    seed : int
        Of the drawn tables.

    Returns
    -------
    LabelDrift

    Raises
    ------
    ValueError
        For other kinds of labels in both, more than one dimension, dates, infinities.

    Notes
    -----
    The ratio's interval is Koopman's: all ratios that a score test does not reject. At the ratio 1
    that test is Pearson's chi-squared, so interval and verdict seldom disagree. With no case in
    the current sample it reaches down to 0, with none in the reference it has no upper end; both are what
    the data say. (An interval from the logarithm needs half a case added, and
    misses true ratios then.) The difference's is Newcombe's tenth, from Wilson's for each share.

    References
    ----------
    Lancaster (1961), J. Am. Stat. Assoc. 56(294), 223-234 (mid-p).
    Koopman (1984), Biometrics 40(2), 513-517 (ratio).
    Newcombe (1998), Stat. Med. 17(8), 873-890 (difference).

    Examples
    --------
    >>> before, now = [0] * 9990 + [1] * 10, [0] * 9900 + [1] * 100
    >>> result = label_drift(before, now)
    >>> result.verdict, result.severity, result[1].ratio, round(result[1].ratio_low, 1)
    (<Verdict.DRIFTED: 'DRIFTED'>, 'large', 10.0, 5.3)
    """
    alpha, min_ratio = _check.open_share(alpha, "alpha"), _check.positive(min_ratio, "min_ratio")
    if min_ratio < 1:
        raise ValueError(f"min_ratio needs a number of 1 or more, got {min_ratio!r}. 2 asks for a doubled or halved share.")
    ref, cur = (_labels(values, name) for values, name in ((reference, "reference"), (current, "current")))
    same_kind(*(column for column, _ in (ref, cur)))
    levels, table = _table(ref[1], cur[1])
    missing = [column.missing / max(len(column), 1) for column, _ in (ref, cur)]
    classes = _classes(levels, table, alpha)
    about = dict(test="exact" if len(levels) <= 2 else "chi2", classes=classes, alpha=alpha,
                 missing_reference=missing[0], missing_current=missing[1])
    statistic, p, reason = _compare(table, alpha, seed)
    if reason:
        return LabelDrift(statistic=None, pvalue=None, effect=None, severity="unknown", verdict=Verdict.UNDECIDED,
                          reason=reason, **about)
    changed = [c for c in classes if c.ratio_low > 1 or (c.ratio_high is not None and c.ratio_high < 1)] or classes[:1]
    ratio, most = max(map(_times, changed)), classes[0]
    effect = float(np.abs(table[0] / table[0].sum() - table[1] / table[1].sum()).sum() / 2)
    drifted, small = p <= alpha and ratio >= min_ratio, p <= alpha and ratio < min_ratio
    size = "large" if ratio >= DOUBLED or max(abs(c.difference) for c in changed) >= POINTS else "small"
    reason = (f"significant, but no share changed {min_ratio:g} times" if small else "no more than chance" if not drifted else
              f"class {most.label} went from {most.reference:.3g} to {most.current:.3g} of the rows")
    if missing[1]:
        reason += f"; {missing[1]:.1%} of the current rows have no label"
    return LabelDrift(
        statistic=statistic, pvalue=p, effect=effect, severity=size if drifted else "none",
        verdict=Verdict.DRIFTED if drifted else Verdict.STABLE, reason=reason, **about)


def class_conditional_drift(X_reference, y_reference, X_current, y_current, *, alpha=0.05, seed=0):
    """Is P(X|y) as it was? Features of each class against those of the same class before.

    Label drift is *pure* if only the shares of the classes changed. `estimate_prior` rests on that, and nobody
    can know it before the labels are there. Each class gets `alpha` over the number of classes and
    spends it on all of its features together, as `DataDriftDetector` does.

    Parameters
    ----------
    X_reference, X_current : DataFrame or array-like of shape (n, k) and (m, k)
        Features.
    y_reference, y_current : array-like of shape (n,) and (m,)
        Labels. Rows without a label are left out.
    alpha : float
        Chance of a false alarm for all classes together.
    seed : int
        Of the permutations.

    Returns
    -------
    ConditionalDrift

    Raises
    ------
    ValueError
        Where rows and labels differ in number, or the features cannot be compared.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y, later = rng.random(1000) < 0.2, rng.random(1000) < 0.4
    >>> class_conditional_drift(y + rng.normal(size=1000), y, later + rng.normal(size=1000), later).verdict
    <Verdict.STABLE: 'STABLE'>
    """
    alpha = _check.open_share(alpha, "alpha")
    ref, cur = _labels(y_reference, "y_reference"), _labels(y_current, "y_current")
    same_kind(ref[0], cur[0])
    levels, table = _table(ref[1], cur[1])
    X = [_rows(X, name, len(column)) for X, name, (column, _) in ((X_reference, "X_reference", ref), (X_current, "X_current", cur))]
    places = [_places(column, levels) for _, column in (ref, cur)]
    reports, undecided = [], []
    for i, (level, (n, m)) in enumerate(zip(levels, table.T)):
        if min(n, m) < LEAST:
            undecided.append((level, f"class {level} needs at least {LEAST} rows in each sample, got {n} and {m}"))
            continue
        before, now = (_taken(rows, np.flatnonzero(place == i)) for rows, place in zip(X, places))
        detector = DataDriftDetector(before, alpha=alpha / len(levels), seed=seed)
        reports.append((level, detector.detect(now)))
    return _conclude(tuple(reports), tuple(undecided), levels, alpha)


def newcombe(k, n, j, m, z):
    """Newcombe's interval of ``j / m - k / n``."""
    before, now = k / n, j / m
    (low0, high0), (low1, high1) = wilson(before, n, z), wilson(now, m, z)
    low = now - before - np.hypot(now - low1, high0 - before)
    high = now - before + np.hypot(high1 - now, before - low0)
    return float(low), float(high)


def koopman(k, n, j, m, z):
    """Koopman's interval of ``(j / m) / (k / n)``; the upper end is None where `k` is 0."""
    def score(logarithm):
        """Pearson's chi-squared of the ratio, with both shares at their likeliest values under it."""
        ratio = np.exp(logarithm)
        b = ratio * (m + k) + j + n
        q = min((b - np.sqrt(max(b * b - 4 * ratio * (n + m) * (j + k), 0.0))) / (2 * (n + m)), ratio, 1.0)
        return sum((count - size * p) ** 2 / max(size * p * (1 - p), 1e-12) for count, size, p in ((k, n, q / ratio), (j, m, q)))

    centre = np.log((j + 0.5) / (m + 0.5)) - np.log((k + 0.5) / (n + 0.5))
    low = None if j == 0 else float(np.exp(_root(score, centre, -1, z * z)))
    high = None if k == 0 else float(np.exp(_root(score, centre, 1, z * z)))
    return low or 0.0, high


def _root(score, start, direction, limit):
    """Where a score that grows away from `start` passes the limit."""
    inner, outer = start, start + direction
    while score(outer) < limit:
        inner, outer = outer, outer + 2 * (outer - start)
    for _ in range(60):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if score(middle) < limit else (inner, middle)
    return (inner + outer) / 2


def _labels(values, name):
    """A column as it came, and as categories."""
    column = read(values, name)
    return column, column if column.kind == "categorical" else _as_levels(column)


def _table(ref, cur):
    """Levels of both, sorted where they can be, and their counts of shape (2, levels)."""
    levels = list(dict.fromkeys([*ref.levels, *cur.levels]))
    try:
        levels.sort()
    except TypeError:
        levels.sort(key=str)
    counts = [dict(zip(column.levels, column.counts)) for column in (ref, cur)]
    table = np.array([[count.get(level, 0) for level in levels] for count in counts], dtype=np.int64).reshape(2, len(levels))
    return [_plain(level) for level in levels], table


def _plain(level):
    level = level.item() if isinstance(level, np.generic) else level
    return int(level) if isinstance(level, float) and level.is_integer() else level


def _compare(table, alpha, seed):
    """Statistic, p-value and, where they say nothing, why not."""
    n, m = (int(size) for size in table.sum(axis=1))
    if min(n, m) < LEAST:
        return None, None, f"needs at least {LEAST} labels in each sample, got {n} and {m}"
    if table.shape[1] < 2:
        return None, None, "one class only: there are no shares to compare"
    statistic, expected = chi2_of(table)
    if table.shape[1] == 2:
        (_, k), (_, j) = table.tolist()
        p = share_p(k, n, j, m)
        least = min(share_p(k + j - i, n, i, m) for i in {max(0, k + j - n), min(k + j, m)})
    elif expected.min() >= FEW:
        p, least = float(scipy.special.chdtrc(table.shape[1] - 1, statistic)), 0.0
    else:
        null = _chi2_null(table, seed)
        p, least = _rank_p(statistic, null), _rank_p(null.max(), null)
    if least > alpha:
        rare = int(n + m - table.sum(axis=0).max())
        return None, None, f"{rare} rows in all lie outside the most frequent class: no split of them could give p = {alpha:g}"
    return statistic, p, None


def _classes(levels, table, alpha):
    n, m = (int(size) for size in table.sum(axis=1))
    if min(n, m) == 0 or not levels:
        return ()
    z = -scipy.special.ndtri(alpha / 2 / max(1, len(levels) if len(levels) > 2 else 1))
    shifts = [_shift(level, int(k), n, int(j), m, z) for level, k, j in zip(levels, *table)]
    spread = [abs(s.difference) / np.sqrt((k + j) * (n + m - k - j) or 1) for s, k, j in zip(shifts, *table)]
    # Two classes mirror each other: the rarer one is the one that people speak of.
    order = sorted(range(len(shifts)), key=lambda i: (-round(spread[i], 12), table[:, i].sum()))
    return tuple(shifts[i] for i in order)


def _shift(level, k, n, j, m, z):
    ratio = None if k == 0 else j / m / (k / n)
    return ClassShift(level, k / n, j / m, j / m - k / n, *newcombe(k, n, j, m, z), ratio, *koopman(k, n, j, m, z))


def _times(shift):
    """How many times a share changed, up or down."""
    ratio = np.inf if shift.ratio in (None, 0) else shift.ratio
    return max(ratio, 1 / ratio)


def _row(rows, name, wanted):
    for row in rows:
        if getattr(row, name) == wanted:
            return row
    raise KeyError(f"no {name} {wanted!r} in this result; it has {', '.join(repr(getattr(row, name)) for row in rows)}")


def _places(column, levels):
    """Each row's place among the levels, -1 where its label is missing."""
    place = {level: i for i, level in enumerate(levels)}
    return np.append([place[_plain(level)] for level in column.levels], -1).astype(int)[column.codes]


def _rows(X, name, count):
    X = X if hasattr(X, "iloc") else np.asarray(X)
    if X.ndim not in (1, 2) or len(X) != count:
        raise ValueError(f"{name} needs a row of features for each of the {count} labels, "
                         f"got shape {X.shape}. Pass both in one order.")
    return X


def _taken(X, rows):
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def _conclude(reports, undecided, levels, alpha):
    p = min((min(1.0, len(levels) * report.pvalue) for _, report in reports if report.pvalue is not None), default=None)
    drifted = [f"{label} ({report.reason})" for label, report in reports if report.drifted]
    open_ = [reason for _, reason in undecided]
    open_ += [f"class {label}: {report.reason}" for label, report in reports if report.verdict is Verdict.UNDECIDED]
    if drifted:
        verdict, reason = Verdict.DRIFTED, "features changed within class " + ", class ".join(drifted)
    elif open_ or not levels:
        verdict, reason = Verdict.UNDECIDED, open_[0] if open_ else "there are no labels"
    else:
        verdict, reason = Verdict.STABLE, "within each class, features are as before"
    return ConditionalDrift(verdict, p, reason, reports, undecided, alpha)
