"""Which segments account for how much of a change of loss."""
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from mlmon import _check
from mlmon.drift.column import read
from mlmon.drift.distance import quantile_edges
from mlmon.drift.rootcause import ROUNDING, _ends, _limit, _rows, _se, _too_few
from mlmon.drift.show import as_html, as_text
from mlmon.drift.verdict import Verdict

RARE = 20               # rows of both samples together below which a crossing has no segment of its own


@dataclass(frozen=True)
class Slice:
    """One segment's part of a change of loss.

    Parameters
    ----------
    segment : str
        Such as ``"country = IT"``.
    features : tuple
        The one or two features that cut it.
    share_reference, share_current : float
        Of the rows.
    loss_reference, loss_current : float or None
        Mean loss in the segment; None where a sample has none of its rows.
    within : float
        Part of the change that comes from another loss of the segment's rows.
    composition : float
        Part that comes from more, or fewer, of its rows, as far as their loss differs from the mean.
    contribution : float
        ``within + composition``. Over the segments of a feature, contributions add up to the total.
    excess : float
        Contribution beyond the segment's share of the change: ``q (M - after) - p (L - before)``.
    low, high : float
        Interval of the excess, at once for all segments of the ledger.
    """

    segment: str
    features: tuple
    share_reference: float
    share_current: float
    loss_reference: float | None
    loss_current: float | None
    within: float
    composition: float
    contribution: float
    excess: float
    low: float
    high: float

    @property
    def drifted(self):
        """Whether the excess is more than chance."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class SliceLedger:
    """Which segments account for how much of a change, the most telling one first.

    Parameters
    ----------
    total, total_se : float
        The change of the mean loss.
    slices : tuple of Slice
        Those that are more than chance first, then by the size of the excess.
    verdict : Verdict
    reason : str
    """

    total: float
    total_se: float
    slices: tuple
    verdict: Verdict
    reason: str

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def top(self):
        """The segments that account for more, or less, than their share, beyond chance."""
        return tuple(row for row in self.slices if row.drifted)

    def of(self, *features):
        """The segments of one feature, or of a pair, as their own ledger: they add up to the total."""
        known = list(dict.fromkeys(row.features for row in self.slices))
        _check.one_of(tuple(features), known, "features")
        return tuple(row for row in self.slices if row.features == tuple(features))

    def to_frame(self):
        """One row a segment, as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame([asdict(row) | {"drifted": row.drifted} for row in self.slices])

    def __str__(self):
        return as_text(self.verdict, self.reason, *self._table())

    __repr__ = __str__

    def _repr_html_(self):
        return as_html(self.verdict, self.reason, *self._table())

    def _table(self, most=10):
        heads = ("segment", "share", "loss", "within", "composition", "contribution", "excess", "interval")
        return heads, [(
            row.segment, f"{row.share_reference:.1%} → {row.share_current:.1%}",
            f"{_number(row.loss_reference)} → {_number(row.loss_current)}", f"{row.within:+.4f}", f"{row.composition:+.4f}",
            f"{row.contribution:+.4f}", f"{row.excess:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}") for row in self.slices[:most]]


def slices(reference, current, loss_reference, loss_current, *, columns=None, bins=4, pairs=True, alpha=0.01):
    """A ledger of segments: which of them account for how much of a change of loss.

    A segment is a level of a category, a cell between quantiles of a number, what is missing, or a
    crossing of two of these. With shares p, q and mean losses L, M of a segment before and now,
    and B the mean of both overall losses, its contribution is ::

        within       (p + q) / 2 * (M - L)
        composition  (q - p) * ((L + M) / 2 - B)

    Over the segments of a feature these add up to the change exactly. If a change hits all rows alike, each
    segment contributes its share; the `excess` is what goes beyond, and it points at the segment to look
    into. Intervals hold for all segments at once (Bonferroni). A segment that one sample lacks has
    composition alone.

    Parameters
    ----------
    reference, current : DataFrame of shape (n, k) and (m, k)
    loss_reference, loss_current : array-like of shape (n,) and (m,)
        Finite loss of each row.
    columns : list, optional
        Features to cut by. All of them, unless given.
    bins : int
        Cells of a number, at quantiles of the reference.
    pairs : bool
        Whether to cross the features two by two.
    alpha : float
        Chance that any interval of the ledger misses its segment's true excess.

    Returns
    -------
    SliceLedger
        UNDECIDED with fewer than 50 rows, or where the loss never varies.

    References
    ----------
    Kitagawa (1955), Components of a difference between two rates, J. Am. Stat. Assoc. 50(272), 1168-1194.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, now = (pd.DataFrame({"country": rng.choice(["DE", "FR", "IT"], 3000)}) for _ in range(2))
    >>> hurt = now["country"] == "IT"
    >>> ledger = slices(before, now, rng.random(3000), rng.random(3000) + 0.5 * hurt)
    >>> ledger.top[0].segment, round(sum(row.contribution for row in ledger.slices) - ledger.total, 12)
    ('country = IT', 0.0)
    """
    reference, current, loss, n = _rows(reference, current, loss_reference, loss_current, columns)
    alpha, bins = _check.open_share(alpha, "alpha"), _check.whole(bins, "bins", 1)
    before, after, moves = _ends(loss, n)
    total, total_se = after - before, _se(moves[1] - moves[0])
    if reason := _too_few(n, len(loss) - n, loss):
        return SliceLedger(total, total_se, (), Verdict.UNDECIDED, reason)
    cuts = {name: _cut(reference[name], current[name], name, bins) for name in reference.columns}
    groups = [((name,), codes, labels) for name, (codes, labels) in cuts.items() if len(labels) > 1]
    if pairs:
        crossed = [_crossed(a, b, cuts) for a, b in combinations([names[0] for names, _, _ in groups], 2)]
        groups += [cross for cross in crossed if len(cross[2]) > 1]
    if not groups:
        return SliceLedger(total, total_se, (), Verdict.UNDECIDED, "no feature varies: there are no segments to compare")
    z = _limit(alpha, sum(len(labels) for _, _, labels in groups))
    found = [row for group in groups for row in _ledger(*group, loss, n, z)]
    found.sort(key=lambda row: (not row.drifted, -abs(row.excess)))
    hit = [row for row in found if row.drifted]
    if hit:
        reason = f"{hit[0].segment} accounts for {hit[0].contribution:+.3g} of {total:+.3g} with {hit[0].share_current:.1%} of the rows"
        return SliceLedger(total, total_se, tuple(found), Verdict.DRIFTED, reason)
    return SliceLedger(total, total_se, tuple(found), Verdict.STABLE, "no segment stands out: what changed, changed for all alike")


