"""Which pairs of features go together otherwise than they did.

Each feature is ranked within its own sample (a category: marked by its most
frequent levels), so that a change of one feature alone moves nothing here; then
every product of two features is compared between the samples.
"""
import numpy as np
import scipy

from mlmon.drift.calibration import centred_ranks, corrected, draw_rows

ROWS = 10_000        # of each sample that are looked at, at most
SMALL = 500          # from here on a limit serves; below it rows are permuted
PERMUTED = 2_500     # rows that are permuted at most
WORK = 20_000_000    # products of features times rows that are permuted at most
MARKS = 3            # levels of a category that get a mark each
SHOWN = 20


def pair_p(features, seed):
    """Pairs whose dependence changed most, with p corrected for all pairs.

    Parameters
    ----------
    features : list of ((kind, reference values), (kind, current values))
        Numbers with nan, or level codes with -1, where missing.
    seed : int
        Of the permutations.

    Returns
    -------
    list of (int, int, float)
        The two features' places and p, smallest first; empty with fewer than two
        features that vary.
    """
    marks = [(i, a, b) for i, (ref, cur) in enumerate(features) for a, b in zip(*_marks(ref, cur))]
    owner = np.array([i for i, _, _ in marks], dtype=int)
    first, second = np.nonzero(owner[:, None] < owner[None, :])
    if not len(first):
        return []
    ref, cur = (np.stack([mark[side] for mark in marks], axis=1) for side in (1, 2))
    total, products = np.concatenate([ref, cur]), len(first)
    z, skew = (values[first, second] for values in _z(cur.T @ cur, total, len(cur)))
    p = np.minimum(1.0, products * skewed_p(z, skew))
    if min(len(ref), len(cur)) < SMALL and products * min(len(total), PERMUTED) <= WORK:
        permuted = corrected(2 * scipy.special.ndtr(-np.abs(z)), _null(ref, cur, first, second, seed))
        # A null from some of the rows has not met the rarest products.
        p = permuted if len(total) <= PERMUTED else np.maximum(permuted, p)
    best = {}
    for k in np.argsort(p, kind="stable")[: SHOWN * MARKS**2]:
        best.setdefault((int(owner[first[k]]), int(owner[second[k]])), float(p[k]))
    return [(i, j, value) for (i, j), value in list(best.items())[:SHOWN]]


def _marks(ref, cur):
    """Centred columns of a feature in both samples, two lists side by side."""
    if ref[0] == "numeric":
        pair = [centred_ranks(values) for _, values in (ref, cur)]
        return [[side] for side in pair] if all(side.any() for side in pair) else ([], [])
    counts = np.bincount(np.concatenate([ref[1], cur[1]]) + 1)[1:]
    levels = [level for level in np.argsort(-counts, kind="stable")[:MARKS] if counts[level]]
    return tuple([_mark(codes, level) for level in levels[: max(1, len(np.flatnonzero(counts)) - 1)]] for _, codes in (ref, cur))


def _mark(codes, level):
    present = codes >= 0
    return np.where(present, (codes == level) - (codes == level).sum() / max(present.sum(), 1), 0.0)


def _z(sums, total, m):
    """Standard scores of sums of products over `m` of the rows of `total`, and the skewness of their null."""
    rows = len(total)
    mean = total.T @ total / rows
    squares = (total**2).T @ total**2
    cubes = (total**3).T @ total**3 - 3 * mean * squares + 2 * rows * mean**3
    squares = squares - rows * mean**2
    drawn = m * (rows - m) / (rows * (rows - 1))
    sd = np.sqrt(np.maximum(squares, 0) * drawn)
    varies = sd > 1e-5
    z = np.divide(sums - m * mean, sd, out=np.zeros_like(mean), where=varies)
    return z, np.divide(cubes * drawn * (rows - 2 * m) / (rows - 2), sd**3, out=np.zeros_like(mean), where=varies)


def skewed_p(z, skew):
    """Two-sided p of standard scores whose null has this skewness (Pearson's type III).

    A product of two rare levels is a count of few rows, far from normal. On the side of
    the short tail the normal's p stands, which is too large there.
    """
    long = np.sign(skew) * z > 0
    shape = 4 / np.where(long, np.maximum(np.abs(skew), 1e-3), 1) ** 2
    at = shape + np.where(long, np.abs(z), 0) * np.sqrt(shape)
    return np.where(long, np.minimum(1, 2 * scipy.special.gammaincc(shape, at)), 2 * scipy.special.ndtr(-np.abs(z)))


def _null(ref, cur, first, second, seed):
    """The smallest p over all products, in draws of the current rows from both samples."""
    m = min(len(cur), PERMUTED // 2)
    total = np.concatenate([ref[: PERMUTED - m], cur[:m]])
    m = min(m, len(total) - 1)
    draws = draw_rows(len(total), m, seed)
    most = np.zeros(len(draws))
    for start in range(0, len(first), 500):
        chunk = slice(start, start + 500)
        products = total[:, first[chunk]] * total[:, second[chunk]]
        products = products - products.mean(axis=0)
        spread = np.sqrt((products**2).sum(axis=0) * m * (len(total) - m) / (len(total) * (len(total) - 1)))
        products = np.divide(products, spread, out=np.zeros_like(products), where=spread > 1e-9)
        most = np.maximum(most, np.abs(draws @ products.astype(np.float32)).max(axis=1))
    return np.sort(2 * scipy.special.ndtr(-most))
