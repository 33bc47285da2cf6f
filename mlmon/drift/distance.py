"""How far apart two samples of one feature are: numbers, no thresholds, no verdicts.

All measures but `wasserstein` compare shares of the same bins, which `shares`
makes. Numbers are cut at quantiles of the reference; what lies below or above
the reference's range is kept apart, missing values have a bin of their own,
and so has every category, seen before or not.
"""
from dataclasses import dataclass

import numpy as np

from mlmon._check import numeric
from mlmon.drift.column import read, same_kind


@dataclass(frozen=True)
class Shares:
    """Counts of two samples over the same bins.

    Parameters
    ----------
    labels : tuple of str
        What each bin holds.
    reference, current : numpy.ndarray of int
        Rows of each sample in each bin.
    """

    labels: tuple
    reference: np.ndarray
    current: np.ndarray

    def smoothed(self):
        """Both shares with half a count added to every bin that either sample uses."""
        used = (self.reference + self.current) > 0
        return tuple(_share(counts[used] + 0.5) for counts in (self.reference, self.current))

    def plain(self):
        """Both shares as they are."""
        return _share(self.reference), _share(self.current)


def shares(reference, current, *, bins=10):
    """Count both samples over bins that the reference sets.

    Numbers: `bins` cells between the reference's minimum and maximum, cut at its
    quantiles (fewer where values tie; a value that frequent has one of its own),
    one cell below and one above. Categories: one cell each, in the reference's
    order, then unseen ones. A last cell for missing values.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Numbers of one unit, or categories. Missing values are allowed, infinite
        ones are not. Numbers need ``n >= bins`` present values.
    bins : int
        Cells for numbers; ignored for categories.

    Returns
    -------
    Shares

    Raises
    ------
    ValueError
        Where a sample is empty, kinds differ, or the reference is too short.

    Examples
    --------
    >>> cut = shares([1, 2, 3, 4], [1, 2, 9, None], bins=2)
    >>> cut.labels
    ('below 1', '1 to 2.5', '2.5 to 4', 'above 4', 'missing')
    >>> cut.reference.tolist(), cut.current.tolist()
    ([0, 2, 2, 0, 0], [0, 2, 0, 1, 1])
    """
    ref, cur = read(reference, "reference"), read(current, "current")
    kind = same_kind(ref, cur)
    for column, name in ((ref, "reference"), (cur, "current")):
        if len(column) == 0:
            raise ValueError(f"{name} needs at least 1 value, got 0. Pass a sample.")
    return _numeric_shares(ref, cur, bins) if kind == "numeric" else _categorical_shares(ref, cur)


def psi(reference, current, *, bins=10):
    """Population stability index between two samples of one feature.

    Sums ``(q - p) * log(q / p)`` over the bins of `shares`, `p` and `q` being the
    shares of each sample. Half a count is added to every bin in use, so an empty
    bin costs a finite amount.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        As in `shares`.
    bins : int
        Cells for numbers.

    Returns
    -------
    float
        0 when the shares agree; no unit, no upper limit. Without drift it is about
        ``(cells - 1) * (1/n + 1/m)``: small samples differ by chance.

    References
    ----------
    Wu and Olson (2010), J. Oper. Res. Soc. 61(2), 179-190.
    Yurdakul (2018), Statistical properties of population stability index.

    Examples
    --------
    >>> psi([1, 2, 3, 4], [1, 2, 3, 4], bins=2)
    0.0
    >>> round(psi(["a"] * 50 + ["b"] * 50, ["a"] * 80 + ["b"] * 20), 3)
    0.406
    """
    cut = shares(reference, current, bins=bins)
    return float(psi_of_counts(cut.reference, cut.current))


def kl(reference, current, *, bins=10):
    """Kullback-Leibler divergence of the current sample from the reference, in nats.

    Sums ``q * log(q / p)`` over the bins of `shares`, with `psi`'s smoothing: what it
    costs to expect the reference and meet the current sample.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        As in `shares`.
    bins : int
        Cells for numbers.

    Returns
    -------
    float
        0 when the shares agree. ``kl(a, b)`` and ``kl(b, a)`` differ; on the same bins
        they add up to `psi`.

    References
    ----------
    Kullback and Leibler (1951), Ann. Math. Stat. 22(1), 79-86.

    Examples
    --------
    >>> kl(["a", "b"], ["a", "b"])
    0.0
    """
    p, q = shares(reference, current, bins=bins).smoothed()
    return float(np.sum(q * np.log(q / p)))


def js(reference, current, *, bins=10):
    """Jensen-Shannon distance: the root of the mean divergence from the mixture, in bits.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        As in `shares`.
    bins : int
        Cells for numbers.

    Returns
    -------
    float
        From 0 (same shares) to 1 (no bin in common). A metric.

    References
    ----------
    Endres and Schindelin (2003), IEEE Trans. Inf. Theory 49(7), 1858-1860.

    Examples
    --------
    >>> js(["a", "a"], ["b", "b"])
    1.0
    """
    p, q = shares(reference, current, bins=bins).plain()
    middle = (p + q) / 2
    return float(np.sqrt(max(0.0, (_divergence(p, middle) + _divergence(q, middle)) / 2)))


