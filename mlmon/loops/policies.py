"""Who chooses the next slate: policies from greedy to Thompson sampling, for `mlmon.loops.recommender`.

A policy is called as ``policy(seen, rng)`` with what the recommender knows of each world (`Seen`) and gives slates of
shape (worlds, slots), all items of a slate different, and beside them **propensities**: the chance, given what it knew, that
it put this item in this place. Whoever logs them can later say what another policy would have earned
(`mlmon.loops.offpolicy`). Without them that is lost for good.
"""
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from mlmon import _check

BY = ("rate", "clicks")


@dataclass(frozen=True)
class Greedy:
    """The items that look best so far, best first, and nothing else.

    Parameters
    ----------
    by : {"rate", "clicks"}
        "rate" ranks by clicks a show. "clicks" ranks by all clicks and visits, which grow with shows: what is on top is
        shown, and what is shown stays on top.

    Examples
    --------
    >>> from mlmon.loops import Config, play
    >>> log = play(Config(Greedy("clicks"), rounds=1000))
    >>> len(np.unique(log.slates[0, -100:]))
    10
    """

    by: str = "rate"

    def __post_init__(self):
        _check.one_of(self.by, BY, "by")

    def __call__(self, seen, rng):
        slates = top(_score(seen, self.by), seen.slots)
        return slates, np.ones(slates.shape)


@dataclass(frozen=True)
class EpsilonGreedy:
    """Greedy, but each place, or now and then a whole slate, is filled blindly.

    By slot, every place keeps its greedy item with chance 1 - epsilon, else it gets any item that the slate does not
    keep. By request, a slate is greedy or blind as a whole. Both explore as much. But by request one person in ten gets a page
    of nothing but chance, where by slot ten get one odd item each.

    Parameters
    ----------
    epsilon : float
        From 0, greedy, to 1, blind.
    by : {"rate", "clicks"}
        As in `Greedy`.
    per : {"slot", "request"}
    half_life : int, optional
        Rounds after which epsilon is half as large: it falls as ``epsilon * half_life / (half_life + round)``. Sound only
        where nothing new ever comes.

    References
    ----------
    Sutton and Barto (2018), Reinforcement Learning, section 2.2.

    Examples
    --------
    >>> from mlmon.loops import Seen
    >>> seen = Seen(np.array([[9.0, 5, 1, 0]]), np.full((1, 4), 10.0), np.zeros((1, 4)), 2, 0, (1, 9))
    >>> slates, propensity = EpsilonGreedy(0.0)(seen, np.random.default_rng(0))
    >>> slates.tolist(), propensity.tolist()
    ([[0, 1]], [[1.0, 1.0]])
    """

    epsilon: float
    by: str = "rate"
    per: str = "slot"
    half_life: int | None = None

    def __post_init__(self):
        _check.share(self.epsilon, "epsilon")
        _check.one_of(self.by, BY, "by")
        _check.one_of(self.per, ("slot", "request"), "per")
        if self.half_life is not None:
            _check.whole(self.half_life, "half_life", 1)

    def __call__(self, seen, rng):
        epsilon = self.epsilon if self.half_life is None else self.epsilon * self.half_life / (self.half_life + seen.round)
        greedy = top(_score(seen, self.by), seen.slots)
        lots = rng.random((len(greedy), seen.slots if self.per == "slot" else 1)) < epsilon
        slates = _filled(greedy, lots if self.per == "slot" else np.repeat(lots, seen.slots, axis=1), seen.clicks.shape[1], rng)
        return slates, propensity(greedy, slates, epsilon, seen.clicks.shape[1], per=self.per)


