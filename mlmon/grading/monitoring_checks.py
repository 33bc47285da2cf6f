"""Checks of exercise 1, on plain text and data: queries, a dashboard, rules, routes, runbooks.

As in `mlmon.grading.checks`, each returns in silence or raises AssertionError with one message: the call, what
it should give, what it gives, and the likely slip. Where text is meant for Prometheus or Alertmanager, their own
tools (`mlmon.serving.dryrun`) and servers (`mlmon.serving.brief`) judge it; without them nothing is judged, and `ToolMissing` says so.
"""
import json
import re
import tempfile
from math import isclose, isnan
from pathlib import Path
from types import SimpleNamespace

import yaml

from mlmon.grading import checks
from mlmon.grading.scrape_checks import text_of, written
from mlmon.serving import brief, dryrun, runbook

MOST_NODES = 20_000      # of a student's YAML, aliases counted out


def entry(got, key, call):
    """One value of a dict that has it.

    Examples
    --------
    >>> entry({"psi": "max(psi)"}, "psi", "queries()")
    'max(psi)'
    """
    checks.keys(got, [key], call)
    return got[key]


# ------------------------------------------------------------------ PromQL and dashboards


def answers(promql, known, want, call, slip="", *, at, within=0.02, every=15):
    """A query gives these series and no others, when Prometheus is asked.

    Parameters
    ----------
    promql : object
        The student's PromQL.
    known : dict of str to (str or sequence of float)
        The series there are, as `dryrun.ask` takes them.
    want : list of (dict, float)
        Labels and value of each series of the answer.
    call, slip : str
    at : float
        Seconds from the start.
    within : float
        Share by which a value may be off, or the value itself where it should be 0.

    Examples
    --------
    >>> answers("sum(up)", {"up": "1x9"}, [({}, 1)], "query", at=60)
    >>> answers("up", {'up{job="a"}': "1x9"}, [({}, 1)], "query", "Did you sum?", at=60)
    Traceback (most recent call last):
    ...
    AssertionError: query should give {} 1, yours gives {job="a"} 1. Did you sum?
    """
    promql = text_of(promql, call)
    try:
        found = [(_unnamed(labels), value) for labels, value in dryrun.ask(known, [(promql, at)], every=every)[0]]
    except ValueError as error:
        raise AssertionError(f"{call} should be PromQL that Prometheus can read, which says: {error}") from None
    want = [(labels, float(value)) for labels, value in want]
    have = {tuple(sorted(labels.items())): value for labels, value in found}
    right = len(found) == len(want) and all(
        _near(have.get(tuple(sorted(labels.items()))), value, within) for labels, value in want)
    if not right:
        raise AssertionError(f"{call} should give {_table(want)}, yours gives {_table(found)}. {slip}".rstrip())


def panels(board, call):
    """The panels of Grafana's JSON, rows left out; each with title, type and queries.

    Examples
    --------
    >>> panels({"title": "Churn", "panels": [{"type": "row", "title": "system"}]}, "my_dashboard()")
    []
    """
    checks.keys(board, ["title", "panels"], call)
    checks.plain(board, call)
    every = board["panels"] if isinstance(board["panels"], list) else None
    checks._hold(every is not None and all(isinstance(panel, dict) for panel in every), f'{call}["panels"]', "be a list of dicts", every, "")
    found = [panel for panel in every if panel.get("type") != "row"]
    for number, panel in enumerate(found):
        checks.keys(panel, ["title", "type", "targets"], f"panel {number + 1} of {call}")
        right = isinstance(panel["targets"], list) and panel["targets"] and all(
            isinstance(target, dict) and isinstance(target.get("expr"), str) for target in panel["targets"])
        checks._hold(right, f"the panel {panel['title']!r} of {call}", 'have targets, each with its PromQL under "expr"', panel["targets"], "")
    return found


def grafana_reads(board, call):
    """Grafana's own library reads a dashboard.

    Examples
    --------
    >>> grafana_reads({"title": "A", "panels": []}, "dashboard([])")
    """
    from grafana_foundation_sdk.models.dashboard import Dashboard

    try:
        Dashboard.from_json(json.loads(json.dumps(board)))
    except Exception as error:
        raise AssertionError(f"{call} should be a dashboard that Grafana can read, which says: {type(error).__name__}: {error}.") from None


