"""Objectives, error budgets, and how fast a budget burns.

An objective (SLO) promises a share of good events over some days. The rest is
the error budget. Its burn rate is the share of bad events over the share that
the budget allows: at 1 the budget lasts exactly the promised days, at 14.4 it
loses 2 % in an hour.

Times are seconds throughout.
"""
from __future__ import annotations

from dataclasses import dataclass

from mlmon._check import positive

MINUTE, HOUR, DAY = 60, 3600, 86400


def duration(seconds):
    """A length of time as Prometheus writes it, in the largest unit that divides it.

    Examples
    --------
    >>> duration(HOUR), duration(90), duration(0.2), duration(3 * DAY)
    ('1h', '90s', '200ms', '3d')
    """
    thousandths = round(1000 * seconds)
    if thousandths < 1:
        raise ValueError(f"seconds needs at least a thousandth, got {seconds!r}. Prometheus counts in milliseconds.")
    units = (("d", 1000 * DAY), ("h", 1000 * HOUR), ("m", 1000 * MINUTE), ("s", 1000), ("ms", 1))
    unit, size = next((unit, size) for unit, size in units if thousandths % size == 0)
    return f"{thousandths // size}{unit}"


@dataclass(frozen=True)
class Pace:
    """How often Prometheus looks, and how much faster than in earnest its windows run.

    At speed 60 an hour of the rules is a minute of the clock. So the same rules
    can be watched while they work, in a notebook or in a test.

    Parameters
    ----------
    speed : float
        1 in earnest.
    scrape : float
        Seconds between two scrapes, and between two evaluations of the rules.

    Examples
    --------
    >>> Pace().window(HOUR), Pace(speed=600, scrape=0.2).window(HOUR), Pace(speed=600, scrape=0.2).window(MINUTE)
    ('1h', '6s', '800ms')
    """

    speed: float = 1.0
    scrape: float = 15.0

    def __post_init__(self):
        positive(self.speed, "speed")
        positive(self.scrape, "scrape")

    def seconds(self, seconds):
        """Seconds of the clock for these seconds of the rules."""
        return seconds / self.speed

    def range(self, seconds):
        """Seconds of the clock for a window: at least four scrapes, or `rate` has too little to go by."""
        return max(self.seconds(seconds), 4 * self.scrape)

    def window(self, seconds):
        """`range` as Prometheus writes it."""
        return duration(self.range(seconds))

    def hold(self, seconds):
        """`seconds` as Prometheus writes it; for ``for:`` and waiting times."""
        return duration(self.seconds(seconds)) if seconds else "0s"


@dataclass(frozen=True)
class SLO:
    """A promise about the share of good events, and the PromQL that measures it.

    Parameters
    ----------
    name : str
        In CamelCase; names the alerts and their runbook.
    objective : float
        Promised share of good events, between 0 and 1 (both excluded).
    bad, events : str
        PromQL of the bad events and of all events per second, summed by model,
        with ``$window`` where the length of the window goes.
    promise : str
        The objective in words, for those who read the alert.
    panel : str
        Title of the dashboard's panel that shows it.
    days : int
        Over how many days the promise holds.
    least : int
        Fewer events than this in the long window decide nothing.

    Examples
    --------
    >>> slo = SLO("Requests", 0.995, "sum(rate(bad_total[$window]))", "sum(rate(all_total[$window]))", "...", "Errors")
    >>> round(slo.budget, 6)
    0.005
    """

    name: str
    objective: float
    bad: str
    events: str
    promise: str
    panel: str
    days: int = 30
    least: int = 100

    def __post_init__(self):
        if not 0 < self.objective < 1:
            raise ValueError(f"objective needs a share above 0 and below 1, got {self.objective!r}. A promise of 1 has no budget.")
        for part in ("bad", "events"):
            if "$window" not in getattr(self, part):
                raise ValueError(f"{part} needs $window where its window goes, got {getattr(self, part)!r}. "
                                 "Write rate(metric[$window]).")

    @property
    def budget(self):
        """Share of events that may go wrong."""
        return 1 - self.objective

    def ratio(self, window):
        """PromQL of the share of bad events over a window such as "5m"; without events it is absent, not 0 / 0.

        Examples
        --------
        >>> slo = SLO("R", 0.995, "rate(bad[$window])", "rate(all[$window])", "...", "Errors")
        >>> slo.ratio("5m")
        '(rate(bad[5m]) or 0 * rate(all[5m])) / (rate(all[5m]) > 0)'
        """
        bad, events = (part.replace("$window", window) for part in (self.bad, self.events))
        return f"({bad} or 0 * {events}) / ({events} > 0)"

    def burn(self, errors):
        """Burn rate of a share of bad events.

        Examples
        --------
        >>> slo = SLO("R", 0.995, "rate(bad[$window])", "rate(all[$window])", "...", "Errors")
        >>> round(slo.burn(0.05), 6)
        10.0
        """
        return errors / self.budget


