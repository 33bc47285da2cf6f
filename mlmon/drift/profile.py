"""Summaries that add up: drift in data larger than memory, chunk by chunk or over a cluster.

A `Profile` holds, for each feature, counts in cells that the reference fixes once. Counts add, so
the profile of two chunks is the sum of theirs, whichever comes first and wherever the data were cut.

What the counts tell. At the ends of a cell both distribution functions are exact, so KS is known
within an interval; PSI's cells and the reference's common values have cells of their own, so PSI,
chi-squared, and what lies out of range are exact. Which values go with which cannot be told from
counts: for that a profile keeps up to `ROWS` whole rows, drawn at random in a way that adds up too.
"""
import json
from dataclasses import dataclass
from functools import reduce
from numbers import Integral

import numpy as np

from mlmon.drift import source
from mlmon.drift.ruler import Counts, digest

ROWS = 10_000           # whole rows that a profile keeps
APART = 1 << 40         # rows between the first ones of two Dask partitions
FAN = 8                 # profiles that one task of a cluster adds up


@dataclass(eq=False)
class Rows:
    """Up to `ROWS` whole rows, those whose numbers are least when shuffled: `values` of each feature (codes of a category)."""

    ids: np.ndarray
    values: list

    @classmethod
    def of(cls, ids, values, seed):
        """The least of these, in the order of their numbers."""
        if len(ids) > ROWS:
            kept = np.argpartition(shuffled(ids, seed), ROWS - 1)[:ROWS]
            ids, values = ids[kept], [column[kept] for column in values]
        order = np.argsort(ids, kind="stable")
        return cls(ids[order], [column[order] for column in values])


