"""Servers that live for a moment say what those of a stack say, touch nothing outside, and leave nothing behind."""

import json
import os
import subprocess
import sys
import time
from threading import Thread

import pytest
import yaml

from mlmon import doctor
from mlmon.serving import brief, export
from mlmon.serving.inbox import Inbox

pytestmark = pytest.mark.skipif(bool(doctor.lack("prometheus") or doctor.lack("alertmanager")), reason=doctor.lack("prometheus") or doctor.lack("alertmanager"))
ALERTS = [
    {"alertname": "Burn", "severity": "page", "model": "a", "instance": "x"}, {"alertname": "Burn", "severity": "page", "model": "a", "instance": "y"},
    {"alertname": "Burn", "severity": "ticket", "model": "a"}, {"alertname": "Drift", "severity": "ticket", "model": "a"},
    {"alertname": "Drift", "severity": "ticket", "model": "b"}, {"alertname": "Watchdog", "severity": "none"},
]


def test_the_messages_are_those_that_a_receiver_gets(tmp_path):
    # The same configuration with a real receiver, the bundles after a second, when all of them are in: what arrives there is what was foretold.
    config = export.to_yaml(export.alertmanager(export.Plan()))
    told = brief.messages(config, ALERTS)
    assert [receiver for receiver, _ in told].count("pagerduty") == 1 and ALERTS[2] not in [one for _, some in told for one in some]
    inbox = Inbox(("127.0.0.1", 0), tmp_path / "inbox.jsonl")
    Thread(target=inbox.serve_forever, daemon=True).start()
    plan = yaml.safe_load(config)
    for route in (plan["route"], *plan["route"]["routes"]):
        route["group_wait"] = "1s"
    plan["receivers"] = [{"name": one["name"], "webhook_configs": [{"url": f"http://127.0.0.1:{inbox.server_port}/webhook"}]} for one in plan["receivers"]]
    plan["templates"], plan["global"] = [], {}
    with brief._alertmanager(json.dumps(plan), "inhibit_rules") as ask:
        ask("alerts", [{"labels": labels} for labels in ALERTS[:1]])      # the page first: what it inhibits is never told
        brief._until(lambda: inbox.received(), len)
        ask("alerts", [{"labels": labels} for labels in ALERTS[2:]])
        brief._until(lambda: inbox.received(), lambda got: len(got) >= len(told))
    inbox.shutdown()
    came = [(one["body"]["receiver"], sorted((alert["labels"] for alert in one["body"]["alerts"]), key=json.dumps)) for one in inbox.received()]
    assert sorted(came, key=json.dumps) == brief.messages(config, [ALERTS[0], *ALERTS[2:]])


@pytest.mark.parametrize("text", ["[]", "3", "route: {receiver: nobody}\nreceivers: [{name: a}]", "route: {receiver: a, group_by: 3}\nreceivers: [{name: a}]"])
def test_a_configuration_that_alertmanager_does_not_take_is_refused(text):
    with pytest.raises(ValueError):
        brief.messages(text, ALERTS)


def test_a_receiver_of_a_dry_run_is_a_name_and_nothing_else(tmp_path):
    # A stranger's configuration may name a file of this machine and an address to send it to: neither is touched.
    inbox = Inbox(("127.0.0.1", 0), tmp_path / "inbox.jsonl")
    Thread(target=inbox.serve_forever, daemon=True).start()
    hook = {"url": f"http://127.0.0.1:{inbox.server_port}/webhook", "http_config": {"authorization": {"credentials_file": "/etc/passwd"}}}
    plan = {"route": {"receiver": "a", "group_wait": "0s"}, "receivers": [{"name": "a", "webhook_configs": [hook]}], "templates": ["/etc/passwd"]}
    assert brief.messages(json.dumps(plan), ALERTS[:1]) == [("a", ALERTS[:1])]
    inbox.shutdown()
    assert inbox.received() == []


def test_an_alertmanager_ends_with_the_process_that_asked(tmp_path):
    # kill -9 while it runs: the pipe to its shell breaks, and nobody is left.
    code = ("import os; from mlmon.serving import brief\n"
            "with brief._alertmanager('{route: {receiver: a}, receivers: [{name: a}]}', 'receivers'):\n"
            "    os.system('ps -eww -o args= | grep storage.path=$TMPDIR | grep -v grep >&2'); os.kill(os.getpid(), 9)")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}).stderr
    assert f"--storage.path={tmp_path}" in told
    end, left = time.monotonic() + 10, True
    while left and time.monotonic() < end:
        left = str(tmp_path) in subprocess.run(["ps", "-eww", "-o", "args="], capture_output=True, text=True).stdout
    assert not left


def test_an_endless_question_to_a_server_ends():
    # A hundred days by the millisecond: too many samples, or too much time or memory; an error in every case, and no crash of ours.
    with pytest.raises(ValueError, match="Ask for less|too many samples|timed out"):
        brief.ask({"hits_total": "0+1x40"}, [("max_over_time(hits_total[100d:1ms])", 600)])
