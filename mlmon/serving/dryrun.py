"""Try metrics, queries, rules and routes on the tools of Prometheus and Alertmanager, without a server.

promtool holds the engine of Prometheus and a store that it fills with series from a file; amtool
reads a configuration as Alertmanager does. So a query is answered, a rule fires and an alert finds its
receiver as they would in earnest, within a tenth of a second, and months pass at once. What needs a server
is in `mlmon.serving.brief`.

Time begins at 0. Whoever gets text from a stranger may hand it on: the tools run with limits on time and
memory, in a folder of their own.
"""
import json
import re
import shutil
import subprocess
import tempfile
from math import isnan
from pathlib import Path

import yaml

from mlmon.serving.slo import duration

PACKAGES = {"promtool": "prometheus", "amtool": "alertmanager", "prometheus": "prometheus", "prometheus-alertmanager": "alertmanager"}
LIMITS = 'ulimit -t 30; ulimit -v 4000000 2>/dev/null; exec "$@"'      # seconds of CPU; kilobytes, where the system can
PATIENCE = 60.0                                    # seconds of the clock
YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)      # the same, in C, is ten times as fast
_ASKED = re.compile(r'^ *expr: ".*# asked (\d+)", time: [^,]+,(?: err: (.*))?$')
_SAMPLE = re.compile(r'(\{(?:"(?:\\.|[^"\\])*"|[^"}])*\}|\w+) (\S+?)(?:, |$)')
_LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')


class ToolMissing(RuntimeError):
    """A tool is not on this machine, so nothing can be said; says how to get it."""


def ask(series, questions, *, every=15, rules=""):
    """What Prometheus answers.

    Parameters
    ----------
    series : dict of str to (str or sequence of float)
        By name and labels, as PromQL writes them. Values every `every` seconds: numbers, nan where a
        scrape is missing; or promtool's notation, as ``"0+15x240"``.
    questions : sequence of (str, float)
        PromQL, and seconds from the start.
    every : int
        Seconds.
    rules : str
        YAML of a file of rules that are evaluated as often.

    Returns
    -------
    list of list of (dict, float)
        For each question labels and value of each series of its answer.

    Raises
    ------
    ValueError
        In Prometheus' words: what it cannot read.
    ToolMissing

    Examples
    --------
    >>> series = {'requests_total{instance="a"}': "0+30x40", 'requests_total{instance="b"}': "0+15x40"}
    >>> ask(series, [("sum(rate(requests_total[5m]))", 600)])
    [[({}, 3.0)]]
    """
    tests = [{"expr": f"{promql}\n# asked {number}", "eval_time": _duration(seconds), "exp_samples": []}
             for number, (promql, seconds) in enumerate(questions)]
    inputs = [{"series": name, "values": _notation(values)} for name, values in series.items()]
    # An answer that is not the empty one expected is a failure to promtool, which shows it.
    test = {"interval": _duration(every), "input_series": inputs, "promql_expr_test": tests}
    plan = {"rule_files": ["rules.yml"] if rules else [], "evaluation_interval": _duration(every), "tests": [test]}
    if rules:
        plan["group_eval_order"] = _groups(rules)
    code, told = _run("promtool", "test", "rules", "plan.yml", files={"plan.yml": json.dumps(plan), "rules.yml": rules})      # JSON is YAML
    found, at = [[] for _ in questions], None
    for line in told.splitlines():
        if match := _ASKED.match(line):
            at = int(match[1])
            if match[2]:
                raise ValueError(f"{questions[at][0].strip()}: {match[2]}")
        elif line.startswith("        got:") and at is not None:
            found[at], at = _samples(line.removeprefix("        got:")), None
    if code and not any(found):
        raise ValueError(told.partition("FAILED:")[2].strip() or "promtool gave up on time or memory. Ask for less.")
    return found


def firing(rules, series, moments, *, every=60):
    """Which alerts fire, and when.

    Parameters
    ----------
    rules : str
        YAML of a file of rules, as Prometheus reads it.
    series : dict of str to (str or sequence of float)
    moments : sequence of float
        Seconds from the start.
    every : int
        Seconds between two scrapes, and between two evaluations.

    Returns
    -------
    list of list of dict
        For each moment the labels of each alert that fires, ``alertname`` among them.

    Raises
    ------
    ValueError, ToolMissing

    Examples
    --------
    >>> rules = "groups: [{name: up, rules: [{alert: Down, expr: up == 0, for: 2m, labels: {severity: page}}]}]"
    >>> firing(rules, {"up": "1 1 0x10"}, [120, 300])
    [[], [{'alertname': 'Down', 'severity': 'page'}]]
    """
    answers = ask(series, [('ALERTS{alertstate="firing"}', moment) for moment in moments], every=every, rules=rules)
    hidden = ("__name__", "alertstate")
    return [[{key: value for key, value in labels.items() if key not in hidden} for labels, _ in answer] for answer in answers]


def receivers(config, labels):
    """Names of the receivers that an alert with these labels reaches.

    Parameters
    ----------
    config : str
        Alertmanager's YAML.
    labels : dict of str to str

    Returns
    -------
    list of str

    Raises
    ------
    ValueError, ToolMissing

    Examples
    --------
    >>> receivers("route: {receiver: slack}\\nreceivers: [{name: slack}]", {"severity": "page"})
    ['slack']
    """
    words = [f"{name}={value}" for name, value in labels.items()]
    code, told = _run("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", *words, files={"alertmanager.yml": config})
    if code:
        raise ValueError(told.strip())
    return told.strip().splitlines()[-1].split(",")      # a warning stands before


