"""Which of two samples does a row look like? The chances behind the root-cause terms.

A classifier learns to tell current rows from reference rows, on folds that leave out the
rows it then speaks about. Its chance `p` that a row is current, both samples weighing the
same, gives the ratio of the two densities: ``p / (1 - p)``.
"""
from dataclasses import dataclass, field

import numpy as np
import scipy

from mlmon import _check
from mlmon.drift.column import read, same_kind
from mlmon.drift.detect import _one_blas_thread

RARE = 10               # a level with fewer rows in both samples together has no column of its own
PRODUCTS = 150          # more products of pairs than this are left out; squares stay
RIDGES = 1000.0, 100.0, 10.0, 1.0     # from stiff to free
BEND = 5.0              # deviations within which a number is left nearly as it is
LONELY = 0.99           # a row this sure of its sample has hardly a counterpart in the other


@dataclass(frozen=True)
class Overlap:
    """How much two samples share, and so what can be compared at all.

    Parameters
    ----------
    shared : float
        1 where both have the same rows, 0 where no row of one looks like the other's:
        the integral of ``2 p q / (p + q)``.
    effective_reference, effective_current : float
        Rows that the weighted means are worth (Kish), of each sample.
    lonely_reference, lonely_current : float
        Share of the rows with hardly a counterpart: the classifier is 99 % sure of them.
    imbalance : float
        Largest difference between the two weighted samples in any feature, in standard deviations: what the
        classifier has missed, and chance.
    """

    shared: float
    effective_reference: float
    effective_current: float
    lonely_reference: float
    lonely_current: float
    imbalance: float


@dataclass(frozen=True)
class Domain:
    """Rows of both samples, the reference's first, with their chance of being current.

    Parameters
    ----------
    is_current : numpy.ndarray of bool, shape (n + m,)
    p : numpy.ndarray of shape (n + m,)
        Chance of being current, by a classifier that has not seen the row.
    overlap : Overlap
    """

    is_current: np.ndarray
    p: np.ndarray
    overlap: Overlap
    _moves: np.ndarray = field(repr=False)
    _features: np.ndarray = field(repr=False)

    def mean(self, loss, current, weight, slope):
        """A weighted mean of one sample's losses, and what each row of both adds to its error.

        `slope` is the derivative of the weight by the log odds of `p`: the rows also move the
        mean by moving the classifier (the sandwich of M-estimation, by the quadratic logistic).
        """
        rows = self.is_current == current
        weight, slope = weight[rows], slope[rows]
        total = weight.sum()
        value = float(weight @ loss[rows] / total)
        away = (loss[rows] - value) / total
        influence = (slope * away) @ self._features[rows] @ self._moves
        influence[rows] += weight * away
        return value, influence


def tell_apart(reference, current, *, classifier=None, folds=5, seed=0):
    """Cross-fit a domain classifier on two frames with the same columns.

    Parameters
    ----------
    reference, current : DataFrame of shape (n, k) and (m, k)
        Numbers and categories, missing values allowed.
    classifier : scikit-learn classifier, optional
        Has `fit` and `predict_proba`. By default a logistic regression on the features, their
        squares and products.
    folds : int
        2 or more.
    seed : int
        Deals the rows to the folds.

    Returns
    -------
    Domain

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> a, b = (pd.DataFrame({"x": rng.normal(mean, 1, 1000)}) for mean in (0, 1))
    >>> round(tell_apart(a, a).overlap.shared, 2), round(tell_apart(a, b).overlap.shared, 1)
    (1.0, 0.8)
    """
    folds = _check.whole(folds, "folds", 2)
    with _one_blas_thread():
        return _cross_fit(*encode(reference, current), len(reference), len(current), classifier, folds, seed)


def encode(reference, current):
    """Both frames as one matrix of standardised columns, and how many of them are numbers.

    Numbers are centred at their median, scaled by their quartiles and bent by asinh, so that
    a long tail does not rule; a missing one counts as the median and has a column that says so.
    Categories have a column a level.
    """
    numbers, others = [], []
    for name in reference.columns:
        ref, cur = read(reference[name], str(name)), read(current[name], str(name))
        kind = same_kind(ref, cur)
        if kind == "numeric":
            values = np.concatenate([c.values if c.kind == kind else np.full(len(c), np.nan) for c in (ref, cur)])
            gone = np.isnan(values)
            others.append(gone.astype(float))
            numbers.append(_bent(values, gone))
        else:
            levels = np.concatenate([_levels(ref), _levels(cur)])
            found, codes = np.unique(levels, return_inverse=True)
            counts = np.bincount(codes, minlength=len(found))
            others += [(codes == k).astype(float) for k in np.flatnonzero(counts >= RARE)]
    numbers = [x for x in numbers if np.ptp(x) > 0]
    others = [x for x in others if np.ptp(x) > 0]
    rows = len(reference) + len(current)
    matrix = np.column_stack(numbers + others) if numbers or others else np.zeros((rows, 0))
    return _standard(matrix), len(numbers)


