"""How long a detector runs until a false alarm: by theory, by a Markov chain, by simulation."""
import copy
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mlmon import _check

OVERSHOOT = 1.166      # twice the mean excess of a normal random walk over a barrier, in sd (Siegmund 1985)
CHUNK = 131_072        # values drawn at a time


@dataclass(frozen=True)
class RunLength:
    """Measured number of values up to an alarm.

    Parameters
    ----------
    mean : float or None
        Values seen over alarms; None where there was no alarm.
    low, high : float or None
        95 % interval of it. Without an alarm `low` is a third of the values seen, and `high` None.
    alarms, events : int
        What was counted.
    """

    mean: float | None
    low: float
    high: float | None
    alarms: int
    events: int


def run_length(detector, draw, *, events=1_000_000, seed=0):
    """Mean number of values between alarms on values without drift, by simulation.

    Parameters
    ----------
    detector : CUSUM, PageHinkley, DDM, EDDM, HDDMA, HDDMW, ADWIN or KSWIN
        Is copied and reset, not changed.
    draw : callable
        ``draw(rng, n)`` gives n clean values.
    events : int
        Values to see. A hundred alarms give the mean within about a fifth.
    seed : int

    Returns
    -------
    RunLength

    Examples
    --------
    >>> from mlmon.drift.stream import CUSUM
    >>> detector = CUSUM.for_arl(1000, rate=0.2)
    >>> found = run_length(detector, lambda rng, n: rng.random(n) < 0.2)
    >>> found.low < detector.arl0 < found.high
    True
    """
    alarms, seen = _alarms(detector, draw, _check.whole(events, "events", 1), math.inf, seed)
    if not len(alarms):
        return RunLength(None, seen / 3, None, 0, seen)
    lengths = np.diff(alarms, prepend=-1)
    spread = lengths.std() / lengths.mean() if len(lengths) > 9 else 1.0
    mean, factor = seen / len(alarms), math.exp(1.96 * max(spread, 0.5) / math.sqrt(len(alarms)))
    return RunLength(mean, mean / factor, mean * factor, len(alarms), seen)


def source(*, rate=None, sd=None, sample=None):
    """``draw(rng, n)`` of clean values, and their standard deviation."""
    given = [name for name, value in (("rate", rate), ("sd", sd), ("sample", sample)) if value is not None]
    if len(given) != 1:
        raise ValueError(f"rate, sd and sample describe clean values in three ways, got {' and '.join(given) or 'none'}. Pass one of them.")
    if rate is not None:
        rate = _check.open_share(rate, "rate")
        return (lambda rng, n: (rng.random(n) < rate).astype(float)), math.sqrt(rate * (1 - rate))
    if sd is not None:
        sd = _check.positive(sd, "sd")
        return (lambda rng, n: rng.normal(0, sd, n)), sd
    sample = _check.numeric(sample, "sample", least=100)
    if sample.min() == sample.max():
        raise ValueError(f"sample needs values that vary, got {len(sample)} times {sample[0]:g}. Pass clean values of a live feature.")
    return (lambda rng, n: rng.choice(sample, n)), float(sample.std())


def memory_for(arl):
    """Values after which a detector that compares with all of its past starts afresh: twice the run length."""
    return 2 * math.ceil(_check.positive(arl, "arl"))


def calibrated(make, draw, arl, start, seed):
    """The detector among ``make(setting)`` that runs `arl` clean values to an alarm; its `arl0` is what was measured.

    The logarithm of the run length rises nearly in a line with the setting. It is found roughly from two
    guesses in `start`, then finely with 1,000 alarms, which leave an error of some 4 %. Settings that are
    counts come in steps: then `arl0` differs from `arl`, by no more than half.
    """
    arl = _check.positive(arl, "arl")
    near = _searched(make, draw, arl, start, seed, alarms=150, tolerance=0.1)
    slope = (near[0][0] - near[1][0]) / (near[0][1] - near[1][1]) or 1.0
    setting = near[0][1] - near[0][0] / slope
    step = max(0.1 / abs(slope), 1e-3 * abs(setting))      # where the run length jumps, the slope says nothing
    miss, _, found = _searched(make, draw, arl, (setting, setting + step), seed + 1, alarms=1000, tolerance=0.03)[0]
    if abs(miss) > math.log(1.5):
        nearest = min(near[0][2], found, key=lambda one: abs(math.log(one.arl0 / arl))).arl0
        raise ValueError(f"arl needs a run length that this detector can keep, got {arl:g}; near it lies {nearest:.4g}. Pass another.")
    return found


