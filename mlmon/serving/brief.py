"""Servers that live for a moment: a Prometheus with a past, an Alertmanager that is told of alerts.

Each listens on loopback, on a port of its own, keeps its files in a folder of its own, runs with limits on time and memory, and
ends with the question or with whoever asked. A configuration may come from a stranger: nothing outside that it names is touched.

`ask` answers as `dryrun.ask` does, which takes a tenth of a second, not a third: promtool is built from the same
source as Prometheus and holds its engine. So the grader sends a dashboard as a whole to the server, and a
single query to the tool; tests hold the two together on every panel and query of exercise 1's answers, right and wrong.
"""
import contextlib
import json
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from math import isnan
from pathlib import Path

import yaml

from mlmon.serving import dryrun

# The server ends when the pipe to its shell does, whoever dies.
_ATTENDED = dryrun.LIMITS.replace('exec "$@"', '"$@" > log 2>&1 & read _; kill $!; wait')
_VALUES = re.compile(r"(_|[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|nan))(?:([-+][\d.]+(?:e[-+]?\d+)?)?x(\d+))?", re.I)
_LONG = "100000h"      # longer than any past, so that it becomes one block


# ------------------------------------------------------------------ Prometheus


def ask(series, questions, *, every=15):
    """What a running Prometheus answers, its past filled with these series.

    Parameters
    ----------
    series : dict of str to (str or sequence of float)
        As `dryrun.ask` takes them.
    questions : sequence of (str, float)
        PromQL, and seconds from the start.
    every : int
        Seconds between two values.

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
    with _prometheus(past(series, every)) as answer:
        try:
            return [_answered(promql, answer("query", query=promql, time=seconds)) for promql, seconds in questions]
        except OSError as error:
            raise ValueError(f"prometheus gave up on time or memory ({error}). Ask for less.") from None


def past(series, every=15):
    """Series as text that promtool makes blocks of: OpenMetrics, each value with its second.

    Examples
    --------
    >>> print(past({"up": "1 _ 0+1x1"}))
    up 1.0 0
    up 0.0 30
    up 1.0 45
    # EOF
    """
    known = {name: _values(values) if isinstance(values, str) else [None if isnan(value) else float(value) for value in values]
             for name, values in series.items()}
    lines = [f"{name} {value!r} {number * every}" for name, values in known.items() for number, value in enumerate(values) if value is not None]
    return "\n".join([*lines, "# EOF"])


@contextlib.contextmanager
def _prometheus(text):
    """A way to ask a Prometheus of one's own, whose past this is."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        (place / "past.txt").write_text(text + "\n", encoding="utf-8")
        (place / "prometheus.yml").write_text("", encoding="utf-8")
        words = ["tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={_LONG}", "--quiet", "past.txt", "data"]
        made = subprocess.run([dryrun.program("promtool"), *words], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=dryrun.PATIENCE)
        if made.returncode:
            raise ValueError(f"series need to be ones that Prometheus takes, which says: {made.stdout.decode(errors='replace').strip()[-500:]}")
        options = [f"--storage.tsdb.path={folder}/data", "--storage.tsdb.retention.time=100y", "--config.file=prometheus.yml",
                   "--query.timeout=20s"]
        with _server(place, [dryrun.program("prometheus"), *options], "/api/v1/status/flags", folder) as where:
            yield lambda path, **words: _get(f"{where}/api/v1/{path}?{urllib.parse.urlencode(words)}")


def _answered(promql, told):
    """Labels and value of each series of an answer of Prometheus."""
    if told["status"] != "success":
        raise ValueError(f"{promql.strip()}: {told['error']}")
    kind, found = told["data"]["resultType"], told["data"]["result"]
    if kind == "scalar":
        return [({}, float(found[1]))]
    if kind != "vector":
        raise ValueError(f"{promql.strip()}: gives a {kind}, where one value a series can be shown")
    return [(one["metric"], float(one["value"][1])) for one in found]


def _values(notation):
    """Values of promtool's notation, None where there is none."""
    found = []
    for word in notation.split():
        if not (match := _VALUES.fullmatch(word)):
            raise ValueError(f"series need values such as '1', '_', '3x5' or '0+2x5', got {word!r}. A scrape that is lost is '_'.")
        first, step, times = match.groups()
        if first == "_":
            found += [None] * int(times or 1)
            continue
        value = float(first)
        for _ in range(int(times or 0) + 1):
            found.append(value)
            value += float(step or 0)
    return found


# ------------------------------------------------------------------ Alertmanager


