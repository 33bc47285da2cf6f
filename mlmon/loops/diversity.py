"""How concentrated is what people are shown? Numbers from exposures and from slates; nothing here decides.

An **exposure** is a number an item: how often, or how prominently, it was shown. Items never shown count as well: ten
items shown equally out of a thousand are a collapse, and look perfectly even to whoever forgets the other 990. So
every measure takes the size of the catalogue as `items` where the exposures do not already hold a zero for each item.

A **slate** is one list of `k` different items, best place first; `slates` are many, one a row, items numbered from 0.
"""
from dataclasses import dataclass

import numpy as np
import scipy

from mlmon import _check


@dataclass(frozen=True)
class Uniform:
    """What chance alone makes of a catalogue in which every item is as likely to be shown as any other.

    Parameters
    ----------
    gini, coverage, hhi : float
        Expected values, exact.
    """

    gini: float
    coverage: float
    hhi: float


# --- from exposures ---------------------------------------------------------------------------------------

def gini(exposure, *, items=None):
    """Gini coefficient: 0 when all items are shown alike, ``(n - 1) / n`` when one of n has everything.

    ``sum |x_i - x_j| / (2 n^2 mean)`` over all pairs, by one sort: with x ascending and ranks from 1,
    ``2 sum(rank * x) / (n sum(x)) - (n + 1) / n``.

    Parameters
    ----------
    exposure : array-like of shape (n,)
        Numbers of 0 or more, one an item, not all 0.
    items : int, optional
        Size of the catalogue, where `exposure` leaves out items that were never shown.

    Returns
    -------
    float
        No unit; order and scale of the exposures do not matter.

    Raises
    ------
    ValueError
        For no exposure at all, negative or missing ones, more exposures than items.

    References
    ----------
    Gini (1912), Variabilita e mutabilita; Adomavicius and Kwon (2012), IEEE TKDE 24(5), 896-911 (recommendations).

    Examples
    --------
    >>> gini([5, 5, 5, 5]), gini([5, 0, 0, 0])
    (0.0, 0.75)
    >>> gini([5], items=4)
    0.75
    """
    x = np.sort(counts(exposure, items))
    n = len(x)
    return float(max(0.0, 2 * (np.arange(1, n + 1) @ x) / (n * x.sum()) - (n + 1) / n))


def lorenz(exposure, *, items=None):
    """The Lorenz curve: what share of all exposure the least shown items have together.

    Twice the area between it and the diagonal is the Gini coefficient.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray), each of shape (n + 1,)
        Shares of the items and of the exposure, both from 0 to 1.

    Examples
    --------
    >>> [side.tolist() for side in lorenz([3, 1])]
    [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0]]
    """
    x = np.sort(counts(exposure, items))
    return np.linspace(0, 1, len(x) + 1), np.append(0.0, np.cumsum(x) / x.sum())


def coverage(exposure, *, items=None):
    """The share of the catalogue that was shown at all.

    It grows with the number of impressions, so compare it with `uniform` of as many.

    Examples
    --------
    >>> coverage([7, 1, 0, 0])
    0.5
    """
    x = counts(exposure, items)
    return float(np.count_nonzero(x) / len(x))


def entropy(exposure, *, items=None):
    """Shannon's entropy of the shares, in nats: 0 for one item, ``log(n)`` for n items alike.

    Examples
    --------
    >>> round(entropy([1, 1, 0, 0]), 4)
    0.6931
    """
    x = counts(exposure, items)
    return float(scipy.special.entr(x / x.sum()).sum())


def effective_number(exposure, *, items=None):
    """As many equally shown items would have the same entropy: ``exp(entropy)``, Hill's number of order 1.

    References
    ----------
    Hill (1973), Ecology 54(2), 427-432.

    Examples
    --------
    >>> round(effective_number([9, 9, 9, 0]), 3)
    3.0
    """
    return float(np.exp(entropy(exposure, items=items)))


