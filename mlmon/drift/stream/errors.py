"""Detectors of a rising error rate that keep its best so far: DDM and EDDM. They take 0 (right) and 1 (wrong).

A falling rate is found by a second detector that takes ``1 - x``.
"""
import math
from numbers import Real

import numpy as np

from mlmon import _check
from mlmon.drift.stream import base, runlength


class DDM(base.Stream):
    """Drift detection method: the error rate rises above its least value.

    With p the error rate so far and ``s = sqrt(p * (1 - p) / n)``, the least ``p + s`` after the warm-up is
    kept. An alarm comes where ``p + s > p_min + drift * s_min``. After it all starts afresh. False alarms are not spread
    evenly: many come soon after a start, and few later, so a run length is kept as a mean, not as a rate.

    Parameters
    ----------
    warning, drift : float
        Thresholds in standard deviations.
    warm_up : int
        Values before the least is kept and alarms can come.
    memory : int, optional
        Start afresh after so many values without an alarm. Without it the run length's
        tail is so heavy that its mean says little: half of the streams never alarm.

    Attributes
    ----------
    n : int
        Values since the last restart.
    drifted, warning : bool
        Did the last value raise an alarm? Does the rate lie above the warning threshold?
    arl0 : float or None
        Mean number of clean values up to a false alarm; None where thresholds were set by hand (see `run_length`).

    References
    ----------
    Gama, Medas, Castillo and Rodrigues (2004), SBIA, LNCS 3171, 286-295.

    Examples
    --------
    >>> DDM().update_many([0, 0, 0, 0, 1] * 200 + [0, 1, 1] * 70)
    array([1055])
    """

    _checked = staticmethod(base.bits)

    def __init__(self, *, warning=2.0, drift=3.0, warm_up=30, memory=None):
        self.warning_at, self.drift_at = _rising(warning, drift, 1)
        self.warm_up = _check.whole(warm_up, "warm_up", 1)
        self.memory = base.remembered(memory, self.warm_up + 1)
        self.reset()

    @classmethod
    def for_arl(cls, arl, rate, *, seed=0):
        """A detector with a stated mean number of values between false alarms at an error rate, found by simulation."""
        draw, _ = runlength.source(rate=rate)
        memory = runlength.memory_for(arl)
        warm_up = max(30, min(math.ceil(100 / min(rate, 1 - rate)), memory // 20))      # a hundred errors, in a tenth of the time

        def make(drift):
            return cls(warning=1 + 2 * (max(drift, 1.001) - 1) / 3, drift=max(drift, 1.001), warm_up=warm_up, memory=memory)

        return runlength.calibrated(make, draw, arl, (2.0, 2.5), seed)

    @property
    def warning(self):
        if self.n <= self.warm_up:
            return False
        p = self._errors / self.n
        return p + math.sqrt(p * (1 - p) / self.n) > self._p + self.warning_at * self._s

    def update(self, x):
        """Take one error (0 or 1); True where it raises an alarm."""
        if x == 1:
            self._errors += 1
        elif x != 0:
            base.refuse_bit(x)
        n = self.n = self.n + 1
        if n > self.warm_up:
            p = self._errors / n
            s = math.sqrt(p * (1 - p) / n)
            level = p + s
            if level <= self._best:
                self._best, self._p, self._s = level, p, s
            elif level > self._p + self.drift_at * self._s:
                return self._alarm()
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _start(self):
        self._errors, self._best, self._p, self._s = 0, math.inf, 0.0, 0.0

    def _many(self, x):
        n, errors = base.counted(self.n, len(x)), np.cumsum(x) + self._errors
        self._errors = int(errors[-1])
        live = max(self.warm_up - self.n, 0)
        if live >= len(x):
            return -1
        p = errors[live:] / n[live:]
        s = np.sqrt(p * (1 - p) / n[live:])
        level = p + s
        if level.min() > self._best:
            limit = self._p + self.drift_at * self._s
            return live + base.first_true(level > limit) if level.max() > limit else -1
        at = base.records(level, self._best)
        known = np.where(at < 0, self._p, p[at]) + self.drift_at * np.where(at < 0, self._s, s[at])
        hit = base.first_true(level > known)
        self._best, self._p, self._s = float(level[at[-1]]), float(p[at[-1]]), float(s[at[-1]])
        return hit + live if hit >= 0 else -1


class EDDM(base.Stream):
    """Early drift detection method: errors come closer together than they did.

    At each error, with m and s the mean and standard deviation of the distances between errors so far,
    ``m + 2 s`` is compared with its largest value. An alarm comes where the share of it falls
    below `drift`. After it all starts afresh.

    Parameters
    ----------
    warning, drift : float
        Shares of the largest value.
    warm_up : int
        Values before the largest is kept, and errors before an alarm can come.
    memory : int, optional
        Start afresh after so many values without an alarm.

    Attributes
    ----------
    n : int
        Values since the last restart.
    drifted, warning : bool
        Did the last value raise an alarm? Is the share at the last error below `warning`?
    arl0 : float or None
        Mean number of clean values up to a false alarm; None where thresholds were set by hand (see `run_length`).

    References
    ----------
    Baena-Garcia, del Campo-Avila, Fidalgo, Bifet, Gavalda and Morales-Bueno (2006), Early drift
    detection method, Workshop on Knowledge Discovery from Data Streams.

    Examples
    --------
    >>> EDDM().update_many(([0, 0, 1] + [0, 0, 0, 0, 0, 0, 1]) * 100 + [0, 1] * 100)
    array([1195])
    """

    _checked = staticmethod(base.bits)

    def __init__(self, *, warning=0.95, drift=0.9, warm_up=30, memory=None):
        self.drift_at, self.warning_at = _check.open_share(drift, "drift"), _check.open_share(warning, "warning")
        if self.warning_at < self.drift_at:
            raise ValueError(f"warning needs a share of at least drift, {drift:g}, got {warning:g}. Swap them.")
        self.warm_up = _check.whole(warm_up, "warm_up", 2)
        self.memory = base.remembered(memory, self.warm_up + 1)
        self.reset()

    @classmethod
    def for_arl(cls, arl, rate, *, seed=0):
        """A detector with a stated mean number of values between false alarms at an error rate, found by simulation."""
        draw, _ = runlength.source(rate=rate)
        memory = runlength.memory_for(arl)
        warm_up = max(30, min(300, int(rate * memory / 10)))      # errors: spreads of fewer vary so much that most alarms come early

        def make(drop):
            drop = min(max(drop, 0.001), 0.99)
            return cls(warning=1 - drop / 2, drift=1 - drop, warm_up=warm_up, memory=memory)

        return runlength.calibrated(make, draw, arl, (0.2, 0.3), seed)

    @property
    def warning(self):
        return self._share < self.warning_at and self._errors > self.warm_up

    def update(self, x):
        """Take one error (0 or 1); True where it raises an alarm."""
        if x == 1:
            n = self.n = self.n + 1
            errors = self._errors = self._errors + 1
            gap = n - self._last
            self._last = n
            squares = self._squares = self._squares + gap * gap
            if n > self.warm_up:
                mean = n / errors
                spread = (squares - n * mean) / (errors - 1) if errors > 1 else 0.0
                level = mean + 2 * math.sqrt(spread) if spread > 0 else mean
                if level > self._best:
                    self._best = level
                self._share = level / self._best
                if self._share < self.drift_at and errors > self.warm_up:
                    return self._alarm()
        elif x == 0:
            n = self.n = self.n + 1
        else:
            base.refuse_bit(x)
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _start(self):
        self._errors = self._last = self._squares = 0
        self._best, self._share = 0.0, 1.0

    def _many(self, x):
        n = np.flatnonzero(x != 0) + (self.n + 1)
        if not len(n):
            return -1
        errors = np.arange(self._errors + 1, self._errors + 1 + len(n))
        gaps = np.diff(n, prepend=self._last)
        squares = self._squares + np.cumsum(gaps * gaps)
        self._errors, self._last, self._squares = int(errors[-1]), int(n[-1]), int(squares[-1])
        live = int(np.searchsorted(n, self.warm_up, side="right"))
        if live == len(n):
            return -1
        at, errors, squares = n[live:], errors[live:], squares[live:]
        mean = at / errors
        spread = np.maximum(squares - at * mean, 0.0) / np.maximum(errors - 1, 1)
        level = mean + 2 * np.sqrt(spread)
        best = np.maximum(np.maximum.accumulate(level), self._best)
        share = level / best
        hit = base.first_true((share < self.drift_at) & (errors > self.warm_up))
        self._best, self._share = float(best[-1]), float(share[-1])
        return int(at[hit]) - self.n - 1 if hit >= 0 else -1


def _rising(warning, drift, least):
    if not (isinstance(drift, Real) and drift > least):
        raise ValueError(f"drift needs a number above {least}, got {drift!r}. Pass one, such as 3.0.")
    if not (isinstance(warning, Real) and least <= warning <= drift):
        raise ValueError(f"warning needs a number from {least} to drift, {drift:g}, got {warning!r}. Pass one, such as 2.0.")
    return float(warning), float(drift)