def hellinger(reference, current, *, bins=10):
    """Hellinger distance: ``sqrt(1 - sum(sqrt(p * q)))`` over the bins of `shares`.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        As in `shares`.
    bins : int
        Cells for numbers.

    Returns
    -------
    float
        From 0 (same shares) to 1 (no bin in common). A metric.

    References
    ----------
    Hellinger (1909), J. reine angew. Math. 136, 210-271.

    Examples
    --------
    >>> hellinger(["a", "a"], ["b", "b"])
    1.0
    """
    p, q = shares(reference, current, bins=bins).plain()
    return float(np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2))


def total_variation(reference, current, *, bins=10):
    """Total variation distance: half the sum of ``abs(p - q)`` over the bins of `shares`.

    It is the share of rows that would have to change bins.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        As in `shares`.
    bins : int
        Cells for numbers.

    Returns
    -------
    float
        From 0 (same shares) to 1 (no bin in common). A metric.

    Examples
    --------
    >>> total_variation(["a", "a", "b", "b"], ["a", "b", "b", "b"])
    0.25
    """
    p, q = shares(reference, current, bins=bins).plain()
    return float(np.abs(p - q).sum() / 2)


def wasserstein(reference, current):
    """Earth mover's distance between two samples of numbers, in their unit.

    The area between both empirical distribution functions: how far a value moves
    on average when one sample is turned into the other with the least carrying.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Finite numbers in one unit; missing values have no place on the axis and
        are refused.

    Returns
    -------
    float
        0 when the samples agree; in the feature's unit.

    References
    ----------
    Villani (2009), Optimal Transport, ch. 6.

    Examples
    --------
    >>> wasserstein([0, 1, 3], [5, 6, 8])
    5.0
    """
    a, b = np.sort(_every_number(reference, "reference")), np.sort(_every_number(current, "current"))
    points = np.sort(np.concatenate([a, b]))
    gap = (np.searchsorted(a, points, side="right") / len(a)) - (np.searchsorted(b, points, side="right") / len(b))
    return float(np.sum(np.abs(gap[:-1]) * np.diff(points)))


def _every_number(values, name):
    column = read(values, name)
    if column.kind != "numeric":
        raise ValueError(f"{name} needs numbers, got categories. Use total_variation for categories.")
    return numeric(column.values, name)


def psi_of_counts(a, b):
    """PSI of counts of shape (..., cells), smoothed as `Shares.smoothed` does."""
    used = (a + b) > 0
    p, q = a + 0.5 * used, b + 0.5 * used
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    return np.sum((q - p) * np.log(np.where(used, q, 1) / np.where(used, p, 1)), axis=-1)


def quantile_edges(values, bins):
    """The minimum of sorted values, then the upper end of each cell, at their quantiles.

    A value that would fill more than one cell has one of its own (at the minimum: a cell
    that ends where it begins).
    """
    if not (isinstance(bins, (int, np.integer)) and bins >= 1):
        raise ValueError(f"bins needs a whole number of 1 or more, got {bins!r}. 10 is customary.")
    if len(values) < bins:
        raise ValueError(
            f"psi cuts {bins} bins and needs as many reference values, got {len(values)}. Pass fewer bins or collect more."
        )
    ends = np.quantile(values, np.arange(1, bins + 1) / bins)
    full = ends[1:][ends[1:] == ends[:-1]]
    before = values[np.maximum(np.searchsorted(values, full) - 1, 0)]
    return np.append(values[0], np.unique(np.append(ends, before)))


def _numeric_shares(ref, cur, bins):
    edges = quantile_edges(np.sort(ref.present), bins)
    labels = [f"below {edges[0]:g}"]
    labels += [f"{low:g} to {high:g}" if low < high else f"{low:g}" for low, high in zip(edges[:-1], edges[1:])]
    labels += [f"above {edges[-1]:g}", "missing"]
    return Shares(tuple(labels), _cells(ref, edges), _cells(cur, edges))


def _cells(column, edges):
    x = column.present
    # Cells are closed on the right; the first inner cell holds the minimum too.
    cell = np.searchsorted(edges[1:], x, side="left") + 1
    cell[x < edges[0]] = 0
    return np.append(np.bincount(cell, minlength=len(edges) + 1), column.missing)


def _categorical_shares(ref, cur):
    levels = list(dict.fromkeys(level for column in (ref, cur) if column.kind == "categorical" for level in column.levels))
    place = {level: i for i, level in enumerate(levels)}
    counts = []
    for column in (ref, cur):
        if column.kind == "numeric":      # all missing: no kind of its own
            counts.append(np.append(np.zeros(len(levels), dtype=np.int64), column.missing))
            continue
        filled = np.zeros(len(levels) + 1, dtype=np.int64)
        for level, count in zip(column.levels, column.counts):
            filled[place[level]] += count
        filled[-1] = column.missing
        counts.append(filled)
    return Shares(tuple(map(str, levels)) + ("missing",), *counts)


def _share(counts):
    return counts / counts.sum()


def _divergence(p, q):
    used = p > 0
    return np.sum(p[used] * np.log2(p[used] / q[used]))
