"""The log of predictions, in which late labels find the prediction that they judge."""
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from threading import Lock

import numpy as np

_MOST = 10_000      # rows that wait, in a log of one process, for a label or a job to come by
_TABLE = """
CREATE TABLE IF NOT EXISTS prediction (
    id TEXT PRIMARY KEY, time REAL NOT NULL, version TEXT NOT NULL, score REAL, decision TEXT, source TEXT NOT NULL,
    label, labelled REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_time ON prediction (version, time);
"""


@dataclass(frozen=True)
class Entry:
    """One logged prediction.

    Parameters
    ----------
    id : str
    time : float
        Of the event, in seconds since 1970.
    version : str
        Of the model that answered.
    score : float
        None where the model gave none, or no finite one.
    decision : str
        The class that was decided for, as text; None for a regressor.
    source : {"model", "fallback"}
    label : str or float
        The class as text, or the regressor's target; None until it comes.
    """

    id: str
    time: float
    version: str
    score: float | None
    decision: str | None
    source: str
    label: str | float | None


@dataclass(frozen=True, eq=False)
class Cohort:
    """Predictions of a stretch of time, and the labels that they have by now.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n,)
        nan where there is none.
    decisions, labels : tuple
        As in `Entry`.
    """

    scores: np.ndarray
    decisions: tuple
    labels: tuple

    def __len__(self):
        return len(self.labels)

    @property
    def labelled(self):
        """How many have their label."""
        return sum(label is not None for label in self.labels)

    @property
    def coverage(self):
        """The share that has its label; None for a cohort of nobody."""
        return self.labelled / len(self) if len(self) else None


class PredictionLog:
    """Every prediction with its id, event time, version and score, and later its label.

    Parameters
    ----------
    path : str or path, optional
        A file that several processes may share and that outlives them. By default the log
        is kept in memory, for this process alone.
    keep : float
        Seconds that a prediction is kept. A label that comes later finds nothing.

    Notes
    -----
    The features are not kept: they are large and often personal.

    Examples
    --------
    >>> log = PredictionLog()
    >>> log.add(["a", "b"], 0.0, "1", [0.9, 0.2], ["1", "0"])
    >>> log.label("a", 1, 60.0)
    ('joined', Entry(id='a', time=0.0, version='1', score=0.9, decision='1', source='model', label=None))
    >>> log.label("a", 1, 61.0)[0], log.label("nobody", 1, 61.0)[0]
    ('duplicate', 'unknown')
    """

    def __init__(self, path=None, *, keep=90 * 86400.0):
        self.keep = keep
        self._shared = path is not None      # then a label may come to another process, and no row waits in this one
        self._door, self._waiting, self._rows, self._lock = Lock(), [], 0, Lock()
        self._base = sqlite3.connect(path or ":memory:", timeout=10, check_same_thread=False, isolation_level=None)
        # In the file a reader never waits for a writer, and a power cut may cost the last rows, not the file.
        self._base.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_TABLE}")

    def add(self, ids, time, version, scores, decisions, source="model"):
        """Log predictions. An id that is there already keeps its first one, as a repeated request should."""
        with self._door:
            self._waiting.append((ids, time, version, scores, decisions, source))
            self._rows += len(ids)
            full = self._shared or self._rows > _MOST
        if full:
            with self._lock:
                self._write()

    def label(self, id, label, time):
        """Join a label to its prediction.

        Returns
        -------
        result : {"joined", "corrected", "duplicate", "unknown"}
            "corrected" where there was another label before, which the new one replaces.
        entry : Entry
            The prediction as it was before this label; None where it is unknown.
        """
        with self._lock:
            self._write()
            with self._transaction():      # nobody else may label it between the look and the write
                entry = self._entry(id)
                result = _result(entry, label)
                if result in ("joined", "corrected"):
                    self._base.execute("UPDATE prediction SET label = ?, labelled = ? WHERE id = ?", (label, time, id))
        return result, entry

    def find(self, id):
        """The prediction of that id, or None."""
        with self._lock:
            self._write()
            return self._entry(id)

    def cohort(self, version, start, end):
        """The predictions of a version with ``start <= time < end``, fallbacks left out: they are not the model's."""
        with self._lock:
            self._write()
            rows = self._base.execute(
                "SELECT score, decision, label FROM prediction"
                " WHERE version = ? AND time >= ? AND time < ? AND source = 'model'", (version, start, end)).fetchall()
        scores, decisions, labels = zip(*rows) if rows else ((), (), ())
        return Cohort(np.array(scores, dtype=float), decisions, labels)

    def prune(self, now):
        """Drop what is older than `keep`; how many rows that were."""
        with self._lock:
            self._write()
            return self._base.execute("DELETE FROM prediction WHERE time < ?", (now - self.keep,)).rowcount

    def close(self):
        """Write what waits, and close the file."""
        with self._lock:
            self._write()
            self._base.close()

    def __len__(self):
        with self._lock:
            self._write()
            return self._base.execute("SELECT count(*) FROM prediction").fetchone()[0]

    def _write(self):
        """Put what waits into the table."""
        with self._door:
            waiting, self._waiting, self._rows = self._waiting, [], 0
        if waiting:
            with self._transaction():
                for part in waiting:
                    self._base.executemany(
                        "INSERT OR IGNORE INTO prediction (id, time, version, score, decision, source) VALUES (?, ?, ?, ?, ?, ?)", _rows(*part))

    @contextmanager
    def _transaction(self):
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            self._base.execute("ROLLBACK")
            raise

    def _entry(self, id):
        row = self._base.execute(
            "SELECT id, time, version, score, decision, source, label FROM prediction WHERE id = ?", (id,)).fetchone()
        return row and Entry(*row)


def _result(entry, label):
    if entry is None:
        return "unknown"
    if entry.label is None:
        return "joined"
    return "duplicate" if entry.label == label else "corrected"


def _rows(ids, time, version, scores, decisions, source):
    for id, score, decision in zip(ids, np.asarray(scores).tolist(), decisions):
        finite = score is not None and isfinite(score)
        yield id, time, version, score if finite else None, None if decision is None else str(decision), source
