"""Train again, or not, and why: the policy between what monitoring says and what training costs.

Drift alone is no reason. It may be harmless, and then a new model wins nothing; or the data is broken, and then a new model
learns the fault. So sound data comes first, then performance, seen or estimated; drift alone is for a person to look at.
"""
from dataclasses import dataclass
from enum import StrEnum

from mlmon import _check

DAY = 86_400.0
_VERDICTS = ("STABLE", "DRIFTED", "UNDECIDED")


class Action(StrEnum):
    """What to do now. RETRAIN trains; ROLL_BACK asks whether the version before is better, and goes back if so; TRIAGE and BLOCK ask for a person.

    Examples
    --------
    >>> Action.WAIT == "WAIT"
    True
    """

    RETRAIN = "RETRAIN"
    ROLL_BACK = "ROLL_BACK"
    WAIT = "WAIT"
    TRIAGE = "TRIAGE"
    BLOCK = "BLOCK"


@dataclass(frozen=True)
class Decision:
    """What to do, and why.

    Parameters
    ----------
    action : Action
    reason : str
    """

    action: Action
    reason: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known when the question comes up. Verdicts are those of `mlmon.drift`, or their names.

    Parameters
    ----------
    quality : {"STABLE", "DRIFTED", "UNDECIDED"}
        Of the data itself: schema, ranges, missing values, units. STABLE is sound, DRIFTED is broken.
    performance : verdict
        Seen, on mature labels: DRIFTED when it fell.
    estimated : verdict
        Before labels came.
    drift : verdict
        Of the inputs.
    labels : int
        Mature ones that a new model could learn from and the last one could not.
    now, trained : float
        Seconds since 1970: the present, and when the model in production was trained; None when there is no model yet.

    Examples
    --------
    >>> Evidence(now=0.0).quality
    'UNDECIDED'
    """

    quality: str = "UNDECIDED"
    performance: str = "UNDECIDED"
    estimated: str = "UNDECIDED"
    drift: str = "UNDECIDED"
    labels: int = 0
    now: float
    trained: float | None = None

    def __post_init__(self):
        for name in ("quality", "performance", "estimated", "drift"):
            _check.one_of(str(getattr(self, name)), _VERDICTS, name)
        _check.whole(self.labels, "labels")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When to train again.

    Parameters
    ----------
    labels : int
        Mature labels below which nothing is trained.
    cooldown : float
        Seconds after a training in which no other starts. A fall that is seen in them speaks against that training: the cure is the version before.
    schedule : float, optional
        Seconds after which a model is trained anew though nothing fell. None for never.

    Examples
    --------
    >>> policy = Policy(labels=500)
    >>> fell = Evidence(quality="STABLE", performance="DRIFTED", labels=800, now=20 * DAY, trained=0.0)
    >>> print(policy(fell).action, "-", policy(fell).reason)
    RETRAIN - performance fell; 800 mature labels
    >>> print(policy(Evidence(quality="STABLE", performance="STABLE", drift="DRIFTED", now=20 * DAY, trained=0.0)).action)
    TRIAGE
    """

    labels: int = 1000
    cooldown: float = 7 * DAY
    schedule: float | None = 30 * DAY

    def __post_init__(self):
        _check.whole(self.labels, "labels", 1)
        for name in ("cooldown", "schedule"):
            if getattr(self, name) is not None:
                _check.positive(getattr(self, name), name)

    def __call__(self, evidence):
        """The decision for this evidence.

        Returns
        -------
        Decision
        """
        if evidence.quality != "STABLE":
            broken = evidence.quality == "DRIFTED"
            return Decision(Action.BLOCK, "the data is broken: mend it first, a model would learn the fault" if broken
                            else "whether the data is sound is undecided, so nothing learns from it")
        why = self._why(evidence)
        if not why:
            return _without_cause(evidence)
        if evidence.trained is not None and evidence.now - evidence.trained < self.cooldown:
            fresh = f"{why}, and the last training was {_days(evidence.now - evidence.trained)} ago, within the cool-down of {_days(self.cooldown)}"
            return Decision(Action.ROLL_BACK if evidence.performance == "DRIFTED" else Action.WAIT, fresh)
        if evidence.labels < self.labels:
            return Decision(Action.WAIT, f"{why}, but {evidence.labels} mature labels are fewer than {self.labels}")
        return Decision(Action.RETRAIN, f"{why}; {evidence.labels} mature labels")

    def _why(self, evidence):
        reasons = [
            ("there is no model yet", evidence.trained is None),
            ("performance fell", evidence.performance == "DRIFTED"),
            ("estimated performance fell", evidence.estimated == "DRIFTED"),
            ("the schedule says so", None not in (evidence.trained, self.schedule) and evidence.now - evidence.trained >= self.schedule),
        ]
        return " and ".join(text for text, holds in reasons if holds)


def _without_cause(evidence):
    if evidence.drift == "DRIFTED":
        return Decision(Action.TRIAGE, "inputs drifted and no fall of performance is seen: find out why before anything is trained")
    if evidence.performance != "STABLE" and evidence.estimated != "STABLE":
        return Decision(Action.TRIAGE, "whether performance fell is undecided, seen and estimated: find labels")
    return Decision(Action.WAIT, "performance has not fallen, and no training is due")


def _days(seconds):
    return f"{seconds / DAY:.3g} d"