@dataclass(eq=False)
class Profile:
    """A summary of a batch that adds up with others of the same reference.

    ``profile(a) + profile(b)`` is the profile of both together: the same counts in any order and
    however the data were cut. `DataDriftDetector.detect` judges it like the data themselves.

    Made by `DataDriftDetector.profile` or by a `Profiler`. Its size does not depend on the rows: at most 220 kB
    a feature (80 of them the kept rows) and 80 kB, less when saved; new categories come on top.

    Parameters
    ----------
    key : str
        Tells the reference whose cells were counted.
    counts : dict
        `Counts` of each feature.
    sample : Rows
    seed : int

    Examples
    --------
    >>> from mlmon.drift import DataDriftDetector
    >>> rng = np.random.default_rng(0)
    >>> detector = DataDriftDetector(rng.normal(size=(1000, 2)))
    >>> monday, tuesday = (detector.profile(rng.normal(size=(5000, 2))) for _ in range(2))
    >>> week = monday + tuesday
    >>> week.rows, detector.detect(week).drifted
    (10000, False)
    """

    key: str
    counts: dict
    sample: Rows
    seed: int

    @property
    def rows(self):
        """Rows that were counted."""
        return next(iter(self.counts.values())).rows

    @property
    def nbytes(self):
        """Bytes of all counts and kept rows."""
        counts = sum(c.tally.nbytes + c.far.nbytes + c.sums.nbytes + 64 * len(c.new) for c in self.counts.values())
        return counts + self.sample.ids.nbytes + sum(column.nbytes for column in self.sample.values)

    def __add__(self, other):
        if not isinstance(other, Profile):
            return NotImplemented
        if self.key != other.key:
            raise ValueError("profile needs another of the same reference, got one counted by other cells. Use one detector for both.")
        counts = {name: self.counts[name] + other.counts[name] for name in self.counts}
        parts = [_recoded(part, counts) for part in (self, other)]
        values = [np.concatenate(pair) for pair in zip(*parts)]
        ids = np.concatenate([self.sample.ids, other.sample.ids])
        return Profile(self.key, counts, Rows.of(ids, values, self.seed), self.seed)

    def __radd__(self, other):
        """So that ``sum(profiles)`` works, which begins with 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def to_frame(self):
        """One row a feature: how many values are missing or new, where the others lie, and why some cannot be compared."""
        import pandas

        names = ("kind", "rows", "missing", "infinite", "low", "high", "mean", "sd", "reason")
        rows = [{"feature": name, **{n: getattr(c, n) for n in names}, "new_categories": len(c.new)}
                for name, c in self.counts.items()]
        return pandas.DataFrame(rows).replace({"low": {np.inf: np.nan}, "high": {-np.inf: np.nan}})

    def save(self, path):
        """Write the profile to a file that `load` reads (npz, no pickle)."""
        about, arrays = [], {"ids": self.sample.ids}
        for i, (name, c) in enumerate(self.counts.items()):
            arrays |= {f"tally{i}": c.tally, f"far{i}": c.far, f"rows{i}": self.sample.values[i]}
            arrays[f"sums{i}"] = np.append(c.sums, [c.low, c.high, c.middle])
            new = [[source.plain(level, f"levels of {name}"), count] for level, count in c.new.items()]
            about.append({"name": source.plain(name, "names"), "kind": c.kind, "rows": c.rows, "missing": c.missing,
                          "infinite": c.infinite, "new": new, "crowded": c.crowded, "reason": c.reason})
        header = json.dumps({"format": 1, "key": self.key, "seed": self.seed, "features": about})
        with open(path, "wb") as file:
            np.savez_compressed(file, header=np.array(header), **arrays)

    @classmethod
    def load(cls, path):
        """Read a profile that `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            header, counts, values = json.loads(str(file["header"])), {}, []
            for i, about in enumerate(header["features"]):
                name, new = source.unplain(about.pop("name")), {source.unplain(level): count for level, count in about.pop("new")}
                *sums, low, high, middle = file[f"sums{i}"].tolist()
                counts[name] = Counts(**about, new=new, tally=file[f"tally{i}"], far=file[f"far{i}"], sums=np.array(sums),
                                      low=low, high=high, middle=middle)
                values.append(file[f"rows{i}"])
            return cls(header["key"], counts, Rows(file["ids"], values), header["seed"])


class Profiler:
    """Counts chunks by a reference's cells, without its rows: small, to be sent where the data are.

    Made by `DataDriftDetector.profiler`.

    Parameters
    ----------
    rulers : dict
        What counts each feature, by its name.
    chosen : bool
        Chunks may hold other columns as well.
    seed : int
        Of the choice of rows that are kept.
    """

    def __init__(self, rulers, chosen, seed):
        self.rulers, self.seed, self._chosen = rulers, seed, chosen
        self.key = digest([seed, *((name, ruler.key) for name, ruler in rulers.items())])

    def profile(self, chunk, *, start=None, over=None):
        """The profile of one chunk.

        Parameters
        ----------
        chunk : DataFrame or array-like
            As the reference. It may be empty.
        start : int, optional
            Number of its first row among all rows of the data. With it the same rows are kept however
            the data are cut. By default a number made of the chunk's content.
        over : callable, optional
            ``over(work, names, cells)`` does the work for each name, perhaps over threads.

        Returns
        -------
        Profile

        Raises
        ------
        ValueError
            Where columns are missing, unknown or doubled.
        """
        if not hasattr(chunk, "iloc") and hasattr(chunk, "to_pandas"):
            chunk = chunk.to_pandas()
        if start is not None and not (isinstance(start, Integral) and start >= 0):
            raise ValueError(f"start needs a whole number of 0 or more, got {start!r}. Pass the number of the chunk's first row.")
        columns = dict(source.columns(chunk, list(self.rulers) if self._chosen else None, "current", least=0))
        source.match(columns, self.rulers)
        rows = len(next(iter(columns.values())).values)
        over, names = over or _in_turn, list(self.rulers)
        found = over(lambda name: self.rulers[name].count(columns[name], rows), names, rows * len(names))
        if start is None:
            start = int(digest([values.tobytes() for _, values in found], size=8), 16)
        ids = np.uint64(start % 2**64) + np.arange(rows, dtype=np.uint64)
        counts = {name: c for name, (c, _) in zip(self.rulers, found)}
        return Profile(self.key, counts, Rows.of(ids, [values for _, values in found], self.seed), self.seed)

    def total(self, chunks, over=None):
        """The profile of all chunks of an iterable, one in memory at a time."""
        total = None
        for chunk in chunks:
            more = self.profile(chunk, start=0 if total is None else total.rows, over=over)
            total = more if total is None else total + more
        return total

    def total_of_dask(self, frame):
        """The profile of a Dask frame: one task a partition, added up eight at a time by whatever scheduler is in charge."""
        import dask
        import dask.dataframe

        if not isinstance(frame, (dask.dataframe.DataFrame, dask.dataframe.Series)):
            raise ValueError(f"current needs a Dask DataFrame or Series, got a Dask {type(frame).__name__}. Make it one first.")
        if isinstance(frame, dask.dataframe.DataFrame):
            names = source.distinct(list(frame.columns), "current")
            source.match([name for name in names if name in self.rulers or not self._chosen], self.rulers)
            frame = frame[list(self.rulers)]
        profiler, add = dask.delayed(self, name=f"profiler-{self.key}"), dask.delayed(_sum)
        parts = [dask.delayed(_profile_of)(profiler, part, i * APART) for i, part in enumerate(frame.to_delayed())]
        while len(parts) > 1:
            parts = [add(parts[i:i + FAN]) for i in range(0, len(parts), FAN)]
        return parts[0].compute() if parts else None


def chunked(data):
    """Whether data come in chunks: an iterator, or a list of frames."""
    if isinstance(data, (list, tuple)):
        return len(data) > 0 and all(hasattr(part, "iloc") and hasattr(part, "columns") for part in data)
    return hasattr(data, "__next__")


def shuffled(ids, seed):
    """Numbers of rows mixed up, each into another: the finaliser of splitmix64.

    References
    ----------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA.
    """
    x = ids + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))


def _in_turn(work, items, cells):
    return [work(item) for item in items]


def _recoded(profile, counts):
    """The kept rows of a profile, with the codes of new levels as in the summed `counts`."""
    values = []
    for column, (name, old) in zip(profile.sample.values, profile.counts.items()):
        new = counts[name].new
        if old.kind == "categorical" and (old.new or new or old.crowded):
            known, place = len(old.tally), {level: i for i, level in enumerate(new)}
            codes = np.array([*range(known), *(known + place[level] if level in place else -1 for level in old.new), -1])
            column = codes[np.where(column < len(codes) - 1, column, -1)]
        values.append(column)
    return values


def _profile_of(profiler, chunk, start):
    return profiler.profile(chunk, start=start)


def _sum(profiles):
    return reduce(lambda a, b: a + b, profiles)