def hhi(exposure, *, items=None):
    """Herfindahl and Hirschman's index, the sum of squared shares: ``1 / n`` for n items alike, 1 for one.

    It is the chance that two impressions show the same item.

    References
    ----------
    Herfindahl (1950), thesis, Columbia University; Hirschman (1964), Am. Econ. Rev. 54(5), 761.

    Examples
    --------
    >>> hhi([1, 1, 1, 1]), hhi([5, 0, 0, 0])
    (0.25, 1.0)
    """
    x = counts(exposure, items)
    return float(np.sum((x / x.sum()) ** 2))


def uniform(slates, items, *, k=1):
    """The measures to expect when `slates` lists of `k` items are drawn blindly, each item as likely as any other.

    A Gini of 0.77 says nothing by itself: 300 impressions dealt evenly over 1,000 items have it. Two items differ by a
    walk of one step for each slate that holds one of them alone, so the expected Gini is
    ``(n - 1) E|walk| / (2 slates k)`` with a binomial number of steps.

    Parameters
    ----------
    slates : int
        How many lists.
    items : int
        Size of the catalogue.
    k : int
        Items a list, all different; 1 for single impressions.

    Returns
    -------
    Uniform

    Examples
    --------
    >>> chance = uniform(300, 1000)
    >>> round(chance.gini, 2), round(chance.coverage, 2)
    (0.77, 0.26)
    """
    slates, k = _check.whole(slates, "slates", 1), _check.whole(k, "k", 1)
    items = _catalogue(items, k)
    shown = k / items
    alone = 2 * k * (items - k) / (items * (items - 1)) if items > 1 else 0.0
    apart = _mean_walk(slates, alone)
    return Uniform(
        float((items - 1) * apart / (2 * slates * k)), float(1 - (1 - shown) ** slates), float(1 / items + (1 - shown) / (slates * k)),
    )


# --- from slates ------------------------------------------------------------------------------------------

def exposure(slates, items, *, weights=None):
    """How often, or how prominently, each item of the catalogue was shown.

    Parameters
    ----------
    slates : array-like of int, shape (n, k)
        Or of shape (n,), one impression each.
    items : int
        Size of the catalogue.
    weights : {None, "position"} or array-like of shape (k,)
        None counts every place alike. "position" gives place r the weight ``1 / log2(1 + r)``, as DCG does.

    Returns
    -------
    numpy.ndarray of shape (items,)

    References
    ----------
    Singh and Joachims (2018), KDD, 2219-2228 (exposure by position).

    Examples
    --------
    >>> exposure([[0, 1, 2], [0, 2, 1]], 4).tolist()
    [2.0, 2.0, 2.0, 0.0]
    >>> exposure([[0, 1, 2], [0, 2, 1]], 4, weights="position").round(2).tolist()
    [2.0, 1.13, 1.13, 0.0]
    """
    slates = numbered(slates, items)
    each = _places(weights, slates.shape[1])
    if each is None:
        return np.bincount(slates.ravel(), minlength=items).astype(float)
    return np.bincount(slates.ravel(), np.tile(each, len(slates)), minlength=items)


def coverage_at(slates, items, *, k):
    """The share of the catalogue among the first `k` places.

    Examples
    --------
    >>> coverage_at([[0, 1], [0, 2]], 4, k=1), coverage_at([[0, 1], [0, 2]], 4, k=2)
    (0.25, 0.75)
    """
    slates = numbered(slates, items)
    k = _check.whole(k, "k", 1)
    if k > slates.shape[1]:
        raise ValueError(f"k needs at most the {slates.shape[1]} places of a slate, got {k}. Pass a smaller one.")
    return coverage(exposure(slates[:, :k], items))


