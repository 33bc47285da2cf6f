"""The real servers: a scrape, every query, an injected fault that reaches its receivers, and what happens after a crash."""

import contextlib
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from mlmon import cli, doctor
from mlmon.serving import live, processes, runbook, stack

ROOT = Path(__file__).parents[2]


def queries(running):
    """Every PromQL of every panel, every measure, every recorded number, and each block of the runbooks that has one in calm."""
    plan = running.plan
    found = {f"panel {panel.title}: {legend}": expr for panel in plan.panels() for legend, expr in panel.queries}
    found |= {f"measure of {alert.name} {alert.severity}": alert.measure for alert in plan.alerts()}
    return found | {f"record {one.record} {dict(one.labels)['slo']}": f'{one.record}{{slo="{dict(one.labels)["slo"]}"}}' for one in plan.recordings()}


def filled(running, but=()):
    """Whether every query has a value now, but those whose names begin so; says which one has none."""
    for name, promql in queries(running).items():
        if not name.startswith(tuple(but)) and not running.query(promql):
            raise stack.StackError(f"no value of {name}.")
    return True


def alert_messages(running, receiver, name, status="firing"):
    """Messages of a receiver about an alert, since the inbox began."""
    return [one for one in running.received(receiver) if about(one, name, status)]


def about(message, name, status):
    """Whether a message tells of an alert, and that it fires or is over."""
    return mood(message["receiver"], message["body"]) == status and name in str(message["body"])


def mood(receiver, body):
    """Whether a message says that something fires, or that it is over."""
    if receiver == "pagerduty":
        return {"trigger": "firing", "resolve": "resolved"}[body["event_action"]]
    if receiver == "slack":
        return "resolved" if body["attachments"][0]["title"].startswith("RESOLVED") else "firing"
    return body["status"]


def test_the_real_scrape_is_what_promtool_takes(running, promtool):
    # The service's own text, over HTTP, by the tool that knows the naming rules.
    with urllib.request.urlopen(running.url("scoring") + "/metrics") as answer:
        text = answer.read()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert running.query('up{job="scoring"}')[0][1] == 1


def test_in_calm_every_query_has_a_value_and_nothing_fires(running):
    # An empty panel is one that nobody looks at; an alert that fires in calm is one that nobody believes.
    running.wait(lambda: not running.firing() and filled(running), "calm", 90)


def test_the_watchdog_arrives(running):
    # Its message proves the way from rule to receiver; only the heartbeat gets it.
    running.wait(lambda: alert_messages(running, "heartbeat", "Watchdog"), "a heartbeat")
    assert not [one for one in running.received() if one["receiver"] != "heartbeat" and "Watchdog" in str(one["body"])]


# Each fault and the alert that it must raise, with who must be told of it.
FAULTS = {
    "errors": "RequestErrorsBudgetBurn",
    "drift": "FeatureDrift",
    "latency": "SlowRequestsBudgetBurn",
    "missing": "FeatureMissing",
    "concept": "QualityBelowTarget",
    "nonfinite": "RequestErrorsBudgetBurn",
    "unlabelled": "LabelsMissing",
    "stall": "DriftJobStale",
    "down": "ScoringServiceDown",
    "silence": "NoPredictions",
}


# What else a fault must raise: scores follow their features, and mistakes cost money.
BESIDE = {"drift": "PredictionDrift", "concept": "MistakesCostly"}


# What a fault rightly leaves without a value: no ratio without requests, no quality without labels. Its own alert says so.
RIGHTLY_EMPTY = {
    "down": ("",),
    "silence": ("",),
    "unlabelled": ("panel Quality: ", "measure of QualityBelowTarget"),
}


# Alerts that no injected fault raises: tests of their own below make them fire.
OTHERWISE = {"Watchdog", "DriftJobAbsent", "DriftUndecided", "FallbackInUse", "MonitoringErrors"}


def test_there_is_an_alert_for_every_fault_and_a_live_fault_for_every_alert(running):
    assert FAULTS.keys() == {*stack.SIZES, *stack.KILLS}
    assert {*FAULTS.values(), *BESIDE.values(), *OTHERWISE} == {alert.name for alert in running.plan.alerts()}


def counts(running, name, status):
    """Messages about an alert at each receiver that people read."""
    heard = Counter(one["receiver"] for one in running.received() if about(one, name, status))
    return {one: heard[one] for one in ("slack", "pagerduty", "webhook")}


