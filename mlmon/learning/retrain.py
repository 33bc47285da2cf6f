"""The whole cycle: decide, train, validate, canary, then promote, reject or roll back. Each step a plain function of a state.

A step does what it does under the id of its run, so that doing it twice changes nothing: it dies anywhere, is started again, and goes
on. Production is touched by one write of one step, `promote`.
"""
import json
import os
import time
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

from mlmon import _check
from mlmon.learning.canary import Call, Plan, judge
from mlmon.learning.trigger import DAY, Action
from mlmon.learning.validate import Gate, assess, paired_delong, scorer

ATTEMPTS = 3        # of one step, before its run is given up
END = "end"


@dataclass(frozen=True)
class State:
    """Where a run stands. Small and plain, so that it can be written down after every step.

    Parameters
    ----------
    run : str
    step : str
        The next one, of `STEPS`; "end" when there is none.
    outcome : str
        Of a run that has ended: "PROMOTED", "REJECTED", "ROLLED_BACK" (the canary), "RESTORED" (the version before), "SKIPPED",
        "CRASHED"; else empty.
    action : str
        What the trigger said: an `Action`.
    version : str
        Of the candidate.
    better : bool
        Than the anchor, beyond chance.
    since : float
        When its canary began, in seconds since 1970.
    attempts : int
        Of the next step, that have not ended.
    reasons : tuple of str
        One sentence of each step that decided something.

    Examples
    --------
    >>> State("2026-11-27").step
    'decide'
    """

    run: str
    step: str = "decide"
    outcome: str = ""
    action: str = ""
    version: str | None = None
    better: bool = False
    since: float | None = None
    attempts: int = 0
    reasons: tuple = ()

    def to(self, step, reason="", **changes):
        """The state after a step."""
        return replace(self, step=step, reasons=self.reasons + ((reason,) if reason else ()), **changes)


@dataclass(frozen=True, kw_only=True)
class World:
    """All that a cycle works with, handed in.

    Parameters
    ----------
    registry : mlmon.learning.registry.Registry
    traffic : mlmon.learning.canary.Traffic
        Or anything that has its ``deploy``, ``withdraw`` and ``observed``.
    evidence : callable
        ``evidence() -> mlmon.learning.trigger.Evidence``.
    should_retrain : callable
        ``should_retrain(evidence) -> Decision``, such as a `Policy`.
    data : callable
        ``data() -> Split``.
    train : callable
        ``train(holdout) -> fitted classifier``, of ``Split.train``.
    gate : Gate
    plan : Plan
    lease : float
        Seconds after the last look at which a canary ends by itself.
    longest : float
        Seconds that a canary may stay undecided.
    notify : callable
        ``notify(text)``: every end of a run but a quiet one is told.
    clock, stopwatch : callable
        Seconds since 1970; seconds for latency.
    """

    registry: object
    traffic: object
    evidence: object
    should_retrain: object
    data: object
    train: object
    gate: Gate = field(default_factory=Gate)
    plan: Plan = field(default_factory=Plan)
    lease: float = 2 * 3600.0
    longest: float = 14 * DAY
    notify: object = print
    clock: object = time.time
    stopwatch: object = time.perf_counter


# --- steps: state and world in, state out -----------------------------------------------------------------

def decide(state, world):
    """Ask the trigger."""
    decision = world.should_retrain(world.evidence())
    step = {Action.RETRAIN: "train", Action.ROLL_BACK: "restore"}.get(decision.action, "skip")
    return state.to(step, decision.reason, action=str(decision.action))


def train(state, world):
    """Train on what is mature and not held out, and store the candidate."""
    version = world.registry.version_of(state.run)
    if version is None:
        version = world.registry.register(world.train(world.data().train), run=state.run, note=state.reasons[-1] if state.reasons else "")
    return state.to("validate", version=version)


def check(state, world):
    """Load the candidate as production would, and hold it against production and the anchor."""
    registry, parts = world.registry, world.data()
    aliases = registry.aliases
    models = [_loaded(registry, version) for version in (state.version, aliases.get("champion"), aliases.get("anchor"))]
    used = registry.count_use(parts.locked.fingerprint, state.version, run=state.run)
    found = assess(*models, recent=parts.recent, locked=parts.locked, gate=world.gate, used=used, clock=world.stopwatch)
    if not found.approved:
        return state.to("reject", found.reason)
    return state.to("promote" if found.rubber_stamped else "deploy", found.reason, better=found.better_than_anchor)


def deploy(state, world):
    """Give the candidate its share of the traffic."""
    world.registry.challenge(state.version, run=state.run)
    _renew(state, world)
    return state.to("watch", since=state.since if state.since is not None else world.clock())


def watch(state, world):
    """Look at the canary once. The state stays the same while there is nothing to say."""
    found = judge(world.traffic.observed(state.run), world.plan)
    if found.call is Call.HOLD and world.clock() - state.since > world.longest:
        return state.to("roll_back", f"canary, UNDECIDED for too long, which is no permission: {found.reason}")
    if found.call is Call.HOLD:
        _renew(state, world)
        return state
    return state.to("promote" if found.call is Call.PROMOTE else "roll_back", f"canary, {found.requests} requests and {found.labels} labels: {found.reason}")


