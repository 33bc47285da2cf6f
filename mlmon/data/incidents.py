"""Incidents with a known cause: what a pager says, the evidence, and the truth behind it.

Each incident is one service: a table's rows come in, a model scores them, a threshold turns
scores into decisions, labels follow, a business metric moves. A plan breaks one thing; seeds
vary the table, the columns, the sizes and what else happens, such as a feature that drifts and
harms nothing, labels that have not come, a metric that nobody keeps. `healthy` and `quiet` are controls.

The model knows the table's law up to the error of training. It is fed what was recorded, takes a
missing number as the median and an unknown level as neutral: as models do, it answers whatever comes.
"""
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from mlmon import _check
from mlmon.data import inject, tables
from mlmon.data._stream import stream

EVIDENCE = (
    "reference", "current", "scores_reference", "scores_current", "labels_reference", "labels_current",
    "log_reference", "log_current", "business_reference", "business_current", "offline",
)


@dataclass(frozen=True)
class Cause:
    """What was broken.

    Parameters
    ----------
    layer : {"business", "model", "prediction", "data", "system", "none"}
    cause : str
        Such as "unit change"; "none" for a control.
    features : tuple of str
        The columns that it touched, if it touched any.
    action : str
        What mends it.
    """

    layer: str
    cause: str
    features: tuple
    action: str


@dataclass(frozen=True, eq=False, repr=False)
class Incident:
    """One incident: what is known, and what was the matter.

    Attributes
    ----------
    name : str
    page : str
        What the pager said.
    table : str
        Where the rows come from.
    reference, current : pandas.DataFrame
        Features as they were recorded, in the order of arrival.
    scores_reference, scores_current : numpy.ndarray
        What the model answered; nan where it did not.
    labels_reference, labels_current : numpy.ndarray or None
        0 and 1; nan where none has come yet. None where no label is known.
    log_reference, log_current : pandas.DataFrame
        One row a request: `time` and `event_time` in hours, `latency` in seconds, `outcome` ("ok", "error",
        "timeout"), `version` of the model, `decision` 0 or 1.
    business_reference, business_current : numpy.ndarray or None
        The metric of the business, one value a day.
    offline : pandas.DataFrame or None
        The current features once more, computed as they are for training.
    truth : Cause
    """

    name: str
    page: str
    table: str
    reference: pd.DataFrame
    current: pd.DataFrame
    scores_reference: np.ndarray
    scores_current: np.ndarray
    labels_reference: np.ndarray | None
    labels_current: np.ndarray | None
    log_reference: pd.DataFrame
    log_current: pd.DataFrame
    business_reference: np.ndarray | None
    business_current: np.ndarray | None
    offline: pd.DataFrame | None
    truth: Cause

    def __repr__(self):
        return f"Incident({self.name}: {len(self.current)} {self.table}, {self.page!r})"

    @property
    def evidence(self):
        """What is known, by name, without the truth: a dict to look into, or to pass on."""
        return {name: getattr(self, name) for name in EVIDENCE if getattr(self, name) is not None}


def names():
    """The names of the incidents, the two controls last.

    Returns
    -------
    list of str

    Examples
    --------
    >>> len(names()), names()[-2:]
    (28, ['quiet', 'healthy'])
    """
    return list(_PLANS)


