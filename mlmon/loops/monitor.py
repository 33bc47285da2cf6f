"""Is the loop closing? A watch over a stream of slates, and a judgement of a stretch of them."""
from collections import deque
from dataclasses import dataclass

import numpy as np

from mlmon import _check
from mlmon.drift.metric import Estimate, Trend, mann_kendall
from mlmon.drift.verdict import Verdict
from mlmon.loops import diversity

DRAWS = 199         # of thinned and redrawn counts
WINDOWS = 10        # of a stretch, for its trend


@dataclass(frozen=True)
class PopularityBias:
    """What `popularity_bias` found.

    Parameters
    ----------
    gini : Estimate
        Of what was shown less that of demand, at the same number of events: concentration that the recommender adds.
        Without a value where no demand is given.
    shown, demanded, blind : float
        The Gini coefficients themselves: of the slates, of demand (None without it), and of blind slates of the same number.
    trend : Trend
        Of the Gini coefficients of windows that share no slate.
    verdict : Verdict
        DRIFTED for a loop.
    reason : str
    """

    gini: Estimate
    shown: float
    demanded: float | None
    blind: float
    trend: Trend
    verdict: Verdict
    reason: str

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED


def popularity_bias(slates, items, *, demand=None, margin=0.1, alpha=0.05, seed=0):
    """Do slates concentrate beyond what people want of themselves, and do they concentrate more and more?

    A limit on the Gini coefficient cannot tell: people who choose freely among 1,000 items after Zipf's law make
    0.73. So the slates are compared with demand that no recommender shaped: search, direct visits, a slice of blind slates.
    Gini coefficients fall with the number of events, so the larger side is thinned to the number of the smaller one.

    Parameters
    ----------
    slates : array-like of int, shape (n, k)
        In order of time.
    items : int
        Size of the catalogue.
    demand : array-like of shape (items,), optional
        Visits of each item that the recommender had no part in.
    margin : float
        What the Gini coefficient may exceed that of demand by.
    alpha : float
        Error of the verdict, two-sided.
    seed : int
        Of the thinning.

    Returns
    -------
    PopularityBias
        DRIFTED when the excess is above `margin` beyond chance, STABLE when it is below, UNDECIDED when its interval
        holds the margin. Without `demand`: DRIFTED when the windows' concentration rises, else UNDECIDED, as a
        loop that has closed no longer rises.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> demand = rng.multinomial(2000, np.full(100, 0.01))
    >>> closed = popularity_bias(np.tile([0, 1, 2, 3, 4], (500, 1)), 100, demand=demand)
    >>> print(closed.verdict, "-", closed.reason)
    DRIFTED - slates have a Gini coefficient of 0.95, demand of 0.14: 0.82 (0.79 to 0.84) more, margin 0.1
    """
    slates = diversity.numbered(slates, items)
    alpha, margin = _check.open_share(alpha, "alpha"), _check.share(margin, "margin")
    shown = diversity.exposure(slates, items)
    blind = diversity.uniform(len(slates), items, k=slates.shape[1]).gini
    trend = _trend(slates, items, alpha)
    if demand is None:
        excess, demanded = Estimate(None, None, None, len(slates), "thinned", "no demand to compare with"), None
        verdict, reason = _by_trend(trend, alpha)
    else:
        wanted = _counts(demand, items)
        demanded = diversity.gini(wanted)
        excess = _excess(shown, wanted, alpha, seed)
        verdict, reason = _by_excess(excess, diversity.gini(shown), demanded, margin, trend, alpha)
    return PopularityBias(excess, diversity.gini(shown), demanded, blind, trend, verdict, reason)


