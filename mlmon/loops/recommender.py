"""A small world with a recommender in it: people see a list, some click, and the clicks decide the next list.

Each item has an appeal, the chance that who looks at it clicks. The recommender does not know it; it knows clicks and
shows, and a **policy** makes the next slate of them. So a policy that shows what was clicked, and gets clicks on what it
shows, closes a loop. `Config` holds the switches: tastes that differ, places that are looked at less, items that are new,
visits that nobody recommended, and experiments whose arms share what they learn or do not.

Many worlds run at once, as rows of the same arrays. Worlds of one seed have the same items and the same people whatever
the policy, so two policies are compared as pairs.
"""
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy

from mlmon import _check

from .policies import pick


@dataclass(frozen=True)
class Config:
    """The switches of the world.

    Parameters
    ----------
    policy : callable or tuple of callable
        ``policy(seen, rng)`` gives slates of shape (worlds, slots), and may give their propensities of the same shape
        beside them: see `Seen` and `mlmon.loops.policies`. Several policies are the arms of an experiment;
        each round's person falls into one of them by lot.
    items, slots, rounds : int
        Size of the catalogue, places of a slate, slates shown in a world.
    appeal : pair of float
        Beta distribution of the items' chance of a click when looked at. By default its mean is 0.1, and of 200 items the
        best ten have 0.27.
    prior : pair of float
        What the recommender believes of an item that was never shown, as a Beta distribution.
    groups : int
        Kinds of people, as many of each.
    taste : float
        How far a group's appeal of an item strays from the item's own: a deviation in log odds.
    personal : bool
        Whether the recommender counts for each group apart.
    position_bias : float
        Place r is looked at with chance ``r ** -position_bias``; 0 means that people look at the whole slate.
    corrected : bool
        Whether a show at place r counts as the look to expect, ``r ** -position_bias``, and not as 1.
    organic : int
        Visits a round that nobody recommended, to items by appeal: what demand would be without the recommender.
    arrivals : float
        Chance a round that a new item takes the place of the oldest one.
    warm_up : int
        First rounds in which slates are blind, and all arms learn from them.
    shared : bool
        Whether the arms of an experiment share one learner; else each learns from its own people alone.

    Examples
    --------
    >>> from mlmon.loops import Greedy
    >>> Config(Greedy(), slots=300)
    Traceback (most recent call last):
    ...
    ValueError: slots needs at most the 200 items of the catalogue, got 300. Pass a smaller one.
    """

    policy: Callable | tuple
    items: int = 200
    slots: int = 10
    rounds: int = 3000
    appeal: tuple = (2.0, 18.0)
    prior: tuple = (1.0, 9.0)
    groups: int = 1
    taste: float = 0.0
    personal: bool = False
    position_bias: float = 0.0
    corrected: bool = False
    organic: int = 0
    arrivals: float = 0.0
    warm_up: int = 0
    shared: bool = True

    def __post_init__(self):
        for arm in self.policies:
            if not callable(arm):
                raise ValueError(f"policy needs a callable or a tuple of them, got {type(arm).__name__}. Pass one, such as Greedy().")
        for name, least in (("items", 1), ("slots", 1), ("rounds", 1), ("groups", 1), ("organic", 0), ("warm_up", 0)):
            _check.whole(getattr(self, name), name, least)
        if self.slots > self.items:
            raise ValueError(f"slots needs at most the {self.items} items of the catalogue, got {self.slots}. Pass a smaller one.")
        for name in ("appeal", "prior"):
            for side in getattr(self, name):
                _check.positive(side, name)
        for name in ("taste", "position_bias"):
            if getattr(self, name) != 0:
                _check.positive(getattr(self, name), name)
        _check.share(self.arrivals, "arrivals")

    @property
    def policies(self):
        """The arms, one or more."""
        return self.policy if isinstance(self.policy, tuple) else (self.policy,)

    @cached_property
    def look(self):
        """Chance that each place is looked at, of shape (slots,)."""
        return np.arange(1, self.slots + 1) ** -float(self.position_bias)


