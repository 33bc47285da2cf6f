"""Detectors of a rising error rate by bounds on means that hold for any values: HDDM-A and HDDM-W. They take 0 (right) and 1 (wrong).

A falling rate is found by a second detector that takes ``1 - x``.
"""
import math

import numpy as np

from mlmon import _check
from mlmon.drift.stream import base, runlength

SAFE = 1 - 1e-9      # what bounds on a whole block give away, so that rounding never hides an alarm


class HDDMA(base.Stream):
    """Hoeffding's bound on means: the error rate rises above that of the best first part.

    With z the error rate of all n values, the first part is cut where ``z + sqrt(log(1 / drift) / (2 n))`` is least.
    An alarm comes where z exceeds the first part's rate by
    ``sqrt((1 / n_first - 1 / n) * log(2 / drift) / 2)``. After it all starts afresh.

    Parameters
    ----------
    warning, drift : float
        Chances of error of the bound. They hold for one look, not for a stream of them.
    memory : int, optional
        Start afresh after so many values without an alarm.

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
    Frias-Blanco, del Campo-Avila, Ramos-Jimenez, Morales-Bueno, Ortiz-Diaz and Caballero-Mota (2015),
    IEEE Trans. Knowl. Data Eng. 27(3), 810-823.

    Examples
    --------
    >>> HDDMA().update_many([0, 0, 0, 0, 1] * 200 + [0, 1, 1] * 70)
    array([1016])
    """

    _checked = staticmethod(base.bits)

    def __init__(self, *, warning=0.005, drift=0.001, memory=None):
        self.warning_at, self.drift_at = _check.open_share(warning, "warning"), _check.open_share(drift, "drift")
        self.memory = base.remembered(memory, 2)
        self._cut = math.log(1.0 / self.drift_at)
        self._bound = math.log(2.0 / self.drift_at)
        self.reset()

    @classmethod
    def for_arl(cls, arl, rate, *, seed=0):
        """A detector with a stated mean number of values between false alarms at an error rate, found by simulation."""
        return _calibrated(cls, arl, rate, (3.0, 5.0), seed)

    @property
    def warning(self):
        bound = math.log(2.0 / self.warning_at)
        return self._n != self.n and self._errors / self.n - self._z >= _gap(self.n, self._n, bound)

    def update(self, x):
        """Take one error (0 or 1); True where it raises an alarm."""
        if x == 1:
            self._errors += 1
        elif x != 0:
            base.refuse_bit(x)
        n = self.n = self.n + 1
        z = self._errors / n
        level = z + math.sqrt(1.0 / (2 * n) * self._cut)
        if level <= self._best:
            self._best, self._n, self._z = level, n, z
        elif z - self._z >= _gap(n, self._n, self._bound):
            return self._alarm()
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _start(self):
        self._errors, self._best, self._n, self._z = 0, math.inf, 0, 0.0

    def _many(self, x):
        n, errors = base.counted(self.n, len(x)), np.cumsum(x) + self._errors
        self._errors = int(errors[-1])
        z = errors / n
        if z.min() + SAFE * math.sqrt(1.0 / (2 * n[-1]) * self._cut) > self._best:      # the cut stays where it is
            if z.max() - self._z < SAFE * _gap(n[0], self._n, self._bound):
                return -1
            return base.first_true(z - self._z >= _gaps(n, self._n, self._bound))
        level = z + np.sqrt(1.0 / (2 * n) * self._cut)
        at = base.records(level, self._best)
        first, rate = np.where(at < 0, self._n, n[at]), np.where(at < 0, self._z, z[at])
        if at[-1] >= 0:
            self._best, self._n, self._z = float(level[at[-1]]), int(n[at[-1]]), float(z[at[-1]])
        return base.first_true((z - rate >= _gaps(n, first, self._bound)) & (first < n))


