"""Checks of exercise 4: a bench on which a pipeline runs, and what must be true of the record.

The bench holds a registry's aliases, a deployer and a notifier, and writes down what they are asked. A graded cell keeps it on
the trusted side: the student's functions reach it through callbacks, and its log is the evidence. As in
`mlmon.grading.checks`, each check returns in silence or raises AssertionError with one message.
"""
import copy
import json
import random
import re

from mlmon.grading import checks

STEPS = ("decide", "train", "validate", "deploy", "watch", "promote", "reject", "roll_back", "skip", "end")
OUTCOMES = ("PROMOTED", "REJECTED", "ROLLED_BACK", "SKIPPED")
ATTEMPTS, MOST = 3, 60
CASE = {"action": "RETRAIN", "approved": True, "canary": ["HOLD", "PROMOTE"], "champion": "7", "previous": "6", "crash": None}


class Bench:
    """The world of one run.

    Parameters
    ----------
    case : dict
        What differs from a run in which all goes well: "action" of the trigger, whether the gate "approved", the "canary"'s answers one
        after the other, the versions "champion" and "previous" (None for none), and a "crash": [service, "before" or "after", times]. Such a
        service dies before or after it did its work. "set_alias champion" dies on that alias alone.

    Attributes
    ----------
    log : list of list
        Each call: the service and its arguments.
    services : dict of str to callable

    Examples
    --------
    >>> bench = Bench({"champion": "3"})
    >>> bench.services["get_alias"]("champion")
    '3'
    >>> bench.log
    [['get_alias', 'champion']]
    """

    def __init__(self, case=None):
        self.case = {**CASE, **(case or {})}
        if unknown := self.case.keys() - CASE.keys():
            raise ValueError(f"A case knows {sorted(CASE)}, got {sorted(unknown)}. Leave them out.")
        self.aliases = {name: self.case[key] for name, key in (("champion", "champion"), ("previous_champion", "previous")) if self.case[key]}
        self.log, self.messages, self.running, self.trained = [], [], None, {}
        self.canary, self.deaths = list(self.case["canary"]), (self.case["crash"] or [None, None, 0])[2]
        names = ("decide", "train", "validate", "deploy", "watch", "withdraw", "get_alias", "set_alias", "notify")
        self.services = {name: self._service(name) for name in names}

    def record(self, outcome):
        """What is left to see when the run is over."""
        return copy.deepcopy({"outcome": outcome, "log": self.log, "aliases": self.aliases, "running": self.running, "messages": self.messages})

    def _service(self, name):
        def call(*args):
            self.log.append([name, *args])
            self._die(name, args, "before")
            value = getattr(self, f"_{name}")(*args)
            self._die(name, args, "after")
            return value
        return call

    def _die(self, name, args, when):
        crash = self.case["crash"]
        if crash and self.deaths and crash[0] in (name, f"{name} {args[0] if args else ''}") and crash[1] == when:
            self.deaths -= 1
            raise RuntimeError(f"{name} is out of order")

    def _decide(self):
        return {"action": self.case["action"], "reason": f"the trigger says {self.case['action']}"}

    def _train(self, run):
        return self.trained.setdefault(run, str(8 + len(self.trained)))      # the same run has the same version

    def _validate(self, version):
        return {"approved": self.case["approved"], "reason": "the gate is content" if self.case["approved"] else "worse than production"}

    def _deploy(self, version):
        self.running = version

    def _watch(self, version):
        return {"call": self.canary.pop(0) if len(self.canary) > 1 else self.canary[0], "reason": "the canary was looked at"}

    def _withdraw(self):
        self.running = None

    def _get_alias(self, name):
        return self.aliases.get(name)

    def _set_alias(self, name, version):
        checks._hold(isinstance(version, str), f"set_alias({name!r}, ...)", "be given a version as text", version, "")
        self.aliases[name] = version

    def _notify(self, text):
        checks._hold(isinstance(text, str), "notify", "be given text", text, "")
        self.messages.append(text)


def run(advance, clean_up, case=None):
    """Let a pipeline run on a bench, as a scheduler would: step by step, a step that died up to three times, then `clean_up`.

    Parameters
    ----------
    advance : callable
        ``advance(state, do)`` does the step ``state["step"]`` and gives the next state.
    clean_up : callable
        ``clean_up(state, do)`` after a step that died three times.
    case : dict
        As `Bench` takes it.

    Returns
    -------
    dict
        "outcome": of `OUTCOMES`, "CRASHED", or "UNFINISHED" after 60 steps; "log", "aliases", "running" (the version in the canary), "messages";
        "steps" in the order in which they ended.

    Raises
    ------
    AssertionError
        If a state is not what a scheduler can store.

    Examples
    --------
    >>> run(lambda state, do: {**state, "step": "end", "outcome": "SKIPPED"}, None)["outcome"]
    'SKIPPED'
    """
    bench, state, attempts, steps = Bench(case), {"run": "2026-11-27", "step": "decide"}, 0, []
    for _ in range(MOST):
        try:
            found = advance(copy.deepcopy(state), bench.services)
        except (RuntimeError, OSError) as error:
            if "out of order" not in str(error):
                raise
            attempts += 1
            if attempts == ATTEMPTS:
                if clean_up is not None:
                    try:
                        clean_up(copy.deepcopy(state), bench.services)
                    except RuntimeError as problem:
                        if "out of order" not in str(problem):
                            raise
                return {**bench.record("CRASHED"), "steps": steps}
            continue
        state, attempts = _state(found, f"advance at the step {state['step']!r}"), 0
        steps.append(state["step"])
        if state["step"] == "end":
            checks.keys(state, ["outcome"], "the last state")
            return {**bench.record(state["outcome"]), "steps": steps}
    return {**bench.record("UNFINISHED"), "steps": steps}