@dataclass(frozen=True)
class Seen:
    """What a recommender knows, and so all that a policy may use. Arrays have a row for each world.

    Parameters
    ----------
    clicks, shows, organic : numpy.ndarray of shape (worlds, items)
        Clicks on the item in slates, times it was shown, visits that nobody recommended.
    slots : int
        Places to fill.
    round : int
        From 0.
    prior : pair of float
        Of the rate of clicks of an item that was never shown, as a Beta distribution.
    """

    clicks: np.ndarray
    shows: np.ndarray
    organic: np.ndarray
    slots: int
    round: int
    prior: tuple

    @property
    def rate(self):
        """Clicks a show, drawn towards the prior's mean while shows are few: ``(clicks + a) / (shows + a + b)``."""
        a, b = self.prior
        return (self.clicks + a) / (self.shows + a + b)


@dataclass(frozen=True)
class State:
    """Where the worlds stand between two rounds.

    Parameters
    ----------
    appeal : numpy.ndarray of shape (worlds, groups, items)
    clicks, shows : numpy.ndarray of shape (worlds, learners, items)
    organic : numpy.ndarray of shape (worlds, items)
    round : int
    arrived : numpy.ndarray of int, shape (worlds,)
        New items so far.
    """

    appeal: np.ndarray
    clicks: np.ndarray
    shows: np.ndarray
    organic: np.ndarray
    round: int
    arrived: np.ndarray


@dataclass(frozen=True)
class Log:
    """All that happened: arrays of shape (worlds, rounds, ...), and the frames that are made of them.

    Parameters
    ----------
    config : Config
    slates : numpy.ndarray of int, shape (worlds, rounds, slots)
        Best place first.
    clicked : numpy.ndarray of bool, of the same shape
    propensity : numpy.ndarray of the same shape
        Chance that the policy puts this item in this place, given what it knew; nan where it did not say.
    chance : numpy.ndarray of the same shape
        True chance of a click, which no recommender knows.
    best : numpy.ndarray of the same shape
        Whether the item is truly among the `slots` best for this person.
    group, arm : numpy.ndarray of int, shape (worlds, rounds)
    organic : numpy.ndarray of int, shape (worlds, rounds, visits)
        Items visited without the recommender.
    state : State
        After the last round.
    """

    config: Config
    slates: np.ndarray
    clicked: np.ndarray
    propensity: np.ndarray
    chance: np.ndarray
    best: np.ndarray
    group: np.ndarray
    arm: np.ndarray
    organic: np.ndarray
    state: State

    def frame(self):
        """One row a round of a world, tidy.

        Returns
        -------
        pandas.DataFrame
            world, round, group, arm; clicks and ctr (clicks a place) as seen; expected_ctr and recall (share of the truly
            best items that are on the slate) as only the world knows them.
        """
        import pandas

        worlds, rounds, slots = self.slates.shape
        clicks = self.clicked.sum(axis=2)
        return pandas.DataFrame({
            "world": np.repeat(np.arange(worlds), rounds), "round": np.tile(np.arange(rounds), worlds),
            "group": self.group.ravel(), "arm": self.arm.ravel(),
            "clicks": clicks.ravel(), "ctr": clicks.ravel() / slots,
            "expected_ctr": self.chance.mean(axis=2).ravel(), "recall": self.best.mean(axis=2).ravel(),
        })

    def demand(self, world=0):
        """Organic visits of each item of one world, of shape (items,)."""
        return np.bincount(self.organic[world].ravel(), minlength=self.config.items)


def simulate(config, seed=0, worlds=1):
    """Play, and tell one row a round of a world.

    Parameters
    ----------
    config : Config
    seed : int
    worlds : int
        Played at once.

    Returns
    -------
    pandas.DataFrame
        As `Log.frame` gives it.

    Examples
    --------
    >>> from mlmon.loops import EpsilonGreedy
    >>> simulate(Config(EpsilonGreedy(0.1), rounds=500), worlds=4).groupby("world").size().tolist()
    [500, 500, 500, 500]
    """
    return play(config, seed, worlds).frame()


