"""Predictions now, labels later: what came of them, joined by prediction id."""
import time
from dataclasses import dataclass

import numpy as np

from mlmon import _check


class PredictionLog:
    """Keeps predictions and the labels that arrive for them, in any order and more than once.

    Parameters
    ----------
    clock : callable
        Gives the time, in seconds since 1970, where `at` is not given.

    Examples
    --------
    >>> log = PredictionLog(clock=lambda: 0)
    >>> log.predict(["a", "b"], [0.9, 0.2])
    >>> log.label("a", 1)
    >>> joined = log.joined()
    >>> joined.score, joined.y_true
    (array([0.9, 0.2]), array([ 1., nan]))
    """

    def __init__(self, *, clock=time.time):
        self.clock = clock
        self._predictions, self._labels = [], []

    def predict(self, ids, score, *, at=None):
        """Note predictions.

        Parameters
        ----------
        ids : hashable, or sequence of them
            Of each prediction, its own.
        score : float or array-like
        at : time or array-like of times, optional
            When they were made: datetimes, text, or seconds since 1970. The clock's time by default.
        """
        self._predictions.append(self._rows(ids, score, at, "score"))

    def label(self, ids, y_true, *, at=None):
        """Note labels, each for the prediction of its id.

        Parameters
        ----------
        ids : hashable, or sequence of them
        y_true : number or array-like
        at : time or array-like of times, optional
            When they became known.
        """
        self._labels.append(self._rows(ids, y_true, at, "y_true"))

    def joined(self, *, maturity=None, now=None):
        """Each prediction with its label; the same whatever the order of arrival.

        Where predictions have had `maturity` time, only labels that came within it count, for old and young cohorts
        alike. Otherwise the young ones would be judged by their fast labels, and fast labels are not like slow ones.

        Parameters
        ----------
        maturity : timedelta or text such as "7D", optional
            Leaves out predictions younger than this.
        now : time, optional
            The clock's by default.

        Returns
        -------
        Joined

        Examples
        --------
        >>> log = PredictionLog()
        >>> log.predict(["a", "b"], [0.9, 0.2], at=["2026-01-01", "2026-01-09"])
        >>> log.label(["a", "b"], [1, 0], at=["2026-01-03", "2026-01-09"])
        >>> log.joined(maturity="7D", now="2026-01-10").young
        1
        """
        import pandas

        made = _stacked(self._predictions, "score")
        scores = made.groupby("id", sort=False)["score"].nunique()
        quarrel = scores.index[scores > 1]
        first = made[~made["id"].isin(quarrel)].assign(text=lambda rows: rows["id"].astype(str))
        first = first.sort_values(["at", "text"], kind="stable").drop_duplicates("id")       # ids part what came at one time
        now = int(nanoseconds(self.clock() if now is None else now, "now")[0])
        wait = None if maturity is None else duration(maturity, "maturity")
        ripe = np.ones(len(first), dtype=bool) if wait is None else (first["at"] <= now - wait).to_numpy()
        labels = _stacked(self._labels, "y_true")
        known = labels["id"].isin(made["id"])
        found = labels[known].merge(first, on="id", suffixes=("", "_made"))
        delay = found["at"] - found["at_made"]
        early = delay < 0
        late = (delay > wait) if wait is not None else pandas.Series(False, index=found.index)
        timely = found[~early & ~late & (found["at"] <= now)]
        last = timely[timely["at"] == timely.groupby("id")["at"].transform("max")]
        settled = last.groupby("id")["y_true"].agg(["nunique", "first"])
        doubtful = settled.index[settled["nunique"] > 1]
        y = first["id"].map(settled["first"].drop(doubtful)).to_numpy(dtype=float)
        return Joined(
            at=first["at"].to_numpy()[ripe], score=first["score"].to_numpy()[ripe], y_true=y[ripe],
            young=int((~ripe).sum()), repeated=int((~made["id"].isin(quarrel)).sum()) - len(first), conflicting=len(quarrel), unknown=int((~known).sum()),
            early=int(early.sum()), late=int(late.sum()), corrected=int((timely.groupby("id")["y_true"].nunique() > 1).sum()),
            doubtful=len(doubtful),
        )

    def __len__(self):
        return sum(len(ids) for ids, _, _ in self._predictions)

    def _rows(self, ids, values, at, name):
        single = isinstance(ids, (str, bytes, tuple)) or not hasattr(ids, "__len__")
        ids = [ids] if single else list(ids)
        values = _check.numeric([values] if np.ndim(values) == 0 else values, name, least=0)
        times = nanoseconds(self.clock() if at is None else at, "at")
        times = np.repeat(times, len(ids)) if len(times) == 1 else times
        if not len(ids) == len(values) == len(times):
            raise ValueError(f"ids needs one id for each {name} and time, got {len(ids)} for {len(values)} and {len(times)}. Pass as many of each.")
        if any(i is None or i != i for i in ids):
            raise ValueError("ids needs an id for each row, got a missing one. Label rows by the id that was predicted for.")
        return ids, values, times


