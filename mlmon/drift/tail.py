"""Values farther out than the reference's own tail could throw them.

Ranks see only that some values are the largest; how far they lie is told by the
reference's tail, continued as a generalised Pareto distribution. Its shape is
taken heavier than estimated, by more than a standard error and the more so the
heavier it is; of a tail that may lack a variance nothing is said, and else only if so many
current values lie beyond the reference's last one that ranks alone give odds of
1 in 100: a wrong continuation can then cost no more than that.
"""
from dataclasses import dataclass

import numpy as np
import scipy

SHARE, LEAST, MOST = 0.1, 20, 200     # the tail: a tenth of the reference, in these bounds
ODDS, FEATURES = 0.01, 10             # the odds, for a feature among up to ten
HEAVY = 0.5                           # from this shape on a distribution has no variance
LOOKS = 8                             # how many counts beyond are looked at


@dataclass(frozen=True)
class Tail:
    """A reference's upper tail above `start`: P(X > start + y) = share * (1 + shape * y / scale) ** (-1 / shape)."""

    size: int
    last: float
    start: float
    scale: float
    shape: float
    share: float

    def survival(self, x):
        return self.share * (1 + self.shape * (np.asarray(x) - self.start) / self.scale) ** (-1 / self.shape)


def fit_tail(ordered):
    """The upper `Tail` of ordered values, by probability-weighted moments; None where it is short, ties or is heavy.

    References
    ----------
    Hosking and Wallis (1987), Technometrics 29(3), 339-349.
    """
    n = len(ordered)
    k = int(min(SHARE * n, MOST))
    if k < LEAST:
        return None
    start, excess = float(ordered[n - k - 1]), ordered[n - k:] - ordered[n - k - 1]
    if len(np.unique(excess)) < k / 2 or excess[0] < 0:
        return None
    mean = excess.mean()
    weighted = np.mean(excess * (k - np.arange(1, k + 1) + 0.65) / k)
    shape = 2 - mean / (mean - 2 * weighted) if mean > 2 * weighted else 1.0
    scale = 2 * mean * weighted / (mean - 2 * weighted) if mean > 2 * weighted else mean
    if shape > HEAVY or scale == 0:
        return None
    heavy = max(shape, 0.0)
    return Tail(n, float(ordered[-1]), start, float(scale), heavy + heavy**2 + (1 + 4 * heavy) / np.sqrt(k), k / n)


def tail_p(tail, values, features=1):
    """How likely the reference's tail throws as many values so far out, at most.

    Parameters
    ----------
    tail : Tail
    values : numpy.ndarray of shape (m,)
        Current values, finite.
    features : int
        How many features are looked at; with more of them the odds are longer.

    Returns
    -------
    float
        1 where too few values lie beyond the reference's last one.
    """
    beyond = np.sort(values[values > tail.last])
    return _least_chance(tail, len(values), len(beyond), lambda counts: beyond[len(beyond) - counts], features)


def far_edges(tail):
    """Where to count values beyond the reference's last one: 401 edges, farther and farther apart."""
    return tail.last + tail.scale * np.append(0.0, 0.001 * 1.05 ** np.arange(400))


def counted_p(tail, m, counts, features=1):
    """As `tail_p`, from counts: a value is taken to lie at the edge below it, which makes p a little larger.

    Parameters
    ----------
    tail : Tail
    m : int
        Current values.
    counts : numpy.ndarray of int
        How many of them lie between each of `far_edges` and the next.
    features : int
    """
    edges, above = far_edges(tail), np.cumsum(counts[::-1])[::-1]
    return _least_chance(tail, m, int(above[0]), lambda looks: edges[np.searchsorted(-above, -looks, side="right") - 1], features)


def _least_chance(tail, m, beyond, at, features):
    """The least chance over some counts of the largest values; `at` tells where the smallest of so many lies."""
    odds = ODDS * min(1, FEATURES / features)
    needed = max(1, int(np.ceil(np.log(odds) / np.log(m / (m + tail.size)))))
    if beyond < needed:
        return 1.0
    counts = np.unique(np.round(np.geomspace(needed, beyond, LOOKS)).astype(int))
    # The tail is known no better than its `size` values tell: more current ones add no certainty.
    known = min(m, tail.size)
    chances = scipy.special.bdtrc(np.floor(counts * known / m) - 1, known, tail.survival(at(counts)))
    return float(min(1.0, len(counts) * chances.min()))