def check_metrics(text):
    """What promtool has against the text of a scrape, line by line; empty when all is well.

    Examples
    --------
    >>> check_metrics("# HELP up Whether it is up.\\n# TYPE up gauge\\nup 1\\n")
    []
    """
    code, told = _run("promtool", "check", "metrics", text=text)
    return told.strip().splitlines() if code or told.strip() else []


def check_rules(rules):
    """What promtool has against a file of rules, line by line; empty when all is well.

    Examples
    --------
    >>> check_rules("groups: [{name: a, rules: [{alert: Down, expr: up ==}]}]") != []
    True
    """
    code, told = _run("promtool", "check", "rules", "rules.yml", files={"rules.yml": rules})
    return told.strip().splitlines() if code else []


def check_routes(config):
    """What amtool has against a configuration of Alertmanager, line by line; empty when all is well.

    Examples
    --------
    >>> check_routes("route: {receiver: nobody}\\nreceivers: [{name: slack}]") != []
    True
    """
    code, told = _run("amtool", "check-config", "alertmanager.yml", files={"alertmanager.yml": config})
    return told.strip().splitlines() if code else []


def history(scrapes):
    """Series from the texts of scrapes, one after the other.

    Parameters
    ----------
    scrapes : sequence of str
        What a service shows at ``/metrics``.

    Returns
    -------
    dict of str to list of float
        As `ask` takes it; nan where a scrape lacks a series.

    Examples
    --------
    >>> text = "# TYPE hits counter\\nhits_total{page=\\"a\\"} %d\\n"
    >>> history([text % 3, text % 5])
    {'hits_total{page="a"}': [3.0, 5.0]}
    """
    from prometheus_client.parser import text_string_to_metric_families

    found = {}
    for number, text in enumerate(scrapes):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                values = found.setdefault(_series(sample.name, sample.labels), [float("nan")] * len(scrapes))
                values[number] = float(sample.value)
    return found


def asker(series, *, every=15):
    """A stand-in for Prometheus' address, for `mlmon.plot.dashboard`.

    Parameters
    ----------
    series, every
        As in `ask`.

    Returns
    -------
    callable
        ``f(promql, start, end, step)`` gives a list of (labels, times, values).

    Examples
    --------
    >>> prometheus = asker({"up": "1x20"})
    >>> prometheus("up", 0, 60, 30)
    [({'__name__': 'up'}, [0.0, 30.0, 60.0], [1.0, 1.0, 1.0])]
    """

    def answer(promql, start, end, step):
        times = [start + step * number for number in range(int((end - start) / step + 1e-9) + 1)]
        lines = {}
        for moment, found in zip(times, ask(series, [(promql, moment) for moment in times], every=every)):
            for labels, value in found:
                line = lines.setdefault(tuple(labels.items()), ([], []))
                line[0].append(float(moment))
                line[1].append(value)
        return [(dict(labels), moments, values) for labels, (moments, values) in lines.items()]

    return answer


def program(*names):
    """Path of a program that has one of these names.

    Examples
    --------
    >>> program("promtool").endswith("promtool")
    True
    """
    for name in names:
        if path := shutil.which(name):
            return path
    raise ToolMissing(f"{names[0]} is needed for this, and it is not on this machine. It comes with {PACKAGES[names[0]]}: see `mlmon doctor`.")


def _run(tool, *words, files=None, text=None):
    """Run a tool in a folder of its own; its return code and words."""
    path = program(tool)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (files or {}).items():
            (Path(folder) / name).write_text(content, encoding="utf-8")
        command = ["sh", "-c", LIMITS, "sh", path, *words]
        stdin = {"stdin": subprocess.DEVNULL} if text is None else {"input": text.encode()}
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, timeout=PATIENCE, **stdin)
        except subprocess.TimeoutExpired:
            raise ValueError(f"{tool} was not done after {PATIENCE:.0f} seconds. Ask for less.") from None
    return done.returncode, done.stdout.decode(errors="replace").replace(folder + "/", "")


def _groups(rules):
    """Names of the groups of a file of rules, in its order, in which they are evaluated."""
    read = yaml.load(rules, YAML)
    groups = read.get("groups") if isinstance(read, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, dict) and "name" in group for group in groups):
        raise ValueError("rules need a list of groups, each with a name and rules. Begin with `groups:`.")
    return [str(group["name"]) for group in groups]


def _notation(values):
    return values if isinstance(values, str) else " ".join("_" if isnan(value) else f"{value:.10g}" for value in values)


def _series(name, labels):
    inner = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{name}{{{inner}}}" if inner else name


def _escaped(value):
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _duration(seconds):
    return duration(seconds) if seconds else "0s"


def _samples(text):
    """Labels and value of each series of a line that promtool prints."""
    return [({key: re.sub(r"\\(.)", r"\1", value) for key, value in _LABEL.findall(labels)}, float(number))
            for labels, number in _SAMPLE.findall(text.strip()) if labels != "nil"]
