"""The real servers around a scoring service: Prometheus, Alertmanager, live traffic, and an inbox for the messages.

`up` starts what does not run yet and waits until all of it works; `down` ends it and leaves
nothing behind. Everything listens on loopback, on free ports of its own, and keeps its files under one folder;
who kills the parent finds the servers again there. ``mlmon stack`` is the same from the command line.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from mlmon import doctor
from mlmon._check import positive
from mlmon.serving import export, processes
from mlmon.serving.slo import MINUTE

FOLDER = "build/stack"
LOCK = "lock"
SERVERS = ("prometheus", "alertmanager")
PROGRAMS = ("scoring", "traffic", "prometheus", "alertmanager", "inbox")
# What `inject` puts in where no size is said.
SIZES = {"latency": 0.4, "errors": 0.5, "nonfinite": 0.5, "drift": 2.0, "missing": 0.6, "concept": 0.6, "unlabelled": 1.0, "stall": 1.0}
# Faults that end a program.
KILLS = {"down": "scoring", "silence": "traffic"}


class StackError(RuntimeError):
    """The servers cannot be started or asked; says what to do."""


class StackFailed(StackError):
    """A program has ended by itself, so that waiting for it is of no use."""


@dataclass(frozen=True)
class Settings:
    """How the stack runs.

    Parameters
    ----------
    scenario : str
        Whose customers ask (`mlmon.data.scenarios`).
    rate : float
        Requests a second.
    speed : float
        At 60, an hour of the rules is a minute of the clock.
    scrape : float
        Seconds between two scrapes.
    refresh : float
        Seconds between two runs of the drift job.
    window : int
        Rows that the drift job looks at.
    cohort : float
        Seconds of predictions that the quality is of.
    """

    scenario: str = "customers-none"
    rate: float = 40.0
    speed: float = 60.0
    scrape: float = 1.0
    refresh: float = 5.0
    window: int = 1000
    cohort: float = 60.0

    def __post_init__(self):
        for name in ("rate", "speed", "scrape", "refresh", "window", "cohort"):
            positive(getattr(self, name), name)

    def plan(self, ports):
        """What is exported: rules at this pace, messages into the inbox."""
        contacts = export.to_inbox(
            f"http://127.0.0.1:{ports['inbox']}",
            panel=f"http://127.0.0.1:{ports['prometheus']}/classic/graph?g0.tab=0&g0.expr={{expr}}",
        )
        return export.demo(contacts, speed=self.speed, scrape=self.scrape, refresh=self.refresh)


@dataclass(frozen=True)
class Stack:
    """A stack that runs, or that has left its folder behind.

    As a context manager it ends at the end of the ``with`` block.

    Parameters
    ----------
    folder : pathlib.Path
    ports : dict of str to int
        By name: scoring, prometheus, alertmanager, inbox.
    settings : Settings
    """

    folder: Path
    ports: dict
    settings: Settings

    def __enter__(self):
        return self

    def __exit__(self, *_):
        down(self.folder)

    def url(self, name):
        """Address of one server."""
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def prometheus(self):
        """Address of Prometheus, for `plot.dashboard` and for queries of one's own."""
        return self.url("prometheus")

    @property
    def plan(self):
        """What its servers were given: `plan.alerts()`, `plan.panels()`."""
        return self.settings.plan(self.ports)

    def alive(self):
        """Whether each program runs, by name."""
        return {name: processes.pid(self.folder, name) is not None for name in PROGRAMS}

    def query(self, promql):
        """Ask Prometheus for the newest values.

        Returns
        -------
        list of (dict, float)
            Labels and value of each series.
        """
        found = self.ask("prometheus", f"/api/v1/query?{urllib.parse.urlencode({'query': promql})}")["data"]
        if found["resultType"] == "scalar":
            return [({}, float(found["result"][1]))]
        return [(series["metric"], float(series["value"][1])) for series in found["result"]]

    def firing(self):
        """Names of the alerts that fire, the watchdog aside."""
        every = self.ask("prometheus", "/api/v1/alerts")["data"]["alerts"]
        return {one["labels"]["alertname"] for one in every if one["state"] == "firing"} - {"Watchdog"}

    def received(self, receiver=None):
        """Messages that came, or those of one receiver: "slack", "pagerduty", "webhook", "heartbeat"."""
        return [one for one in self.ask("inbox", "/received") if receiver in (None, one["receiver"])]

    def inject(self, fault, size=None):
        """Put a fault into the service, as large as `SIZES` says unless `size` does, or end a program (`KILLS`)."""
        if fault in KILLS:
            return processes.kill(self.folder, KILLS[fault])
        if fault not in SIZES:
            raise StackError(f"fault needs one of {', '.join([*SIZES, *KILLS])}, got {fault!r}. Pick one of them.")
        return self.ask("scoring", "/admin/faults", "PUT", {fault: SIZES[fault] if size is None else size})

    def clear(self):
        """Take all faults away again, and start what was ended."""
        up(self.folder)
        self.ask("scoring", "/admin/faults", "DELETE")

    def wait(self, condition, what, seconds=30.0):
        """Ask again and again until `condition()` is true, and give its value back."""
        end, last = time.monotonic() + seconds, ""
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except StackFailed:
                raise
            except StackError as error:
                last = f" Last word: {error}"
            time.sleep(min(0.1, self.settings.scrape / 2))
        raise StackError(f"{what} did not happen within {seconds:g} s.{last} Read the logs in {self.folder}.")

    def ask(self, name, path, method="GET", body=None):
        """What a server answers to an HTTP request, read as JSON."""
        request = urllib.request.Request(
            self.url(name) + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise StackError(f"{name} refuses {method} {path}: {error.read().decode(errors='replace')[:300]}") from None
        except (OSError, ValueError) as error:
            raise StackError(f"{name} does not answer at {self.url(name)} ({error}). See `mlmon stack status`.") from None


def up(folder=FOLDER, settings=None, *, patience=60.0):
    """Start what does not run yet, and wait until targets are up and traffic flows.

    Parameters
    ----------
    folder : path
        Holds its files. One that holds a stack already gives that one, on its ports, its dead programs started again.
    settings : Settings, optional
        Of a new stack.
    patience : float
        Seconds.

    Returns
    -------
    Stack

    Raises
    ------
    StackError
        Where a program is missing or does not come up; nothing of it is left then.
    """
    for words in lacks():
        raise StackError(words)
    programs = {name: doctor.program(name) for name in SERVERS}
    folder = Path(folder).resolve()
    with _alone(folder):
        return _up(folder, settings, programs, patience)


def lacks():
    """What must be installed before `up` can work, in the doctor's words; empty where nothing is missing.

    Examples
    --------
    >>> all(" is missing; " in words for words in lacks())
    True
    """
    return [words for name in SERVERS if (words := doctor.lack(name))]


def _up(folder, settings, programs, patience):
    known = find(folder)
    if known is not None and settings not in (None, known.settings):
        raise StackError(f"folder needs to be one without a stack of other settings, got {known.folder}. End that first: mlmon stack down.")
    stack = known or _new(folder, settings or Settings())
    try:
        commands = _commands(stack, programs)
        _start(stack, commands, ("inbox", "scoring", "alertmanager"))
        stack.wait(lambda: _answer(stack, "scoring", "/healthz"), "an answer of the scoring service", patience)
        _start(stack, commands, ("traffic", "prometheus"))      # no earlier: it would raise an alert that there is no service
        stack.wait(lambda: _well(stack), "the start of all programs", patience)
    except BaseException:
        if known is None:
            _end(stack.folder)
        raise
    return stack


def find(folder=FOLDER):
    """The stack of a folder, or None.

    Examples
    --------
    >>> find("build/no-such-folder") is None
    True
    """
    folder = Path(folder).resolve()
    try:
        told = json.loads((folder / "stack.json").read_text())
    except FileNotFoundError:
        return None
    return Stack(folder, told["ports"], Settings(**told["settings"]))


def down(folder=FOLDER):
    """End every program of a stack and delete its folder.

    Returns
    -------
    bool
        Whether there was one.

    Examples
    --------
    >>> down("build/no-such-folder")
    False
    """
    folder = Path(folder).resolve()
    if find(folder) is None:
        return False
    with _alone(folder):
        _end(folder)
    return True


def _end(folder):
    processes.stop(folder, PROGRAMS)
    shutil.rmtree(folder)


@contextlib.contextmanager
def _alone(folder):
    """No two commands at once in a folder: each would start what the other has just started. A kill ends the lock too."""
    import fcntl

    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"folder needs to be one that no other command works on, got {folder}. Wait until that has ended.") from None
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)
            if fresh and folder.exists() and not any(folder.iterdir()):
                folder.rmdir()