def alive(found, known, call, slip="", *, at, every=15, most=60):
    """Each query of these panels has an answer of a running Prometheus: some series, not too many, none of them nan.

    Examples
    --------
    >>> alive([{"title": "Up", "targets": [{"expr": "upp"}]}], {"up": "1x9"}, "my_dashboard()", at=60)
    Traceback (most recent call last):
    ...
    AssertionError: the panel 'Up' of my_dashboard() should show something, its query upp gives nothing.
    """
    queries = [(panel["title"], target["expr"]) for panel in found for target in panel["targets"]]
    try:
        told = brief.ask(known, [(promql, at) for _, promql in queries], every=every)
    except ValueError as error:
        raise AssertionError(f"{call} should hold PromQL that Prometheus can read, which says: {error}") from None
    for (title, promql), answer in zip(queries, told):
        name = f"the panel {title!r} of {call}"
        if not answer or len(answer) > most or any(isnan(value) for _, value in answer):
            gives = f"more than {most} series" if len(answer) > most else _table(answer)
            raise AssertionError(f"{name} should show something, its query {promql} gives {gives}. {slip}".rstrip())


# ------------------------------------------------------------------ rules and routes


def rules(text, call):
    """The alerts of a file of rules that promtool has nothing against.

    Examples
    --------
    >>> rules("groups: [{name: a, rules: [{alert: Down, expr: up == 0}]}]", "rules()")
    [{'alert': 'Down', 'expr': 'up == 0'}]
    """
    read = _yaml(text, call)
    told = dryrun.check_rules(text)
    if told:
        raise AssertionError(f"{call} should be rules that Prometheus takes, promtool says: {'; '.join(told[2:5] or told)}.")
    return [rule for rule in _every_rule(read) if "alert" in rule]


def fires(text, name, known, moments, call, slip="", *, every=60, **labels):
    """An alert fires at the right severities, and is silent when it should be.

    Parameters
    ----------
    text : object
        The student's YAML.
    name : str
        Of the alert. Others are not looked at.
    known : dict
        The series there are, one value every `every` seconds.
    moments : dict of float to list of str
        For a second from the start, the severities at which it fires.
    call, slip : str
        The call in words: what happened.
    **labels
        That the alert must have when it fires.

    Examples
    --------
    >>> text = "groups: [{name: a, rules: [{alert: Down, expr: up == 0, labels: {severity: page}}]}]"
    >>> fires(text, "Down", {"up": "1 0x9"}, {0: [], 60: ["page"]}, "after a minute without an answer")
    >>> fires(text, "Down", {"up": "1 0x9"}, {60: []}, "after a minute without an answer", "Where is for?")
    Traceback (most recent call last):
    ...
    AssertionError: Down, after a minute without an answer, should be silent after 1 min, yours fires as page. Where is for?
    """
    if not any(rule.get("alert") == name for rule in _every_rule(_yaml(text, "your rules"))):
        raise AssertionError(f"your rules should have an alert of the name {name}, they have none. Names are compared letter by letter.")
    try:
        found = dryrun.firing(text, known, list(moments), every=every)
    except ValueError as error:
        raise AssertionError(f"your rules should be ones that Prometheus takes, which says: {error}") from None
    for (moment, want), alerts in zip(moments.items(), found):
        mine = [one for one in alerts if one.get("alertname") == name and labels.items() <= one.items()]
        have = sorted({one.get("severity", "none") for one in mine})
        if have != sorted(want):
            should = f"fire as {' and '.join(sorted(want))}" if want else "be silent"
            does = f"fires as {' and '.join(have)}" if have else "is silent"
            raise AssertionError(f"{name}, {call}, should {should} after {_minutes(moment)}, yours {does}. {slip}".rstrip())


def routing(text, call):
    """Alertmanager's configuration, read, when amtool has nothing against it.

    Examples
    --------
    >>> routing("route: {receiver: slack}\\nreceivers: [{name: slack}]", "alertmanager()")["route"]
    {'receiver': 'slack'}
    """
    read = _yaml(text, call)
    if isinstance(read, dict) and read.get("templates"):
        raise AssertionError(f"{call} should have no templates: files of its own are not handed in. Write the text where it is used.")
    told = dryrun.check_routes(text)
    if told:
        raise AssertionError(f"{call} should be a configuration that Alertmanager takes, amtool says: {told[0].partition('FAILED:')[2].strip() or told[0]}.")
    return read


