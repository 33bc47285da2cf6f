"""Timelines, one batch a day, that say what happened to them.

A scenario samples a table every day and, from a stated day on, injects one
fault. Its truth says which, into which features, from when and how much. The
control of the same table has the same reference and the same healthy days.

Faults of two sorts: where the population changes (`mean_shift`, `scale`,
`tail`, `frequencies`, `flip_correlation`), values are written down as ever,
rounded and within the plausible range, and labels are drawn anew: P(y|X) is
kept and P(X) drifts. Where the measurement fails (`out_of_range`,
`unit_change`, `new_category`, `missing`, `stale`), people and labels are as
ever, and only what was written down of them is wrong.
"""
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mlmon import _check
from mlmon.data import inject, tables
from mlmon.data._stream import stream

_POPULATION = ("mean_shift", "scale", "tail", "frequencies", "flip_correlation")
_ROWS = {"customers": 500, "applicants": 500, "transactions": 2000}  # fraud is rare
_WAVE = 3  # days on, then days off, of what recurs


@dataclass(frozen=True)
class Truth:
    """What happened to the batches of a scenario.

    Attributes
    ----------
    kind : str
        The name of the fault in `inject`, or "none".
    features : tuple of str
        The columns that the fault was put into.
    size : float
        The fault's size in full, as `inject` counts it.
    pace : {"none", "sudden", "gradual", "incremental", "recurring"}
    strength : tuple of float
        For each day from 0 to 1: of a gradual fault the share of the rows
        that have it in full, of an incremental one the part of its size.

    Examples
    --------
    >>> truth = Truth("missing", ("age",), 0.1, "sudden", (0.0, 1.0, 1.0))
    >>> truth.start, truth.at(0), truth.at(2)
    (1, False, True)
    """

    kind: str
    features: tuple
    size: float
    pace: str
    strength: tuple

    @property
    def days(self):
        """The drifted days, a frozenset of batch numbers."""
        return frozenset(day for day, strength in enumerate(self.strength) if strength > 0)

    @property
    def drifted(self):
        """Whether any batch is drifted."""
        return bool(self.days)

    @property
    def start(self):
        """The first drifted batch, counted from 0; None without drift."""
        return min(self.days, default=None)

    def at(self, day):
        """Whether the batch of that day, counted from 0, is drifted."""
        return day in self.days


@dataclass(frozen=True, eq=False)
class Scenario:
    """A reference, the batches of the days that follow, and the truth about them.

    Attributes
    ----------
    name : str
    reference : pandas.DataFrame
        Four times as many rows as a batch, without drift.
    batches : tuple of pandas.DataFrame
        One a day.
    truth : Truth
    table : mlmon.data.tables.Table
        Where the rows come from.
    """

    name: str
    reference: pd.DataFrame
    batches: tuple
    truth: Truth
    table: tables.Table

    def __repr__(self):
        start = "no drift" if not self.truth.drifted else f"{self.truth.kind} from batch {self.truth.start}"
        return f"Scenario({self.name}: {len(self.batches)} batches, {start})"


def names():
    """The names of the scenarios.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "customers-none" in names()
    True
    """
    return list(_PLANS)


def control(name):
    """The name of the scenario that is the same but without drift.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> control("transactions-sudden-prior")
    'transactions-none'
    """
    return f"{_plan(name).table}-none"


def make(name, seed=0, *, n=None, days=20):
    """Make a scenario.

    Drift starts halfway. What is sudden is there at once and stays; what is
    gradual or incremental grows until three quarters of the days are over;
    what recurs comes and goes every three days.

    Parameters
    ----------
    name : str
        One of `names()`.
    seed : int
        The same seed gives the same frames.
    n : int or None
        Rows a day; 500, or 2000 for transactions, unless it is given.
    days : int
        How many batches, 2 or more.

    Returns
    -------
    Scenario

    Examples
    --------
    >>> make("customers-sudden-mean", n=50, days=4)
    Scenario(customers-sudden-mean: 4 batches, mean_shift from batch 2)
    """
    plan = _plan(name)
    n = _check.whole(_ROWS[plan.table] if n is None else n, "n", 1)
    days, seed = _check.whole(days, "days", 2), _check.whole(seed, "seed", 0)
    table = tables.get(plan.table)
    strength = _strength(plan.pace, days)
    batches = tuple(_batch(plan, table, n, strength[day], (seed, day + 1)) for day in range(days))
    truth = Truth(plan.kind, plan.features, plan.size, plan.pace, strength)
    return Scenario(name, table.sample(4 * n, (seed, 0)), batches, truth, table)


