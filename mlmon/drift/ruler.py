"""What counts one feature, chunk by chunk: cells that the reference fixes once, and counts that add up."""
import hashlib
from dataclasses import dataclass, field

import numpy as np

from mlmon.drift.column import Merged, buffer
from mlmon.drift.grid import CHUNK, FINE
from mlmon.drift.tail import far_edges

NEW = 100_000           # levels that the reference has not, of one feature, that are told apart
WORDS = {"numeric": "numbers", "categorical": "categories"}


@dataclass(eq=False)
class Counts:
    """What a profile holds of one feature.

    Parameters
    ----------
    kind : str
        "numeric" or "categorical", as in the reference.
    rows, missing, infinite : int
    tally : numpy.ndarray of int
        Rows in each cell of a number, or of each of the reference's categories.
    new : dict
        Rows of each category that the reference has not.
    crowded : bool
        There are more than 100,000 of those, which are then no longer told apart.
    low, high : float
        The least and the largest value; inf and -inf where there is none.
    middle : float
        The reference's median.
    sums : numpy.ndarray of shape (4,)
        Of the distances from the middle, of their squares, and of how far values lie below and
        above the reference's range. They add up to rounding, all else exactly.
    far : numpy.ndarray of shape (2, edges)
        Values beyond the reference's upper and lower end, by how far.
    reason : str
        Why the feature of some chunk cannot be compared, or "".
    """

    kind: str
    rows: int
    missing: int
    infinite: int
    tally: np.ndarray
    new: dict = field(default_factory=dict)
    crowded: bool = False
    low: float = np.inf
    high: float = -np.inf
    middle: float = 0.0
    sums: np.ndarray = field(default_factory=lambda: np.zeros(4))
    far: np.ndarray = field(default_factory=lambda: np.zeros((2, 0), dtype=np.int64))
    reason: str = ""

    def __len__(self):
        return self.rows

    @property
    def counted(self):
        """Values that are neither missing nor of a kind that cannot be compared."""
        return 0 if self.reason else self.rows - self.missing

    @property
    def mean(self):
        """Mean of a number's values; None where there are none."""
        return self.middle + self.sums[0] / self.counted if self.low <= self.high else None

    @property
    def sd(self):
        """Their standard deviation."""
        if self.low > self.high:
            return None
        return np.sqrt(max(0.0, self.sums[1] / self.counted - (self.sums[0] / self.counted) ** 2))

    def __add__(self, other):
        new = {level: self.new.get(level, 0) + other.new.get(level, 0) for level in _ordered({**self.new, **other.new})}
        crowded = self.crowded or other.crowded or len(new) > NEW
        added = {name: getattr(self, name) + getattr(other, name) for name in ("rows", "missing", "infinite", "tally", "sums", "far")}
        return Counts(
            **added, kind=self.kind, middle=self.middle, new={} if crowded else new, crowded=crowded, low=min(self.low, other.low),
            high=max(self.high, other.high), reason=min(filter(None, (self.reason, other.reason)), default=""),
        )