@dataclass(frozen=True)
class BurnRule:
    """Fire while the budget burns `factor` times too fast, over a long and over a short window.

    The long window makes sure that it matters, the short one that it still goes on.

    Parameters
    ----------
    severity : {"page", "ticket"}
    factor : float
        Burn rate from which on it fires.
    long, short : float
        Seconds.

    References
    ----------
    Beyer et al. (2018), The Site Reliability Workbook, chapter 5.
    """

    severity: str
    factor: float
    long: float
    short: float

    def spends(self, days=30):
        """Share of the budget that is gone when the rule fires at its own factor.

        Examples
        --------
        >>> [round(rule.spends(), 3) for rule in RULES]
        [0.02, 0.05, 0.1, 0.1]
        """
        return self.factor * self.long / (days * DAY)


# The workbook's rules for a promise over 30 days.
RULES = (
    BurnRule("page", 14.4, HOUR, 5 * MINUTE),
    BurnRule("page", 6, 6 * HOUR, 30 * MINUTE),
    BurnRule("ticket", 3, DAY, 2 * HOUR),
    BurnRule("ticket", 1, 3 * DAY, 6 * HOUR),
)


def time_to_detect(burn, rules, *, lasts=float("inf"), background=0.0):
    """Seconds from the start of a fault until the first of some rules fires.

    The window average of a fault of burn rate `burn` over a background grows in a
    line, and reaches the factor after ``long * (factor - background) / (burn - background)``.

    Parameters
    ----------
    burn : float
        Burn rate while the fault lasts.
    rules : sequence of BurnRule
    lasts : float
        Seconds that the fault lasts.
    background : float
        Burn rate before it, for at least the longest window.

    Returns
    -------
    float or None
        None where no rule ever fires.

    Examples
    --------
    >>> time_to_detect(40, RULES[:1]) / MINUTE
    21.6
    >>> time_to_detect(2, RULES[:2]) is None
    True
    """
    times = [_reaches(rule.factor, burn, rule.long, background) for rule in rules]
    found = [time for time in times if time is not None and time <= lasts]
    return min(found, default=None)


def time_to_reset(burn, rules, *, lasts=float("inf"), background=0.0):
    """Seconds from the end of a fault until the last of its rules is silent.

    A rule is silent as soon as one of its windows is back under the factor. That
    is the short one, ``short * (burn - factor) / (burn - background)`` after the end.

    Returns
    -------
    float or None
        None where no rule fires during the fault.

    Examples
    --------
    >>> round(time_to_reset(40, RULES[:1]) / MINUTE, 2)      # 5 minutes * (40 - 14.4) / 40
    3.2
    >>> round(time_to_reset(40, RULES[:2]) / MINUTE, 2)      # the rule of 30 minutes lasts longer
    25.5
    """
    fired = [rule for rule in rules if time_to_detect(burn, [rule], lasts=lasts, background=background) is not None]
    return max((rule.short * (burn - rule.factor) / (burn - background) for rule in fired), default=None)


def _reaches(factor, burn, window, background):
    """Seconds until a window's average grows from the background to the factor, or None."""
    if background >= factor:
        return 0.0
    if burn < factor:
        return None
    return window * (factor - background) / (burn - background)