def _cross_fit(plain, values, n, m, classifier, folds, seed):
    rich = _with_products(plain, values)
    is_current = np.arange(n + m) >= n
    balance = np.where(is_current, (n + m) / (2 * m), (n + m) / (2 * n))
    fold = _deal(is_current, folds, seed)
    p, ridge = np.empty(n + m), RIDGES[-1]
    if classifier is None:
        p, ridge = _logistic_chances(rich, is_current, balance, fold, folds)
    else:
        for k in range(folds):
            p[fold == k] = _fitted(classifier, plain, is_current, fold != k, fold == k, m / n)
    p = np.clip(p, 1e-6, 1 - 1e-6)
    curvature = (rich * (balance * p * (1 - p))[:, None]).T @ rich + np.diag(_ridge(ridge, rich))
    moves = np.linalg.solve(curvature, (rich * (balance * (is_current - p))[:, None]).T)
    return Domain(is_current, p, _overlap(plain, is_current, p), moves, rich)


def _bent(values, gone):
    present = values[~gone]
    if not len(present):
        return np.zeros(len(values))
    low, middle, high = np.quantile(present, [0.25, 0.5, 0.75])
    scale = (high - low) / 1.349 or present.std() or 1.0
    return BEND * np.arcsinh(np.where(gone, 0.0, values - middle) / (BEND * scale))


def _levels(column):
    """Text a row, that tells levels apart from one another and from what is missing."""
    if column.kind == "numeric":
        return np.full(len(column), "missing")
    return np.append([f"level {level!r}" for level in column.levels], "missing")[column.codes]


def _standard(matrix):
    return (matrix - matrix.mean(axis=0)) / (matrix.std(axis=0) + 1e-12) if matrix.size else matrix


def _with_products(plain, numbers):
    """A leading 1, the columns, squares of the numbers, and products of pairs where they are not too many."""
    first, second = np.triu_indices(numbers)
    if len(first) > PRODUCTS:
        first, second = first[first == second], second[first == second]
    products = _standard(plain[:, first] * plain[:, second])
    return np.column_stack([np.ones(len(plain)), plain, products])


def _deal(is_current, folds, seed):
    """A fold for each row, both samples spread evenly over all folds."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(is_current), dtype=int)
    for rows in (np.flatnonzero(~is_current), np.flatnonzero(is_current)):
        fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return fold


def _logistic_chances(x, y, weight, fold, folds):
    """Chances of the held rows by logistic regression, and the ridge: the freest that the first fold does not speak against."""
    def fitted(k, ridge, start):
        train = fold != k
        return _logistic(x[train], y[train], weight[train], _ridge(ridge, x), start)

    first, path, losses = fold == 0, [np.zeros(x.shape[1])], []
    for ridge in RIDGES:
        path.append(fitted(0, ridge, path[-1]))
        chance = scipy.special.expit(x[first] @ path[-1])
        losses.append(-weight[first] * np.log(np.clip(np.where(y[first], chance, 1 - chance), 1e-12, 1)))
    best = _freest(np.array(losses))
    p = np.empty(len(y))
    for k in range(folds):
        beta = path[best + 1] if k == 0 else fitted(k, RIDGES[best], path[best + 1])
        p[fold == k] = scipy.special.expit(x[fold == k] @ beta)
    return p, RIDGES[best]


def _freest(losses):
    """The last row that is worse than the best one by no more than a standard error of their difference."""
    worse = losses - losses[losses.sum(axis=1).argmin()]
    return int(np.flatnonzero(worse.mean(axis=1) <= worse.std(axis=1) / np.sqrt(losses.shape[1]))[-1])


def _ridge(size, x):
    """The penalty of each coefficient: the leading 1 has next to none."""
    return np.append(1e-6, np.full(x.shape[1] - 1, size))


def _logistic(x, y, weight, ridge, beta):
    """Newton's steps from `beta` to the logistic regression with these penalties."""
    for _ in range(30):
        p = scipy.special.expit(x @ beta)
        gradient = x.T @ (weight * (y - p)) - ridge * beta
        step = np.linalg.solve((x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(ridge), gradient)
        beta = beta + step * min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        if np.abs(step).max() < 1e-4:
            break
    return beta


def _fitted(classifier, x, y, train, held, ratio):
    """Chances of the held rows by a fresh copy of the classifier, both samples weighing the same."""
    from sklearn.base import clone
    from threadpoolctl import threadpool_limits      # its OpenMP as well as BLAS

    with threadpool_limits(1):
        p = clone(classifier).fit(x[train], y[train]).predict_proba(x[held])[:, 1]
    return p / (p + (1 - p) * ratio)


def _overlap(plain, is_current, p):
    weight = np.where(is_current, 1 - p, p)
    shared = (2 * weight[~is_current].mean() + 2 * weight[is_current].mean()) / 2
    effective = [float(w.sum() ** 2 / (w @ w)) for w in (weight[~is_current], weight[is_current])]
    imbalance = 0.0
    if plain.size:
        means = [weight[rows] @ plain[rows] / weight[rows].sum() for rows in (~is_current, is_current)]
        imbalance = float(np.abs(means[0] - means[1]).max())
    return Overlap(
        float(min(shared, 1.0)), *effective, float((p[~is_current] < 1 - LONELY).mean()), float((p[is_current] > LONELY).mean()), imbalance,
    )