class RecommendationMonitor:
    """Watches the slates of a recommender as they are shown: one alert for one condition.

    The Gini coefficient of the last `window` slates is asked for every `every` slates. An alert begins when it is above
    `limit` `patience` times in a row, and ends when it has come below `clear`, so a value that wavers about a limit raises
    one alert and not a thousand. What was shown before the window is forgotten: a diverse past hides nothing.

    Parameters
    ----------
    items : int
        Size of the catalogue.
    k : int
        Items a slate.
    limit : float
        Gini coefficient above which it is too much. Take it from demand or from a healthy month, not from a book: a
        greedy list of k of n items has ``1 - k / n`` by its construction.
    clear : float, optional
        At most `limit`, by default 0.02 below it.
    window, every, patience : int
        Slates, slates, and times in a row.
    notify : callable, optional
        Called with one sentence when an alert begins, and when it ends.

    Attributes
    ----------
    verdict : Verdict
        DRIFTED while an alert lasts, STABLE, or UNDECIDED until the first window is full.
    reason : str
    history : list of (int, float)
        Slates seen and Gini coefficient, of each time it was asked for.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> monitor = RecommendationMonitor(50, 5, limit=0.6, window=100, every=20, notify=print)
    >>> for _ in range(200):
    ...     monitor.show(rng.permutation(50)[:5])
    >>> for _ in range(200):
    ...     monitor.show([0, 1, 2, 3, 4])
    slate 280: a few items take nearly all places: Gini coefficient 0.80 of the last 100 slates, limit 0.6
    """

    def __init__(self, items, k, *, limit, clear=None, window=1000, every=50, patience=2, notify=None):
        self.k = _check.whole(k, "k", 1)
        self.items = _check.whole(items, "items", self.k)
        self.limit = _check.open_share(limit, "limit")
        self.clear = _check.share(max(0.0, self.limit - 0.02) if clear is None else clear, "clear")
        if self.clear > self.limit:
            raise ValueError(f"clear needs at most the limit {self.limit:g}, got {self.clear:g}. Pass a lower one.")
        self.window, self.every = _check.whole(window, "window", 1), _check.whole(every, "every", 1)
        self.patience, self.notify = _check.whole(patience, "patience", 1), notify
        self.exposure = np.zeros(self.items, dtype=int)
        self.verdict, self.reason, self.history = Verdict.UNDECIDED, f"0 of {self.window} slates seen", []
        self._last, self._seen, self._above = deque(), 0, 0

    def show(self, slate):
        """Count a slate that a person was shown: `k` different items.

        Raises
        ------
        ValueError
            For another number of items, one that comes twice, or one that the catalogue has not.
        """
        slate = diversity.numbered(np.atleast_2d(slate), self.items)[0]
        if len(slate) != self.k or len(set(slate.tolist())) != self.k:
            raise ValueError(f"slate needs {self.k} different items, got {slate.tolist()}. Fill every place before it is shown.")
        self._last.append(slate)
        self.exposure[slate] += 1
        if len(self._last) > self.window:
            self.exposure[self._last.popleft()] -= 1
        self._seen += 1
        if len(self._last) < self.window:
            self.reason = f"{self._seen} of {self.window} slates seen"
        elif (self._seen - self.window) % self.every == 0:
            self._judge(diversity.gini(self.exposure))

    def rare(self, k, rng):
        """`k` different items of the whole catalogue, those rarely shown in the window the likelier: weights ``1 / (1 + shows)``.

        Examples
        --------
        >>> len(RecommendationMonitor(50, 5, limit=0.6).rare(5, np.random.default_rng(0)))
        5
        """
        if _check.whole(k, "k", 1) > self.items:
            raise ValueError(f"k needs at most the {self.items} items of the catalogue, got {k}. Pass a smaller one.")
        weight = 1 / (1 + self.exposure)
        return rng.choice(self.items, size=k, replace=False, p=weight / weight.sum())

    def _judge(self, gini):
        self.history.append((self._seen, gini))
        self._above = self._above + 1 if gini > self.limit else 0
        before, of = self.verdict, f"Gini coefficient {gini:.2f} of the last {self.window} slates"
        if before is Verdict.DRIFTED:
            ended = gini < self.clear
            self._set(Verdict.STABLE if ended else before, f"{of}, {'below' if ended else 'not yet below'} {self.clear:g}", tell=ended)
        elif self._above >= self.patience:
            self._set(Verdict.DRIFTED, f"a few items take nearly all places: {of}, limit {self.limit:g}", tell=True)
        else:
            self._set(Verdict.STABLE, f"{of}, limit {self.limit:g}", tell=False)

    def _set(self, verdict, reason, tell):
        self.verdict, self.reason = verdict, reason
        if tell and self.notify is not None:
            self.notify(f"slate {self._seen}: {reason}")


def _trend(slates, items, alpha):
    size = len(slates) // WINDOWS
    if size == 0:
        return Trend(None, None, None, None, None, 0, f"needs at least {WINDOWS} slates, got {len(slates)}")
    return mann_kendall(diversity.windows(slates, items, size=size)["gini"][:WINDOWS], confidence=1 - alpha)


def _counts(demand, items):
    wanted = diversity.counts(demand, name="demand")
    if len(wanted) != items or (wanted != wanted.astype(int)).any():
        raise ValueError(f"demand needs a whole number of visits of each of the {items} items, got {len(wanted)} numbers. Count them item by item.")
    return wanted.astype(int)


def _excess(shown, wanted, alpha, seed):
    """Gini of the slates less that of demand: the larger side thinned to the smaller, its error from redrawn counts."""
    rng, shown = np.random.default_rng(seed), shown.astype(int)
    n = int(min(shown.sum(), wanted.sum()))
    thin = [[diversity.gini(rng.multivariate_hypergeometric(side, n)) for side in (shown, wanted)] for _ in range(DRAWS)]
    drawn = [[diversity.gini(rng.multinomial(n, side / side.sum())) for side in (shown, wanted)] for _ in range(DRAWS)]
    value, se = float(-np.diff(thin).mean()), float(np.diff(drawn).std(ddof=1))
    return Estimate.given(value, se, n=n, confidence=1 - alpha)


def _by_excess(excess, shown, demanded, margin, trend, alpha):
    rising = " and rising" if trend.pvalue is not None and trend.pvalue < alpha and trend.slope > 0 else ""
    text = f"slates have a Gini coefficient of {shown:.2f}{rising}, demand of {demanded:.2f}: {excess.value:.2f} ({excess.low:.2f} to {excess.high:.2f}) more, margin {margin:g}"
    if excess.low > margin:
        return Verdict.DRIFTED, text
    return (Verdict.STABLE if excess.high < margin else Verdict.UNDECIDED), text


def _by_trend(trend, alpha):
    if trend.pvalue is None:
        return Verdict.UNDECIDED, f"no demand to compare with, and no trend: {trend.reason}"
    if trend.pvalue < alpha and trend.slope > 0:
        return Verdict.DRIFTED, f"concentration rises by {trend.slope:.2g} a window (p = {trend.pvalue:.2g}); whether beyond demand is not known"
    return Verdict.UNDECIDED, "concentration does not rise, which a closed loop does not either: pass demand to compare with"