def promote(state, world):
    """Make the candidate the champion, and the anchor too if it is the first or better than the anchor."""
    world.registry.promote(state.version, run=state.run, note=state.reasons[-1] if state.reasons else "")
    if state.better or world.registry.anchor is None:
        world.registry.anchor_at(state.version, run=state.run)
    world.traffic.withdraw(state.run)
    return _ended(state, world, "PROMOTED")


def reject(state, world):
    """Leave production as it is, and say why."""
    return _ended(state, world, "REJECTED")


def roll_back(state, world):
    """Take the traffic from the candidate. Production was never touched."""
    world.traffic.withdraw(state.run)
    world.registry.withdraw(run=state.run, note=state.reasons[-1])
    return _ended(state, world, "ROLLED_BACK")


def restore(state, world):
    """Bring back the version before, if it is better today: where the world has changed, it fares no better, and stays where it is."""
    registry, recent = world.registry, world.data().recent
    if not registry.began(state.run, "roll_back"):
        before, now = (_loaded(registry, registry.aliases.get(alias)) for alias in ("previous_champion", "champion"))
        if before is None:
            return state.to("skip", "there is no version before to go back to", action=str(Action.TRIAGE))
        found = paired_delong(recent.y, before(recent.rows), now(recent.rows), confidence=1 - 2 * world.gate.alpha)
        if found.finding != "WORSE":
            return state.to("skip", f"the version before is not shown to be better: {found.reason}", action=str(Action.TRIAGE))
    registry.roll_back(run=state.run, note=state.reasons[-1])
    return _ended(state, world, "RESTORED")


def skip(state, world):
    """Do nothing, and say so where a person should look."""
    return _ended(state, world, "SKIPPED", quiet=state.action == Action.WAIT)


STEPS = {
    "decide": decide, "train": train, "validate": check, "deploy": deploy, "watch": watch,
    "promote": promote, "reject": reject, "roll_back": roll_back, "restore": restore, "skip": skip,
}


def _loaded(registry, version):
    """The model of a version, loaded when it is first asked: if that fails, the gate sees it."""
    load = cache(lambda: scorer(registry.load(version)))
    return None if version is None else lambda rows: load()(rows)


def _renew(state, world):
    world.traffic.deploy(state.run, state.version, world.plan, until=world.clock() + world.lease)


def _ended(state, world, outcome, quiet=False):
    if not quiet:
        world.notify(f"{outcome} {state.action or ''} run {state.run}, version {state.version}: {state.reasons[-1] if state.reasons else 'no reason'}".replace("  ", " "))
    return state.to(END, outcome=outcome)


class ContinuousLearningPipeline:
    """The cycle with its state in a file: safe to kill anywhere, and to call again.

    Parameters
    ----------
    world : World
    path : str or path
        A JSON file, written anew about every step, at once or not at all.

    Attributes
    ----------
    state : State
        Of the present or the last run; None before the first.
    """

    def __init__(self, world, path):
        self.world, self.path = world, Path(path)

    @property
    def state(self):
        if not self.path.exists():
            return None
        held = json.loads(self.path.read_text())
        return State(**{**held, "reasons": tuple(held["reasons"])})

    def begin(self, run):
        """Go on with a run that is unfinished, whatever its id; else begin this one.

        Returns
        -------
        State
        """
        if not isinstance(run, str) or not run:
            raise ValueError(f"run needs an id as text, got {run!r}. Pass one for each run, such as its date.")
        state = self.state
        if state is not None and (state.step != END or state.run == run):
            return state
        self._clear(run)
        return self._save(State(run))

    def step(self, name):
        """Do one step, if it is the next one; else nothing.

        A step that has died `ATTEMPTS` times is not tried again: its run ends as CRASHED, so that a candidate which kills every
        process does not stand in the way for ever.

        Returns
        -------
        State
        """
        _check.one_of(name, STEPS, "name")
        state = self.state
        if state is None:
            raise ValueError("step needs a run that has begun, got none. Call begin first.")
        if state.step != name:
            return state
        if state.attempts >= ATTEMPTS:
            self._clear(f"{state.run} given up")
            return self._save(_ended(state.to(name, f"{name} died {ATTEMPTS} times"), self.world, "CRASHED"))
        self._save(replace(state, attempts=state.attempts + 1))
        return self._save(replace(STEPS[name](state, self.world), attempts=0))

    def run(self, run):
        """All steps until the run has ended, or its canary has nothing to say yet.

        Returns
        -------
        State
        """
        state, before = self.begin(run), None
        while state.step != END and state != before:
            before, state = state, self.step(state.step)
        return state

    def pause(self):
        """Take the candidate off the traffic, as after a crash. Its canary goes on when the run is taken up."""
        self.world.traffic.withdraw()

    def _clear(self, run):
        """Put in order what a dead run may have left."""
        self.world.traffic.withdraw()
        self.world.registry.recover(run=run)
        self.world.registry.withdraw(run=run, note="left by a run that died")

    def _save(self, state):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with open(fresh, "w") as file:
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        return state
