"""Counts on a grid that is set once: KS within a proven interval, in one pass and no sort.

Any rising function from values to cells will do. Between samples counted by the same
cells both distribution functions are exact at the cells' edges, and inside a cell their
gap can differ from the one at its lower edge by no more than the cell's own shares:
that is the interval. `(x - centre) / (scale + |x - centre|)` squeezes heavy tails into
finite cells; with an infinite scale it is the straight line.
"""
import numpy as np

from mlmon.drift.column import Merged, buffer

CELLS = 8192
CHUNK = 65_536            # values at a time, so that buffers stay in the cache
COARSE = 0.004            # a reference with so much in one cell is sorted instead


class Grid:
    """Cells over one feature, and the reference's counts in them.

    Parameters
    ----------
    ordered : numpy.ndarray of shape (n,)
        The reference's present values, sorted.
    """

    def __init__(self, ordered):
        self.low, self.high, self.size = float(ordered[0]), float(ordered[-1]), len(ordered)
        self.coarsest = np.inf
        some = ordered[:: max(1, len(ordered) // 20_000)]
        for centre, scale in _shapes(ordered):
            self._set(centre, scale)
            coarsest = self._counts(some).max() / len(some)
            if coarsest < 0.9 * self.coarsest:
                self.coarsest, best = coarsest, (centre, scale)
        self._set(*best)
        self.counts = self._counts(ordered)
        self.coarsest = self.counts.max() / self.size

    @classmethod
    def of(cls, ordered):
        """A grid for this reference, or None where one value or cell holds too much."""
        if ordered[0] == ordered[-1] or not np.isfinite(ordered[-1] - ordered[0]):
            return None
        grid = cls(ordered)
        return grid if grid.coarsest <= COARSE else None

    def merge(self, current, edges):
        """As `column.merge`, from counts: `ks` is the middle of an interval of half-width `bound`.

        Counts at `edges` are those at the cell edges nearest below.
        """
        counts = self._counts(current)
        n, m = self.size, len(current)
        reference_upto, current_upto = np.cumsum(self.counts), np.cumsum(counts)
        gap = reference_upto / n - current_upto / m                 # at each cell's upper edge
        before = gap - self.counts / n + counts / m                 # at its lower edge
        least = np.abs(gap).max()
        most = max((before + self.counts / n).max(), (counts / m - before).max(), least)
        used = self.counts + counts > 0
        merged = Merged(
            n, m, float(least + most) / 2, (reference_upto + current_upto)[used], current_upto[used],
            self._points()[used], True, current_upto[np.clip(self._cell(np.asarray(edges, dtype=float)), 0, CELLS + 1)],
        )
        merged.bound = float(most - least) / 2
        return merged

    def _set(self, centre, scale):
        self.centre, self.scale = centre, scale
        ends = self._squeeze(np.array([self.low, self.high]))
        self._first, self._step = ends[0], CELLS * (1 - 1e-12) / (ends[1] - ends[0])

    def _squeeze(self, x):
        moved = x - self.centre
        return moved if self.scale == np.inf else moved / (self.scale + np.abs(moved))

    def _cell(self, x):
        """Cells of values: 0 below the reference, CELLS + 1 above it."""
        return np.floor(np.clip((self._squeeze(x) - self._first) * self._step, -1, CELLS)).astype(np.int64) + 1

    def _counts(self, values):
        total = np.zeros(CELLS + 2, dtype=np.int64)
        moved, size = buffer("moved", CHUNK, np.float64), buffer("size", CHUNK, np.float64)
        cell = buffer("cell", CHUNK, np.int64)
        for start in range(0, len(values), CHUNK):
            part = values[start:start + CHUNK]
            x, s, c = moved[: len(part)], size[: len(part)], cell[: len(part)]
            np.subtract(part, self.centre, out=x)
            if self.scale != np.inf:
                np.abs(x, out=s)
                s += self.scale
                x /= s
            x -= self._first - (1 + 1e-9) / self._step    # one cell to the right: 0 is below the reference
            x *= self._step
            np.clip(x, 0, CELLS + 1, out=x)
            np.copyto(c, x, casting="unsafe")
            total += np.bincount(c, minlength=CELLS + 2)
        return total

    def _points(self):
        """The upper edge of each cell, as a value."""
        squeezed = self._first + np.arange(CELLS + 2) / self._step
        moved = squeezed if self.scale == np.inf else squeezed * self.scale / np.maximum(1 - np.abs(squeezed), 1e-9)
        return np.minimum(moved + self.centre, self.high)


def _shapes(ordered):
    """Centres and scales to try, the straight line first."""
    at = np.quantile(ordered, [0.01, 0.25, 0.5, 0.75])
    yield 0.0, np.inf
    for centre in (at[2], at[0], float(ordered[0])):
        for scale in ((at[3] - at[1]), (at[2] - at[0]) / 2):
            if scale > 0:
                yield float(centre), float(scale)