def _searched(make, draw, arl, start, seed, alarms, tolerance):
    """Logarithm of run length over `arl`, setting and detector of all that was tried, the nearest first. All see the same values."""
    points = []
    for _ in range(20):
        setting = start[len(points)] if len(points) < 2 else _next(points)
        if any(abs(setting - tried) <= 1e-6 * abs(setting) for _, tried, _ in points):
            break      # the run length jumps here: settings that are no numbers but counts
        detector = make(setting)
        found, seen = _alarms(detector, draw, int(1.2 * alarms * arl), alarms, seed)
        detector.arl0 = seen / max(len(found), 0.5)
        points.append((math.log(detector.arl0 / arl), setting, detector))
        points.sort(key=lambda point: abs(point[0]))
        if len(points) > 1 and abs(points[0][0]) < tolerance:
            break
    return points


def _next(points):
    """The setting at which the line through two points meets the aim: those around it, or the two nearest."""
    below = max((point for point in points if point[0] < 0), default=None, key=lambda point: point[0])
    above = min((point for point in points if point[0] > 0), default=None, key=lambda point: point[0])
    if below and above:
        share = min(max(-below[0] / (above[0] - below[0]), 0.1), 0.9)
        return below[1] + share * (above[1] - below[1])
    near, far = points[:2]
    slope = (near[0] - far[0]) / (near[1] - far[1])
    step = -near[0] / slope if slope > 0 else math.copysign(math.inf, -near[0])
    limit = 3 * abs(near[1] - far[1])
    return near[1] + min(max(step, -limit), limit)


def _alarms(detector, draw, events, alarms, seed):
    """Positions of alarms among so many values, or up to so many alarms; and how many values were seen."""
    detector = copy.deepcopy(detector)
    detector.reset()
    rng, found, count, seen = np.random.default_rng(seed), [], 0, 0
    while seen < events and count < alarms:
        size = min(CHUNK, events - seen)
        found.append(detector.update_many(draw(rng, size)) + seen)
        count, seen = count + len(found[-1]), seen + size
    found = np.concatenate(found)
    if count < alarms:
        return found, seen
    return found[:alarms], int(found[alarms - 1]) + 1


def bernoulli_threshold(arl, rate, to):
    """Reference value, threshold and mean run length of the CUSUM that tells the error rate `to` from `rate`.

    The reference value of the likelihood ratio is rounded to a fraction a/b: the sum then moves on a
    lattice of steps 1/b, and its mean run length is exact.
    """
    if to == rate:
        raise ValueError(f"to needs another rate than {rate:g}, got the same. Pass the rate to find.")
    p, q = (rate, to) if to > rate else (1 - rate, 1 - to)
    ratio = math.log((1 - p) / (1 - q)) / math.log(q * (1 - p) / (p * (1 - q)))
    finest = max(50, math.ceil(2 / min(ratio, 1 - ratio)))
    step = Fraction(ratio).limit_denominator(finest)
    while not p < step < q:
        finest *= 2
        step = Fraction(ratio).limit_denominator(finest)
    high = 1
    while bernoulli_arl(p, step, high) < arl:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bernoulli_arl(p, step, middle) < arl else (low, middle)
    lengths = {height: bernoulli_arl(p, step, height) for height in (low, high)}
    height = min(lengths, key=lambda each: abs(math.log(lengths[each] / arl)))
    reference = float(step) if to > rate else 1 - float(step)
    return reference, (height + 0.5) / step.denominator, lengths[height]


def bernoulli_arl(rate, step, height):
    """Mean run length of ``S = max(0, S + x - step)`` until ``S * step.denominator > height``, for errors at `rate`.

    Solves ``L(s) = 1 + rate * L(s up) + (1 - rate) * L(s down)`` over the lattice (Brook and Evans 1972).
    """
    from scipy.sparse import csc_matrix, identity
    from scipy.sparse.linalg import spsolve

    at = np.arange(height + 1)
    up, down = at + step.denominator - step.numerator, np.maximum(at - step.numerator, 0)
    inside = up <= height
    chain = csc_matrix(
        (np.concatenate([np.full(inside.sum(), rate), np.full(height + 1, 1 - rate)]),
         (np.concatenate([at[inside], at]), np.concatenate([up[inside], down]))),
        shape=(height + 1, height + 1))
    return float(spsolve(csc_matrix(identity(height + 1)) - chain, np.ones(height + 1))[0])


def normal_threshold(arl, slack):
    """Threshold of a one-sided CUSUM of normal values, in sd, by Siegmund's formula.

    ``ARL = (exp(2 k b) - 2 k b - 1) / (2 k**2)`` with ``b = threshold + 1.166``, and b**2 for k = 0.
    """
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if normal_arl(middle, slack) < arl else (low, middle)
    return high


def normal_arl(threshold, slack):
    """Mean run length of a one-sided CUSUM of normal values without drift, in sd (Siegmund)."""
    b = threshold + OVERSHOOT
    if slack * b < 1e-6:
        return b * b
    if 2 * slack * b > 700:
        return math.inf
    return (math.exp(2 * slack * b) - 2 * slack * b - 1) / (2 * slack * slack)
