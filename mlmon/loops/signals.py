"""What users tell a model by using it: their corrections, and their clicks.

Neither is a label. A mistake that nobody mends is logged as right, and an item that nobody looked at as unwanted. Both
loops are here with what mends them: a random slice that is reviewed, and clicks weighted by the chance of having been seen.
"""
from dataclasses import dataclass

import numpy as np

from mlmon import _check


@dataclass(frozen=True)
class Corrections:
    """Documents of several kinds; users correct some of the mistakes they see; the model learns the majority of each kind's log.

    If silence counts as consent, a mistake outvotes its correction unless more than half of the users speak up: errors stay, and
    each change of the world adds some. The error rate that corrections show is `notice` times the true one.

    Parameters
    ----------
    kinds, documents : int
        Kinds of document, and documents of each a round.
    notice : float
        Chance that a user corrects a mistake.
    silence : {"consent", "unknown"}
        What an uncorrected document counts as: as labelled by the model, or as not labelled.
    audit : float
        Share of documents, drawn at random, that an expert reviews and labels rightly.
    turnover : float
        Chance, a round, that a kind comes to mean the other class.
    memory : float
        Share of the log that is kept from round to round.

    Examples
    --------
    >>> few, many = (Corrections(notice=share).simulate(seed=0, rounds=30)["errors"].iloc[-1] for share in (0.3, 0.7))
    >>> bool(few > 0.2 > many)
    True
    """

    kinds: int = 200
    documents: int = 50
    notice: float = 0.3
    silence: str = "consent"
    audit: float = 0.0
    turnover: float = 0.02
    memory: float = 0.5

    def __post_init__(self):
        _check.whole(self.kinds, "kinds", 1)
        _check.whole(self.documents, "documents", 1)
        for name in ("notice", "audit", "turnover", "memory"):
            _check.share(getattr(self, name), name)
        _check.one_of(self.silence, ("consent", "unknown"), "silence")

    @property
    def heals(self):
        """Whether mistakes die out: are they told more often than they are confirmed?"""
        told = self.notice + (1 - self.notice) * self.audit
        return told > 0 if self.silence == "unknown" else told > 0.5

    def step(self, log, rng):
        """The log after one round: counts of (right, wrong) labels of each kind; shape (runs, kinds, 2)."""
        turned = rng.random(log.shape[:2]) < self.turnover
        log = np.where(turned[..., None], log[..., ::-1], log)
        told, kept = self._labels(log[..., 1] > log[..., 0], rng)
        return self.memory * log + np.stack([told, kept], axis=-1)

    def _labels(self, wrong, rng):
        """Right and wrong labels that a round's documents leave."""
        reviewed = rng.binomial(self.documents, self.audit, wrong.shape)
        told = reviewed + rng.binomial(self.documents - reviewed, self.notice)
        silent = self.documents - told
        if self.silence == "unknown":
            return np.where(wrong, told, reviewed), np.zeros(wrong.shape)
        return np.where(wrong, told, self.documents), np.where(wrong, silent, 0)

    def simulate(self, seed=0, *, rounds=50, runs=1):
        """One row a run and round: `errors`, the share of kinds that the model gets wrong, and `corrected`, the share of
        documents that users will correct: what the company sees."""
        import pandas

        rng, rows = np.random.default_rng(_check.whole(seed, "seed")), []
        log = np.zeros((_check.whole(runs, "runs", 1), self.kinds, 2))
        log[..., 0] = self.documents
        for number in range(_check.whole(rounds, "rounds", 1) + 1):
            log = self.step(log, rng) if number else log
            errors = (log[..., 1] > log[..., 0]).mean(axis=1)
            rows.append(pandas.DataFrame({"round": number, "run": range(runs), "errors": errors, "corrected": self.notice * errors}))
        return pandas.concat(rows, ignore_index=True)