class Ruler:
    """The cells of one number: a grid's, with cells of their own for PSI's edges and where the reference is dense.

    Parameters
    ----------
    ordered : numpy.ndarray of shape (n,)
        The reference's present values, sorted.
    cuts : numpy.ndarray
        PSI's edges, just below the least value first.
    grid : Grid or None
        None where the range is too small to be divided.
    tails : tuple of (Tail or None)
        Upper and lower.
    """

    kind = "numeric"

    def __init__(self, ordered, cuts, grid, tails):
        self.cells, counts = (grid.cells, grid.counts) if grid else (None, np.array([len(ordered)]))
        self.low, self.high, self.middle = float(ordered[0]), float(ordered[-1]), float(ordered[len(ordered) // 2])
        self.far = tuple(tail and far_edges(tail) for tail in tails)
        points = np.unique(np.concatenate([cuts, *_dense(ordered, counts)]))
        at = self._cell(points)
        inside = np.bincount(at, minlength=len(counts))      # points in each cell; each makes two cells more
        before = np.cumsum(inside) - inside
        first = np.arange(len(counts)) + 2 * before
        self.size, self._hot = len(counts) + 2 * len(points), inside > 0
        self._shift = np.where(self._hot, first - 2 * before, first)
        self._edges = np.stack([points, np.nextafter(points, np.inf)], axis=1).ravel()
        alone = first[at] + 2 * (np.arange(len(points)) - before[at]) + 1
        self.single = np.zeros(self.size, dtype=bool)        # cells of one value
        self.single[alone] = True
        self.cuts = alone[np.searchsorted(points, cuts)]     # the last cell not above each of PSI's edges
        self.points = self._upper_ends(points, alone, first + 2 * inside)
        self.reference = self._tally(ordered)
        arrays = (self._edges, self.reference, self.points, *(edges for edges in self.far if edges is not None))
        self.key = digest([array.tobytes() for array in arrays])

    def count(self, column, rows):
        """`Counts` of a chunk's column, and its values."""
        sample, reason = _read(column, self.kind)
        if reason:
            return self.blank(rows, reason), np.full(rows, np.nan)
        counts, values = self.blank(rows), sample.values if sample.kind == "numeric" else np.full(rows, np.nan)
        counts.missing, counts.infinite = sample.missing, sample.infinite
        if len(sample.present) and not sample.infinite:
            with np.errstate(over="ignore"):        # of squares, which are for show, and of cells far out
                self._fill(counts, sample.present)
        return counts, values

    def blank(self, rows, reason=""):
        far = np.zeros((2, max(len(edges) if edges is not None else 0 for edges in self.far)), dtype=np.int64)
        return Counts(self.kind, rows, 0, 0, np.zeros(self.size, dtype=np.int64), middle=self.middle, far=far, reason=reason)

    def merged(self, counts):
        """Reference and counted sample as if sorted together: `ks` is the middle of an interval of half-width `bound`."""
        ref, cur = self.reference, counts.tally
        n, m = int(ref.sum()), int(cur.sum())
        fall, rise = ref / n, cur / m
        upto, below = np.cumsum(ref + cur), np.cumsum(cur)
        walk = below / m - (upto - below) / n
        # Within a cell that holds values of both, the gap may first go all the way up, or all the way down.
        open_ = ~self.single & (ref > 0) & (cur > 0)
        least = np.abs(walk).max()
        most = max(least, np.abs(walk + fall)[open_].max(initial=0), np.abs(walk - rise)[open_].max(initial=0))
        used = ref + cur > 0
        middle, bound = float(least + most) / 2, float(most - least) / 2
        return Merged(n, m, middle, bound, below[self.cuts], upto[used], below[used], self.points[used], True)

    def _fill(self, counts, values):
        counts.tally = self._tally(values)
        counts.low, counts.high = float(values.min()), float(values.max())
        moved = values - self.middle
        counts.sums[:2] = moved.sum(), np.square(moved, out=moved).sum()
        above = values[values > self.high] if counts.high > self.high else values[:0]
        below = values[values < self.low] if counts.low < self.low else values[:0]
        counts.sums[2:] = (self.low - below).sum(), (above - self.high).sum()
        for side, (edges, beyond) in enumerate(zip(self.far, (above, -below))):
            if edges is not None and len(beyond):
                place = np.searchsorted(edges, beyond[beyond > edges[0]]) - 1
                counts.far[side] = np.bincount(place, minlength=len(edges))

    def _tally(self, values):
        tally = np.zeros(self.size, dtype=np.int64)
        for start in range(0, len(values), CHUNK):
            part = values[start:start + CHUNK]
            cell = self._cell(part, buffer("cell", len(part), np.uint16))
            place, hot = self._shift.take(cell), np.flatnonzero(self._hot.take(cell))
            place[hot] += np.searchsorted(self._edges, part[hot], side="right")
            tally += np.bincount(place, minlength=self.size)
        return tally

    def _cell(self, values, out=None):
        if self.cells is None:
            return np.zeros(len(values), dtype=np.intp)
        return self.cells.at(values, out)

    def _upper_ends(self, points, alone, last):
        """The largest value that each cell may hold; beyond the reference's range, its end."""
        ends = np.empty(self.size)
        ends[alone] = ends[alone - 1] = points
        ends[last] = self.high if self.cells is None else self.cells.points()
        return np.maximum.accumulate(np.clip(ends, self.low, self.high))


class Levels:
    """The categories of one feature: the reference's, each with a place, and room for others."""

    kind = "categorical"

    def __init__(self, levels, counts):
        self.place, self.reference = {level: i for i, level in enumerate(levels)}, counts
        self.key = digest([repr([(type(level).__name__, level) for level in levels]), counts.tobytes()])

    def count(self, column, rows):
        """`Counts` of a chunk's column, and the codes of its rows: the reference's levels first, then new ones in order."""
        sample, reason = _read(column, self.kind)
        if reason or sample.kind != self.kind:
            counts = self.blank(rows, reason)
            counts.missing = 0 if reason else sample.missing
            return counts, np.full(rows, -1)
        counts = self.blank(rows)
        counts.missing = sample.missing
        counts.new = dict.fromkeys(_ordered(level for level in sample.levels if level not in self.place), 0)
        place = self.place | {level: len(self.place) + i for i, level in enumerate(counts.new)}
        where = np.array([place[level] for level in sample.levels], dtype=np.int64)
        filled = np.bincount(where, sample.counts, minlength=len(place)).astype(np.int64)
        counts.tally = filled[:len(self.place)]
        counts.crowded = len(counts.new) > NEW
        if counts.crowded:
            where[where >= len(self.place)] = -1
        counts.new = {} if counts.crowded else dict(zip(counts.new, filled[len(self.place):].tolist()))
        return counts, np.append(where, -1)[sample.codes]

    def blank(self, rows, reason=""):
        return Counts(self.kind, rows, 0, 0, np.zeros(len(self.place), dtype=np.int64), reason=reason)


class Nothing:
    """A feature of which the reference holds no value that can be compared: only what is missing is counted."""

    def __init__(self, kind):
        self.kind = kind
        self.key = digest([kind])

    def count(self, column, rows):
        """`Counts` of a chunk's column, and no values."""
        sample, reason = _read(column)
        counts = self.blank(rows, reason)
        if not reason:
            counts.missing, counts.infinite = sample.missing, sample.infinite
        return counts, np.full(rows, np.nan if self.kind == "numeric" else -1)

    def blank(self, rows, reason=""):
        return Counts(self.kind, rows, 0, 0, np.zeros(0, dtype=np.int64), reason=reason)


def digest(parts, size=16):
    """A fingerprint of `size` bytes, in hexadecimal."""
    found = hashlib.blake2b(digest_size=size)
    for part in parts:
        found.update(part if isinstance(part, bytes) else repr(part).encode())
    return found.hexdigest()


def _read(column, kind=None):
    """A chunk's column, and why it cannot be compared with the reference's (or "")."""
    try:
        sample = column.read("current")
    except ValueError as error:
        return None, str(error)
    if kind is not None and sample.kind != kind and len(sample.present):
        return None, f"the reference holds {WORDS[kind]}, a chunk of the current data {WORDS[sample.kind]}"
    return sample, ""


def _dense(ordered, counts):
    """Values that split the cells in which more than `FINE` of the reference lies, no more than that between two."""
    step = max(1, int(FINE * len(ordered)))
    ends = np.cumsum(counts)
    return [ordered[ends[cell] - counts[cell]:ends[cell]:step] for cell in np.flatnonzero(counts >= step)]


def _ordered(levels):
    """Levels of any kind in one order."""
    return sorted(levels, key=lambda level: (type(level).__name__, str(level)))