def windows(slates, items, *, size, step=None, weights=None):
    """The measures of one stretch of lists after another, each beside what blind lists would give.

    Parameters
    ----------
    slates : array-like of int, shape (n, k)
        In order of time.
    items : int
        Size of the catalogue.
    size : int
        Lists a window. A last, shorter stretch is left out, as its measures would not compare.
    step : int, optional
        Lists from one window's start to the next's; `size` by default, so that no two share a list.
    weights : {None, "position"} or array-like of shape (k,)
        As in `exposure`; coverage and the blind values count places alike.

    Returns
    -------
    pandas.DataFrame
        One row a window: start, end (not within), gini, coverage, effective_number, hhi, blind_gini, blind_coverage.

    Examples
    --------
    >>> windows([[0, 1], [2, 3], [0, 1], [0, 1]], 4, size=2)[["start", "end", "gini", "coverage"]]
       start  end  gini  coverage
    0      0    2   0.0       1.0
    1      2    4   0.5       0.5
    """
    import pandas

    slates = numbered(slates, items)
    size = _check.whole(size, "size", 1)
    step = size if step is None else _check.whole(step, "step", 1)
    if len(slates) < size:
        raise ValueError(f"size needs at most as many lists as there are, got {size} for {len(slates)}. Pass a smaller one.")
    blind = uniform(size, items, k=slates.shape[1])
    rows = []
    for start in range(0, len(slates) - size + 1, step):
        shown = exposure(slates[start:start + size], items, weights=weights)
        rows.append((start, start + size, gini(shown), coverage(shown), effective_number(shown), hhi(shown), blind.gini, blind.coverage))
    return pandas.DataFrame(rows, columns=["start", "end", "gini", "coverage", "effective_number", "hhi", "blind_gini", "blind_coverage"])


# --- what comes in ----------------------------------------------------------------------------------------

def counts(exposure, items=None, name="exposure"):
    """Exposures as an array with a zero for each item that was never shown, or ValueError."""
    x = _check.numeric(exposure, name)
    if (x < 0).any():
        raise ValueError(f"{name} needs numbers of 0 or more, got {x.min():g}. Pass counts, or weights of places.")
    if items is not None:
        items = _check.whole(items, "items", 1)
        if len(x) > items:
            raise ValueError(f"items needs at least as many as there are exposures, got {items} for {len(x)}. Pass the catalogue's size.")
        x = np.append(x, np.zeros(items - len(x)))
    if not x.sum() > 0:
        raise ValueError(f"{name} needs an item that was shown, got {len(x)} zeros. Wait for the first impressions.")
    return x


def numbered(slates, items=None):
    """Slates as an array of shape (n, k), or ValueError."""
    array = np.asarray(slates)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(f"slates needs whole numbers of shape (n, k), got {array.dtype} of shape {array.shape}. Number the items from 0.")
    low, high = array.min(), array.max()
    if low < 0 or (items is not None and high >= _check.whole(items, "items", 1)):
        raise ValueError(f"slates needs items numbered from 0{'' if items is None else f' to {items - 1}'}, got {low} to {high}. Number them anew.")
    return array


def _places(weights, k):
    if weights is None:
        return None
    if isinstance(weights, str):
        _check.one_of(weights, ["position"], "weights")
        return 1 / np.log2(np.arange(2, k + 2))
    weights = counts(weights, name="weights")
    if len(weights) != k:
        raise ValueError(f"weights needs one of each of the {k} places, got {len(weights)}. Pass as many.")
    return weights


def _catalogue(items, k):
    items = _check.whole(items, "items", 1)
    if k > items:
        raise ValueError(f"k needs at most the {items} items of the catalogue, got {k}. Pass a smaller one.")
    return items


def _mean_walk(slates, chance):
    """Mean distance from the start after a binomial number of fair steps of one."""
    spread = 12 * np.sqrt(slates * chance * (1 - chance)) + 12
    low, high = max(0, int(slates * chance - spread)), min(slates, int(slates * chance + spread))
    steps = np.arange(low, high + 1)
    half = (steps + 1) // 2
    log = scipy.special.gammaln
    log_walk = np.log(2 * np.maximum(half, 1)) + log(steps + 1) - log(half + 1) - log(steps - half + 1) - steps * np.log(2)
    return float(_binomial(steps, slates, chance) @ np.where(steps == 0, 0.0, np.exp(log_walk)))


def _binomial(hits, n, chance):
    log = scipy.special.gammaln
    return np.exp(
        log(n + 1) - log(hits + 1) - log(n - hits + 1) + scipy.special.xlogy(hits, chance) + scipy.special.xlog1py(n - hits, -chance)
    )