def more(running, name, status, before, receivers):
    """Wait until each of these receivers has got another message about an alert."""

    def told():
        now = counts(running, name, status)
        return all(now[one] > before[one] for one in receivers)

    running.wait(told, f"{name} {status} at {receivers}", 60)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_raises_its_alert_and_reaches_the_right_people(running, fault):
    # The real path: fault, scrape, rule, Alertmanager, receiver. A page goes to all three and ends there too; a ticket spares the phone.
    name, left = FAULTS[fault], RIGHTLY_EMPTY.get(fault, ())
    rule = next(alert for alert in running.plan.alerts() if alert.name == name)
    receivers = running.plan.routing.receivers({"severity": rule.severity})
    assert ("pagerduty" in receivers) == (rule.severity == "page")
    # Without its labels a fault's predecessor can take the quality away from under the next one.
    running.wait(lambda: not {name, "LabelsMissing"} & {*running.firing()} and filled(running), f"calm before {fault}", 90)
    before, ended = counts(running, name, "firing"), counts(running, name, "resolved")
    running.inject(fault)
    try:
        running.wait(lambda: name in running.firing() and running.query(rule.expr), f"{name} to fire", 60)
        more(running, name, "firing", before, receivers)
        if fault in BESIDE:
            running.wait(lambda: alert_messages(running, "slack", BESIDE[fault]), f"a message about {BESIDE[fault]}", 60)
        running.wait(lambda: filled(running, left), f"a value of every query under {fault}")
    finally:
        running.clear()
    if rule.severity == "page":
        more(running, name, "resolved", ended, receivers)
    else:
        assert counts(running, name, "firing")["pagerduty"] == before["pagerduty"]


def tickets(running, name):
    """Messages to the webhook in which a ticket of this name fires."""
    return [one for one in running.received("webhook") for alert in one["body"]["alerts"]
            if alert["status"] == "firing" and (alert["labels"]["alertname"], alert["labels"]["severity"]) == (name, "ticket")]


@pytest.mark.parametrize("fault, name", [("errors", "RequestErrorsBudgetBurn"), ("latency", "SlowRequestsBudgetBurn")])
def test_a_promise_that_was_broken_is_a_ticket_too(running, fault, name):
    # The long windows remember; the ticket comes before the page or after it, and never instead.
    running.wait(lambda: name not in running.firing(), f"calm before {fault}", 90)
    before, count = len(tickets(running, name)), counts(running, name, "firing")
    running.inject(fault)
    try:
        more(running, name, "firing", count, count)
        running.wait(lambda: running.query(f'ALERTS{{alertname="{name}",alertstate="firing",severity="ticket"}}'), "the ticket to fire")
    finally:
        running.clear()
    running.wait(lambda: len(tickets(running, name)) > before, "the ticket", 60)