def _state(found, call):
    checks.keys(found, ["run", "step"], call)
    checks.plain(found, call, "A scheduler stores the state as JSON: no model, no function.")
    checks._hold(found["step"] in STEPS, f'{call}["step"]', f"be one of {list(STEPS)}", found["step"], "")
    size = len(json.dumps(found))
    checks._hold(size <= 4000, call, "give a small state", f"{size} characters", "Keep names and versions, no data.")
    return json.loads(json.dumps(found))


def record(got, want, call, slip=""):
    """A record says what it should, key by key.

    Examples
    --------
    >>> record({"outcome": "CRASHED"}, {"outcome": "REJECTED"}, "after a bad candidate", "Who asks the gate?")
    Traceback (most recent call last):
    ...
    AssertionError: after a bad candidate, outcome should be 'REJECTED', yours gives 'CRASHED'. Who asks the gate?
    """
    for key, value in want.items():
        checks.equal(got[key], value, f"{call}, {key}", slip)


def called(got, service):
    """The arguments of each call of a service, in order.

    Examples
    --------
    >>> called({"log": [["train", "monday"], ["withdraw"]]}, "withdraw")
    [[]]
    """
    return [entry[1:] for entry in got["log"] if entry[0] == service]


def catches(check, good, broken, call, slip=""):
    """A student's own check passes good pipelines and fails each broken one; they come one at a time, in random order.

    Parameters
    ----------
    check : callable
        ``check(run)`` raises AssertionError when the pipeline behind ``run(case)`` is broken.
    good, broken : dict of str to callable
        ``run`` by what the pipeline does.

    Examples
    --------
    >>> def check(run):
    ...     assert run({}) == "fine"
    >>> catches(check, {"a good one": lambda case: "fine"}, {"one that lies": lambda case: "no"}, "check")
    >>> catches(lambda run: None, {}, {"one that lies": lambda case: "no"}, "check", "Call run.")
    Traceback (most recent call last):
    ...
    AssertionError: check should fail a pipeline that is broken: one that lies. It passes. Call run.
    """
    order = [(name, function, False) for name, function in good.items()] + [(name, function, True) for name, function in broken.items()]
    random.SystemRandom().shuffle(order)
    for name, function, is_broken in order:
        try:
            check(function)
            failed = None
        except (NotImplementedError, NameError):      # not written yet
            raise
        except Exception as error:      # a test that errs is red as well
            failed = f"{type(error).__name__}: {error}"
        if is_broken and failed is None:
            raise AssertionError(f"{call} should fail a pipeline that is broken: {name}. It passes. {slip}".rstrip())
        if not is_broken and failed is not None:
            raise AssertionError(f"{call} should pass a pipeline that is right: {name}. It fails, with: {failed[:200]}. Do you ask for more than the text does?")


def page(text, sections, call):
    """The sections of a page in Markdown: all there, in their order, fifteen words or more in each.

    Returns
    -------
    dict of str to str
        Text by section.

    Examples
    --------
    >>> page("# A\\n## Limits\\nNone.", ["Limits"], "page()")
    Traceback (most recent call last):
    ...
    AssertionError: the section 'Limits' of page() should have fifteen words or more, yours gives 'None.'.
    """
    checks._hold(isinstance(text, str), call, "give text", text, "Did you forget to return it?" if text is None else "")
    parts = re.split(r"(?m)^## +(.+?) *$", text)
    found = dict(zip(parts[1::2], (part.strip() for part in parts[2::2])))
    named = [name for name in found if name in sections]
    checks._hold(named == list(sections), call, f"have the sections {list(sections)}, in this order, each under ##", list(found), "")
    for name in sections:
        checks._hold(len(found[name].split()) >= 15, f"the section {name!r} of {call}", "have fifteen words or more", found[name], "")
    return found


class Script:
    """What the module `pipeline` of a DAG file holds: steps that follow a script, and a log of who called what.

    Parameters
    ----------
    path : list of str
        The steps in their order, "watch" as often as it is to be looked at.
    dies : str
        A step that raises, each time.

    Examples
    --------
    >>> script = Script(["decide", "skip"])
    >>> script.advance("monday", "decide"), script.advance("monday", "decide"), script.advance("monday", "skip")
    ('skip', 'skip', 'end')
    >>> script.done
    ['decide', 'skip']
    """

    def __init__(self, path, dies=None):
        self.path, self.dies, self.done, self.tried, self.cleaned, self.runs = list(path), dies, [], [], 0, set()

    def where(self, run):
        """The next step."""
        self.runs.add(str(run))
        return self.path[len(self.done)] if len(self.done) < len(self.path) else "end"

    def advance(self, run, step):
        """Do a step if it is the next one; the step that is next then."""
        self.tried.append(step)
        if step == self.dies and step == self.where(run):
            raise RuntimeError(f"{step} is out of order")
        if step == self.where(run):
            self.done.append(step)
        return self.where(run)

    def clean_up(self, run):
        """Take the candidate off the traffic."""
        self.runs.add(str(run))
        self.cleaned += 1

    @property
    def functions(self):
        """By name, as `mlmon.grading.rehearsal.rehearse` takes them."""
        return {"advance": self.advance, "where": self.where, "clean_up": self.clean_up}
