"""One feature: what kind of values it holds, and a fast comparison with a later sample.

`read` turns whatever came into a `Numbers` or a `Categories`. `merge` sorts two
samples of numbers together once; everything that is asked of them afterwards
(KS, rank scores, PSI's counts, the distance moved) is read off that one pass.
"""
import threading
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import gcd

import numpy as np

HUGE = 1e150       # larger numbers count as infinite: their squares overflow
BLOCKS = 2048      # a merged sample longer than this is summed up at so many cut points
ENDS = 64          # and at every point this close to either end


class Numbers:
    """A sample of numbers: `present` (float64), how many are `missing`, and how many `infinite` (beyond `HUGE`)."""

    kind = "numeric"

    def __init__(self, values):
        values = np.ascontiguousarray(values, dtype=np.float64)
        # The ends tell of nan, inf and huge numbers without a temporary array or BLAS's threads.
        clean = -HUGE <= values.min(initial=0) and values.max(initial=0) <= HUGE
        self.values = values
        self.present = values if clean else values[~np.isnan(values)]
        self.infinite = 0 if clean else int((np.abs(self.present) > HUGE).sum())

    def __len__(self):
        return len(self.values)

    @property
    def missing(self):
        return len(self.values) - len(self.present)


class Categories:
    """A sample of categories: `codes` into `levels` (-1 where missing), and `counts` of each level."""

    kind = "categorical"
    infinite = 0

    def __init__(self, codes, levels):
        counts = np.bincount(codes + 1, minlength=len(levels) + 1)
        used = counts[1:] > 0
        if not used.all():
            renumber = np.append(np.cumsum(used) - 1, -1)
            codes, levels, counts = renumber[codes], levels[used], np.append(counts[0], counts[1:][used])
        self.codes, self.levels = codes, levels
        self.missing, self.counts = int(counts[0]), counts[1:]

    def __len__(self):
        return len(self.codes)

    @property
    def present(self):
        return self.codes[self.codes >= 0]


def read(values, name):
    """A sample as `Numbers` or `Categories`.

    Parameters
    ----------
    values : array-like of shape (n,)
        Numbers, or categories (text, booleans, pandas categories, text beside numbers).
    name : str
        What the caller calls them.

    Returns
    -------
    Numbers or Categories

    Raises
    ------
    ValueError
        For more than one dimension, infinite numbers (or beyond 1e150), dates, complex
        numbers, or lists and other values that are not hashable.

    Examples
    --------
    >>> read([1, None, 3], "age").missing
    1
    >>> list(read(["b", "a", "b"], "country").levels)
    ['b', 'a']
    """
    column = read_loosely(values, name)
    if column.infinite:
        raise ValueError(f"{name} needs finite numbers up to {HUGE:g}, got {column.infinite} beyond. Drop them or mark them missing.")
    return column


def read_loosely(values, name):
    """As `read`, with infinite numbers let through and counted."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.where(np.ma.getmaskarray(values), None, np.ma.getdata(values).astype(object))
    elif isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "iuf":
        return Numbers(values)
    series = as_series(values, name)
    return _read_series(series, series.dtype, name)


def as_series(values, name):
    """Values of one dimension as a pandas Series; a list's objects keep what they are."""
    try:
        shape = np.shape(values)
    except ValueError:
        shape = "of rows of different lengths"
    if len(shape) != 1:
        raise ValueError(f"{name} needs one dimension, got shape {shape}. Pass one column.")
    if hasattr(values, "iloc"):
        return values
    import pandas

    # Left to itself, numpy would turn numbers beside text into text.
    return pandas.Series(values) if hasattr(values, "dtype") else pandas.Series(list(values), dtype=object)


def same_kind(reference, current):
    """The kind of both; a sample in which all is missing takes the other's."""
    if reference.kind != current.kind and len(reference.present) and len(current.present):
        words = {"numeric": "numbers", "categorical": "categories"}
        raise ValueError(
            f"current needs {words[reference.kind]} as the reference has, got {words[current.kind]}. "
            "Convert one of them."
        )
    return reference.kind if len(reference.present) or not len(current.present) else current.kind


def _read_series(series, dtype, name):
    import pandas

    held = pandas.api.types.infer_dtype(series, skipna=True) if dtype == object else dtype.kind
    if held in _DATES or isinstance(dtype, (pandas.DatetimeTZDtype, pandas.PeriodDtype)):
        raise ValueError(f"{name} needs numbers or categories, got dates. A date always moves on: pass an age or an interval.")
    if held in ("c", "complex"):
        raise ValueError(f"{name} needs numbers or categories, got complex numbers. Pass their parts.")
    if isinstance(dtype, pandas.CategoricalDtype):
        return Categories(series.cat.codes.to_numpy(), series.cat.categories.to_numpy(dtype=object))
    if dtype.kind in "iuf":
        values = series.to_numpy()
        return Numbers(values if values.dtype.kind in "iuf" else series.to_numpy(dtype=float, na_value=np.nan))
    if held in _NUMBERS:
        return Numbers(_floats(series, name))
    if isinstance(dtype, pandas.StringDtype) and dtype.storage == "pyarrow":
        return _words(series.array)
    try:
        codes, levels = pandas.factorize(series, use_na_sentinel=True)
    except TypeError:
        odd = next(type(v).__name__ for v in series if getattr(v, "__hash__", None) is None)
        raise ValueError(f"{name} needs numbers or categories, got a {odd}. Turn it into text or numbers first.") from None
    return Categories(codes, np.asarray(levels, dtype=object))


# What pandas calls the content of an object column, or numpy the kind of a typed one.
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "empty")
_DATES = ("m", "M", "datetime64", "datetime", "date", "timedelta64", "timedelta", "time", "period")


