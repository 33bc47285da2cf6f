"""How good is an alert policy: its four numbers, by replaying months of a simulated service.

Precision (how many firings were worth it), recall (how many incidents were
told), time to detect and time to reset. The service, its incidents and its
harmless spikes are known, so that each firing can be judged.

Times are minutes throughout: the simulated service is counted once a minute.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlmon._check import positive, share
from mlmon.serving.slo import MINUTE, RULES


@dataclass(frozen=True)
class Incident:
    """A fault that somebody must mend: from when, for how long, and the share of requests that it spoils."""

    name: str
    start: int
    minutes: int
    errors: float


# One month as it may be: each incident burns the budget of 99.5 % another way. Between two of them lie more than
# three days, the longest window, so that none is seen in the light of another.
MONTH = (
    Incident("bad release", 3 * 1440, 90, 0.20),
    Incident("slow dependency", 7 * 1440, 300, 0.05),
    Incident("half-broken feature", 11 * 1440, 600, 0.035),
    Incident("slow leak", 15 * 1440, 3600, 0.01),
    Incident("outage", 26 * 1440, 15, 1.0),
)


@dataclass(frozen=True)
class Service:
    """A service to replay: its traffic, its faults, and what only looks like one.

    Parameters
    ----------
    days : int
    traffic : float
        Requests a minute, on average.
    errors : float
        Share of bad requests when all is well.
    incidents : sequence of Incident
    spikes : float
        Harmless spikes a day, at random times.
    spike_minutes : int
    spike_errors : float
        Share of bad requests during a spike.
    """

    days: int = 30
    traffic: float = 300.0
    errors: float = 0.002
    incidents: tuple[Incident, ...] = MONTH
    spikes: float = 2.0
    spike_minutes: int = 2
    spike_errors: float = 0.10

    def __post_init__(self):
        positive(self.days, "days")
        positive(self.traffic, "traffic")
        share(self.errors, "errors")
        end = max((incident.start + incident.minutes for incident in self.incidents), default=0)
        if end > self.days * 1440:
            raise ValueError(f"incidents need to end within {self.days} days, got one that ends at minute {end}. "
                             "Lengthen days, or move it.")


@dataclass(frozen=True)
class Policy:
    """When to fire: in any minute in which all windows of one clause are above their limit.

    Parameters
    ----------
    name : str
    clauses : sequence of sequence of (minutes, limit)
        A window, and the share of bad requests above which it speaks.
    hold : int
        Minutes that this must last before it fires (Prometheus' ``for``).
    least : int
        Fewer requests than this in a clause's longest window decide nothing.

    Examples
    --------
    >>> Policy("10 m over 1 %", [[(10, 0.01)]]).clauses
    (((10, 0.01),),)
    """

    name: str
    clauses: tuple
    hold: int = 0
    least: int = 0

    def __post_init__(self):
        object.__setattr__(self, "clauses", tuple(tuple((int(m), float(limit)) for m, limit in c) for c in self.clauses))
        if not self.clauses or any(minutes < 1 for clause in self.clauses for minutes, _ in clause):
            raise ValueError(f"clauses needs at least one, of windows from 1 minute, got {self.clauses!r}. "
                             "Write [[(60, 0.072), (5, 0.072)]].")


def burn_policy(slo, severity=None, *, rules=RULES):
    """The policy of an objective's burn-rate rules.

    Parameters
    ----------
    slo : SLO
    severity : {"page", "ticket", None}
        Which rules; None takes all.

    Returns
    -------
    Policy

    Examples
    --------
    >>> from mlmon.serving.slo import SLO
    >>> slo = SLO("R", 0.995, "rate(bad[$window])", "rate(all[$window])", "...", "Errors")
    >>> [[(window, round(limit, 4)) for window, limit in clause] for clause in burn_policy(slo, "page").clauses]
    [[(60, 0.072), (5, 0.072)], [(360, 0.03), (30, 0.03)]]
    """
    chosen = [rule for rule in rules if severity in (None, rule.severity)]
    clauses = [[(window / MINUTE, rule.factor * slo.budget) for window in (rule.long, rule.short)] for rule in chosen]
    return Policy(f"burn rates, {severity or 'page and ticket'}", clauses, least=slo.least)


def simulate(service, seed):
    """Replay a service minute by minute.

    Parameters
    ----------
    service : Service
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row a minute: requests, errors (bad requests), share (the true share
        of bad ones), incident (its place in `service.incidents`, or -1).

    Examples
    --------
    >>> month = simulate(Service(days=1, incidents=(Incident("outage", 60, 5, 1.0),)), seed=0)
    >>> month.query("incident == 0").index.tolist()
    [60, 61, 62, 63, 64]
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    minutes = service.days * 1440
    true, incident = np.full(minutes, service.errors), np.full(minutes, -1)
    for start in rng.integers(0, minutes, rng.poisson(service.spikes * service.days)):
        true[start : start + service.spike_minutes] = service.spike_errors
    for place, one in enumerate(service.incidents):
        true[one.start : one.start + one.minutes] = one.errors
        incident[one.start : one.start + one.minutes] = place
    requests = rng.poisson(service.traffic, minutes)
    return pd.DataFrame({"requests": requests, "errors": rng.binomial(requests, true), "share": true, "incident": incident})


def fires(history, policy):
    """In which minutes a policy fires.

    Parameters
    ----------
    history : DataFrame
        With columns requests and errors, one row a minute.
    policy : Policy

    Returns
    -------
    numpy.ndarray of bool

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.DataFrame({"requests": [10] * 5, "errors": [0, 0, 10, 0, 0]})
    >>> fires(day, Policy("two minutes", [[(2, 0.4)]])).tolist()
    [False, False, True, True, False]
    """
    requests, errors = (np.r_[0.0, history[name].to_numpy(dtype=float).cumsum()] for name in ("requests", "errors"))
    active = np.zeros(len(history), dtype=bool)
    for clause in policy.clauses:
        enough = _window(requests, max(minutes for minutes, _ in clause)) >= max(policy.least, 1)
        over = [_window(errors, minutes) > limit * _window(requests, minutes) for minutes, limit in clause]
        active |= np.logical_and.reduce([enough, *over])
    if policy.hold:
        active = _window(np.r_[0.0, np.cumsum(active)], policy.hold + 1) == policy.hold + 1
    return active


@dataclass(frozen=True)
class Score:
    """What a policy did over a history.

    Parameters
    ----------
    policy : str
    firings : int
        Times that it began to fire.
    precision : float or None
        Share of the firings that overlap an incident; None where it never fired.
    recall : float or None
        Share of the incidents that it told before they ended; None where there were none.
    detect, reset : tuple of (int or None)
        For each incident the minutes from its start to the first firing, and from
        its end to silence; None where the incident was missed.
    per_day : float
        Firings a day.
    duplicates : float or None
        Firings during an incident for each incident told.
    """

    policy: str
    firings: int
    precision: float | None
    recall: float | None
    detect: tuple[int | None, ...]
    reset: tuple[int | None, ...]
    per_day: float
    duplicates: float | None

    @property
    def median_detect(self):
        """Median minutes to detect, of the incidents told; None where it told none."""
        return _median(self.detect)

    @property
    def median_reset(self):
        """Median minutes to reset, of the incidents told; None where it told none."""
        return _median(self.reset)


def score(history, policy):
    """Judge every firing of a policy against the incidents of a history.

    Parameters
    ----------
    history : DataFrame
        As `simulate` returns it.
    policy : Policy

    Returns
    -------
    Score

    References
    ----------
    Beyer et al. (2018), The Site Reliability Workbook, chapter 5: the four attributes.

    Examples
    --------
    >>> service = Service(days=1, spikes=0, incidents=(Incident("outage", 60, 30, 1.0),))
    >>> told = score(simulate(service, seed=0), Policy("10 m over half", [[(10, 0.5)]]))
    >>> told.precision, told.recall, told.detect, told.reset
    (1.0, 1.0, (5,), (4,))
    """
    active = fires(history, policy)
    place = history["incident"].to_numpy()
    starts, ends = _runs(active)
    inside = np.r_[0, np.cumsum(place >= 0)]
    true = int((inside[ends] > inside[starts]).sum())
    spans = [(int(at[0]), int(at[-1]) + 1) for at in (np.flatnonzero(place == one) for one in range(place.max() + 1))]
    detect = tuple(_first(active, start, end) for start, end in spans)
    reset = tuple(None if found is None else _silent(active, end) for found, (_, end) in zip(detect, spans))
    told = sum(found is not None for found in detect)
    return Score(
        policy=policy.name,
        firings=len(starts),
        precision=true / len(starts) if len(starts) else None,
        recall=told / len(spans) if spans else None,
        detect=detect,
        reset=reset,
        per_day=len(starts) / (len(active) / 1440),
        duplicates=true / told if told else None,
    )


def compare(histories, policies):
    """Policies side by side, over as many months as there are.

    Parameters
    ----------
    histories : sequence of DataFrame
        Months of one service, as `simulate` returns them.
    policies : sequence of Policy

    Returns
    -------
    pandas.DataFrame
        One row a policy: firings a day, precision and recall over all months
        together, median minutes to detect and to reset. None where there is
        nothing to count.

    Examples
    --------
    >>> months = [simulate(Service(), seed) for seed in range(2)]
    >>> compare(months, [Policy("never", [[(1, 1.0)]])]).loc["never", ["firings", "recall"]].tolist()
    [0.0, 0.0]
    """
    import pandas as pd

    rows = {policy.name: _together([score(history, policy) for history in histories]) for policy in policies}
    return pd.DataFrame.from_dict(rows, orient="index")


def _together(scores):
    firings = sum(one.firings for one in scores)
    true = sum(round(one.firings * (one.precision or 0)) for one in scores)
    detect = [found for one in scores for found in one.detect]
    told = sum(found is not None for found in detect)
    return {
        "firings": firings,
        "per_day": float(np.mean([one.per_day for one in scores])),
        "precision": true / firings if firings else None,
        "recall": told / len(detect) if detect else None,
        "detect": _median(detect),
        "reset": _median([silent for one in scores for silent in one.reset]),
    }


def _window(total, minutes):
    """Sums over the last so many minutes; at the beginning over as many as there are."""
    ends = np.arange(1, len(total))
    return total[1:] - total[np.maximum(ends - minutes, 0)]


def _runs(active):
    """Starts and ends (excluded) of each unbroken run of True."""
    edges = np.diff(np.r_[False, active, False].astype(int))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _first(active, start, end):
    found = np.flatnonzero(active[start:end])
    return int(found[0]) if found.size else None


def _silent(active, end):
    """Minutes after the end until the first one in which nothing fires."""
    quiet = np.flatnonzero(~active[end:])
    return int(quiet[0]) if quiet.size else len(active) - end


def _median(values):
    values = [value for value in values if value is not None]
    return float(np.median(values)) if values else None