@dataclass(frozen=True, eq=False)
class Joined:
    """Predictions in order of time, and what became of the labels.

    Attributes
    ----------
    at : numpy.ndarray of int
        Nanoseconds since 1970, UTC.
    score, y_true : numpy.ndarray of float
        nan where no label has come in time.
    young : int
        Predictions left out since they have not had the maturity time.
    repeated : int
        Predictions logged again with the same score: counted once, at the first time.
    conflicting : int
        Ids that were logged with different scores: left out.
    unknown : int
        Labels whose id nobody predicted for.
    early : int
        Labels older than their prediction: left out, for a clock is wrong or the future leaks.
    late : int
        Labels that took longer than the maturity time: left out.
    corrected : int
        Ids whose label was changed: the last one counts.
    doubtful : int
        Ids with two labels of the same time: left out.
    """

    at: np.ndarray
    score: np.ndarray
    y_true: np.ndarray
    young: int
    repeated: int
    conflicting: int
    unknown: int
    early: int
    late: int
    corrected: int
    doubtful: int

    @property
    def remarks(self):
        """What was counted, as (name, count), zeros left out."""
        names = ("repeated", "conflicting", "unknown", "early", "late", "corrected", "doubtful")
        return tuple((name, getattr(self, name)) for name in names if getattr(self, name))


def nanoseconds(times, name):
    """Times as nanoseconds since 1970, UTC: datetimes, text, or numbers of seconds.

    Examples
    --------
    >>> nanoseconds(["1970-01-01 00:00:01"], "at").tolist(), nanoseconds(2, "at").tolist()
    ([1000000000], [2000000000])
    """
    import pandas

    values = [times] if isinstance(times, (str, bytes)) or np.ndim(times) == 0 else times
    try:
        if np.asarray(values).dtype.kind in "iuf":
            return np.round(_check.numeric(values, name, least=0) * 1e9).astype(np.int64)
        read = pandas.DatetimeIndex(pandas.to_datetime(values, utc=True, format=None if hasattr(values, "dtype") else "mixed")).as_unit("ns")
    except (TypeError, OverflowError, ValueError) as error:
        if str(error).startswith(f"{name} needs"):
            raise
        raise ValueError(f"{name} needs times, got {np.ravel(np.asarray(values, dtype=object))[0]!r}. Pass datetimes, or seconds since 1970.") from None
    if read.isna().any():
        raise ValueError(f"{name} needs times, got {int(read.isna().sum())} missing. Drop those rows first.")
    return read.asi8


def duration(value, name):
    """A length of time in nanoseconds: a timedelta, or text such as "7D" or "12h".

    Examples
    --------
    >>> duration("1h", "maturity") == 3_600 * 10**9
    True
    """
    import pandas

    try:
        length = pandas.Timedelta(value) if not isinstance(value, (int, float, np.number)) else None
    except (TypeError, ValueError, OverflowError):
        length = None
    if length is None or pandas.isna(length) or length.value <= 0:
        raise ValueError(f"{name} needs a length of time, got {value!r}. Pass a timedelta, or text such as '7D' or '12h'.")
    return int(length.value)


def _stacked(parts, name):
    import pandas

    ids = [i for part in parts for i in part[0]]
    return pandas.DataFrame({
        "id": pandas.Series(ids, dtype=object),
        name: np.concatenate([part[1] for part in parts]) if parts else np.empty(0),
        "at": np.concatenate([part[2] for part in parts]) if parts else np.empty(0, dtype=np.int64),
    })