def reaches(text, labels, want, call, slip=""):
    """An alert with these labels reaches receivers of these kinds, such as "slack" and "pagerduty".

    Examples
    --------
    >>> text = "route: {receiver: team}\\nreceivers: [{name: team, webhook_configs: [{url: 'http://localhost'}]}]"
    >>> reaches(text, {"severity": "page"}, ["webhook"], "alertmanager()")
    >>> reaches(text, {"severity": "page"}, ["pagerduty"], "alertmanager()", "Who is woken?")
    Traceback (most recent call last):
    ...
    AssertionError: alertmanager() should send an alert with severity="page" to ['pagerduty'], yours sends it to ['webhook']. Who is woken?
    """
    read = routing(text, call)
    named = dryrun.receivers(text, labels)
    kinds = sorted({key.removesuffix("_configs") for one in read["receivers"] if one["name"] in named for key in one if key != "name"})
    if kinds != sorted(want):
        shown = ", ".join(f'{key}="{value}"' for key, value in labels.items()) or "no labels"
        raise AssertionError(f"{call} should send an alert with {shown} to {sorted(want)}, yours sends it to {kinds}. {slip}".rstrip())


def keeps_silent(text, alerts, want, call, slip=""):
    """While these alerts fire together, Alertmanager tells of all but those of `want`.

    Parameters
    ----------
    text : object
        The student's YAML.
    alerts, want : list of dict of str to str
        Labels.
    call, slip : str

    Examples
    --------
    >>> text = "route: {receiver: slack}\\nreceivers: [{name: slack}]"
    >>> keeps_silent(text, [{"severity": "page"}, {"severity": "ticket"}], [{"severity": "ticket"}], "alertmanager()", "Inhibit it.")
    Traceback (most recent call last):
    ...
    AssertionError: alertmanager(), while {severity="page"} and {severity="ticket"} fire, should be silent about {severity="ticket"}, \
yours is silent about nothing. Inhibit it.
    """
    heard = [labels for _, told in _told(text, alerts, call) for labels in told]
    silent = [labels for labels in alerts if labels not in heard]
    if sorted(silent, key=str) != sorted(want, key=str):
        raise AssertionError(f"{call}, while {_all(alerts)} fire, should be silent about {_all(want)}, yours is silent about {_all(silent)}. {slip}".rstrip())


def bundles(text, alerts, by, call, slip=""):
    """Alerts that fire together come to each receiver as one message for each combination of the labels `by`.

    Which receivers they come to is not judged.

    Examples
    --------
    >>> text = "route: {receiver: team, group_by: [...]}\\nreceivers: [{name: team}]"
    >>> bundles(text, [{"alertname": "A", "instance": "x"}, {"alertname": "A", "instance": "y"}], ["alertname"], "alertmanager()", "Group them.")
    Traceback (most recent call last):
    ...
    AssertionError: alertmanager(), while {alertname="A", instance="x"} and {alertname="A", instance="y"} fire, should send team 1 message, \
one for each alertname, yours sends 2. Group them.
    """
    told = _told(text, alerts, call)
    call = f"{call}, while {_all(alerts)} fire,"
    if not told:
        raise AssertionError(f"{call} should tell somebody, yours tells nobody. {slip}".rstrip())
    for receiver in dict.fromkeys(name for name, _ in told):
        mine = [{tuple(labels.get(name, "") for name in by) for labels in some} for name, some in told if name == receiver]
        want = len(set().union(*mine))
        if len(mine) != want or any(len(mixed) > 1 for mixed in mine):
            count = f"{want} message{'s' * (want > 1)}, one for each {' and '.join(by)}"
            does = len(mine) if len(mine) != want else f"{want} that mix them"
            raise AssertionError(f"{call} should send {receiver} {count}, yours sends {does}. {slip}".rstrip())


# ------------------------------------------------------------------ runbooks


