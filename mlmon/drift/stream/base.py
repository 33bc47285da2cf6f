"""What all detectors of a stream share: arrays in blocks, the restart after an alarm, the plain state."""
import math
from functools import lru_cache
from numbers import Real

import numpy as np

from mlmon import _check

FIRST, BLOCK = 512, 8192      # blocks grow from one to the other, since work beyond an alarm is thrown away


class Stream:
    """A detector that takes values one at a time or an array at a time, with the same alarms and state.

    A subclass has `update`, `_many` (position of the first alarm within a block, or -1), `_start` (what it
    knows before any value), `_checked` (the values of an array), and may have `_rebase`. Both ways use the
    same floating-point operations in the same order, and begin their sums anew after the same values
    (where `n` is `_end`), so that they agree to the last bit.
    """

    arl0 = None
    memory = None
    drifted = False
    _block = BLOCK
    _derived = ()      # names of what `_prepare` makes of the settings

    def update_many(self, values):
        """Take an array of values.

        Parameters
        ----------
        values : array-like of shape (n,)

        Returns
        -------
        numpy.ndarray of int
            Positions within `values` that raise an alarm.

        Raises
        ------
        ValueError
            Naming a value that is not allowed. Then nothing of the array is consumed.
        """
        values = self._checked(values)
        alarms, done = [], 0
        while done < len(values):
            block = values[done : done + self._end - self.n].astype(float, copy=False)
            hit = self._many(block)
            self.drifted = hit >= 0
            if self.drifted:
                alarms.append(done + hit)
                done += hit + 1
                self._restart()
            else:
                done += len(block)
                self.n += len(block)
                if self.n == self._end:
                    self._turn()
        return np.array(alarms, dtype=np.int64)

    def reset(self):
        """Forget all values, and that the last one raised an alarm."""
        self._restart()
        self.drifted = False

    def state(self):
        """Settings and state as a dict of numbers, text and lists."""
        return {name: _copied(value) for name, value in self.__dict__.items() if name not in self._derived}

    @classmethod
    def from_state(cls, state):
        """The detector whose `state` this is."""
        detector = cls.__new__(cls)
        detector.__setstate__(state)
        return detector

    def __getstate__(self):
        return self.state()

    def __setstate__(self, state):
        self.__dict__.update({name: _copied(value) for name, value in state.items()})
        self._prepare()

    def __repr__(self):
        stated = "" if self.arl0 is None else f", arl0={self.arl0:.4g}"
        return f"{type(self).__name__}(n={self.n}, drifted={self.drifted}{stated})"

    def _prepare(self):
        """Make what `_derived` names."""

    def _restart(self):
        self.n, self._end = 0, min(FIRST, self._block, self.memory or FIRST)
        self._start()

    def _alarm(self):
        self._restart()
        self.drifted = True
        return True

    def _turn(self):
        """The end of a block."""
        if self.n == self.memory:
            self._restart()
            return
        self._rebase()
        end = 4 * self.n if 4 * self.n <= self._block else self.n + self._block
        self._end = end if self.memory is None else min(end, self.memory)

    def _rebase(self):
        """Begin sums anew, where they would grow without limit."""


@lru_cache(8)
def powers(ratio, block):
    """Of j from 0 to block: ``ratio ** j``, ``ratio ** -j`` and the running sum of the latter from j = 1; as arrays and as lists."""
    falling, rising = ratio ** np.arange(block + 1.0), ratio ** -np.arange(block + 1.0)
    arrays = falling, rising, np.cumsum(rising) - 1
    return arrays, tuple(array.tolist() for array in arrays)


def block_for(ratio):
    """The longest block within which ``ratio ** -j`` keeps far from overflow."""
    block = BLOCK
    while -block * math.log10(ratio) > 200:
        block //= 2
    return block


def records(level, best, strict=False):
    """For each value the position of the last one, it included, no larger (strictly: smaller) than `best` and all before it; -1 for none."""
    lowest = np.minimum(np.minimum.accumulate(level), best)
    if strict:
        new = level < np.concatenate(([best], lowest[:-1]))
    else:
        new = level <= lowest
    return np.maximum.accumulate(np.where(new, np.arange(len(level)), -1))


def first_true(mask):
    """Position of the first True, or -1."""
    at = int(mask.argmax()) if len(mask) else -1
    return at if at >= 0 and mask[at] else -1


def counted(n, size):
    """n + 1 to n + size, as floats."""
    return np.arange(n + 1.0, n + size + 1.0)


def bits(values):
    """Errors as an array of 0 and 1, in the type that they came in."""
    return _all(values, lambda part: (part == 0) | (part == 1), refuse_bit, "b")


def finite(values):
    """Finite numbers as an array, in the type that they came in."""
    return _all(values, np.isfinite, refuse_number, "biu")


def as_number(x, name="x"):
    """A finite float, or ValueError."""
    if isinstance(x, (Real, np.bool_)) and -math.inf < x < math.inf:
        return float(x)
    return refuse_number(x, name)


def refuse_bit(odd, name="x"):
    raise ValueError(f"{name} needs errors as 0 or 1, got {_shown(odd)}. Pass prediction != truth.")


def refuse_number(odd, name="x"):
    raise ValueError(f"{name} needs finite numbers, got {_shown(odd)}. Drop or fill them first.")


def remembered(memory, least):
    """A number of values to start afresh after, at least so many; or None for never."""
    return None if memory is None else _check.whole(memory, "memory", least)


def _all(values, fine, refuse, sure):
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        array = _check.numeric(values, "values", least=0, finite=False)
    if array.dtype.kind not in sure:
        for start in range(0, len(array), BLOCK):      # by blocks, which stay in the cache
            good = fine(array[start : start + BLOCK])
            if not good.all():
                refuse(array[start + int(good.argmin())], "values")
    return array


def _shown(odd):
    return repr(odd.item() if isinstance(odd, np.generic) else odd)


def _copied(value):
    return [_copied(each) for each in value] if isinstance(value, list) else value