class HDDMW(base.Stream):
    """McDiarmid's bound on weighted means: recent errors weigh more, and rise above the best first part.

    The weighted mean of all values, ``T = weight * x + (1 - weight) * T``, is cut where it plus its
    bound is least. An alarm comes where the weighted mean of the values since then, begun anew, exceeds T at
    the cut by ``sqrt((v_first + v_since) * log(1 / drift) / 2)``; v is the sum of the squared weights. After it all starts afresh.

    Parameters
    ----------
    warning, drift : float
        Chances of error of the bound. They hold for one look, not for a stream of them.
    weight : float
        Of the newest value, at most 0.9.
    memory : int, optional
        Start afresh after so many values without an alarm.

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
    Frias-Blanco, del Campo-Avila, Ramos-Jimenez, Morales-Bueno, Ortiz-Diaz and Caballero-Mota (2015),
    IEEE Trans. Knowl. Data Eng. 27(3), 810-823.

    Examples
    --------
    >>> HDDMW().update_many([0, 0, 0, 0, 1] * 200 + [0, 1, 1] * 70)
    array([1032])
    """

    _checked = staticmethod(base.bits)
    _derived = ("_block", "_long", "_half", "_tables", "_falling", "_rising", "_bounds", "_fades", "_spreads")

    def __init__(self, *, warning=0.005, drift=0.001, weight=0.05, memory=None):
        self.warning_at, self.drift_at = _check.open_share(warning, "warning"), _check.open_share(drift, "drift")
        self.weight = _check.open_share(weight, "weight")
        if self.weight > 0.9:
            raise ValueError(f"weight needs a share up to 0.9, got {weight!r}. Pass a smaller one.")
        self.memory = base.remembered(memory, 2)
        self._prepare()
        self.reset()

    @classmethod
    def for_arl(cls, arl, rate, *, weight=0.05, seed=0):
        """A detector with a stated mean number of values between false alarms at an error rate, found by simulation."""
        return _calibrated(cls, arl, rate, (5.0, 7.0), seed, weight=weight)

    @property
    def warning(self):
        if self.n == self._n:
            return False
        since = min(self.n - self._n, self._long)
        excess = self._falling[self.n - self._anchor] * self._sum + self._fades[since] * self._jump - self._mean
        return excess > math.sqrt((self._spread + self._spreads[since]) * math.log(1.0 / self.warning_at) / 2)

    def update(self, x):
        """Take one error (0 or 1); True where it raises an alarm."""
        n = self.n + 1
        j = n - self._anchor
        if x == 1:
            self._sum = (1.0 if n == 1 else self._sum) + self._rising[j]
        elif x != 0:
            base.refuse_bit(x)
        self.n = n
        mean = self._falling[j] * self._sum
        level = mean + self._bounds[n if n < self._long else self._long]
        if level < self._best:
            self._keep(level, n, mean)
        else:
            since = n - self._n
            if since == 1:
                self._jump = x - self._mean
            elif since > self._long:
                since = self._long
            if mean + self._fades[since] * self._jump - self._mean > math.sqrt((self._spread + self._spreads[since]) * self._half):
                return self._alarm()
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _prepare(self):
        """Tables over the number of values: what is left of an old one, the sum of squared weights, the bound."""
        kept = 1 - self.weight
        self._block, self._half = base.block_for(kept), math.log(1.0 / self.drift_at) / 2
        falling, rising, _ = base.powers(kept, self._block)[0]
        rising = rising * self.weight
        self._long = math.ceil(math.log(1e-18) / math.log(kept))
        fades = kept ** np.arange(self._long + 1.0)
        fades[-1] = 0.0
        spreads = fades**2 + (1 - fades**2) * self.weight**2 / (1 - kept**2)
        bounds = np.sqrt(spreads * self._half)
        self._tables = falling, rising, bounds, fades, spreads
        self._falling, self._rising, self._bounds, self._fades, self._spreads = (table.tolist() for table in self._tables)

    def _start(self):
        self._sum, self._anchor, self._jump = 0.0, 0, 0.0
        self._best, self._n, self._mean, self._spread = math.inf, 0, 0.0, 0.0

    def _rebase(self):
        self._sum, self._anchor = self._falling[self.n - self._anchor] * self._sum, self.n

    def _keep(self, level, n, mean):
        """Cut the first part after n values."""
        self._best, self._n, self._mean, self._spread = level, n, mean, self._spreads[min(n, self._long)]
        self._jump = 0.0

    def _many(self, x):
        falling, rising, bounds, *_ = self._tables
        j = self.n - self._anchor + 1
        total = rising[j : j + len(x)] * x
        total[0] = (x[0] if self.n == 0 else self._sum) + total[0]
        np.cumsum(total, out=total)
        self._sum = float(total[-1])
        mean = np.multiply(falling[j : j + len(x)], total, out=total)
        if self.n == self._n:
            self._jump = float(x[0]) - self._mean
        hit, done = -1, 0
        if self.n < self._long or mean.min() + bounds[-1] < self._best:
            level = mean + bounds[np.minimum(np.arange(self.n + 1, self.n + 1 + len(x)), self._long)]
            if level.min() < self._best:
                hit, done = self._moved(x, mean, level)
        if hit >= 0 or done == len(x):
            return hit
        hit = self._since(mean[done:], self.n + done - self._n)
        return hit + done if hit >= 0 else -1

    def _moved(self, x, mean, level):
        """Position of the first alarm up to the block's last cut, or -1; and how many values that part has."""
        fades, spreads = self._tables[3:]
        at = base.records(level, self._best, strict=True)
        done = int(at[-1]) + 1
        at, n = at[:done], np.arange(self.n + 1, self.n + 1 + done)
        old = at < 0
        first, cut = np.where(old, self._n, n[at]), np.where(old, self._mean, mean[at])
        jump = np.where(old, self._jump, x[np.minimum(at + 1, done - 1)] - cut)
        spread, since = np.where(old, self._spread, spreads[np.minimum(first, self._long)]), np.minimum(n - first, self._long)
        over = mean[:done] + fades[since] * jump - cut > np.sqrt((spread + spreads[since]) * self._half)
        self._keep(float(level[done - 1]), int(n[-1]), float(mean[done - 1]))
        if done < len(x):
            self._jump = float(x[done]) - self._mean
        return base.first_true(over & (since > 0)), done

    def _since(self, mean, old):
        """Position of the first alarm among weighted means after the cut, the first of them `old` + 1 values after it; or -1."""
        fades, spreads = self._tables[3:]
        young = slice(old + 1, min(old + 1 + len(mean), self._long)) if old + 1 < self._long else slice(0, 0)
        head = young.stop - young.start
        limit = np.sqrt((self._spread + spreads[young]) * self._half)
        hit = base.first_true(mean[:head] + fades[young] * self._jump - self._mean > limit)
        limit = math.sqrt((self._spread + spreads[-1]) * self._half)
        if hit >= 0 or head == len(mean) or mean[head:].max() - self._mean <= limit:
            return hit
        return head + base.first_true(mean[head:] - self._mean > limit)


def _calibrated(cls, arl, rate, start, seed, **settings):
    """The detector whose chance of error, ``exp(-strength)``, keeps the run length; `start` holds two guesses of the strength."""
    draw, _ = runlength.source(rate=rate)
    memory = runlength.memory_for(arl)

    def make(strength):
        drift = math.exp(-max(strength, 1e-3))
        return cls(warning=drift**0.75, drift=drift, memory=memory, **settings)

    return runlength.calibrated(make, draw, arl, start, seed)


def _gap(n, first, bound):
    return math.sqrt((n - first) / first * (1.0 / n) / 2 * bound)


def _gaps(n, first, bound):
    return np.sqrt((n - first) / first * (1.0 / n) / 2 * bound)