def runbooks(books, alerts, titles, about, call, slip=""):
    """The lint of `mlmon.serving.runbook` has nothing to say about one matter.

    Parameters
    ----------
    books : object
        Text by file name, from the student.
    alerts : list of dict
        With name, owner, severity and panel.
    titles : list of str
        Of the dashboard's panels.
    about : str
        A regular expression: which of the lint's sentences count.
    call, slip : str

    Examples
    --------
    >>> runbooks({"Down.md": "# Down"}, [], [], "belongs to no alert", "runbooks()")
    Traceback (most recent call last):
    ...
    AssertionError: runbooks(): Down.md: belongs to no alert. Delete it, or write the alert.
    """
    checks.keys(books, [], call)
    known = [SimpleNamespace(**alert, runbook=f"{alert['name']}.md") for alert in alerts]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in books.items():
            right = isinstance(name, str) and re.fullmatch(r"[\w-]{1,80}\.md", name) is not None
            checks._hold(right, call, "have file names such as FeatureDrift.md for keys", name, "")
            (Path(folder) / name).write_text(text_of(text, f'{call}["{name}"]'), encoding="utf-8")
        faults = [fault for fault in runbook.lint(known, titles, folder) if re.search(about, fault)]
    if faults:
        raise AssertionError(f"{call}: {' '.join(faults[:3])} {slip}".rstrip())


def book(text):
    """A runbook, taken apart.

    Examples
    --------
    >>> book("# Down\\n## Impact\\nAll customers.\\n").sections
    {'Impact': 'All customers.'}
    """
    return runbook.read(text)


def shows(text, known, call, *, at, every=15):
    """Prometheus can read each query of a runbook, and one at least of its Diagnosis has an answer.

    Examples
    --------
    >>> shows("# Down\\n## Diagnosis\\n1. Ask\\n```promql\\nup == 0\\n```\\n", {"up": "0x9"}, "Down.md", at=60)
    >>> shows("# Down\\n## Diagnosis\\n1. Ask\\n```promql\\nupp\\n```\\n", {"up": "0x9"}, "Down.md", at=60)
    Traceback (most recent call last):
    ...
    AssertionError: Down.md should have a query in its Diagnosis that shows something while the fault lasts, yours give nothing: upp.
    """
    book = runbook.read(text_of(text, call))
    asked = book.blocks("promql", "Diagnosis")
    checks._hold(bool(asked), call, "have a block fenced as promql in its Diagnosis", None, "Where does one look first?")
    others = [block for block in book.blocks("promql") if block not in asked]
    try:
        found = dryrun.ask(known, [(promql, at) for promql in asked + others], every=every)
    except ValueError as error:
        raise AssertionError(f"{call} should hold PromQL that Prometheus can read, which says: {error}") from None
    if not any(found[: len(asked)]):
        raise AssertionError(f"{call} should have a query in its Diagnosis that shows something while the fault lasts, "
                             f"yours give nothing: {'; '.join(asked)}.")


# ------------------------------------------------------------------ reading what came back


def _yaml(text, call):
    """A student's YAML as plain data; one whose aliases unfold without end is refused."""
    try:
        checks._hold(_size(yaml.compose(text_of(text, call), dryrun.YAML), {}) <= MOST_NODES, call, "be short", "an endless text", "")
        return yaml.load(text, dryrun.YAML)
    except (yaml.YAMLError, RecursionError) as error:
        raise AssertionError(f"{call} should be YAML, which it is not: {' '.join(str(error).split())}") from None


def _every_rule(read):
    """The rules of all groups, as far as there are any."""
    groups = read.get("groups") if isinstance(read, dict) else None
    lists = [group.get("rules") for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []
    return [rule for rules in lists if isinstance(rules, list) for rule in rules if isinstance(rule, dict)]


def _size(node, known):
    if id(node) not in known:
        known[id(node)] = MOST_NODES + 1      # of one that holds itself
        inner = [] if node is None or isinstance(node.value, str) else node.value
        parts = [part for one in inner for part in (one if isinstance(one, tuple) else (one,))]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def _told(text, alerts, call):
    """The messages of an Alertmanager with a student's configuration."""
    routing(text, call)
    try:
        return brief.messages(text, alerts)
    except ValueError as error:
        raise AssertionError(f"{call} should be a configuration that Alertmanager takes, which says: {error}") from None


def _all(alerts):
    return " and ".join(written("", labels) or "{}" for labels in alerts) or "nothing"


def _near(have, want, within):
    return have is not None and (isclose(have, want, rel_tol=within) or abs(have - want) <= (within if want == 0 else 0))


def _unnamed(labels):
    return {name: value for name, value in labels.items() if name != "__name__"}


def _table(found):
    shown = [f"{written('', _unnamed(labels)) or '{}'} {value:.4g}" for labels, value in found[:4]]
    return ", ".join(shown + ["..."] * (len(found) > 4)) or "nothing"


def _minutes(seconds):
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:g} h"
