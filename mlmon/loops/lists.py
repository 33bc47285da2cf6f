"""What is on the lists that people get? Popular things or new ones, alike or different, to their taste or not.

Numbers from slates and from what is known of the items; nothing here decides. A slate is one list of `k` different
items, best place first; `slates` are many, one a row, items numbered from 0.
"""
import numpy as np
import scipy

from mlmon import _check
from mlmon.loops.diversity import counts, numbered


def mean_popularity(slates, popularity):
    """Average recommendation popularity: how popular the items on a list are, on average.

    Parameters
    ----------
    slates : array-like of int, shape (n, k)
    popularity : array-like of shape (items,)
        Of each item, 0 or more, measured apart from the slates (clicks before, organic visits).

    Returns
    -------
    float
        In the unit of `popularity`.

    References
    ----------
    Yin et al. (2012), PVLDB 5(9), 896-907; Abdollahpouri et al. (2019), RecSys workshop RMSE.

    Examples
    --------
    >>> mean_popularity([[0, 1], [0, 2]], [10, 4, 0])
    6.0
    """
    popularity = counts(popularity, name="popularity")
    return float(popularity[numbered(slates, len(popularity))].mean())


def tail_share(slates, popularity, *, head=0.2):
    """The share of all places that goes to the long tail: to items outside of the `head` most popular ones.

    Blind lists give it ``1 - head``.

    Examples
    --------
    >>> tail_share([[0, 1], [0, 2]], [10, 4, 3, 2, 1], head=0.2)
    0.5
    """
    popularity = counts(popularity, name="popularity")
    slates = numbered(slates, len(popularity))
    first = int(round(_check.share(head, "head") * len(popularity)))
    tail = np.ones(len(popularity), dtype=bool)
    tail[np.argsort(-popularity, kind="stable")[:first]] = False
    return float(tail[slates].mean())


def novelty(slates, popularity):
    """Mean surprise of a listed item in bits, ``-log2 p``, `p` being its share of all popularity.

    Half a visit is added to each item, so that one that nobody has met yet costs a finite amount.

    References
    ----------
    Zhou et al. (2010), PNAS 107(10), 4511-4515.

    Examples
    --------
    >>> novelty([[0, 1], [2, 3]], [1, 1, 1, 1])
    2.0
    """
    popularity = counts(popularity, name="popularity") + 0.5
    surprise = -np.log2(popularity / popularity.sum())
    return float(surprise[numbered(slates, len(surprise))].mean())


def serendipity(slates, expected, relevant):
    """The share of all places that holds a happy surprise: an item that its reader likes and would not have come to without the list.

    Unexpected is what is not among the expected items: those that a plain recommender lists, such as the most popular ones, or those
    that the reader has met before. An unexpected item that nobody likes is only odd.

    Parameters
    ----------
    slates : array-like of int, shape (n, k)
        One list a person.
    expected : array-like of bool, shape (items,) or (n, items)
        Which items are expected: the same for everybody, or a row a person.
    relevant : array-like of bool, shape (n, items)
        Which items each person likes.

    Returns
    -------
    float
        From 0 to 1; at most the share of places with something relevant.

    References
    ----------
    Murakami, Mori and Orihara (2008), JSAI 2007, LNCS 4914, 40-46; Ge, Delgado-Battenfeld and Jannach (2010), RecSys, 257-260.

    Examples
    --------
    >>> serendipity([[0, 1]], [True, False, False], [[True, True, False]])
    0.5
    """
    relevant = _marks(relevant, "relevant")
    expected = _marks(np.atleast_2d(expected), "expected")
    slates = numbered(slates, relevant.shape[1])
    n, items = len(slates), relevant.shape[1]
    if len(relevant) != n or len(expected) not in (1, n) or expected.shape[1] != items:
        raise ValueError(f"relevant needs shape ({n}, items) and expected (items,) or the same, got {relevant.shape} and {expected.shape}. "
                         "Pass a row a list, a column an item.")
    person = np.arange(n)[:, None]
    known = expected[person if len(expected) == n else 0 * person, slates]
    return float((relevant[person, slates] & ~known).mean())