def test_a_log_that_cannot_be_written_is_told(running):
    # Its table is taken away under the service: predictions go on, and what watches them says that it fails.
    running.wait(lambda: "MonitoringErrors" not in running.firing(), "calm", 60)
    with contextlib.closing(sqlite3.connect(running.folder / "predictions.sqlite", timeout=30, isolation_level=None)) as base:
        [table] = [name for name, in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        base.execute(f"ALTER TABLE {table} RENAME TO gone")
        try:
            running.wait(lambda: alert_messages(running, "slack", "MonitoringErrors"), "the message", 60)
            assert running.query('sum(rate(mlmon_requests_total{outcome="ok"}[2s])) > 0')
        finally:
            base.execute(f"ALTER TABLE gone RENAME TO {table}")


def test_a_service_that_begins_anew_says_what_it_does_not_know(running):
    # Without a run of its drift job, then with runs over an empty window, then with a fallback in the place of a failing model.
    for name in ("traffic", "scoring"):
        processes.kill(running.folder, name)
    commands = stack._commands(running, {name: doctor.program(name) for name in stack.SERVERS})
    try:
        processes.start(running.folder, "scoring", [*commands["scoring"], "--fallback", "0.2"])
        running.wait(lambda: running.inject("stall"), "the service", 60)
        running.wait(lambda: alert_messages(running, "slack", "DriftJobAbsent"), "a message that no drift job ran", 60)
        running.ask("scoring", "/admin/faults", "DELETE")
        running.wait(lambda: alert_messages(running, "slack", "DriftUndecided"), "a message that nobody knows", 60)
        running.inject("errors")
        processes.start(running.folder, "traffic", commands["traffic"])
        running.wait(lambda: alert_messages(running, "slack", "FallbackInUse"), "a message about the fallback", 60)
        assert not running.query('rate(mlmon_requests_total{outcome="error"}[2s]) > 0')
    finally:
        processes.kill(running.folder, "scoring")
        running.clear()


@pytest.fixture(scope="module")
def told(running):
    """The messages of at least one page, from its beginning to its end."""
    page = "RequestErrorsBudgetBurn"
    if not alert_messages(running, "pagerduty", page, "resolved"):
        before, ended = counts(running, page, "firing"), counts(running, page, "resolved")
        running.inject("errors")
        more(running, page, "firing", before, before)
        running.clear()
        more(running, page, "resolved", ended, ended)
    return running.received()


def bodies(told, receiver):
    return [one["body"] for one in told if one["receiver"] == receiver]


def test_a_message_says_who_is_hurt_and_links_somewhere(told):
    # No template is left over; the runbook that the message links is that of its alert, and the panel's link opens too.
    texts = [str(body) for body in bodies(told, "slack")]
    assert texts and not [text for text in texts if "{{" in text or "<no value>" in text or "<error" in text or "%!" in text]
    for alert in bodies(told, "webhook")[0]["alerts"]:
        with urllib.request.urlopen(alert["annotations"]["runbook_url"]) as answer:
            assert runbook.read(answer.read().decode()).name == alert["labels"]["alertname"]
        with urllib.request.urlopen(alert["annotations"]["dashboard_url"]) as answer:
            assert answer.status == 200


def test_pagerduty_opens_and_closes_one_incident(told):
    # The same dedup key opens it and closes it, and it wakes somebody.
    found = bodies(told, "pagerduty")
    opened, closed = ({body["dedup_key"] for body in found if body["event_action"] == action} for action in ("trigger", "resolve"))
    assert closed and closed <= opened
    assert {body["payload"]["severity"] for body in found if body["event_action"] == "trigger"} == {"critical"}


def lost_messages(running):
    """Alerts that Prometheus could not hand to its Alertmanager."""
    with urllib.request.urlopen(running.prometheus + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("prometheus_notifications_errors_total{"))


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_killed_server_comes_back_and_the_alert_still_arrives(running, name):
    # Killed as by a crash, while a fault begins; started again with what it had on disk, it tells of it all the same.
    page = "RequestErrorsBudgetBurn"
    before = len(alert_messages(running, "pagerduty", page))
    processes.kill(running.folder, name)
    assert not running.alive()[name]
    running.inject("errors", 1.0)
    try:
        if name == "alertmanager":      # the page begins while nobody takes it, and Prometheus' first try is lost
            running.wait(lambda: running.query(f'ALERTS{{alertname="{page}",severity="page",alertstate="firing"}}'), "the page to fire")
            running.wait(lambda: lost_messages(running) > 0, "a message to be lost")
        stack.up(running.folder)
        running.wait(lambda: len(alert_messages(running, "pagerduty", page)) > before, "the page", 60)
    finally:
        running.clear()


def test_status_says_what_runs_what_fires_and_what_came(running, capsys):
    # The command names each program and its address; a stack that runs ends with 0.
    assert stack.main(["--folder", str(running.folder), "status"]) == 0
    told = capsys.readouterr().out
    assert all(f"runs   {name}" in told for name in stack.PROGRAMS) and running.url("prometheus") in told
    assert "came   " in told and "slack" in told


def test_a_series_holds_what_prometheus_said_at_each_moment(running):
    # PromQL's time() is the moment that it is asked for, so each value must be its own place on the axis.
    end = time.time()
    found = live.series(running, "time()", seconds=4, end=end)
    assert found["value"].to_numpy() == pytest.approx(end + found.index.to_numpy(), abs=2e-3)
    assert len(found) == 1 + int(4 / running.settings.scrape) and found.index.name == "seconds from now"


def test_series_are_told_apart_by_the_labels_in_which_they_differ(running):
    # The counter of requests has model, version and outcome; of one model only the outcome says which line is which.
    found = live.series(running, 'mlmon_requests_total{outcome=~"ok|error"}', seconds=2)
    assert list(found) == ["error", "ok"] and found["ok"].is_monotonic_increasing


def test_a_wrong_query_is_told_in_prometheus_words(running):
    with pytest.raises(stack.StackError, match="prometheus refuses GET(.|\n)*parse error"):
        live.series(running, "rate(")


def test_servers_that_a_notebook_begins_end_with_it(orphan, running):
    # A process begins them twice, as a cell that is run again does, asks, and ends without a word: nothing of it is left.
    begun = f"live.begin({str(orphan)!r}, speed=1000, scrape=0.4)"
    code = f"from mlmon.serving import live; {begun}.result(); servers = {begun}.result(); print(servers.alive())"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert told.stdout == str(dict.fromkeys(stack.PROGRAMS, True)) + "\n", told.stderr
    assert ours(orphan) == [] and not orphan.exists()


def test_without_a_server_nothing_begins(monkeypatch, tmp_path):
    # A notebook goes on without them, and says what to install.
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert live.begin(tmp_path / "run") is None
    assert [words.split(" is missing")[0] for words in stack.lacks()] == ["prometheus", "alertmanager"]


def test_an_unknown_fault_is_refused(running):
    # The service knows eight faults; the stack ends two programs.
    with pytest.raises(stack.StackError, match="fault needs one of latency, errors"):
        running.inject("fire")


def test_down_without_a_stack_is_no_error(tmp_path, capsys):
    # Who stops twice has what he wants.
    assert stack.main(["--folder", str(tmp_path / "none"), "down"]) == 0
    assert stack.main(["--folder", str(tmp_path / "none"), "status"]) == 2
    assert "holds no stack. Start one: mlmon stack up." in capsys.readouterr().err


def test_a_missing_server_is_told_with_its_cure(monkeypatch, tmp_path, capsys):
    # The doctor's words, and nothing is left behind.
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert cli.main(["stack", "--folder", str(tmp_path / "run"), "up"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("mlmon stack: prometheus is missing; ") and "To mend it: install prometheus" in told
    assert not (tmp_path / "run").exists()


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    # `down` deletes the folder; so it must never be one that holds anything else.
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(stack.StackError, match="folder needs to be empty or a stack's|is missing"):
        stack.up(tmp_path)
    assert stack.down(tmp_path) is False and (tmp_path / "thesis.txt").exists()


def test_two_commands_at_once_do_not_start_everything_twice(tmp_path):
    # The second would write over the pid files of the first, and nobody would find its programs again.
    with (tmp_path / stack.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(stack.StackError, match="no other command works on|is missing"):
            stack.up(tmp_path)


def test_a_rate_of_nothing_is_refused_before_anything_starts(tmp_path, capsys):
    assert stack.main(["--folder", str(tmp_path / "run"), "up", "--rate", "0"]) == 2
    assert "rate needs a finite number above 0, got 0.0" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_program_that_ends_is_told_with_its_last_words(tmp_path, running):
    # The service knows no such scenario: it ends, its error is shown, and nothing is left.
    with pytest.raises(stack.StackFailed, match="scoring has ended, with these last words:(.|\n)*no-such-customers"):
        stack.up(tmp_path / "run", stack.Settings(scenario="no-such-customers"))
    assert ours(tmp_path / "run") == [] and not (tmp_path / "run").exists()


def ours(folder):
    """Living processes whose command line names a folder."""
    listed = subprocess.run(["ps", "-eww", "-o", "stat=,pid=,args="], capture_output=True, text=True).stdout.splitlines()
    return [line for line in listed if str(folder) in line and not line.startswith("Z") and "ps -eww" not in line]


@pytest.fixture
def orphan(tmp_path):
    """Folder for a stack that is ended whatever the test finds."""
    yield tmp_path / "run"
    stack.down(tmp_path / "run")


def test_nothing_is_left_of_a_stack_whose_parent_was_killed(orphan, running):
    # kill -9 while it starts: `down`, in another process, finds all that was started, and takes the folder away.
    folder = orphan
    command = [sys.executable, "-m", "mlmon.cli", "stack", "--folder", str(folder)]
    parent = subprocess.Popen([*command, "up"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while time.monotonic() < end and not (folder / "alertmanager.pid").exists():
        time.sleep(0.02)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert len(ours(folder)) >= 2
    assert subprocess.run([*command, "down"], cwd=ROOT, capture_output=True, text=True).stdout == "Everything has ended.\n"
    assert ours(folder) == [] and not folder.exists()


@pytest.fixture
def sleeper(tmp_path):
    """A program that does not listen to SIGTERM."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    processes.start(tmp_path, "deaf", [sys.executable, "-X", f"mlmon={tmp_path}", "-c", code])
    while "deaf" not in processes.tail(tmp_path, "deaf"):
        time.sleep(0.02)
    yield tmp_path
    processes.kill(tmp_path, "deaf")


def test_who_does_not_listen_is_killed(sleeper):
    # Asked first, killed after the patience is over.
    assert processes.pid(sleeper, "deaf") is not None
    assert processes.stop(sleeper, ["deaf"], patience=0.2) == ["deaf"]
    assert processes.pid(sleeper, "deaf") is None


def test_a_pid_that_belongs_to_another_is_not_ours(tmp_path):
    # After a reboot the number in the pid file may be anybody's; here it is this test's own.
    (tmp_path / "old.pid").write_text(f"{os.getpid()}\n")
    assert processes.pid(tmp_path, "old") is None
    assert processes.stop(tmp_path, ["old"]) == []


def test_a_program_that_nobody_could_recognise_is_not_started(tmp_path):
    with pytest.raises(ValueError, match="command needs to name"):
        processes.start(tmp_path, "any", ["sleep", "1"])


def test_a_program_in_the_instant_of_its_exec_has_not_ended(sleeper, monkeypatch):
    # The kernel shows an empty command line then; one start in five hundred was taken for an end by that.
    real, shown = Path.read_bytes, [b""]
    monkeypatch.setattr(Path, "read_bytes", lambda path: shown.pop() if path.name == "cmdline" and shown else real(path))
    assert processes.pid(sleeper, "deaf") is not None
    assert not shown