@dataclass(frozen=True)
class Clicks:
    """A list ranked by its own clicks: what stands high is seen, what is seen is clicked, what is clicked stands high.

    An item at rank k is looked at with chance ``k ** -bias``, and then clicked with chance `relevance`. Ranked by the plain
    click rate, neighbours in the wrong order stay there as long as the better one is less than ``chance_k / chance_k+1`` times as good.
    Weighted by one over the chance of having been seen, the click rate is the relevance.

    Parameters
    ----------
    items : int
        Their relevance falls evenly from 0.8 to 0.2; at first the worst is on top.
    bias : float
        0: all ranks are looked at alike.
    users : int
        A round.
    weigh : {"no", "known", "estimated"}
        Whether clicks are weighted, by the true chances or by those that `examination` finds in the shuffled lists.
    shuffle : float
        Share of users who get the list in random order.

    References
    ----------
    Joachims, Swaminathan and Schnabel (2017), Unbiased learning-to-rank with biased feedback, WSDM, arXiv:1608.04468.

    Examples
    --------
    >>> plain, fair = (Clicks(bias=2, weigh=w).simulate(seed=0)["ndcg"].iloc[-1] for w in ("no", "known"))
    >>> bool(plain < 0.8 < 0.99 < fair)
    True
    """

    items: int = 10
    bias: float = 1.0
    users: int = 1000
    weigh: str = "no"
    shuffle: float = 0.0

    def __post_init__(self):
        _check.whole(self.items, "items", 2)
        _check.whole(self.users, "users", 1)
        _check.one_of(self.weigh, ("no", "known", "estimated"), "weigh")
        _check.share(self.shuffle, "shuffle")
        if self.weigh == "estimated" and not round(self.shuffle * self.users):
            raise ValueError(f"shuffle needs a share that reaches a user, to estimate from, got {self.shuffle}. Pass one, such as 0.05.")
        if self.bias:
            _check.positive(self.bias, "bias")

    @property
    def relevance(self):
        return np.linspace(0.8, 0.2, self.items)

    @property
    def seen(self):
        """Chance that each rank is looked at."""
        return np.arange(1, self.items + 1) ** -float(self.bias)

    def step(self, state, rng):
        """The tables after one round, as counts by item and rank: (shown, clicked, shown shuffled, clicked shuffled)."""
        order = self.order(state)
        lists = np.tile(order, (self.users, 1))
        mixed = round(self.shuffle * self.users)
        lists[:mixed] = rng.permuted(lists[:mixed], axis=1)
        clicked = rng.random(lists.shape) < self.seen * self.relevance[lists]
        rank = np.broadcast_to(np.arange(self.items), lists.shape)
        new = np.zeros((4, self.items, self.items))
        for which, rows in ((0, slice(None)), (2, slice(mixed))):
            np.add.at(new[which], (lists[rows], rank[rows]), 1)
            np.add.at(new[which + 1], (lists[rows], rank[rows]), clicked[rows])
        return state + new

    def order(self, state):
        """Items by their estimated relevance, the best first; the worst first while nothing is known."""
        shown, clicked, shuffled, shuffled_clicked = state
        if not shown.any():
            return np.arange(self.items)[::-1]
        chance = {"no": np.ones(self.items), "known": self.seen}.get(self.weigh)
        if chance is None:
            chance = examination(shuffled.sum(axis=0), shuffled_clicked.sum(axis=0))
        return np.argsort(-rates(shown, clicked, chance), kind="stable")

    def simulate(self, seed=0, *, rounds=30, runs=1):
        """One row a run and round: `ndcg` of the order that users get, and `best_rank`, where the best item stands, 1 for the top."""
        import pandas

        rows = []
        best = self.relevance @ (1 / np.log2(np.arange(2, self.items + 2)))
        for run, rng in enumerate(np.random.default_rng(_check.whole(seed, "seed")).spawn(_check.whole(runs, "runs", 1))):
            state = np.zeros((4, self.items, self.items))
            for number in range(_check.whole(rounds, "rounds", 1) + 1):
                state = self.step(state, rng) if number else state
                order = self.order(state)
                gain = self.relevance[order] @ (1 / np.log2(np.arange(2, self.items + 2)))
                rows.append((number, run, float(gain / best), int(np.argmin(order)) + 1))
        return pandas.DataFrame(rows, columns=["round", "run", "ndcg", "best_rank"])


def rates(shown, clicked, chance):
    """Click rate of each item, each click weighted by one over the chance that its rank is seen.

    Parameters
    ----------
    shown, clicked : array-like of shape (items, ranks)
    chance : array-like of shape (ranks,)

    Returns
    -------
    numpy.ndarray of shape (items,)
        The mean is the relevance, whatever the ranks were; 0 for an item never shown.

    Examples
    --------
    >>> rates([[100, 0], [0, 100]], [[40, 0], [0, 30]], [1, 0.5]).tolist()      # seen half as often, clicked nearly as much
    [0.4, 0.6]
    """
    shown, clicked, chance = (np.asarray(x, float) for x in (shown, clicked, chance))
    if (chance <= 0).any():
        raise ValueError(f"chance needs numbers above 0, got {chance.min():g}. A rank that is never seen tells nothing: leave it out.")
    return (clicked / chance).sum(axis=1) / np.maximum(shown.sum(axis=1), 1)


def examination(shown, clicked):
    """How often each rank is looked at, the first being 1, from lists in random order.

    At random each rank holds the same items on average, so ranks differ in clicks only as they differ in looks.

    Parameters
    ----------
    shown, clicked : array-like of shape (ranks,)
        Of shuffled lists only.

    Returns
    -------
    numpy.ndarray of shape (ranks,)
        Half a click is added to each rank, so that none is 0.

    Examples
    --------
    >>> examination([1000, 1000], [500, 250]).round(2).tolist()
    [1.0, 0.5]
    """
    shown, clicked = _check.numeric(shown, "shown"), _check.numeric(clicked, "clicked")
    if (shown <= 0).any():
        raise ValueError("shown needs every rank to have been shown, got a rank without. Show longer shuffled lists.")
    rate = (clicked + 0.5) / (shown + 0.5)
    return rate / rate[0]
