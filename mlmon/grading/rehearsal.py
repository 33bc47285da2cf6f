"""A rehearsal of an Airflow DAG in milliseconds: the file is run on a stand-in for Airflow, its tasks in order, by their rules.

It stands in for what the course teaches and no more: `dag`, `DAG`, `task` (plain, ``.branch``, ``.sensor``), `TriggerRule`,
`PokeReturnValue` and `chain` of ``airflow.sdk``, and the Python operators. ``tests/grading/test_ex4_airflow.py`` runs the same files
in a real Airflow, and holds both to the same states.
"""
import sys
from contextlib import contextmanager
from inspect import signature
from types import ModuleType, SimpleNamespace

POKES = 30      # of one sensor, before its time is up
_DEFAULTS = {"retries": 0, "trigger_rule": "all_success", "mode": "poke", "timeout": None, "poke_interval": 60}
_RULES = ("all_success", "all_failed", "all_done", "one_success", "one_failed", "none_failed", "none_failed_min_one_success", "none_skipped", "always")
_BAD = ("failed", "upstream_failed")


def rehearse(text, run, **functions):
    """Read a DAG file and let its one DAG run.

    Parameters
    ----------
    text : str
        The file.
    run : str
        Id of the run.
    **functions
        What the module `pipeline` holds, from which the file imports.

    Returns
    -------
    dict
        "dag": its settings; "tasks": kind, rule, retries, mode and upstream of each; "states": what became of each;
        "run": the run's own state, which follows the leaves; "early": calls of the functions while the file was only read. Plain data.

    Raises
    ------
    Exception
        Whatever the file raises when Airflow would read it.

    Examples
    --------
    >>> text = '''
    ... from airflow.sdk import dag, task
    ... from pipeline import work
    ... @dag(schedule="@daily")
    ... def small():
    ...     @task
    ...     def one():
    ...         work()
    ...     one()
    ... small()
    ... '''
    >>> rehearse(text, "monday", work=lambda: None)["states"]
    {'one': 'success'}
    """
    scene, early, reading = _Scene(), [], [True]

    def counted(name, function):
        def call(*args, **kwargs):
            if reading:
                early.append(name)
            return function(*args, **kwargs)
        return call

    with _modules(scene, {name: counted(name, function) for name, function in functions.items()}):
        exec(compile(text, "the DAG file", "exec"), {"__name__": "the_dag"})
        if len(scene.dags) != 1:
            raise ValueError(f"A DAG file needs one DAG that is called, got {len(scene.dags)}. Is the decorated function called on the last line?")
        found = scene.dags[0]
        reading.clear()
        states = _run(found, run)
    leaves = [states[name] for name, one in found.tasks.items() if not one.below()]
    return {
        "dag": {key: found.settings.get(key) for key in ("schedule", "catchup", "max_active_runs")},
        "tasks": {name: {"kind": one.kind, "trigger_rule": one.settings["trigger_rule"], "retries": one.settings["retries"],
                         "mode": one.settings["mode"], "timeout": one.settings["timeout"] is not None, "up": sorted(one.up)} for name, one in found.tasks.items()},
        "states": states,
        "early": len(early),
        "run": "failed" if any(state in _BAD for state in leaves) else "success",
    }


# ------------------------------------------------------------------ a run


def _run(found, run):
    states, given, left, skipped = {}, {}, dict(found.tasks), set()
    while ready := [name for name, one in left.items() if one.up <= states.keys()]:
        for name in ready:
            one = left.pop(name)
            states[name] = "skipped" if name in skipped else _by_rule(one.settings["trigger_rule"], [states[up] for up in one.up])
            if states[name] is None:
                states[name], given[name] = _tried(one, run, given)
                if states[name] == "success" and one.kind == "branch":
                    skipped |= _left_out(one, set(_names(given[name])))
    if left:
        raise ValueError(f"The tasks {sorted(left)} wait for each other in a circle.")
    return {name: states[name] for name in found.tasks}


def _by_rule(rule, above):
    """What a task becomes without being run; None when it runs."""
    failed, skipped, good = sum(state in _BAD for state in above), above.count("skipped"), above.count("success")
    if not above or rule in ("all_done", "always"):
        return None
    if rule == "all_success":
        return "upstream_failed" if failed else "skipped" if skipped else None
    if rule in ("one_success", "none_failed_min_one_success"):
        if good and (rule == "one_success" or not failed):
            return None
        return "upstream_failed" if failed else "skipped"
    if rule == "none_failed":
        return "upstream_failed" if failed else None
    runs = {"one_failed": failed > 0, "all_failed": failed == len(above), "none_skipped": not skipped}[rule]
    return None if runs else "skipped"


def _tried(one, run, given):
    """How a task that runs ends, and what it gives."""
    for _ in range(1 + int(one.settings["retries"] or 0)):
        try:
            told = _poked(one, run, given) if one.kind == "sensor" else one.call(run, given)
            if one.kind == "branch" and not set(_names(told)) <= one.dag.tasks.keys():
                raise ValueError(f"{one.name} chose {told!r}, which is no task of the DAG")
            return "success", told
        except Exception:
            continue
    return "failed", None


def _poked(one, run, given):
    for _ in range(POKES):
        told = one.call(run, given)
        if told.is_done if isinstance(told, _Poke) else told:
            return told.xcom_value if isinstance(told, _Poke) else None
    raise TimeoutError(f"{one.name} was never done")


def _names(told):
    return [told] if isinstance(told, str) else [] if told is None else list(told)