def _new(folder, settings):
    """A folder with all configuration in it, and free ports."""
    if {path.name for path in folder.iterdir()} - {LOCK}:
        raise StackError(f"folder needs to be empty or a stack's, got {folder}. Name another one.")
    stack = Stack(folder, dict(zip(("scoring", "prometheus", "alertmanager", "inbox"), _free_ports(4))), settings)
    where = {name: f"127.0.0.1:{stack.ports[name]}" for name in ("scoring", "alertmanager")}
    export.write(folder / "config", stack.plan, scoring=[where["scoring"]], alertmanager=where["alertmanager"])
    (folder / "stack.json").write_text(json.dumps({"ports": stack.ports, "settings": asdict(settings)}))
    return stack


def _free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _commands(stack, programs):
    """Command line of each program, by name. ``-X`` only marks a Python process as the folder's."""
    folder, ports, chosen = stack.folder, stack.ports, stack.settings
    python = [sys.executable, "-X", f"mlmon={folder}", "-m"]
    at = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    return {
        "inbox": [*python, "mlmon.serving.inbox", "--port", ports["inbox"], "--file", folder / "inbox.jsonl"],
        "scoring": [*python, "mlmon.serving.service", "--scenario", chosen.scenario, "--port", ports["scoring"],
                    "--refresh", chosen.refresh, "--window", chosen.window, "--least-rows", max(chosen.window // 5, 50),
                    "--cohort", chosen.cohort, "--log", folder / "predictions.sqlite"],
        "alertmanager": [programs["alertmanager"], f"--config.file={folder}/config/alertmanager/alertmanager.yml",
                         f"--storage.path={folder}/alertmanager", f"--web.listen-address={at['alertmanager']}",
                         "--cluster.listen-address=", f"--web.external-url={stack.url('alertmanager')}"],
        "prometheus": [programs["prometheus"], f"--config.file={folder}/config/prometheus/prometheus.yml",
                       f"--storage.tsdb.path={folder}/prometheus", f"--web.listen-address={at['prometheus']}",
                       f"--web.external-url={stack.url('prometheus')}",
                       f"--rules.alert.resend-delay={stack.plan.pace.hold(MINUTE)}"],
        "traffic": [*python, "mlmon.serving.traffic", "--url", stack.url("scoring"), "--scenario", chosen.scenario,
                    "--rate", chosen.rate, "--seconds", 0, "--workers", 8, "--seed", _starts(folder)],
    }


def _starts(folder):
    """How often the stack was started: another seed each time, or the service would refuse ids that it knows."""
    with (folder / "starts").open("a") as file:
        file.write(".")
        return file.tell() - 1


def _start(stack, commands, names):
    for name in names:
        if processes.pid(stack.folder, name) is None:
            processes.start(stack.folder, name, commands[name])


def _answer(stack, name, path):
    """What a server answers; a program that has ended will answer nobody."""
    if not stack.alive()[name]:
        raise StackFailed(f"{name} has ended, with these last words:\n{processes.tail(stack.folder, name)}")
    return stack.ask(name, path)


def _well(stack):
    """Whether Prometheus reads the service, knows its Alertmanager, and sees requests."""
    managers = _answer(stack, "prometheus", "/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    _answer(stack, "alertmanager", "/api/v2/status")
    _answer(stack, "inbox", "/received")
    up, asked = 'up{job="scoring"} == 1', f"sum(rate(mlmon_requests_total[{stack.plan.pace.window(MINUTE)}])) > 0"
    return managers and stack.query(up) and stack.query(asked)


def main(argv=None):
    """Run ``mlmon stack``; 0 when it did what was asked, 2 when it could not."""
    options = _parser().parse_args(argv)
    try:
        return _act(options)
    except (StackError, ValueError) as error:
        print(f"mlmon stack: {error}", file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser(prog="mlmon stack", description="The real servers around a scoring service with live traffic.")
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help="where their files are (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start what does not run, print the addresses")
    start.add_argument("--scenario", help=f"whose customers ask ({Settings.scenario})")
    start.add_argument("--rate", type=float, help=f"requests a second ({Settings.rate:g})")
    start.add_argument("--speed", type=float, help=f"hours of the rules in an hour of the clock ({Settings.speed:g})")
    commands.add_parser("status", help="what runs, what fires, what arrived")
    fault = commands.add_parser("inject", help="put a fault in; `nothing` takes all away again")
    fault.add_argument("fault", choices=[*SIZES, *KILLS, "nothing"])
    fault.add_argument("--size", type=float, help="how large")
    commands.add_parser("down", help="end everything, leave nothing")
    return parser


def _act(options):
    if options.command == "up":
        chosen = {name: value for name in ("scenario", "rate", "speed") if (value := getattr(options, name)) is not None}
        print(_status(up(options.folder, Settings(**chosen) if chosen else None)))
        return 0
    if options.command == "down":
        print("Everything has ended." if down(options.folder) else "Nothing runs.")
        return 0
    stack = find(options.folder)
    if stack is None:
        raise StackError(f"{options.folder} holds no stack. Start one: mlmon stack up.")
    if options.command == "inject":
        stack.clear() if options.fault == "nothing" else stack.inject(options.fault, options.size)
    print(_status(stack))
    return 0 if all(stack.alive().values()) else 1


def _status(stack):
    """What runs, what fires, what arrived, as a table."""
    lines = [f"{'runs' if alive else 'ended':6} {name:13} {stack.url(name) if name in stack.ports else ''}".rstrip()
             for name, alive in stack.alive().items()]
    if all(stack.alive()[name] for name in ("prometheus", "inbox")):
        counts = {name: len(stack.received(name)) for name in ("slack", "pagerduty", "webhook", "heartbeat")}
        lines += [f"fires  {', '.join(sorted(stack.firing())) or 'nothing'}",
                  "came   " + ", ".join(f"{count} {name}" for name, count in counts.items())]
    return "\n".join([*lines, f"files  {stack.folder}"])


if __name__ == "__main__":
    sys.exit(main())