@dataclass(frozen=True)
class _Plan:
    table: str
    pace: str = "none"
    kind: str = "none"
    column: str | tuple = ()
    size: float = 0.0
    options: dict = field(default_factory=dict)

    @property
    def features(self):
        return (self.column,) if isinstance(self.column, str) else self.column


_PLANS = {
    "customers-none": _Plan("customers"),
    "customers-sudden-mean": _Plan("customers", "sudden", "mean_shift", "income", 0.3),
    "customers-incremental-mean": _Plan("customers", "incremental", "mean_shift", "basket", 0.6),
    "customers-recurring-mean": _Plan("customers", "recurring", "mean_shift", "visits", 0.5),
    "customers-sudden-tail": _Plan("customers", "sudden", "tail", "basket", 0.05),
    "customers-sudden-range": _Plan("customers", "sudden", "out_of_range", "age", 0.03, {"limit": 90}),
    "customers-gradual-category": _Plan("customers", "gradual", "frequencies", "device", 0.15),
    "customers-sudden-correlation": _Plan("customers", "sudden", "flip_correlation", ("income", "basket"), 1.0),
    "customers-sudden-stale": _Plan("customers", "sudden", "stale", "rating", 0.5),
    "applicants-none": _Plan("applicants"),
    "applicants-incremental-mean": _Plan("applicants", "incremental", "mean_shift", "utilisation", 0.6),
    "applicants-sudden-scale": _Plan("applicants", "sudden", "scale", "credit_score", 1.3),
    "applicants-sudden-unit": _Plan("applicants", "sudden", "unit_change", "income", 12.0),  # a year for a month
    "applicants-gradual-missing": _Plan("applicants", "gradual", "missing", "credit_score", 0.15),
    "applicants-sudden-concept": _Plan("applicants", "sudden", "concept_flip", "defaulted", 0.2),
    "transactions-none": _Plan("transactions"),
    "transactions-sudden-new": _Plan("transactions", "sudden", "new_category", "merchant", 0.05, {"level": "gift cards"}),
    "transactions-gradual-mean": _Plan("transactions", "gradual", "mean_shift", "merchant_risk", 0.5),
    "transactions-sudden-prior": _Plan("transactions", "sudden", "prior_shift", "fraud", 0.03),
    "transactions-recurring-prior": _Plan("transactions", "recurring", "prior_shift", "fraud", 0.03),
}


def _plan(name):
    return _PLANS[_check.one_of(name, _PLANS, "scenario")]



def _strength(pace, days):
    start = days // 2
    ramp = (days - start + 1) // 2
    later = np.arange(days) - start
    on = {
        "none": np.zeros(days),
        "sudden": later >= 0,
        "gradual": np.clip((later + 1) / ramp, 0, 1),
        "incremental": np.clip((later + 1) / ramp, 0, 1),
        "recurring": (later >= 0) & (later // _WAVE % 2 == 0),
    }[pace]
    return tuple(float(share) for share in on)


def _batch(plan, table, n, strength, seed):
    clean = table.sample(n, seed)
    if strength == 0:
        return clean
    if plan.pace == "incremental":
        return _faulty(plan, table, clean, plan.size * strength, seed)
    return _mix(clean, _faulty(plan, table, clean, plan.size, seed), strength, seed)


def _faulty(plan, table, clean, size, seed):
    options = plan.options
    if plan.kind == "prior_shift":  # drawn from five times the rows, so that few come twice
        options = {"n": len(clean)}
        clean = pd.concat([clean, table.sample(4 * len(clean), (*seed, 1))], ignore_index=True)
    frame = getattr(inject, plan.kind)(clean, plan.column, size, seed=seed, **options)
    return _lived(frame, plan, table, seed) if plan.kind in _POPULATION else frame


def _lived(frame, plan, table, seed):
    for name in set(plan.features) & set(table.numeric):
        frame[name] = table[name].record(frame[name].to_numpy())
    frame[table.target] = table.label(frame, seed)
    return frame


def _mix(clean, faulty, share, seed):
    if share == 1:
        return faulty
    chosen = stream(seed, "mix").random(len(clean)) < share
    parts = [clean.astype(faulty.dtypes.to_dict())[~chosen], faulty[chosen]]
    return pd.concat(parts).sort_index()
