"""Counts on a grid that is set once: KS in one pass and no sort, within a proven interval or exact.

Any function from values to cells that never falls will do. Between samples counted by
the same cells both distribution functions are exact at the cells' edges, and inside a
cell their gap can differ from the one at its lower edge by no more than the cell's own
shares: that is the interval. Where the exact gap is asked for, only the values in cells
that might hold a larger one than the edges do are looked at.

A cell is a straight line's, or that of `m / (scale + |m|)`, `m` being the distance from
a centre, which squeezes heavy tails into finite cells. Each step of either keeps the
order of the values whatever rounding does.
"""
import numpy as np

from mlmon.drift.column import Gap, Merged, buffer, steps

CELLS, LONG = 8192, 250_000     # twice as many cells for a reference of LONG values or more
CHUNK = 65_536                  # values at a time, so that buffers stay in the cache
FINE = 0.001                    # the straight line does where no cell holds more of the reference
COARSE = 0.004                  # a reference with so much in one cell is sorted where the whole order is needed
MANY = 0.25                     # of the current values: with more to look at, sorting all is as fast


class Cells:
    """A map from values to cells that never falls: 1 to `count` between `low` and `high`, 0 below, `count + 1` above."""

    def __init__(self, low, high, count, centre, scale):
        self.high, self.count, self.centre, self.scale, self._first, self._step = high, count, centre, scale, 0.0, 1.0
        low, high = self._squeeze(np.array([low, high]))
        self._step = count * (1 - 1e-12) / (high - low)
        first = low - (1 + 1e-9) / self._step       # one cell to the right: 0 is below the reference
        if scale == np.inf:
            self.centre += first
        else:
            self._first = first

    def at(self, values, out=None):
        """The cell of each value."""
        x = self._squeeze(values)
        np.clip(x, 0, self.count + 1, out=x)
        cell = np.empty(len(values), np.uint16) if out is None else out
        np.copyto(cell, x, casting="unsafe")
        return cell

    def points(self):
        """The upper edge of each cell, as a value."""
        squeezed = self._first + np.arange(1, self.count + 3) / self._step
        moved = squeezed if self.scale == np.inf else squeezed * self.scale / np.maximum(1 - np.abs(squeezed), 1e-9)
        return np.minimum(moved + self.centre, self.high)

    def _squeeze(self, values):
        """Values on the grid's scale, in memory of this thread."""
        x = np.subtract(values, self.centre, out=buffer("moved", len(values), np.float64))
        if self.scale != np.inf:
            size = np.abs(x, out=buffer("size", len(values), np.float64))
            size += self.scale
            np.divide(-self.scale, size, out=size)
            size += 1
            np.copysign(size, x, out=x)
            x -= self._first
        x *= self._step
        return x