def make(name, seed=0):
    """Make an incident.

    Parameters
    ----------
    name : str
        One of `names()`.
    seed : int
        The same seed gives the same incident; another one, another table, size and column.

    Returns
    -------
    Incident

    Examples
    --------
    >>> incident = make("null_burst", seed=1)
    >>> incident.truth.cause, bool(incident.current[incident.truth.features[0]].isna().mean() > 0.1)
    ('null burst', True)
    """
    plan = _PLANS[_check.one_of(name, _PLANS, "incident")]
    rng = stream(_check.whole(seed, "seed"), "incident", name)
    world = _World(plan, rng)
    features = plan.upstream(world, rng) if plan.upstream else ()
    world.serve(rng)
    features = (plan.downstream(world, rng) if plan.downstream else None) or features or ()
    world.look_away(plan, rng)
    fall = 1 - world.business[1].mean() / world.business[0].mean()
    truth = Cause(plan.layer, plan.cause, tuple(str(f) for f in features), plan.action)
    known = {"business_reference": None, "business_current": None} if world.unkept else dict(
        business_reference=world.business[0], business_current=world.business[1])
    return Incident(
        name=name, page=plan.page.format(fall=f"{fall:.0%}", metric=world.metric), table=world.table.name,
        reference=world.frames[0], current=world.frames[1],
        scores_reference=world.scores[0], scores_current=world.scores[1],
        labels_reference=world.labels and world.labels[0], labels_current=world.labels and world.labels[1],
        log_reference=world.logs[0], log_current=world.logs[1], offline=world.offline, truth=truth, **known)


# ------------------------------------------------------------------ the service

class _World:
    """A service while it is being broken. Pairs hold the reference first, then the current batch."""

    def __init__(self, plan, rng):
        self.table = tables.get(str(rng.choice(plan.tables)))
        n = int(rng.integers(1200, 3500))
        if self.table.name == "transactions":
            n *= 2
        seeds = [int(s) for s in rng.integers(0, 2**31, 2)]
        self.clean = [self.table.sample(size, seed) for size, seed in zip((int(n * rng.uniform(2, 4)), n), seeds)]
        idle = [name for name in self.table.features if name not in self.table.weights]
        self.dropped = [str(name) for name in rng.permutation(idle)[: rng.integers(0, len(idle))]]
        self.columns = [name for name in self.table.features if name not in self.dropped]
        self.shuffled = list(rng.permutation(self.columns))
        self.idle = [name for name in idle if name in self.columns and name in self.table.numeric]
        self.frames = [frame[self.columns].copy() for frame in self.clean]
        self.labels = [frame[self.table.target].to_numpy(dtype=float) for frame in self.clean]
        self.model = _Model(self.table, rng)
        self.version = f"{rng.integers(1, 9)}.{rng.integers(0, 20)}"
        self.cut, self.unkept, self.offline = rng.uniform(0.8, 0.95), False, None
        self.metric = str(rng.choice(["orders a day", "margin a day", "revenue a day"]))
        level, noise = 10 ** rng.uniform(2, 5), rng.uniform(0.01, 0.03)
        fall = rng.uniform(0.08, 0.25) if plan.harm else 0.0
        self.business = [level * (1 + noise * rng.standard_normal(28)), level * (1 - fall) * (1 + noise * rng.standard_normal(rng.integers(3, 8)))]

    @property
    def current(self):
        return self.frames[1]

    @current.setter
    def current(self, frame):
        self.frames[1] = frame

    def numbers(self, distinct=15):
        """Numeric columns in random order, with so many different values."""
        return [str(c) for c in self.shuffled if c in self.table.numeric and self.frames[0][c].nunique() >= distinct]

    def level(self, rng, low=0.06, high=0.6):
        """A categorical column and one of its levels, with a share of the rows between these limits."""
        shares = {(c, level): share for c in self.shuffled if c in self.table.categorical
                  for level, share in self.frames[0][c].value_counts(normalize=True).items() if low <= share <= high}
        options = list(shares)
        column, level = options[rng.integers(len(options))]
        return str(column), str(level)

    def live(self, frame):
        """Other people come: their features as they are written down, and labels by the law."""
        whole = self.clean[1].copy()
        for name in self.columns:
            whole[name] = self.table[name].record(frame[name].to_numpy()) if name in self.table.numeric else frame[name]
        self.current = whole[self.columns].copy()
        self.labels[1] = self.table.label(whole, 7).astype(float)

    def serve(self, rng):
        """Score what was recorded, decide, and log it."""
        self.scores = [self.model.score(frame) for frame in self.frames]
        self.cut = float(np.quantile(self.scores[0], self.cut))
        slow = rng.uniform(0.02, 0.2)
        self.logs = [self._log(scores, slow, rng) for scores in self.scores]

    def _log(self, scores, slow, rng):
        n = len(scores)
        time = np.sort(rng.uniform(0, 24, n))
        outcome = rng.choice(["ok", "error", "timeout"], n, p=[0.997, 0.002, 0.001])
        failed = outcome == "error"
        scores[failed] = np.nan
        scores[outcome == "timeout"] = self.model.default
        latency = slow * rng.lognormal(0, 0.4, n)
        latency[outcome == "timeout"] = 20 * slow
        return pd.DataFrame({
            "time": time, "event_time": time - rng.exponential(0.02, n), "latency": latency, "outcome": outcome,
            "version": self.version, "decision": (np.nan_to_num(scores) >= self.cut).astype(int),
        })

    def look_away(self, plan, rng):
        """What real evidence lacks: labels that have not come, a metric that nobody keeps, offline features."""
        if not plan.labelled and rng.random() < 0.3:
            self.labels = None
        self.unkept = plan.layer != "business" and rng.random() < 0.2
        if self.offline is None and rng.random() < 0.5:
            self.offline = self.current.copy()
        if plan.quiet:
            self.labels, self.offline, self.unkept = None, None, True