def _cut(reference, current, name, bins):
    """A code a row, both samples in one array, and the name of each code's segment."""
    ref, cur = read(reference, str(name)), read(current, str(name))
    if ref.kind != cur.kind and len(ref.present) and len(cur.present):
        raise ValueError(f"{name} needs numbers in both samples or categories in both, got {ref.kind} and {cur.kind}. Convert one.")
    kind = ref.kind if len(ref.present) else cur.kind
    codes, labels = (_cells if kind == "numeric" else _levels)(ref, cur, name, bins)
    gone = codes < 0
    used, codes = np.unique(np.where(gone, len(labels), codes), return_inverse=True)
    return codes, [[*labels, f"{name} missing"][i] for i in used]


def _cells(ref, cur, name, bins):
    values = np.concatenate([c.values if c.kind == "numeric" else np.full(len(c), np.nan) for c in (ref, cur)])
    base = ref.present if len(ref.present) else values[~np.isnan(values)]
    inner = quantile_edges(np.sort(base), min(bins, len(base)))[1:-1] if len(base) else np.zeros(0)
    codes = np.searchsorted(inner, values, side="left")
    codes[np.isnan(values)] = -1
    edges = [f"{edge:.4g}" for edge in inner]
    labels = [f"{name} <= {edges[0]}", *(f"{a} < {name} <= {b}" for a, b in zip(edges, edges[1:])), f"{name} > {edges[-1]}"] if edges else [str(name)]
    return codes, labels


def _levels(ref, cur, name, bins):
    parts = [c.levels[c.codes].astype(object) if c.kind == "categorical" and len(c.levels) else np.full(len(c), None) for c in (ref, cur)]
    for part, c in zip(parts, (ref, cur)):
        part[(c.codes < 0) if c.kind == "categorical" else slice(None)] = None
    known = {}
    codes = np.array([-1 if v is None else known.setdefault(v, len(known)) for v in np.concatenate(parts)], dtype=int)
    return codes, [f"{name} = {level}" for level in known]


def _crossed(a, b, cuts):
    """The crossing of two features; cells with few rows make one segment."""
    (first, names), (second, others) = cuts[a], cuts[b]
    codes = first * len(others) + second
    counts = np.bincount(codes, minlength=len(names) * len(others))
    kept = np.flatnonzero(counts >= RARE)
    place = np.full(len(counts), len(kept))
    place[kept] = np.arange(len(kept))
    labels = [f"{names[k // len(others)]}, {others[k % len(others)]}" for k in kept]
    if (counts[counts < RARE] > 0).any():
        labels.append(f"{a}, {b}: rare crossings")
    return (a, b), place[codes], labels


def _ledger(features, codes, labels, loss, n, z):
    """The rows of one feature's ledger, all segments at once."""
    then, now = (_segment(part, x, len(labels)) for part, x in ((codes[:n], loss[:n]), (codes[n:], loss[n:])))
    p, q = then.share, now.share
    base = (loss[:n].mean() + loss[n:].mean()) / 2
    before, after = np.where(p > 0, then.loss, now.loss), np.where(q > 0, now.loss, then.loss)
    within = (p + q) / 2 * (after - before)
    composition = (q - p) * ((before + after) / 2 - base)
    excess = now.covariance - then.covariance
    margin = z * np.sqrt(then.variance + now.variance) + ROUNDING
    return [Slice(
        labels[k], features, float(p[k]), float(q[k]), float(then.loss[k]) if p[k] else None, float(now.loss[k]) if q[k] else None,
        float(within[k]), float(composition[k]), float(within[k] + composition[k]), float(excess[k]),
        float(excess[k] - margin[k]), float(excess[k] + margin[k])) for k in range(len(labels))]


@dataclass(frozen=True)
class _Segments:
    """One sample by segment: share of the rows, mean loss, covariance of membership and loss, and its variance."""

    share: np.ndarray
    loss: np.ndarray
    covariance: np.ndarray
    variance: np.ndarray


def _segment(codes, loss, size):
    rows, away = len(loss), loss - loss.mean()
    count, total, squares = (np.bincount(codes, x, size) for x in (np.ones(rows), away, away**2))
    share, covariance = count / rows, total / rows
    # Membership less its share, squared, is (1 - 2 share) inside plus share squared everywhere.
    variance = ((1 - 2 * share) * squares / rows + share**2 * np.mean(away**2) - covariance**2) / rows
    return _Segments(share, loss.mean() + total / np.maximum(count, 1), covariance, np.maximum(variance, 0))

def _number(value):
    return "none" if value is None else f"{value:.4f}"
