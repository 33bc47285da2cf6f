"""What chance alone would do: scores, and their joint null over all features.

Every marginal decision rests on sums of scores over the current rows. A score is
a function of a value's rank among both samples together, so its sum has a known
mean and variance when rows are exchangeable, and drawing the current rows anew
from both samples (one matrix product) gives the joint null of all features with
whatever ties them together. Feature by feature the sums become one "least p";
the null of the smallest of them over all features is what corrects for many.

A rank score is written down by its integral over [0, 1], which is 0 at both ends;
its mean over a group of ties, or over a block of a long sample, is then a
difference of two values.
"""
from functools import lru_cache

import numpy as np
import scipy

DEGREES = 8                                   # Legendre terms kept of Anderson-Darling's sum
TAILS = (0.006, 0.009, 0.013, 0.02, 0.032)    # shares of both samples that a tail push may hold
SHAPE, SCALE, TAIL = 0.60, 0.25, 0.15         # what each view gets of a numeric feature's budget
TOGETHER, SINGLE = 0.75, 0.25                 # and of a categorical one's: all its levels, the most changed one
SCORES = DEGREES + 1 + 2 * len(TAILS)
DRAWS = 999
POOL = 10_000                                 # rows up to which the null is drawn from these very rows
COMMON = 10                                   # a level rarer than this in both together is pooled with its like
LEVELS = 50                                   # and so are those past the most frequent ones


def score_integrals(u):
    """The integrals of all rank scores from 0 to each of `u`, shape (len(u), SCORES).

    Legendre polynomials (their squared sums, weighted, are Anderson-Darling's
    statistic), Klotz's squared normal scores, and for each of `TAILS` a contrast of
    the outermost share against the next one, upper and lower.
    """
    t = 2 * u - 1
    legendre = [np.ones_like(t), t]
    for j in range(1, DEGREES + 1):
        legendre.append(((2 * j + 1) * t * legendre[j] - j * legendre[j - 1]) / (j + 1))
    columns = [(legendre[j + 1] - legendre[j - 1]) / (2 * (2 * j + 1)) for j in range(1, DEGREES + 1)]
    z = scipy.special.ndtri(np.clip(u, 1e-300, 1 - 1e-16))
    columns.append(-z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
    for share in TAILS:
        columns.append(-np.clip(np.minimum(u - (1 - 2 * share), 1 - u), 0, None))
        columns.append(np.clip(np.minimum(u, 2 * share - u), 0, None))
    return np.stack(columns, axis=1)


def block_scores(upto):
    """Mean scores of the blocks that end at ranks `upto`, shape (len(upto), SCORES)."""
    edges = score_integrals(np.concatenate([[0.0], upto / upto[-1]]))
    size = np.diff(upto, prepend=0) / upto[-1]
    return np.diff(edges, axis=0) / size[:, None]


@lru_cache(maxsize=4)
def even_block_scores(total):
    """`block_scores` of a sample without ties, which depend on its length alone."""
    from mlmon.drift.column import cut_points

    upto = cut_points(total) + 1
    return upto, block_scores(upto)


def merged_z(merged):
    """Standard scores of the current sample's sums, read off a merged sample."""
    total, m = merged.n + merged.m, merged.m
    if merged.tied:
        upto, scores = merged.upto, block_scores(merged.upto)
    else:
        upto, scores = even_block_scores(total)
    size = np.diff(upto, prepend=0)
    return standardise(np.diff(merged.below, prepend=0) @ scores, size @ scores**2, m, total)


def row_scores(values):
    """Scores of every row by its rank among `values`; 0 where a value is missing."""
    order, ends = tie_groups(values)
    scores = np.zeros((len(values), SCORES))
    if len(order):
        scores[order] = np.repeat(block_scores(ends + 1), np.diff(ends, prepend=-1), axis=0)
    return scores


def centred_ranks(values):
    """Midranks over (0, 1), less 1/2; 0 where a value is missing."""
    order, ends = tie_groups(values)
    ranks = np.zeros(len(values))
    if len(order):
        size = np.diff(ends, prepend=-1)
        ranks[order] = np.repeat((ends + 1 - size / 2) / len(order) - 0.5, size)
    return ranks


def tie_groups(values):
    """Places of the present values in rising order, and where in it each group of ties ends."""
    order = np.argsort(values)[: len(values) - int(np.isnan(values).sum())]     # nan is sorted last
    ranked = values[order]
    return order, np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1) if len(order) else order


def standardise(sums, squares, m, total):
    """Sums of `m` centred scores drawn from `total` without replacement, in standard deviations."""
    variance = squares * m * (total - m) / (total * max(total - 1, 1))
    return np.divide(sums, np.sqrt(variance), out=np.zeros_like(sums, dtype=float), where=variance > 1e-12)


def numeric_p(z):
    """The least p of a numeric feature: shape, scale and tails, each over its part of the budget.

    `z` has shape (..., SCORES). As each view's p is asymptotic and the views overlap,
    the result is a statistic to be compared with its null, not a p-value.
    """
    degree = np.arange(1, DEGREES + 1)
    anderson = np.sum(z[..., :DEGREES] ** 2 / (degree * (degree + 1)), axis=-1) + 1 / (DEGREES + 1)
    scale = 2 * scipy.special.ndtr(-np.abs(z[..., DEGREES]))
    tail = 4 * len(TAILS) * scipy.special.ndtr(-np.abs(z[..., DEGREES + 1:]).max(axis=-1))
    return np.minimum(np.minimum(anderson_p(anderson) / SHAPE, scale / SCALE), tail / TAIL)