class _Model:
    """The table's law as training found it: a little off, and an answer to whatever comes."""

    def __init__(self, table, rng):
        self.table = table
        self.weights = {name: {level: w + 0.05 * rng.standard_normal() for level, w in weight.items()} if isinstance(weight, dict)
                        else weight * (1 + 0.08 * rng.standard_normal()) for name, weight in table.weights.items()}
        self.intercept = table.intercept + 0.03 * rng.standard_normal()
        self.default = float(np.round(expit(table.intercept), 2))

    def score(self, frame):
        logits = np.full(len(frame), self.intercept)
        for name, weight in self.weights.items():
            if name not in frame.columns:
                continue
            if isinstance(weight, dict):
                logits += frame[name].map(weight).astype(float).fillna(0.0).to_numpy()
            else:
                values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
                logits += weight * np.nan_to_num(self.table[name].score(values))
        return expit(logits)


# ------------------------------------------------------------------ upstream: what is recorded

FACTORS = (0.001, 0.01, 1 / 60, 1 / 12, 1 / 2.54, 1 / 1.609, 1.609, 2.54, 7.0, 12.0, 24.0, 60.0, 100.0, 1000.0)


def _unit_change(world, rng):
    column = world.numbers()[0]
    world.current = world.current.pipe(inject.unit_change, column, float(rng.choice(FACTORS)))
    return (column,)


def _unit_of_one_partner(world, rng):
    column, (by, level) = world.numbers()[0], world.level(rng)
    there = (world.current[by] == level).to_numpy()
    changed = world.current[column].astype(float)
    changed[there] *= float(rng.choice([f for f in FACTORS if not 0.3 < f < 3]))
    world.current = world.current.assign(**{column: changed})
    return (column,)


def _null_burst(world, rng):
    column = str(world.shuffled[0])
    share = float(rng.choice([rng.uniform(0.1, 0.6), rng.uniform(0.6, 0.95)]))
    if rng.random() < 0.5:
        world.current = world.current.pipe(inject.missing, column, share, seed=int(rng.integers(1000)))
    else:       # from some time on
        late = np.arange(len(world.current)) >= (1 - share) * len(world.current)
        world.current = world.current.assign(**{column: world.current[column].mask(late)})
    return (column,)


def _sentinel(world, rng):
    column = world.numbers()[0]
    value = float(rng.choice([-1, -999, -9999, 99999, 999999]))
    rows = rng.random(len(world.current)) < rng.uniform(0.03, 0.4)
    world.current = world.current.assign(**{column: world.current[column].astype(float).mask(rows, value)})
    return (column,)


def _stale(world, rng):
    column = world.numbers()[0]
    world.current = world.current.pipe(inject.stale, column, rng.uniform(0.3, 0.95))
    return (column,)