def play(config, seed=0, worlds=1):
    """All rounds of many worlds.

    Parameters
    ----------
    config : Config
    seed : int
        Items and people follow from it alone, choices and clicks from it and from the policy.
    worlds : int

    Returns
    -------
    Log

    Examples
    --------
    >>> from mlmon.loops import Greedy
    >>> log = play(Config(Greedy("clicks"), rounds=300), worlds=2)
    >>> log.slates.shape, log.clicked.dtype
    ((2, 300, 10), dtype('bool'))
    """
    _check.whole(seed, "seed")
    worlds = _check.whole(worlds, "worlds", 1)
    state, rng, people = start(config, seed, worlds), np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    group = people.integers(config.groups, size=(worlds, config.rounds))
    arm = people.integers(len(config.policies), size=(worlds, config.rounds))
    shape = worlds, config.rounds, config.slots
    log = Log(
        config, np.empty(shape, dtype=np.int32), np.empty(shape, dtype=bool), np.empty(shape), np.empty(shape), np.empty(shape, dtype=bool),
        group, arm, np.empty((worlds, config.rounds, config.organic), dtype=np.int32), state,
    )
    for t in range(config.rounds):
        state, *events = step(state, config, rng, group[:, t], arm[:, t])
        for array, event in zip((log.slates, log.clicked, log.propensity, log.chance, log.best, log.organic), events):
            array[:, t] = event
    return replace(log, state=state)


def start(config, seed=0, worlds=1):
    """The worlds before the first round: items drawn, nothing shown."""
    appeal = _appeal(config, np.random.default_rng([seed, 0]), (worlds, config.items))
    learners = (config.groups if config.personal else 1) * (1 if config.shared else len(config.policies))
    nothing = np.zeros((worlds, learners, config.items))
    return State(appeal, nothing, nothing, np.zeros((worlds, config.items)), 0, np.zeros(worlds, dtype=int))


def step(state, config, rng, group, arm):
    """One round: a person of each world comes, gets a slate, clicks, and the recommender counts.

    Parameters
    ----------
    state : State
        Left as it is.
    config : Config
    rng : numpy.random.Generator
    group, arm : array-like of int, shape (worlds,)
        Who comes, and into which arm of the experiment.

    Returns
    -------
    (State, slates, clicked, propensity, chance, best, organic)
        The next state, and this round's arrays as `Log` keeps them.
    """
    state, rows = _arrivals(state, config, rng), np.arange(len(state.organic))
    warm, appeal = state.round < config.warm_up, state.appeal[rows, group]
    if warm:
        slates, propensity = _blind(config, rng, len(rows))
    else:
        slates, propensity = _chosen(state, config, rng, group, arm)
    shown = pick(appeal, slates)
    best = shown >= np.partition(appeal, -config.slots, axis=1)[:, -config.slots, None]
    chance = shown * config.look
    clicked = rng.random(slates.shape) < chance
    clicks, shows = state.clicks.copy(), state.shows.copy()
    taught = rows[:, None, None], _learners(config, group, arm, warm)[:, :, None], slates[:, None, :]
    clicks[taught] += clicked[:, None, :]
    shows[taught] += config.look if config.corrected else 1.0
    visits, organic = _visits(state, config, rng, appeal)
    state = State(state.appeal, clicks, shows, organic, state.round + 1, state.arrived)
    return state, slates, clicked, propensity, chance, best, visits


def _appeal(config, rng, shape):
    """Chance of a click by group, of shape (worlds, groups, items): the item's own, moved by the group's taste in log odds."""
    own = rng.beta(*config.appeal, size=shape)[:, None, :]
    if config.taste == 0:
        return np.repeat(own, config.groups, axis=1)
    strays = rng.normal(0, config.taste, size=(shape[0], config.groups, shape[1]))
    return scipy.special.expit(scipy.special.logit(own) + strays)