class Grid:
    """Cells over one feature, and the reference's counts in them.

    Parameters
    ----------
    ordered : numpy.ndarray of shape (n,)
        The reference's present values, sorted; not all the same.
    """

    def __init__(self, ordered):
        self.ordered, count = ordered, CELLS if len(ordered) < LONG else 2 * CELLS
        some, coarsest = ordered[:: max(1, len(ordered) // 20_000)], np.inf
        for centre, scale in _shapes(ordered):
            self.cells = Cells(float(ordered[0]), float(ordered[-1]), count, centre, scale)
            share = self._count(some)[1].max() / len(some)
            if share < 0.9 * coarsest:
                coarsest, best = share, self.cells
            if coarsest <= FINE:
                break
        self.cells = best
        self.counts = self._count(ordered)[1]
        self.coarsest = self.counts.max() / len(ordered)
        ends = np.cumsum(self.counts)
        # The one value that the reference repeats in a cell; nan where it has others there.
        first = ordered[np.minimum(ends - self.counts, len(ordered) - 1)]
        self.atoms = np.where((self.counts > 1) & (first == ordered[ends - 1]), first, np.nan)
        self._lumpy = self.counts[~np.isnan(self.atoms)].sum() > MANY * len(ordered)

    @classmethod
    def of(cls, ordered):
        """A grid for this reference, or None where its range is 0 or too small or large to be divided."""
        return cls(ordered) if 1e-290 < ordered[-1] - ordered[0] < np.inf else None

    def merge(self, current, edges):
        """As `column.merge`, from counts: `ks` is the middle of an interval of half-width `bound`.

        Counts at `edges` are those at the cell edges nearest below.
        """
        counts = self._count(current)[1]
        reference_upto, current_upto = np.cumsum(self.counts), np.cumsum(counts)
        used = self.counts + counts > 0
        upto, below = (reference_upto + current_upto)[used], current_upto[used]
        gap = self._interval(counts, edges, *self._walk(counts))
        return Merged(**vars(gap), upto=upto, below=below, points=self.cells.points()[used], tied=True)

    def gap(self, current, edges, bound=0.0):
        """The gap to a sample: the interval of `merge` if its half-width is within `bound`, else exact.

        Returns
        -------
        Gap or None
            None where so many values would have to be looked at that sorting all is as fast.
        """
        cell, counts = self._count(current)
        walk, most = self._walk(counts)
        if bound:
            gap = self._interval(counts, edges, walk, most)
            if gap.bound <= bound:
                return gap
        return self._exact(current, edges, cell, counts, walk, most)

    def _exact(self, current, edges, cell, counts, walk, most):
        farthest, at, strays = int(np.abs(walk).max()), self.cells.at(edges), self._strays(current, cell, counts)
        hot = most > farthest
        hot[at] = True
        hot &= strays > 0
        if counts[hot].sum() > MANY * len(current):
            return None
        n, m = len(self.ordered), len(current)
        new_place, new_cold, new_cell = _places(counts, hot)
        old_place, old_cold, old_cell = _places(self.counts, hot)
        new = np.concatenate([part[np.flatnonzero(hot.take(c))] for part, c in _chunks(current, cell)])
        new.sort()
        old = self.ordered[old_place]
        up, down = steps(n, m)
        above = (new_place + 1) * up - (np.searchsorted(old, new, side="right") + old_cold[new_cell]) * down
        below = (np.searchsorted(new, old, side="right") + new_cold[old_cell]) * up - (old_place + 1) * down
        ks = max(farthest, int(above.max(initial=0)), -int(below.min(initial=0))) / (m * up)
        # An edge's cell is hot, or holds its atom alone.
        beyond = np.where(hot[at], 0, counts[at] * (self.atoms[at] > edges))
        return Gap(n, m, ks, 0.0, np.searchsorted(new, edges, side="right") + new_cold[at] - beyond)

    def _walk(self, counts):
        """`column.merge`'s walk at each cell's upper edge, and the farthest from 0 it may be inside the cell."""
        up, down = steps(len(self.ordered), int(counts.sum()))
        rise, fall = counts * up, self.counts * down
        walk = np.cumsum(rise - fall)
        return walk, np.maximum(walk + fall, rise - walk)

    def _interval(self, counts, edges, walk, most):
        n, m = len(self.ordered), int(counts.sum())
        least, most = np.abs(walk).max(), most.max()
        whole = m * steps(n, m)[0]
        return Gap(n, m, float(least + most) / 2 / whole, float(most - least) / 2 / whole, np.cumsum(counts)[self.cells.at(edges)])

    def _count(self, values):
        """The cell of each value, in memory of this thread, and how many values each cell holds."""
        cell, counts = buffer("cell", len(values), np.uint16), np.zeros(self.cells.count + 2, dtype=np.int64)
        for part, c in _chunks(values, cell):
            counts += np.bincount(self.cells.at(part, out=c), minlength=self.cells.count + 2)
        return cell, counts

    def _strays(self, current, cell, counts):
        """How many current values of each cell are not its atom: where none is, nothing happens inside the cell."""
        if not self._lumpy:
            return counts
        strays = np.zeros(self.cells.count + 2, dtype=np.int64)
        for part, c in _chunks(current, cell):
            strays += np.bincount(c[np.flatnonzero(self.atoms.take(c) != part)], minlength=self.cells.count + 2)
        return strays


def _places(counts, hot):
    """Places in a sorted sample of the values in hot cells, how many of the other values
    are in or below each cell, and the cell of each place."""
    of_cell = np.repeat(np.flatnonzero(hot), counts[hot])
    cold = np.cumsum(np.where(hot, 0, counts))
    return np.arange(len(of_cell)) + cold[of_cell], cold, of_cell


def _chunks(values, cell):
    return ((values[start:start + CHUNK], cell[start:start + CHUNK]) for start in range(0, len(values), CHUNK))


def _shapes(ordered):
    """Centres and scales to try, the straight line first."""
    at = np.quantile(ordered, [0.01, 0.25, 0.5, 0.75])
    yield float(ordered[0]), np.inf
    for centre in (at[2], at[0], float(ordered[0])):
        for scale in ((at[3] - at[1]), (at[2] - at[0]) / 2):
            if scale > 0:
                yield float(centre), float(scale)
