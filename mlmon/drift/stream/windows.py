"""Detectors that compare the newer part of a window with the older one: ADWIN and KSWIN."""
import math

import numpy as np

from mlmon import _check
from mlmon.drift.stream import base, runlength
from mlmon.drift.twosample import kolmogorov_p

SAFE = 0.999      # what the quick bound on cuts gives away, so that rounding never hides an alarm
GROUP = 8         # ticks judged together, where buckets are longer than they
CELLS = 8         # into which values are cut to bound the gap between two distributions
ROWS = 256        # windows compared at a time
WIDEST = 10_000   # window of which the counts fit


class ADWIN(base.Stream):
    """Adaptive windowing: some cut of the window divides it into two parts of unlike means.

    Cuts lie at 1, 2, 4, ... values' distance, `buckets` of each size, so the state grows with the
    logarithm of n. Every `clock` values, with n0 older and n1 newer values at a cut, v the variance of all and
    ``l = log(2 * log(n) / delta)``, an alarm comes where the means differ by more than
    ``sqrt(2 * m * v * l) + 2 / 3 * l * m``, ``m = 1 / (n0 - least + 1) + 1 / (n1 - least + 1)``.
    After it all starts afresh; the published algorithm keeps the newer part.

    Parameters
    ----------
    delta : float
        Chance of error of the bound. It holds for one look at the window, not for a stream of them.
    clock : int
        Look every so many values.
    buckets : int
        Cuts of one size.
    least : int
        The fewest values of a part.
    grace : int
        No alarm up to so many values.

    Attributes
    ----------
    n : int
        Values since the last restart: the width of the window.
    mean : float
        Of the window.
    drifted : bool
        Did the last value raise an alarm?
    arl0 : float or None
        Mean number of clean values up to a false alarm; None where `delta` was set by hand (see `run_length`).

    References
    ----------
    Bifet and Gavalda (2007), Learning from time-changing data with adaptive windowing, SDM, 443-448.

    Examples
    --------
    >>> ADWIN().update_many([0, 0, 0, 0, 1] * 200 + [0, 1, 1] * 70)
    array([1055])
    """

    _checked = staticmethod(base.finite)

    def __init__(self, *, delta=0.002, clock=32, buckets=5, least=5, grace=10):
        self.delta = _check.open_share(delta, "delta")
        self.clock, self.buckets = _check.whole(clock, "clock", 1), _check.whole(buckets, "buckets", 2)
        self.least, self.grace = _check.whole(least, "least", 1), _check.whole(grace, "grace", 2)
        self.reset()

    @classmethod
    def for_arl(cls, arl, *, rate=None, sd=None, sample=None, seed=0):
        """A detector with a stated mean number of values between false alarms, found by simulation.

        Give `rate` (of 0/1 values), `sd` (of normal values of any mean) or `sample` (clean values to draw from).
        """
        draw, _ = runlength.source(rate=rate, sd=sd, sample=sample)
        return runlength.calibrated(lambda strength: cls(delta=math.exp(-max(strength, 1e-3))), draw, arl, (1.0, 3.0), seed)

    @property
    def mean(self):
        return self._origin + self._total / self.n if self.n else 0.0

    def update(self, x):
        """Take one value; True where it raises an alarm."""
        if x.__class__ is not float or not -math.inf < x < math.inf:
            x = base.as_number(x)
        n = self.n = self.n + 1
        if n == 1:
            self._origin = x
        x -= self._origin
        total = self._total = self._total + x
        self._squares += x * x
        newest = self._ends[0]
        newest.append(total)
        if len(newest) > self.buckets:
            self._merge()
        if n % self.clock == 0 and n > self.grace and self._differs():
            return self._alarm()
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _start(self):
        self._origin = self._total = self._squares = 0.0
        self._ends = [[]]      # by size of bucket: the sum of all values up to the end of each bucket, oldest first

    def _merge(self):
        ends, size = self._ends, 0
        while len(ends[size]) > self.buckets:
            if size + 1 == len(ends):
                ends.append([])
            ends[size + 1].append(ends[size][1])
            del ends[size][:2]
            size += 1

    def _differs(self):
        """Look at all cuts, the oldest first."""
        n, total = self.n, self._total
        log, quick = self._scale(n, total, self._squares)
        before = 0
        for size in range(len(self._ends) - 1, -1, -1):
            for older in self._ends[size]:
                before += 1 << size
                gap = older * n - total * before
                if gap * gap > quick * (before * (n - before)) and self._beyond(gap, before, n, log, quick):
                    return True
        return False

    def _scale(self, n, total, squares):
        """The bound's logarithm, and the least of ``gap ** 2 / (n0 * n1)`` that can exceed the bound."""
        log = math.log(2 * math.log(n) / self.delta)
        return log, 2 * max(squares - total * total / n, 0.0) * log

    def _beyond(self, gap, before, n, log, quick):
        """Do the means differ by more than the bound? `gap` is their difference times n0 * n1."""
        after = n - before
        if before < self.least or after < self.least:
            return False
        m = 1.0 / (before - self.least + 1) + 1.0 / (after - self.least + 1)
        return abs(gap) / (before * after) > math.sqrt(m * quick / n) + 2 / 3 * log * m

    def _many(self, x):
        if self.n == 0:
            self._origin = float(x[0])
        total = x - self._origin
        squares = total * total
        total[0], squares[0] = self._total + total[0], self._squares + squares[0]
        np.cumsum(total, out=total)
        np.cumsum(squares, out=squares)
        n, known = self.n, self._known(total)
        ticks = np.arange((max(n, self.grace) // self.clock + 1) * self.clock, n + len(x) + 1, self.clock)
        if len(ticks):
            at = ticks - (n + 1)
            hit = self._first(ticks, total[at], squares[at], known)
            if hit >= 0:
                return int(at[hit])
        self._total, self._squares = float(total[-1]), float(squares[-1])
        numbers = [self._newest(n + len(x), size) for size in range(len(known) + 1)]
        self._ends = [sums[2 * after - first + 1 : newest - first + 1].tolist()
                      for (first, sums), newest, after in zip(known, numbers, numbers[1:]) if newest] or [[]]
        return -1

    def _newest(self, n, size):
        """How many buckets of a size were ever filled by n values: those of smaller sizes hold back the newest values."""
        return max((n - (self.buckets - 1) * ((1 << size) - 1)) >> size, 0)

    def _known(self, total):
        """By size, the number of a bucket and the sums of all values up to its end and those of all following ones.

        The first is the last that has become part of a larger one (or none: number 0, sum 0); then come those
        held, and those that a block with these sums adds.
        """
        found, newer, size = [], total, 0
        while size < len(self._ends) or len(newer):
            held = self._ends[size] if size < len(self._ends) else []
            merged = self._ends[size + 1][-1] if size + 1 < len(self._ends) else 0.0
            sums = np.concatenate(([merged], held, newer))
            found.append((2 * self._newest(self.n, size + 1), sums))
            newer, size = sums[2::2], size + 1
        return found

    def _first(self, ticks, totals, squares, known):
        """Position of the first tick at which the window differs, or -1.

        All cuts of all ticks are held against a bound that is a little too low, those of large buckets first by groups
        of ticks; the exact test judges what is left.
        """
        n = ticks.astype(float)
        mean, variance = totals / n, np.maximum(squares - totals * totals / n, 0.0) / n
        bound = SAFE * 2 * variance * np.log(2 * np.log(n) / self.delta)
        slope = bound / n
        large = (GROUP * self.clock - 1).bit_length()
        parts, suspects = [(0, known[:large])], []
        if len(known) > large and self._may_differ(ticks, mean, bound, known[large:], large):
            parts.append((large, known[large:]))
        for size, part in parts:
            older, before = self._cuts(part, size, ticks, self.buckets)
            gap = older - mean * before
            over = gap * gap > before * (bound - slope * before)
            if over.any():
                suspects += zip(np.nonzero(over)[2].tolist(), before[over].astype(int).tolist(), older[over].tolist())
        for tick, before, older in sorted(suspects):
            at, total = int(ticks[tick]), float(totals[tick])
            log, quick = self._scale(at, total, float(squares[tick]))
            gap = older * at - total * before
            if gap * gap > quick * (before * (at - before)) and self._beyond(gap, before, at, log, quick):
                return tick
        return -1

    def _may_differ(self, ticks, mean, bound, known, size):
        """Could any tick differ at a cut between buckets longer than a group of ticks? Each group has the extremes of its means and bounds."""
        group = np.arange(0, len(ticks), GROUP)
        low, high, least = np.minimum.reduceat(mean, group), np.maximum.reduceat(mean, group), np.minimum.reduceat(bound, group)
        older, before = self._cuts(known, size, ticks[np.append(group[1:], len(ticks)) - 1], self.buckets + 1)
        gap = np.maximum(np.abs(older - low * before), np.abs(older - high * before))
        return (gap * gap > before * (least - least / ticks[group] * before)).any()

    def _cuts(self, known, size, ticks, count):
        """By size (from `size` on), age and tick: the sums of all values before the newest cuts, and how many values those are."""
        sizes, firsts = np.arange(size, size + len(known)), np.array([first for first, _ in known])
        newest = (ticks - (self.buckets - 1) * ((1 << sizes) - 1)[:, None]) >> sizes[:, None]
        number = np.maximum(newest[:, None, :] - np.arange(count)[:, None], firsts[:, None, None])
        before = number * (1 << sizes).astype(float)[:, None, None]
        number += (np.cumsum([0] + [len(sums) for _, sums in known[:-1]]) - firsts)[:, None, None]
        return np.concatenate([sums for _, sums in known]).take(number), before


class KSWIN(base.Stream):
    """Kolmogorov-Smirnov windowing: the most recent values have another distribution than those before them.

    Within the last `window` values the `recent` newest are compared with all the others by the largest gap between their
    distribution functions. An alarm comes where its exact p-value is at most `alpha` and it exceeds 0.1.
    The published detector draws as many of the older values as there are recent ones: it is the same where the
    window holds twice the recent ones, and sees less elsewhere. After an alarm it starts afresh.

    Parameters
    ----------
    alpha : float
        Level of each comparison. Neighbours share their values, and there is one at each value: see `for_arl`.
    window, recent : int
        Values in all, at most 10,000, and the newest among them.

    Attributes
    ----------
    n : int
        Values since the last restart.
    drifted : bool
        Did the last value raise an alarm?
    arl0 : float or None
        Mean number of clean values up to a false alarm; None where `alpha` was set by hand (see `run_length`).

    References
    ----------
    Raab, Heusinger and Schleif (2020), Neurocomputing 416, 340-351.

    Examples
    --------
    >>> KSWIN().update_many([0, 0, 0, 0, 1] * 200 + [0, 1, 1] * 70)
    array([1023])
    """

    _checked = staticmethod(base.finite)
    _derived = ("_skip",)

    def __init__(self, *, alpha=0.005, window=100, recent=30):
        self.alpha = _check.open_share(alpha, "alpha")
        self.window = _check.whole(window, "window", 4)
        if self.window > WIDEST:
            raise ValueError(f"window needs at most {WIDEST:,} values, got {window:,}. Take fewer, or ADWIN.")
        self.recent = _check.whole(recent, "recent", 2)
        if self.recent > self.window - 2:
            raise ValueError(f"recent needs at most window - 2 values, {self.window - 2}, got {recent}. Pass fewer.")
        older = self.window - self.recent
        self.limit = max(_critical(self.recent, older, self.alpha), math.floor(0.1 * self.recent * older) + 1)
        self._prepare()
        self.reset()

    @classmethod
    def for_arl(cls, arl, *, rate=None, sample=None, window=100, recent=30, seed=0):
        """A detector with a stated mean number of values between false alarms, found by simulation.

        Without more it holds for numbers of any continuous distribution. For values with ties give `rate`
        (of 0/1 values) or `sample` (clean values to draw from).
        """
        draw, _ = runlength.source(rate=rate, sample=sample, sd=1.0 if rate is None and sample is None else None)

        def make(strength):
            return cls(alpha=math.exp(-max(strength, 1e-3)), window=window, recent=recent)

        return runlength.calibrated(make, draw, arl, (6.0, 8.0), seed)

    def update(self, x):
        """Take one value; True where it raises an alarm."""
        if x.__class__ is not float or not -math.inf < x < math.inf:
            x = base.as_number(x)
        n = self.n = self.n + 1
        values = self._values
        values.append(x)
        if n >= self.window:
            if n > self.window:
                del values[0]
            if self._skip:
                self._skip -= 1
            else:
                gap = int(_gaps(np.array([values]), self.recent)[0])
                if gap >= self.limit:
                    return self._alarm()
                self._skip = (self.limit - 1 - gap) // self.window      # one value moves the gap by that much at most
        self.drifted = False
        if n == self._end:
            self._turn()
        return False

    def _prepare(self):
        self._skip = 0

    def _start(self):
        self._values, self._skip = [], 0

    def _many(self, x):
        values = np.concatenate((self._values, x))
        ends = len(self._values)
        self._values, self._skip = values[-self.window :].tolist(), 0
        if len(values) < self.window:
            return -1
        suspects = np.flatnonzero(_at_most(values, self.window, self.recent) >= self.limit)
        windows = np.lib.stride_tricks.sliding_window_view(values, self.window)
        for start in range(0, len(suspects), ROWS):
            rows = suspects[start : start + ROWS]
            some = np.arange(0, len(rows), 4)
            gaps = np.zeros(len(rows), dtype=np.int64)
            gaps[some] = _gaps(windows[rows[some]], self.recent)
            room = (self.limit - 1 - gaps[some]) // self.window      # one value moves the gap by `window` at most
            left, right = np.repeat(some, 4)[: len(rows)], np.repeat(np.append(some[1:], some[-1]), 4)[: len(rows)]
            rest = (rows - rows[left] > room[left // 4]) & (np.abs(rows[right] - rows) > room[right // 4])
            rest[some] = False
            gaps[rest] = _gaps(windows[rows[rest]], self.recent)
            hit = base.first_true(gaps >= self.limit)
            if hit >= 0:
                return int(rows[hit]) + self.window - 1 - ends
        return -1


def _gaps(rows, recent):
    """Largest gap between the distributions of the last `recent` values of each row and of those before, times the product of both sizes."""
    older = rows.shape[1] - recent
    order = np.argsort(rows, axis=1)
    rise = np.cumsum(np.where(order < older, -recent, older), axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    rise[:, :-1][ordered[:, 1:] == ordered[:, :-1]] = 0      # between ties the distribution functions have no value
    return np.abs(rise).max(axis=1)


def _at_most(values, window, recent):
    """What the gap of each window is at most: it lies within some cell, at whose edges both distributions are counted.

    Where there are few different values the cells hold nothing inside, and this is the gap itself.
    """
    older, sample = window - recent, np.unique(values[:: max(len(values) // 512, 1)])
    few = len(sample) <= CELLS and np.isin(values, sample).all()
    edges = sample[:-1] if few else np.quantile(sample, np.arange(1, CELLS) / CELLS)
    new = old = most = np.zeros(len(values) - window + 1, dtype=np.int32)
    below = np.zeros(len(values) + 1, dtype=np.int32)
    for edge in [*edges, np.inf]:
        np.cumsum(values <= edge, out=below[1:])
        middle = below[window - recent : len(below) - recent]
        a, b = older * (below[window:] - middle), recent * (middle - below[: len(below) - window])
        most = np.maximum(most, np.abs(a - b)) if few else np.maximum(most, np.maximum(a - old, b - new))
        new, old = a, b
    return most


def _critical(recent, older, alpha):
    """The least gap, times the product of both sizes, whose chance is at most `alpha` when all values come from one distribution.

    Counted over all orders of the values up to 10,000 pairs, from Kolmogorov's limit above.
    """
    low, high = 0, recent * older + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _chance(recent, older, middle) <= alpha else (middle, high)
    return high


def _chance(recent, older, gap):
    """Chance of at least this gap."""
    if recent * older > 10_000:
        return kolmogorov_p((gap - 0.5) / (recent * older), recent, older)
    inside = np.zeros(older + 1)
    inside[0] = 1.0
    for i in range(recent + 1):
        for j in range(older + 1):
            if abs(older * i - recent * j) >= gap:
                inside[j] = 0.0
            elif i + j:
                inside[j] = (inside[j] * i + (inside[j - 1] * j if j else 0.0)) / (i + j)
    return 1 - inside[older]