def _yesterday(world, rng):
    columns = world.numbers()[: rng.integers(1, 4)]
    start = len(world.frames[0]) - len(world.current)
    old = world.frames[0].iloc[start:]
    world.current = world.current.assign(**{c: old[c].to_numpy() for c in columns})
    return columns


def _renamed(world, rng):
    column, level = world.level(rng)
    name = str(rng.choice([level.upper() + "_", f"{column}_{level}", level[::-1] + "1", f"code {rng.integers(10, 99)}"]))
    rows = (world.current[column] == level).to_numpy().copy()
    if rng.random() < 0.3:      # one of several senders has moved over
        rows &= np.arange(len(rows)) > rng.uniform(0.2, 0.4) * len(rows)
    world.current = world.current.assign(**{column: world.current[column].astype(object).mask(rows, name)})
    return (column,)


def _new_level(world, rng):
    column, _ = world.level(rng)
    world.current = world.current.pipe(
        inject.new_category, column, rng.uniform(0.04, 0.2), level=str(rng.choice(["PL", "watch", "kiosk", "newcomer"])), seed=int(rng.integers(1000)))
    return (column,)


def _join_loss(world, rng):
    columns = [str(c) for c in world.shuffled[: rng.integers(2, 6)]]
    if rng.random() < 0.5 and (rest := [c for c in world.table.categorical if c in world.columns and c not in columns]):
        by = str(rng.choice(rest))
        levels = world.current[by].value_counts(normalize=True)
        rows = (world.current[by] == rng.choice([level for level, share in levels.items() if share > 0.05])).to_numpy()
    else:
        rows = rng.random(len(world.current)) < rng.uniform(0.08, 0.6)
    world.current = world.current.assign(**{c: world.current[c].mask(rows) for c in columns})
    return columns


def _duplicates(world, rng):
    n = len(world.current)
    again = rng.permutation(n)[: int(rng.uniform(0.15, 0.6) * n)]
    rows = np.sort(np.append(np.arange(n), again)) if rng.random() < 0.5 else np.append(np.arange(n), np.sort(again))
    world.current = world.current.iloc[rows].reset_index(drop=True)
    world.labels[1] = world.labels[1][rows]


def _types(world, rng):
    if rng.random() < 0.7:
        column = world.numbers()[0]
        form = str(rng.choice(["{:.1f}", "{:,.2f}", "{:g} units", "'{:g}'"]))
        values = world.current[column].map(form.format).astype(object)
    else:
        column, _ = world.level(rng)
        values = world.current[column].astype("category").cat.codes.astype(int)
    world.current = world.current.assign(**{column: values})
    return (column,)


def _dropped(world, rng):
    column = str(world.shuffled[0])
    frame = world.current
    world.current = frame.rename(columns={column: f"{column}_v2"}) if rng.random() < 0.5 else frame.drop(columns=column)
    return (column,)


def _misjoined(world, rng):
    tied = {name: max(abs(r) for pair, r in world.table.correlation.items() if name in pair and set(pair) <= set(world.columns))
            for name in world.numbers() if any(name in pair and set(pair) <= set(world.columns) for pair in world.table.correlation)}
    column = str(rng.choice([name for name, r in tied.items() if r >= 0.4]))
    rows = rng.permutation(len(world.current))
    world.current = world.current.assign(**{column: world.current[column].to_numpy()[rows]})
    return (column,)


def _skew(world, rng):
    column = world.numbers()[0]
    world.offline = world.current.copy()
    values = world.current[column].astype(float)
    how = rng.integers(3)
    if how == 0:
        served = values.clip(upper=values.quantile(rng.uniform(0.5, 0.8)))
    elif how == 1:
        served = values.mask(rng.random(len(values)) < rng.uniform(0.2, 0.6), values.median())
    else:
        served = values * rng.uniform(1.05, 1.4)
    world.current = world.current.assign(**{column: served})
    return (column,)