def intra_list_diversity(slates, features):
    """How different the items of one list are: the mean of ``1 - cosine`` over its pairs, then over lists.

    The pairs of a list need no loop: with unit vectors, twice their cosines sum to the squared length of the
    vectors' sum less k.

    Parameters
    ----------
    slates : array-like of int, shape (n, k), k of 2 or more
    features : array-like of shape (items, d)
        What each item is like (genres, an embedding); no row all 0.

    Returns
    -------
    float
        From 0, all alike, to 2.

    References
    ----------
    Ziegler et al. (2005), WWW, 22-32.

    Examples
    --------
    >>> intra_list_diversity([[0, 1], [0, 2]], [[1, 0], [1, 0], [0, 1]])
    0.5
    """
    features = _features(features)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"features needs something in each row, got {int((lengths == 0).sum())} rows of zeros. Drop those items.")
    slates = numbered(slates, len(features))
    k = slates.shape[1]
    if k < 2:
        raise ValueError("slates needs 2 places or more to have pairs, got 1. Pass longer lists.")
    total = np.zeros((len(slates), features.shape[1]))
    for place in (features / lengths)[slates.T]:
        total += place
    return float(1 - np.mean((np.einsum("nd,nd->n", total, total) - k) / (k * (k - 1))))


def personalisation(slates):
    """How different the lists of two people are: 1 less the mean share of items that two lists have in common.

    An item on c of n lists is common to ``c (c - 1) / 2`` pairs, so counts are enough and no pair of lists is ever compared.

    Parameters
    ----------
    slates : array-like of int, shape (n, k)
        One list a person, 2 persons or more.

    Returns
    -------
    float
        0 when all see the same, 1 when no two lists share an item.

    Examples
    --------
    >>> personalisation([[0, 1], [0, 2], [0, 3]])
    0.5
    """
    slates = numbered(slates)
    n, k = slates.shape
    if n < 2:
        raise ValueError("slates needs the lists of 2 people or more, got 1. Pass one row a person.")
    c = np.bincount(slates.ravel()).astype(float)
    return float(1 - c @ (c - 1) / (k * n * (n - 1)))


def calibration(slates, genres, tastes, *, smoothing=0.01):
    """How far the genres on a person's list are from the person's taste: mean KL divergence in nats, 0 is best.

    ``KL(p || (1 - smoothing) q + smoothing p)``, `p` being the taste and `q` the list's genres, so a genre that
    the list leaves out costs a finite amount.

    Parameters
    ----------
    slates : array-like of int, shape (n, k)
        One list a person.
    genres : array-like of shape (items, g)
        How much of each genre an item has; rows sum to 1.
    tastes : array-like of shape (n, g)
        What each person chose of itself; rows sum to 1.
    smoothing : float
        Above 0.

    Returns
    -------
    float

    References
    ----------
    Steck (2018), RecSys, 154-162.

    Examples
    --------
    >>> films = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> fair, one_sided = (calibration([slate], films, [[0.5, 0.5]]) for slate in ([0, 2], [0, 1]))
    >>> round(fair, 6), round(one_sided, 2)
    (0.0, 1.96)
    """
    genres, tastes = _shares(genres, "genres"), _shares(tastes, "tastes")
    slates = numbered(slates, len(genres))
    if tastes.shape != (len(slates), genres.shape[1]):
        raise ValueError(f"tastes needs shape ({len(slates)}, {genres.shape[1]}), got {tastes.shape}. Pass a row a list, a column a genre.")
    smoothing = _check.open_share(smoothing, "smoothing")
    q = (1 - smoothing) * genres[slates].mean(axis=1) + smoothing * tastes
    return float(np.mean(scipy.special.rel_entr(tastes, q).sum(axis=1)))


def _marks(rows, name):
    array = np.asarray(rows)
    if array.ndim != 2 or not array.size or not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name} needs True or False for each item, got shape {array.shape} of {array.dtype}. Decide from which rating on it counts.")
    return array.astype(bool)


def _features(features, name="features"):
    array = np.asarray(features, dtype=float)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} needs finite numbers of shape (rows, columns), got shape {array.shape}. Pass one row each.")
    return array


def _shares(rows, name):
    array = _features(rows, name)
    if (array < 0).any() or not np.allclose(array.sum(axis=1), 1):
        raise ValueError(f"{name} needs rows of shares that sum to 1, got a row with the sum {array.sum(axis=1).max():g}. Divide each by its sum.")
    return array
