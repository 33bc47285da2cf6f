"""Rows to learn from and rows to judge by, and nobody on both sides: not in one cycle, and not across all of them."""
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from mlmon import _check
from mlmon._chance import place


@dataclass(frozen=True, eq=False)
class Holdout:
    """Labelled rows that no model has learned from.

    Parameters
    ----------
    rows : pandas.DataFrame
        Features.
    y : array-like of shape (n,)
        0 or 1.
    ids : array-like of shape (n,)
    """

    rows: object
    y: object
    ids: object

    @cached_property
    def fingerprint(self):
        """The same for the same ids and labels, in any order: by it, uses are counted."""
        lines = sorted(f"{id}\0{y:g}" for id, y in zip(self.ids, self.y))
        return sha256("\n".join(lines).encode()).hexdigest()[:16]

    def __len__(self):
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Split:
    """Rows by their use. No id is on both sides.

    Parameters
    ----------
    train, recent, locked : Holdout
        To learn from; to compare with production; to compare with the anchor.
    young, unlabelled : int
        Rows left out: too young for their label to be final; old enough, and without one.
    """

    train: Holdout
    recent: Holdout
    locked: Holdout
    young: int
    unlabelled: int


def split(frame, *, id, at, label, now, maturity, recent, lock, embargo=0.0, share=0.2, salt="1"):
    """Rows to learn from, and two holdouts that share no id with them, in this cycle and in every later one.

    A `share` of ids, by a hash, is never learned from. Of those, rows before `lock` are locked: they stay the same for ever.
    The recent ones are the last mature stretch, and what is learned from is older than that by at least `embargo`.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an event; columns that are not named here are features.
    id, at, label : str
        Columns: who (a person, not an event, so that nobody is on both sides), when (seconds since 1970), and 0, 1 or missing.
    now : float
    maturity : float
        Seconds until a label is final. Younger rows are in no part.
    recent : float
        Length of the recent stretch in seconds.
    lock : float
        Time before which held-out rows are locked. Keep those rows: where a store forgets them, the locked set is another one.
    embargo : float
        Seconds between what is learned from and the recent stretch.
    share : float
    salt : str
        Another one draws other ids: for when the locked rows have been used too often.

    Returns
    -------
    Split

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": range(1000), "at": range(1000), "x": 0.5, "y": 1.0})
    >>> parts = split(frame, id="who", at="at", label="y", now=1100, maturity=200, recent=300, lock=400)
    >>> int(parts.train.rows.index.max()), int(parts.recent.rows.index.min()), parts.young
    (598, 607, 99)
    """
    for column in (id, at, label):
        _check.frame_column(frame, column)
    when = _check.numeric(frame[at], at)
    end = now - _check.positive(maturity, "maturity")
    start = end - _check.positive(recent, "recent")
    if lock > start:
        raise ValueError(f"lock needs a time before the recent stretch, which begins at {start:g}, got {lock:g}. Lock rows once, at the start.")
    out = np.array([place(who, f"holdout {salt}") for who in frame[id]]) < _check.open_share(share, "share")
    known = frame[label].notna().to_numpy()
    mature = when <= end
    use = mature & known
    parts = {
        "train": use & ~out & (when < start - embargo),
        "recent": use & out & (when >= start),
        "locked": use & out & (when < lock),
    }
    features = frame.drop(columns=[id, at, label])
    made = {name: Holdout(features[rows], frame.loc[rows, label].to_numpy(float), frame.loc[rows, id].to_numpy()) for name, rows in parts.items()}
    return Split(**made, young=int((~mature).sum()), unlabelled=int((mature & ~known).sum()))