def categorical_p(z, kept):
    """The least p of a categorical feature: all levels together, and the most changed one, each over its part.

    `z` holds each kept level's standardised count, `kept` its share of both samples.
    """
    levels = z.shape[-1]
    together = scipy.special.chdtrc(levels - 1, np.sum(z**2 * (1 - kept), axis=-1))
    single = 2 * levels * scipy.special.ndtr(-np.abs(z).max(axis=-1))
    return np.minimum(together / TOGETHER, single / SINGLE)


def anderson_p(a):
    """Upper tail of the limiting two-sample Anderson-Darling statistic.

    Marsaglia and Marsaglia (2004), J. Stat. Softw. 9(2), to 6; from there on the
    leading exponential of its weighted chi-squared form.
    """
    a = np.asarray(a, dtype=float)
    x = np.clip(a, 0.05, 6)
    low = np.exp(-1.2337141 / x) / np.sqrt(x) * (
        2.00012 + (0.247105 - (0.0649821 - (0.0347962 - (0.011672 - 0.00168691 * x) * x) * x) * x) * x)
    high = -np.expm1(-np.exp(
        1.0776 - (2.30695 - (0.43424 - (0.082433 - (0.008056 - 0.0003146 * x) * x) * x) * x) * x))
    p = np.where(x < 2, 1 - low, high)
    return np.where(a > 6, p * np.exp(6 - a) * np.sqrt(6 / np.maximum(a, 6)), p)


def common_levels(counts):
    """Group of each level by its count in both samples: one each, the rare ones together."""
    order = np.argsort(-counts, kind="stable")
    kept = [level for level in order[:LEVELS] if counts[level] >= COMMON]
    group = np.full(len(counts), len(kept))
    group[kept] = np.arange(len(kept))
    return group, len(kept) + int((group == len(kept)).any())


class Pool:
    """Rows of both samples together, and the null of drawing the current ones from them.

    Parameters
    ----------
    columns : list of (kind, array)
        Numbers with nan where missing, or level codes with -1 where missing.
    draws : numpy.ndarray of shape (DRAWS, rows)
        1 where a row is drawn as current.
    """

    def __init__(self, columns, draws):
        self.draws, self.total = draws, draws.shape[1]
        self.m = int(draws[0].sum())
        self._columns = columns

    def __len__(self):
        return len(self._columns)

    @property
    def size(self):
        """Products of scores and draws that the null takes, about."""
        return self.draws.size * len(self) // 10

    def least(self, feature):
        """Least p of one feature in every draw."""
        return self._p(*self._columns[feature], self.draws)

    def observed(self, current):
        """Least p of every feature when the current rows are those marked in `current`."""
        drawn = current.astype(np.float32)[None, :]
        return np.array([self._p(kind, values, drawn)[0] for kind, values in self._columns])

    def _p(self, kind, values, drawn):
        if kind == "numeric":
            return numeric_p(self._z(row_scores(values), drawn))
        marks, kept = level_marks(values)
        return categorical_p(self._z(marks, drawn), kept) if len(kept) > 1 else np.ones(len(drawn))

    def _z(self, scores, drawn):
        sums = (drawn @ scores.astype(np.float32)).astype(float)
        return standardise(sums, (scores**2).sum(axis=0), self.m, self.total)


def level_marks(codes):
    """Centred marks of each common level, one column each, and the levels' shares."""
    present = codes >= 0
    counts = np.bincount(codes[present], minlength=1)
    group, groups = common_levels(counts)
    marks = np.zeros((len(codes), groups))
    marks[np.flatnonzero(present), group[codes[present]]] = 1
    kept = marks.sum(axis=0) / max(present.sum(), 1)
    return np.where(present[:, None], marks - kept, 0), kept


@lru_cache(maxsize=4)
def draw_rows(total, m, seed, draws=DRAWS):
    """Random choices of `m` of `total` rows, one a line, as 0 and 1 in float32; kept for the next batch, so read-only.

    The rows with the smallest of as many random keys: each choice is as likely as any other, and it takes a third of the time of
    shuffling. Two equal keys of 64 bits would add a row; once in 10^12 sets of draws.
    """
    rng, chosen = np.random.default_rng(seed), np.empty((draws, total), dtype=np.float32)
    for lines in np.array_split(chosen, 10):      # all keys at once would take four times the memory of what is kept
        keys = rng.integers(2**64, size=lines.shape, dtype=np.uint64)
        lines[:] = keys <= np.partition(keys, m - 1, axis=1)[:, m - 1 : m]
    chosen.setflags(write=False)
    return chosen


def corrected(p, null):
    """How often the smallest of all features' least p is as small as each of `p`.

    Ranks among the sorted `null`, ties counted half; beyond its tenth smallest value, in
    proportion to p.
    """
    p = np.asarray(p, dtype=float)
    rank = (np.searchsorted(null, p * (1 - 1e-4)) + np.searchsorted(null, p * (1 + 1e-4), side="right")) / 2
    far = 10 / (len(null) + 1) * p / max(null[9], 1e-300)
    return np.clip(np.where(rank < 10, np.minimum(far, 10 / (len(null) + 1)), (rank + 0.5) / (len(null) + 1)), 0, 1)
