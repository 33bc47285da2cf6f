"""Which rows to have labelled, and what a mean over such rows is worth.

`entropy`, `margin`, `least_confidence` and `vote_entropy` say how uncertain each row is. `most`, `diverse` and `draw` pick rows by that.
A mean over picked rows is not the pool's; over rows that `draw` picked it is, with the weights of `lure`.
"""
import numpy as np

from mlmon import _check

AMONG = 10         # `diverse` looks at so many times the budget


# ------------------------------------------------------------------ how uncertain

def entropy(probabilities):
    """Shannon entropy of each row's class probabilities, in nats: 0 when certain, log(k) when all k are alike.

    Parameters
    ----------
    probabilities : array-like of shape (n, k)
        Rows that add up to 1.

    Returns
    -------
    numpy.ndarray of shape (n,)

    References
    ----------
    Settles (2009), Active learning literature survey, Univ. of Wisconsin, TR 1648.

    Examples
    --------
    >>> entropy([[1, 0], [0.5, 0.5]]).round(3).tolist()
    [0.0, 0.693]
    """
    from scipy.special import entr

    return entr(_probabilities(probabilities)).sum(axis=1)


def margin(probabilities):
    """One minus the lead of the likeliest class over the second: 1 when two are alike.

    Examples
    --------
    >>> margin([[0.5, 0.5, 0], [0.75, 0.25, 0]]).tolist()
    [1.0, 0.5]
    """
    top = np.sort(_probabilities(probabilities), axis=1)[:, -2:]
    return 1 - (top[:, 1] - top[:, 0])


def least_confidence(probabilities):
    """The chance that the likeliest class is wrong.

    Examples
    --------
    >>> least_confidence([[0.5, 0.5], [0.75, 0.25]]).tolist()
    [0.5, 0.25]
    """
    return 1 - _probabilities(probabilities).max(axis=1)


def vote_entropy(votes):
    """Entropy of a committee's votes on each row: 0 when all agree (query by committee).

    Parameters
    ----------
    votes : array-like of shape (members, n)
        The class that each member gives each row.

    Examples
    --------
    >>> vote_entropy([[0, 0], [0, 1]]).round(3).tolist()
    [0.0, 0.693]
    """
    votes = np.asarray(votes)
    if votes.ndim != 2 or not votes.size:
        raise ValueError(f"votes needs one row a member and one column a row of data, got shape {votes.shape}. Stack the predictions.")
    classes = np.unique(votes)
    return entropy(np.stack([(votes == each).mean(axis=0) for each in classes], axis=1)) if len(classes) > 1 else np.zeros(votes.shape[1])


# ------------------------------------------------------------------ which rows

def most(scores, budget):
    """The `budget` rows of the highest scores, the highest first; ties go by position.

    Examples
    --------
    >>> most([0.1, 0.9, 0.5], 2).tolist(), most([0.1, 0.9], 0).tolist()
    ([1, 2], [])
    """
    scores = _check.numeric(scores, "scores", least=0)
    return np.argsort(-scores, kind="stable")[: _check.whole(budget, "budget")]


def diverse(X, scores, budget):
    """Uncertain rows that are far apart: the most uncertain first, then each time the farthest from all chosen (k-centre).

    Looks at the rows with the highest scores, ten times the budget. A copy of a chosen row is at distance 0 and comes last.
    Scale the columns of X first. The farthest distance of any row looked at is at most twice the least possible.

    References
    ----------
    Gonzalez (1985), Theor. Comput. Sci. 38, 293-306. Sener and Savarese (2018), ICLR, arXiv:1708.00489.

    Examples
    --------
    >>> diverse([[0.0], [0.0], [0.1], [9.0]], [1, 1, 1, 0.9], 2).tolist()
    [0, 3]
    """
    budget = _check.whole(budget, "budget")
    rows = most(scores, AMONG * budget)
    X = np.asarray(X, float)
    if X.ndim != 2 or len(X) != len(scores):
        raise ValueError(f"X needs one row a score, {len(scores)}, and two dimensions, got shape {X.shape}. Pass the pool's features.")
    if not np.isfinite(X).all():
        raise ValueError("X needs finite numbers, got missing or infinite ones. Drop or fill them first.")
    X, chosen = X[rows], []
    away = np.full(len(rows), np.inf)
    for _ in range(min(budget, len(rows))):
        farthest = int(np.argmax(away))
        chosen.append(farthest)
        away = np.minimum(away, np.linalg.norm(X - X[farthest], axis=1))
        away[farthest] = -1
    return rows[np.array(chosen, int)]


def draw(scores, budget, rng):
    """Rows drawn one after the other, without putting back, each with a chance proportional to its score.

    Returns
    -------
    rows : numpy.ndarray of shape (budget,)
    chances : numpy.ndarray of shape (budget,)
        The chance of each when it was drawn, for `lure`.

    Examples
    --------
    >>> rows, chances = draw([1, 1], 2, np.random.default_rng(0))
    >>> sorted(rows.tolist()), chances.tolist()
    ([0, 1], [0.5, 1.0])
    """
    left = _check.numeric(scores, "scores").copy()
    if (left <= 0).any():
        raise ValueError(f"scores needs numbers above 0, so that each row can be drawn, got {left.min():g}. Add a small share of chance.")
    if _check.whole(budget, "budget") > len(left):
        raise ValueError(f"budget needs at most as many as there are rows, {len(left)}, got {budget}. Draw fewer.")
    rows, chances = np.empty(budget, int), np.empty(budget)
    for i in range(budget):
        shares = left / left.sum()
        rows[i] = rng.choice(len(left), p=shares)
        chances[i] = shares[rows[i]]
        left[rows[i]] = 0
    return rows, chances


def lure(chances, pool):
    """Weights that make the mean over drawn rows an unbiased estimate of the mean over the whole pool.

    For draws m = 1 to M of N rows: ``1 + (N - M) / (N - m) * (1 / ((N - m + 1) * chance_m) - 1)``. All are 1 for a random draw.

    Parameters
    ----------
    chances : array-like of shape (M,)
        From `draw`, in the order of drawing.
    pool : int
        N, the rows that could have been drawn.

    References
    ----------
    Farquhar, Gal and Rainforth (2021), On statistical bias in active learning, ICLR, arXiv:2101.11665.

    Examples
    --------
    >>> lure([1 / 4, 1 / 3], 4).round(9).tolist()
    [1.0, 1.0]
    """
    chances = _check.numeric(chances, "chances")
    M, N = len(chances), _check.whole(pool, "pool", 1)
    if M > N or (chances <= 0).any() or (chances > 1).any():
        raise ValueError(f"chances needs at most {N} numbers above 0 and up to 1, got {M}. Pass what `draw` gave.")
    m = np.arange(1, M + 1)
    return 1 + np.where(m < N, (N - M) / np.maximum(N - m, 1) * (1 / ((N - m + 1) * chances) - 1), 0)


def _probabilities(values):
    array = np.asarray(values, float)
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"probabilities needs one row a case and one column a class, two or more, got shape {array.shape}. "
                         "Pass what predict_proba gives.")
    if not np.isfinite(array).all() or (array < 0).any() or (np.abs(array.sum(axis=1) - 1) > 1e-6).any():
        raise ValueError("probabilities needs rows from 0 to 1 that add up to 1, got others. Pass what predict_proba gives.")
    return array