def _traffic(world, rng):
    frame, moved = world.current, world.numbers()[: rng.integers(2, 5)]
    for name in moved:
        frame = frame.pipe(inject.mean_shift, name, float(rng.choice([-1, 1]) * rng.uniform(0.3, 0.8)))
    if rng.random() < 0.5:
        column = str(rng.choice([c for c in world.table.categorical if c in world.columns]))
        frame, moved = frame.pipe(inject.frequencies, column, rng.uniform(0.08, 0.2), seed=1), [*moved, column]
    world.live(frame)
    return moved


def _concept(world, rng):
    whole = world.clean[1]
    if rng.random() < 0.5 or world.table.name == "transactions":      # fraud is too rare to see a lesser change
        world.labels[1] = whole.pipe(inject.concept_flip, world.table.target, rng.uniform(0.12, 0.35), seed=3)[world.table.target].to_numpy(float)
        return ()
    strong = [name for name, w in world.table.weights.items() if not isinstance(w, dict) and abs(w) >= 0.4]
    column = str(rng.choice(strong))
    weights = dict(world.table.weights) | {column: -1.5 * world.table.weights[column]}
    law = tables.Table(world.table.name, world.table.columns, world.table.intercept, world.table.correlation, weights)
    world.labels[1] = law.label(whole, 5).astype(float)
    return (column,)


# ------------------------------------------------------------------ downstream: what becomes of it

def _timeouts(world, rng):
    log, late = world.logs[1], rng.random(len(world.current)) < rng.uniform(0.08, 0.5)
    late &= np.arange(len(late)) > rng.uniform(0, 0.4) * len(late)
    log.loc[late, "outcome"] = "timeout"
    log.loc[late, "latency"] = log["latency"].max()
    log["latency"] *= np.where(late, 1, rng.uniform(1.2, 3))
    world.scores[1][late] = world.model.default
    log.loc[late, "decision"] = int(world.model.default >= world.cut)


def _errors(world, rng):
    log, failed = world.logs[1], rng.random(len(world.current)) < rng.uniform(0.05, 0.4)
    log.loc[failed, "outcome"] = "error"
    world.scores[1][failed] = np.nan
    log.loc[failed, "decision"] = 0


def _slow(world, rng):
    world.logs[1]["latency"] *= rng.uniform(2, 8)


def _late(world, rng):
    late = rng.random(len(world.current)) < rng.uniform(0.2, 0.9)
    world.logs[1].loc[late, "event_time"] -= rng.uniform(4, 30)


def _clock(world, rng):
    part = rng.random(len(world.current)) < rng.choice([1.0, rng.uniform(0.2, 0.7)])
    world.logs[1].loc[part, "event_time"] += float(rng.choice([1, 2, 5, 8]))


def _threshold(world, rng):
    moved = float(np.nanquantile(world.scores[0], rng.choice([rng.uniform(0.4, 0.7), rng.uniform(0.97, 0.995)])))
    world.logs[1]["decision"] = (np.nan_to_num(world.scores[1]) >= moved).astype(int)


def _release(world, rng):
    model, how = _Model(world.table, rng), rng.integers(3)
    if how == 0:
        model.intercept += float(rng.choice([-1, 1]) * rng.uniform(0.4, 1.2))
    elif how == 1:
        strong = max((n for n, w in model.weights.items() if not isinstance(w, dict)), key=lambda n: abs(model.weights[n]))
        model.weights[strong] *= -1
    else:
        model.weights = {n: w if isinstance(w, dict) else w * rng.uniform(1.6, 2.2) for n, w in model.weights.items()}
    log, scores = world.logs[1], model.score(world.current)
    ok = (log["outcome"] == "ok").to_numpy()
    world.scores[1][ok] = scores[ok]
    log["version"] = f"{world.version}.1"
    log["decision"] = (np.nan_to_num(world.scores[1]) >= world.cut).astype(int)


def _label_delay(world, rng):
    labels, n = world.labels[1], len(world.current)
    young = np.arange(n) >= (1 - rng.uniform(0.3, 0.8)) * n
    if rng.random() < 0.5:      # nothing is known of the newest rows
        labels[young] = np.nan
    else:                       # "no" is written down at once, "yes" when it comes
        labels[young & (rng.random(n) < rng.uniform(0.7, 1))] = 0