def _learners(config, group, arm, warm=False):
    """Which learners this round's person teaches, of shape (worlds, some): all arms' while warming up."""
    if config.shared:
        arms = np.zeros((len(arm), 1), dtype=int)
    else:
        arms = np.tile(np.arange(len(config.policies)), (len(arm), 1)) if warm else np.asarray(arm)[:, None]
    return arms * config.groups + np.asarray(group)[:, None] if config.personal else arms


def _blind(config, rng, worlds):
    """Slates in which every item is as likely as any other."""
    keys = rng.random((worlds, config.items))
    slates = np.argsort(keys, axis=1)[:, :config.slots]
    return slates, np.full(slates.shape, 1 / config.items)


def _chosen(state, config, rng, group, arm):
    rows, learner = np.arange(len(arm)), _learners(config, group, arm)[:, 0]
    seen = Seen(state.clicks[rows, learner], state.shows[rows, learner], state.organic, config.slots, state.round, config.prior)
    if len(config.policies) == 1:
        return _answer(config.policies[0](seen, rng), seen)
    slates, propensity = np.empty((len(arm), config.slots), dtype=int), np.empty((len(arm), config.slots))
    for number, policy in enumerate(config.policies):
        own = arm == number
        if own.any():
            part = replace(seen, clicks=seen.clicks[own], shows=seen.shows[own], organic=seen.organic[own])
            slates[own], propensity[own] = _answer(policy(part, rng), part)
    return slates, propensity


def _answer(answer, seen):
    """A policy's slates and propensities, or ValueError. Some tell no propensities: these are nan."""
    slates, propensity = answer if isinstance(answer, tuple) else (answer, None)
    slates, shape = np.asarray(slates), (len(seen.clicks), seen.slots)
    if slates.shape != shape or slates.dtype.kind not in "iu":
        raise ValueError(f"policy needs to give whole numbers of shape {shape}, got {slates.dtype} of shape {slates.shape}. Fill every place.")
    ordered = np.sort(slates, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]).any()
    if twice or ordered[:, 0].min() < 0 or ordered[:, -1].max() >= seen.clicks.shape[1]:
        raise ValueError(f"policy needs different items from 0 to {seen.clicks.shape[1] - 1} on a slate, got {slates[0].tolist()}. Draw without repeating.")
    return slates, np.full(shape, np.nan) if propensity is None else np.asarray(propensity)


def _visits(state, config, rng, appeal):
    """Items that people visit of themselves this round, and the organic counts after it."""
    if config.organic == 0:
        return np.empty((len(appeal), 0), dtype=int), state.organic
    steps = np.cumsum(appeal, axis=1)
    points = rng.random((len(appeal), config.organic)) * steps[:, -1:]
    visits = (steps[:, None, :] < points[:, :, None]).sum(axis=2)
    organic = state.organic.copy()
    np.add.at(organic, (np.arange(len(appeal))[:, None], visits), 1)
    return visits, organic


def _arrivals(state, config, rng):
    """With a chance, the oldest item of a world goes and a new one, that nobody has seen, takes its number."""
    if config.arrivals == 0:
        return state
    came = np.flatnonzero(rng.random(len(state.arrived)) < config.arrivals)
    place = state.arrived[came] % config.items
    appeal, arrived = state.appeal.copy(), state.arrived.copy()
    clicks, shows, organic = state.clicks.copy(), state.shows.copy(), state.organic.copy()
    appeal[came, :, place] = _appeal(config, rng, (len(came), 1))[:, :, 0]
    clicks[came, :, place] = shows[came, :, place] = 0
    organic[came, place] = 0
    arrived[came] += 1
    return replace(state, appeal=appeal, clicks=clicks, shows=shows, organic=organic, arrived=arrived)