def _words(array):
    """`Categories` of text that Arrow holds, numbered by Arrow itself."""
    import pyarrow

    found = pyarrow.array(array)
    if isinstance(found, pyarrow.ChunkedArray):
        found = found.combine_chunks()
    found = found.dictionary_encode()
    return Categories(found.indices.fill_null(-1).to_numpy(zero_copy_only=False), found.dictionary.to_numpy(zero_copy_only=False))


def _floats(series, name):
    """The floats of an object column that holds only numbers, or nothing."""
    missing = series.isna()
    try:
        return series.where(~missing, np.nan).to_numpy(dtype=np.float64)
    except OverflowError:
        raise ValueError(f"{name} needs finite numbers up to {HUGE:g}, got an integer beyond. Drop it or mark it missing.") from None


def spread(values):
    """Standard deviation: 0 for equal values alone, whatever rounding makes of their mean or their squares."""
    low, high = values.min(), values.max()
    return 0.0 if low == high else float(values.std()) or float(high - low)


def in_deviations(distance, sd):
    """A distance in standard deviations above 0, `HUGE` at most."""
    return distance / sd if distance < HUGE * sd else HUGE


def tagged(x, tag, out=None):
    """Floats with the sample they are from in the lowest bit of their fraction, 0 or 1.

    Values one unit in the last place apart count as tied.
    """
    out = np.add(x, 0.0, out=out)            # -0.0 becomes 0.0
    bits = out.view(np.int64)
    if tag:
        bits |= np.int64(1)
    else:
        bits &= np.int64(-2)
    return out


@dataclass
class Gap:
    """The largest gap between the distribution functions of two samples of numbers.

    Parameters
    ----------
    n, m : int
        Present values of the reference and of the current sample.
    ks, bound : float
        The gap, and how far it may be off: 0 where it is exact.
    current_at : numpy.ndarray of int
        Current values not above each edge that was asked for.
    """

    n: int
    m: int
    ks: float
    bound: float
    current_at: np.ndarray = field(repr=False)


@dataclass
class Merged(Gap):
    """Two samples of numbers, sorted together.

    Parameters
    ----------
    upto, below : numpy.ndarray of int
        At each cut point: how many values of both, and how many current ones, are not
        above it. Cut points fall between different values only.
    points : numpy.ndarray of float
        The values at the cut points.
    tied : bool
        Whether any value occurs twice.
    """

    upto: np.ndarray
    below: np.ndarray
    points: np.ndarray
    tied: bool

    @cached_property
    def wasserstein(self):
        """Earth mover's distance, exact up to `BLOCKS` different values."""
        gap = np.abs(self.below / self.m - (self.upto - self.below) / self.n)
        return float(np.sum((gap[:-1] if len(self.upto) <= BLOCKS else (gap[:-1] + gap[1:]) / 2) * np.diff(self.points)))


def merge(reference, current, edges=()):
    """Sort two samples together and sum up what the order says.

    One sort of the tagged values; then a walk that steps up at each current value and
    down at each reference one, so that it is at 0 in the end and its farthest point from
    0 is KS. Buffers are kept between calls, one set a thread: fresh memory would cost
    more than the sort.

    Parameters
    ----------
    reference, current : numpy.ndarray of float
    edges : sequence of float
        Values at which to count the current ones (`Merged.current_at`): those not
        above each edge.

    Returns
    -------
    Merged
    """
    n, m = len(reference), len(current)
    total, (up, down) = n + m, steps(n, m)
    union, bits = buffer("union", total, np.float64), buffer("bits", total, np.int64)
    tagged(reference, 0, out=union[:n])
    tagged(current, 1, out=union[n:])
    union.sort()
    walk = buffer("walk", total, np.int32 if m * up < 2**31 else np.int64)
    np.bitwise_and(union.view(np.int64), 1, out=bits)
    np.multiply(bits, up + down, out=walk, casting="unsafe")
    walk -= walk.dtype.type(down)
    np.cumsum(walk, out=walk)
    np.bitwise_or(union.view(np.int64), 1, out=bits)
    new = np.not_equal(bits[1:], bits[:-1], out=buffer("new", total - 1, bool))
    tied = not new.all()
    ends = np.append(np.flatnonzero(new), total - 1) if tied else None
    at_ends = walk[ends] if tied else walk
    ks = int(max(at_ends.max(), -at_ends.min())) / (m * up)

    def below(upto):
        """How many of the first `upto` values are current ones."""
        return np.where(upto > 0, (walk[upto - 1].astype(np.int64) + upto * down) // (up + down), 0)

    keep = cut_points(len(at_ends))
    upto = (ends[keep] if tied else keep) + 1
    places = np.searchsorted(union, tagged(np.asarray(edges, dtype=float), 1), side="right")
    points = (union[upto - 1].view(np.int64) & np.int64(-2)).view(np.float64)
    return Merged(n, m, ks, 0.0, below(places), upto, below(upto), points, tied)


def steps(n, m):
    """How far `merge`'s walk goes up at a current value and down at a reference one; KS of 1 is `m` steps up."""
    common = gcd(n, m)
    return n // common, m // common


@lru_cache(maxsize=8)
def cut_points(count):
    """Which of `count` places to keep: all, or `BLOCKS` even ones and both ends whole."""
    if count <= BLOCKS:
        return np.arange(count)
    even = np.linspace(0, count - 1, BLOCKS).astype(np.int64)
    return np.unique(np.concatenate([np.arange(ENDS), even, np.arange(count - ENDS, count)]))


_kept = threading.local()


def buffer(name, size, dtype):
    """Memory of this thread for `size` values, kept between calls."""
    held = _kept.__dict__.get((name, dtype))
    if held is None or len(held) < size:
        held = _kept.__dict__[name, dtype] = np.empty(size, dtype)
    return held[:size]
