"""Sums of deviations: CUSUM from a known mean, Page-Hinkley from the mean so far."""
import math

import numpy as np

from mlmon import _check
from mlmon.drift.stream import base, runlength

SIDES = ("both", "up", "down")


class _Sums(base.Stream):
    """Both one-sided sums: ``up = sum - allowance`` and ``down = sum + allowance``, against their extremes so far."""

    _checked = staticmethod(base.finite)

    def _first(self, up, down, live):
        """Position of the first alarm among a block's sums, of which those from `live` on count; else keep the extremes."""
        least, most = min(self._low, float(up.min())), max(self._high, float(down.max()))
        hits = []
        if self.side != "down" and up.max() - least > self.threshold:
            low = np.minimum(np.minimum.accumulate(up), self._low)
            hits.append(base.first_true((up - low)[live:] > self.threshold))
        if self.side != "up" and most - down.min() > self.threshold:
            high = np.maximum(np.maximum.accumulate(down), self._high)
            hits.append(base.first_true((high - down)[live:] > self.threshold))
        hits = [hit + live for hit in hits if hit >= 0]
        if hits:
            return min(hits)
        self._low, self._high = least, most
        return -1


class CUSUM(_Sums):
    """Cumulative sum of deviations from a known mean.

    Upwards ``S = max(0, S + x - target - slack)``, with an alarm where ``S > threshold``; downwards the
    same with the sign of ``x - target`` turned. For a known step, nothing with as much time
    between false alarms has a shorter delay in the worst case. After an alarm it starts afresh with S = 0.

    Parameters
    ----------
    target : float
        Mean of the values while all is well.
    slack : float
        Half the shift to find, in the values' unit.
    threshold : float
        In the values' unit.
    side : {"both", "up", "down"}
        Which shifts raise an alarm.

    Attributes
    ----------
    n : int
        Values since the last restart.
    drifted : bool
        Did the last value raise an alarm?
    arl0 : float or None
        Mean number of clean values up to a false alarm; None where the threshold was set by hand (see `run_length`).

    References
    ----------
    Page (1954), Biometrika 41(1/2), 100-115. Moustakides (1986), Ann. Stat. 14(4), 1379-1387.

    Examples
    --------
    >>> CUSUM(target=0, slack=0.5, threshold=4).update_many([0, 1, -1, 0, 2, 2, 2, 2])
    array([6])
    """

    def __init__(self, target, slack, threshold, *, side="both"):
        self.target = base.as_number(target, "target")
        self.slack = 0.0 if slack == 0 else _check.positive(slack, "slack")
        self.threshold = _check.positive(threshold, "threshold")
        self.side = _check.one_of(side, SIDES, "side")
        self.reset()

    @classmethod
    def for_arl(cls, arl, *, rate=None, to=None, mean=None, sd=None, shift=None):
        """A detector with a stated mean number of values between false alarms.

        Errors (0/1) get the slack of the likelihood ratio of both rates (the nearest fraction), and the threshold
        at which the chain of their sums takes `arl` values to an alarm: exact, but for whole steps.
        Numbers get ``slack = shift / 2`` on both sides, and the threshold of Siegmund's formula with
        its overshoot of 1.166 sd: for independent values of about normal shape.

        Parameters
        ----------
        arl : float
            Mean number of values up to an alarm while nothing changes.
        rate, to : float
            Error rate while all is well, and the rate to find, by default half as high again. One sided.
        mean, sd, shift : float
            Mean and standard deviation while all is well, and the shift to find, by default one `sd`. Two sided.

        Returns
        -------
        CUSUM

        References
        ----------
        Siegmund (1985), Sequential Analysis, section 2.6. Brook and Evans (1972), Biometrika 59(3), 539-549.

        Examples
        --------
        >>> detector = CUSUM.for_arl(10_000, mean=0, sd=1)
        >>> round(detector.threshold, 2), round(detector.arl0)
        (8.05, 10000)
        """
        arl = _check.positive(arl, "arl")
        if rate is not None:
            rate = _check.open_share(rate, "rate")
            to = _check.open_share(min(1.5 * rate, (1 + rate) / 2) if to is None else to, "to")
            reference, threshold, stated = runlength.bernoulli_threshold(arl, rate, to)
            detector = cls(rate, round(abs(reference - rate), 12), threshold, side="up" if to > rate else "down")
        elif mean is None or sd is None:
            raise ValueError("rate needs the error rate, or mean and sd those of the numbers, got neither. Pass one of them.")
        else:
            sd = _check.positive(sd, "sd")
            slack = (sd if shift is None else _check.positive(shift, "shift")) / 2
            threshold, stated = runlength.normal_threshold(2 * arl, slack / sd) * sd, arl
            detector = cls(mean, slack, threshold)
        detector.arl0 = float(stated)
        return detector

    def update(self, x):
        """Take one value; True where it raises an alarm."""
        if x.__class__ is not float or not -math.inf < x < math.inf:
            x = base.as_number(x)
        n = self.n = self.n + 1
        total = self._sum = self._sum + (x - self.target)
        allowance = self.slack * (n - self._anchor)
        up, down = total - allowance, total + allowance
        if up < self._low:
            self._low = up
        if down > self._high:
            self._high = down
        if (up - self._low > self.threshold and self.side != "down") or (self._high - down > self.threshold and self.side != "up"):
            return self._alarm()
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _start(self):
        self._sum = self._low = self._high = 0.0
        self._anchor = 0

    def _rebase(self):
        allowance = self.slack * (self.n - self._anchor)
        self._low, self._high = self._low - (self._sum - allowance), self._high - (self._sum + allowance)
        self._sum, self._anchor = 0.0, self.n

    def _many(self, x):
        total = x - self.target
        total[0] += self._sum
        np.cumsum(total, out=total)
        allowance = self.slack * base.counted(self.n - self._anchor, len(x))
        hit = self._first(total - allowance, total + allowance, 0)
        self._sum = float(total[-1])
        return hit