@dataclass(frozen=True)
class Rare:
    """Explore where little is known: a place is given, with chance epsilon, to an item outside of the greedy slate, rarely shown ones first.

    The catalogue is dealt out to the places by number, anew each round, and a place draws from its own part with weights
    ``1 / (1 + shows)``; so no item comes twice and the propensity is exact.

    Parameters
    ----------
    epsilon : float
    by : {"rate", "clicks"}
        As in `Greedy`.
    """

    epsilon: float
    by: str = "rate"

    def __post_init__(self):
        _check.share(self.epsilon, "epsilon")
        _check.one_of(self.by, BY, "by")

    def __call__(self, seen, rng):
        (worlds, items), k = seen.shows.shape, seen.slots
        greedy = top(_score(seen, self.by), k)
        weight = 1 / (1 + seen.shows)
        np.put_along_axis(weight, greedy, 0, axis=1)
        part = np.arange(-(-items // k) * k).reshape(-1, k).T - seen.round % k        # items of each place
        part = np.where(part < 0, part + items, part)
        weight = np.where(part < items, weight[:, np.minimum(part, items - 1)], 0)
        total = weight.sum(axis=2)
        explore = (rng.random((worlds, k)) < self.epsilon) & (total > 0)
        steps = np.cumsum(weight, axis=2)
        found = (steps <= (rng.random((worlds, k)) * total)[:, :, None]).sum(axis=2).clip(max=part.shape[1] - 1)
        drawn = np.take_along_axis(np.broadcast_to(part, weight.shape), found[:, :, None], axis=2)[:, :, 0]
        odds = np.take_along_axis(weight, found[:, :, None], axis=2)[:, :, 0] / np.maximum(total, np.finfo(float).tiny)
        kept = np.where(total > 0, 1 - self.epsilon, 1.0)
        return np.where(explore, drawn, greedy), np.where(explore, self.epsilon * odds, kept)


@dataclass(frozen=True)
class UCB:
    """The items that could be best: rate of clicks plus `width` times its doubt, ``sqrt(log(1 + round) / (1 + shows))``.

    It draws no lots, so nothing can be said of what it did not show: its propensities are 1.

    References
    ----------
    Auer, Cesa-Bianchi and Fischer (2002), Mach. Learn. 47, 235-256.
    """

    width: float = 0.2

    def __post_init__(self):
        _check.positive(self.width, "width")

    def __call__(self, seen, rng):
        doubt = np.sqrt(np.log1p(seen.round) / (1 + seen.shows))
        slates = top(seen.rate + self.width * doubt, seen.slots)
        return slates, np.ones(slates.shape)


@dataclass(frozen=True)
class Thompson:
    """The best items of one possible truth, drawn anew each round: rates from ``Beta(a + clicks, b + shows - clicks)``.

    Its propensities have no closed form, and it gives none.

    References
    ----------
    Thompson (1933), Biometrika 25, 285-294; Chapelle and Li (2011), NeurIPS 24.
    """

    def __call__(self, seen, rng):
        a, b = seen.prior
        return top(rng.beta(a + seen.clicks, b + np.maximum(seen.shows - seen.clicks, 0)), seen.slots)


def top(score, k):
    """The `k` highest of each row, highest first.

    Examples
    --------
    >>> top(np.array([[0.1, 0.9, 0.5]]), 2).tolist()
    [[1, 2]]
    """
    best = np.argpartition(-score, k - 1, axis=1)[:, :k]
    order = np.argsort(-pick(score, best), axis=1, kind="stable")
    return pick(best, order)


def pick(x, index):
    """Of each row the entries at its indices, as `numpy.take_along_axis` does at several times the cost for a few.

    Examples
    --------
    >>> pick(np.array([[1, 2, 3], [4, 5, 6]]), np.array([[0], [2]])).tolist()
    [[1], [6]]
    """
    return x[np.arange(len(x))[:, None], index]


def propensity(greedy, slates, epsilon, items, *, per="slot"):
    """Chance that `EpsilonGreedy` puts each item of a slate in its place.

    Parameters
    ----------
    greedy, slates : array-like of int, shape (n, k)
        What greedy alone would show, and the slates to judge.
    epsilon : float
    items : int
        Size of the catalogue.
    per : {"slot", "request"}

    Returns
    -------
    numpy.ndarray of shape (n, k)

    Examples
    --------
    >>> propensity([[0]], [[0]], 0.2, 10).round(3).tolist(), propensity([[0]], [[7]], 0.2, 10).round(3).tolist()
    ([[0.82]], [[0.02]])
    """
    greedy, slates = np.asarray(greedy), np.asarray(slates)
    same = greedy == slates
    if per == "request":
        return epsilon / items + (1 - epsilon) * same
    at_home, moved, outside = _chances(float(epsilon), greedy.shape[1], items)
    elsewhere = (slates[:, :, None] == greedy[:, None, :]).any(axis=2)
    return np.where(same, at_home, np.where(elsewhere, moved, outside))


@lru_cache(maxsize=4096)
def _chances(epsilon, k, items):
    """Of an item in its own greedy place, of a greedy item in the place of another, of an item from outside, in one place.

    A place is filled blindly with chance epsilon, from the ``items - kept`` that the other places do not keep. Of those k - 1
    places a binomial number is kept; and a greedy item can only come to another's place if its own is not kept.
    """
    outside = epsilon * _mean_inverse(k - 1, epsilon, items)
    moved = epsilon * epsilon * _mean_inverse(k - 2, epsilon, items) if k > 1 else 0.0
    return 1 - epsilon + outside, moved, outside


def _mean_inverse(places, epsilon, items):
    kept = np.arange(places + 1)
    chance = scipy.special.comb(places, kept) * (1 - epsilon) ** kept * epsilon ** (places - kept)
    return float(np.sum(chance / (items - kept)))


def _score(seen, by):
    return seen.rate if by == "rate" else seen.clicks + seen.organic


def _filled(greedy, blind, items, rng):
    """The greedy slates with the places that are `blind` filled by items that the slate does not keep."""
    if not blind.any():
        return greedy
    keys = rng.random((len(greedy), items))
    keys[np.arange(len(keys))[:, None], greedy] = np.where(blind, pick(keys, greedy), 2.0)
    lots = top(-keys, greedy.shape[1])
    return np.where(blind, lots, greedy)