def _left_out(one, chosen):
    """What a branch skips: the tasks below it that it did not choose, but for those that also lie below a chosen one."""
    reached, new = set(), chosen
    while new:
        reached |= new
        new = {name for each in new for name in one.dag.tasks[each].below()} - reached
    return one.below() - reached


# ------------------------------------------------------------------ what a DAG file imports


class _Task:
    def __init__(self, scene, kind, function, settings, args=(), kwargs=None):
        self.dag, self.kind, self.function, self.args, self.kwargs, self.up = scene.open[-1], kind, function, args, kwargs or {}, set()
        name = settings.pop("task_id", None) or function.__name__
        if name in self.dag.tasks:
            raise ValueError(f"The DAG has two tasks of the name {name}.")
        self.name = name
        self.settings = {**_DEFAULTS, **self.dag.settings.get("default_args", {}), **settings}
        if str(self.settings["trigger_rule"]) not in _RULES:
            raise ValueError(f"{self.settings['trigger_rule']!r} is no trigger rule of Airflow's.")
        self.settings["trigger_rule"] = str(self.settings["trigger_rule"])
        self.dag.tasks[name] = self
        for value in (*args, *self.kwargs.values()):
            if isinstance(value, _Task):
                self.up.add(value.name)

    def call(self, run, given):
        """Call its function, with the context that it asks for by name."""
        value = lambda each: given.get(each.name) if isinstance(each, _Task) else each
        context = {"dag_run": SimpleNamespace(run_id=run, conf={}), "run_id": run}
        wanted = signature(self.function).parameters
        whole = any(parameter.kind is parameter.VAR_KEYWORD for parameter in wanted.values())
        named = {key: each for key, each in context.items() if key in wanted or whole}
        return self.function(*map(value, self.args), **{**named, **{key: value(each) for key, each in self.kwargs.items()}})

    def below(self):
        """Names of the tasks right below it."""
        return {name for name, other in self.dag.tasks.items() if self.name in other.up}

    def set_downstream(self, others):
        for other in _many(others):
            other.up.add(self.name)

    def __rshift__(self, others):
        self.set_downstream(others)
        return others

    def __lshift__(self, others):
        for other in _many(others):
            other.set_downstream(self)
        return others

    def __rrshift__(self, others):
        self.__lshift__(others)
        return self

    def __rlshift__(self, others):
        self.set_downstream(others)
        return self


class _Poke:
    def __init__(self, is_done, xcom_value=None):
        self.is_done, self.xcom_value = is_done, xcom_value


class _Dag:
    known = {"dag_id", "schedule", "start_date", "end_date", "catchup", "max_active_runs", "default_args", "tags", "description", "doc_md",
             "dagrun_timeout", "params", "max_consecutive_failed_dag_runs", "is_paused_upon_creation", "dag_display_name", "fail_fast"}

    def __init__(self, scene, settings):
        if unknown := sorted(settings.keys() - self.known):
            raise TypeError(f"DAG.__init__() got an unexpected keyword argument {unknown[0]!r}")
        self.scene, self.settings, self.tasks = scene, settings, {}

    def __enter__(self):
        self.scene.open.append(self)
        return self

    def __exit__(self, kind, *_):
        self.scene.open.pop()
        if kind is None:
            self.scene.dags.append(self)


class _Scene:
    def __init__(self):
        self.open, self.dags = [], []

    def dag(self, function=None, **settings):
        """The decorator, with its settings or bare."""
        def decorate(body):
            def build(*args, **kwargs):
                with _Dag(self, settings) as made:
                    body(*args, **kwargs)
                return made
            return build
        return decorate(function) if callable(function) else decorate

    def kind(self, kind):
        """A decorator of tasks."""
        def decorator(function=None, **settings):
            def decorate(body):
                return lambda *args, **kwargs: _Task(self, kind, body, dict(settings), args, kwargs)
            return decorate(function) if callable(function) else decorate
        return decorator

    def operator(self, kind):
        """A Python operator."""
        def make(*, task_id, python_callable, op_args=(), op_kwargs=None, **settings):
            return _Task(self, kind, python_callable, {"task_id": task_id, **settings}, tuple(op_args), op_kwargs)
        return make


def _many(tasks):
    return tasks if isinstance(tasks, (list, tuple)) else [tasks]


def _chain(*tasks):
    for one, other in zip(tasks, tasks[1:]):
        for each in _many(one):
            each.set_downstream(other)


@contextmanager
def _modules(scene, functions):
    """The modules that the file may import, for as long as it is rehearsed."""
    rules = SimpleNamespace(**{name.upper(): name for name in _RULES})
    task = scene.kind("plain")
    task.branch, task.sensor = scene.kind("branch"), scene.kind("sensor")
    made = {
        "pipeline": functions,
        "airflow": {},
        "airflow.sdk": {"dag": scene.dag, "DAG": lambda dag_id=None, **settings: _Dag(scene, {"dag_id": dag_id, **settings}), "task": task,
                        "TriggerRule": rules, "PokeReturnValue": _Poke, "chain": _chain},
        "airflow.providers": {}, "airflow.providers.standard": {}, "airflow.providers.standard.operators": {}, "airflow.providers.standard.sensors": {},
        "airflow.providers.standard.operators.python": {"PythonOperator": scene.operator("plain"), "BranchPythonOperator": scene.operator("branch")},
        "airflow.providers.standard.sensors.python": {"PythonSensor": scene.operator("sensor")},
    }
    before = {name: sys.modules.get(name) for name in made}
    for name, holds in made.items():
        module = sys.modules[name] = ModuleType(name)
        module.__path__ = []
        vars(module).update(holds)
    try:
        yield
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