class PageHinkley(_Sums):
    """Cumulative sum of deviations from the mean so far.

    ``D = forgetting * D + (x - mean)``, where `mean` is that of all values since the last restart, x
    included. Upwards an alarm comes where D, less `delta` a value, lies more than `threshold`
    above its least value so far; downwards likewise. It needs no target, and pays with the time
    that it takes to learn one. After an alarm it starts afresh.

    Parameters
    ----------
    threshold, delta : float
        In the values' unit. `delta` is half the shift to find.
    warm_up : int
        The number of values at which alarms begin.
    forgetting : float
        Weight of the past sum at each value, from 0.9 to 1. Page's own test has 1.
    side : {"both", "up", "down"}
        Which shifts raise an alarm.

    Attributes
    ----------
    n : int
        Values since the last restart.
    drifted : bool
        Did the last value raise an alarm?
    arl0 : float or None
        Mean number of clean values up to a false alarm; None where the threshold was set by hand (see `run_length`).

    References
    ----------
    Page (1954), Biometrika 41(1/2), 100-115. Hinkley (1971), Biometrika 58(3), 509-523.

    Examples
    --------
    >>> PageHinkley(threshold=20).update_many([0] * 100 + [1] * 50)
    array([122])
    """

    _derived = ("_arrays", "_lists", "_block")

    def __init__(self, *, threshold=50.0, delta=0.005, warm_up=30, forgetting=0.9999, side="both"):
        self.threshold = _check.positive(threshold, "threshold")
        self.delta = 0.0 if delta == 0 else _check.positive(delta, "delta")
        self.warm_up = _check.whole(warm_up, "warm_up", 1)
        self.forgetting = _check.share(forgetting, "forgetting")
        if self.forgetting < 0.9:
            raise ValueError(f"forgetting needs a share from 0.9 to 1, got {forgetting!r}. Pass 1 to keep the whole sum.")
        self.side = _check.one_of(side, SIDES, "side")
        self._prepare()
        self.reset()

    @classmethod
    def for_arl(cls, arl, *, rate=None, sd=None, sample=None, shift=None, side="both", seed=0):
        """A detector with a stated mean number of values between false alarms.

        The threshold is found by simulation with the clean values that are described: give `rate`, `sd` or
        `sample`. It takes the time of a few thousand times `arl` values.

        Parameters
        ----------
        arl : float
            Mean number of values up to an alarm while nothing changes.
        rate : float
            Error rate of 0/1 values.
        sd : float
            Standard deviation of normal values, of any mean.
        sample : array-like of shape (n,)
            Clean values, to draw from.
        shift : float
            The shift of the mean to find, by default half a standard deviation.
        side : {"both", "up", "down"}
        seed : int

        Returns
        -------
        PageHinkley
        """
        draw, sd = runlength.source(rate=rate, sd=sd, sample=sample)
        delta = (sd / 2 if shift is None else _check.positive(shift, "shift")) / 2

        def make(threshold):
            return cls(threshold=threshold, delta=delta, forgetting=1.0, side=side)

        near = runlength.normal_threshold((2 if side == "both" else 1) * _check.positive(arl, "arl"), delta / sd) * sd
        return runlength.calibrated(make, draw, arl, (near, 1.1 * near), seed)

    def update(self, x):
        """Take one value; True where it raises an alarm."""
        if x.__class__ is not float or not -math.inf < x < math.inf:
            x = base.as_number(x)
        n = self.n = self.n + 1
        total = self._total = self._total + x
        falling, rising, sums = self._lists
        j = n - self._anchor
        weighted = self._sum = self._sum + rising[j] * (x - total / n)
        weighted, allowance = falling[j] * weighted, falling[j] * (self._allowed + self.delta * sums[j])
        up, down = weighted - allowance, weighted + allowance
        if up < self._low:
            self._low = up
        if down > self._high:
            self._high = down
        if n >= self.warm_up and (
            (up - self._low > self.threshold and self.side != "down") or (self._high - down > self.threshold and self.side != "up")
        ):
            return self._alarm()
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _prepare(self):
        self._block = base.block_for(self.forgetting)
        self._arrays, self._lists = base.powers(self.forgetting, self._block)

    def _start(self):
        self._total = self._sum = self._allowed = 0.0
        self._low, self._high = math.inf, -math.inf
        self._anchor = 0

    def _rebase(self):
        falling, _, sums = self._lists
        j = self.n - self._anchor
        self._sum, self._allowed = falling[j] * self._sum, falling[j] * (self._allowed + self.delta * sums[j])
        self._anchor = self.n

    def _many(self, x):
        total = x.copy()
        total[0] += self._total
        np.cumsum(total, out=total)
        j = self.n - self._anchor + 1
        falling, rising, sums = (table[j : j + len(x)] for table in self._arrays)
        weighted = rising * (x - total / base.counted(self.n, len(x)))
        weighted[0] = self._sum + weighted[0]
        np.cumsum(weighted, out=weighted)
        self._total, self._sum = float(total[-1]), float(weighted[-1])
        if self.forgetting < 1:
            weighted *= falling
        allowance = falling * (self._allowed + self.delta * sums)
        return self._first(weighted - allowance, weighted + allowance, max(self.warm_up - self.n - 1, 0))