def _feedback(world, rng):
    acted = world.logs[1]["decision"].to_numpy() == 1
    if rng.random() < 0.5:      # whoever is turned away never gets a label
        world.labels[1][acted & (rng.random(len(acted)) < rng.uniform(0.85, 1))] = np.nan
    else:                       # whoever is flagged is treated, and does not do it any more
        world.labels[1][acted & (rng.random(len(acted)) < rng.uniform(0.6, 0.95))] = 0


@dataclass(frozen=True)
class _Plan:
    layer: str
    cause: str
    action: str
    upstream: object = None
    downstream: object = None
    page: str = "{metric}: down {fall} since this morning."
    tables: tuple = ("customers", "applicants", "transactions")
    labelled: bool = False      # its cause shows in labels alone
    harm: bool = True
    quiet: bool = False


_LABELLED = {"labelled": True, "tables": ("customers", "applicants")}
_PLANS = {
    "unit_change": _Plan("data", "unit change", "mend the sender's unit, and score the batch again", _unit_change),
    "unit_of_one_partner": _Plan("data", "unit change", "mend the sender's unit, and score the batch again", _unit_of_one_partner),
    "null_burst": _Plan("data", "null burst", "mend the source of the column, and fill in the rows", _null_burst),
    "sentinel": _Plan("data", "sentinel", "turn the stand-in into a missing value where it is read", _sentinel),
    "stale": _Plan("data", "stale feature", "restart the feed, and alert on its age", _stale),
    "yesterday": _Plan("data", "stale feature", "load today's file, and check its date on arrival", _yesterday),
    "renamed_category": _Plan("data", "renamed category", "map the new name to the old one", _renamed),
    "new_category": _Plan("data", "new category", "find out what it is, and collect labels for it", _new_level),
    "join_loss": _Plan("data", "join loss", "mend the key of the join, and score the rows again", _join_loss),
    "duplicated_rows": _Plan("data", "duplicated rows", "drop the copies, and make the writer idempotent", _duplicates),
    "type_change": _Plan("data", "type change", "cast at the border, and hold the sender to the schema", _types),
    "column_dropped": _Plan("data", "column dropped", "ask the sender for the column, and refuse batches without it", _dropped),
    "misjoined": _Plan("data", "misjoined rows", "join by key and not by order", _misjoined),
    "skew": _Plan("data", "training-serving skew", "compute the feature by one code for both", _skew),
    "late_data": _Plan("data", "late data", "mend the queue, and wait for the events", downstream=_late),
    "clock": _Plan("data", "clock shift", "set the sender's clock to UTC", downstream=_clock),
    "traffic_mix": _Plan("data", "traffic mix", "check the model on the new mix; if it is worse, weight or retrain", _traffic),
    "concept": _Plan("model", "concept drift", "retrain on labels from after the change", _concept, labelled=True),
    "label_delay": _Plan("model", "label delay", "judge cohorts that are old enough, and no others", downstream=_label_delay,
                         page="AUC of the week: alarm.", harm=False, **_LABELLED),
    "feedback": _Plan("model", "feedback", "keep a random slice without the model's influence", downstream=_feedback, **_LABELLED),
    "threshold": _Plan("prediction", "threshold change", "set the threshold back", downstream=_threshold),
    "release": _Plan("prediction", "release", "roll back to the version before", downstream=_release),
    "timeouts": _Plan("system", "timeouts", "restore capacity; the default answers are the harm", downstream=_timeouts),
    "errors": _Plan("system", "errors", "roll back or restart what fails, and replay the requests", downstream=_errors),
    "slow": _Plan("system", "slow service", "restore capacity: people leave before the answer comes", downstream=_slow),
    "outside": _Plan("business", "outside the model", "hand over to the business: price, season, stock, a rival"),
    "quiet": _Plan("none", "none", "none", page="Someone asks whether all is well.", harm=False, quiet=True),
    "healthy": _Plan("none", "none", "none", page="Someone asks whether all is well.", harm=False),
}