def messages(config, alerts):
    """What Alertmanager says about alerts that fire together: its bundles, less what is inhibited.

    A real Alertmanager takes them, with the configuration's routes and inhibitions. Its receivers keep their names and
    nothing else, so no message leaves it, and no file is read for one.

    Parameters
    ----------
    config : str
        Alertmanager's YAML.
    alerts : list of dict of str to str
        Their labels.

    Returns
    -------
    list of (str, list of dict)
        For each message its receiver, and the labels of the alerts that it tells of.

    Raises
    ------
    ValueError, ToolMissing

    Examples
    --------
    >>> config = "route: {receiver: slack, group_by: [alertname]}\\nreceivers: [{name: slack}]"
    >>> messages(config, [{"alertname": "Down", "instance": "a"}, {"alertname": "Down", "instance": "b"}, {"alertname": "Late"}])
    [('slack', [{'alertname': 'Down', 'instance': 'a'}, {'alertname': 'Down', 'instance': 'b'}]), ('slack', [{'alertname': 'Late'}])]
    """
    read = yaml.load(config, dryrun.YAML)
    if not isinstance(read, dict):
        raise ValueError(f"config needs the YAML of a dict with a route and receivers, got {config[:80]!r}. Begin with `route:`.")
    kept = {key: read[key] for key in ("route", "time_intervals", "mute_time_intervals", "inhibit_rules") if read.get(key)}
    kept["receivers"] = [{"name": one["name"]} for one in read.get("receivers") or [] if isinstance(one, dict) and "name" in one]
    return _messages(json.dumps(kept, default=str), alerts)


def _messages(config, alerts):
    """The same, of a configuration as JSON that names nothing outside."""
    mark, plan = "mlmon_" + uuid.uuid4().hex, json.loads(config)
    # Alertmanager reads alerts in their order. A twin of the first comes last and inhibits one of ours: once that is seen, all have been read.
    last = [{**alerts[0], mark: "twin"}, {mark: "silent"}]
    ours = {"source_matchers": [f'{mark}="twin"'], "target_matchers": [f'{mark}="silent"']}
    with _alertmanager(json.dumps(plan | {"inhibit_rules": [*plan.get("inhibit_rules", []), ours]}), mark) as told:
        for some in (alerts, last):
            told("alerts", [{"labels": labels} for labels in some])
        found = _until(lambda: told("alerts/groups"), lambda groups: any(
            one["labels"] == last[1] and one["status"]["inhibitedBy"] for group in groups for one in group["alerts"]))
    heard = [(group["receiver"]["name"], [one["labels"] for one in group["alerts"] if mark not in one["labels"] and not one["status"]["inhibitedBy"]])
             for group in found]
    return sorted(((receiver, sorted(some, key=json.dumps)) for receiver, some in heard if some), key=json.dumps)


@contextlib.contextmanager
def _alertmanager(config, mark):
    """A way to ask an Alertmanager of one's own; `mark` stands in its configuration and in no other."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        (Path(folder) / "alertmanager.yml").write_text(config, encoding="utf-8")
        options = ["--config.file=alertmanager.yml", f"--storage.path={folder}", "--cluster.listen-address="]
        with _server(Path(folder), [dryrun.program("prometheus-alertmanager", "alertmanager"), *options], "/api/v2/status", mark) as where:
            yield lambda path, body=None: _get(f"{where}/api/v2/{path}", body)


# ------------------------------------------------------------------ any server


@contextlib.contextmanager
def _server(folder, command, path, mark):
    """Address of a server that runs in a folder, once it answers under `path` with what only ours can say."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{probe.getsockname()[1]}"
    command = ["sh", "-c", _ATTENDED, "sh", *command, f"--web.listen-address={where}", "--log.level=error"]
    server = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        # Another program may have taken the port first: it does not know the mark, and ours says so and ends.
        _until(lambda: _seen(f"http://{where}{path}", folder / "log"), lambda text: mark in text)
        yield f"http://{where}"
    finally:
        server.stdin.close()
        server.wait()


def _seen(url, log):
    """What a server answers, or an empty text; an error in its own words if it has written any."""
    if log.exists() and (told := log.read_text(errors="replace").strip()):
        raise ValueError(f"the server does not start: {told[-500:]}")
    try:
        return json.dumps(_get(url))
    except (OSError, ValueError):
        return ""


def _get(url, body=None):
    """JSON that a server answers; a refusal is an answer too, an end in the middle of it is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return json.load(error)


def _until(told, good):
    """The first good answer."""
    end = time.monotonic() + dryrun.PATIENCE
    while not good(answer := told()):
        if time.monotonic() > end:
            raise ValueError(f"the server was not done after {dryrun.PATIENCE:.0f} seconds. Ask for less.")
        time.sleep(0.01)
    return answer
