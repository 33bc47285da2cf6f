"""The inbox refuses what Slack and PagerDuty would refuse, and keeps the rest."""

import http.client
import json
import threading

import pytest

from mlmon.serving import inbox, runbook


@pytest.fixture
def ask(tmp_path):
    """Ask an inbox: (method, path, body) -> (code, text)."""
    server = inbox.Inbox(("127.0.0.1", 0), tmp_path / "inbox.jsonl", clock=lambda: 7.0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def once(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request(method, path, body if isinstance(body, str) or body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    yield once
    server.shutdown()
    thread.join()
    server.server_close()


TRIGGER = {"routing_key": "k", "event_action": "trigger", "dedup_key": "d",
           "payload": {"summary": "it burns", "severity": "critical", "source": "here"}}


@pytest.mark.parametrize("path, body, code", [
    ("/slack", {"attachments": [{"text": "it burns"}]}, 200),
    ("/slack", {"attachments": []}, 400),
    ("/slack", "no json", 400),
    ("/slack", [1], 400),
    ("/pagerduty/v2/enqueue", TRIGGER, 202),
    ("/pagerduty/v2/enqueue", {**TRIGGER, "routing_key": ""}, 400),
    ("/pagerduty/v2/enqueue", {**TRIGGER, "payload": {**TRIGGER["payload"], "severity": "page"}}, 400),
    ("/pagerduty/v2/enqueue", {"routing_key": "k", "event_action": "resolve"}, 400),
    ("/webhook", {"alerts": [{}]}, 200),
    ("/heartbeat", {"alerts": []}, 400),
    ("/elsewhere", {"alerts": [{}]}, 404),
])
def test_a_message_is_taken_or_refused_as_by_the_real_receiver(ask, path, body, code):
    # Slack wants a text, PagerDuty its key, its action and one of four severities; what is refused is not kept.
    assert ask("POST", path, body)[0] == code
    assert len(json.loads(ask("GET", "/received")[1])) == (code < 300)


def test_what_came_outlives_the_inbox(ask, tmp_path):
    # It is in the file, with its receiver and its time.
    ask("POST", "/webhook", {"alerts": [{"status": "firing"}]})
    kept = [json.loads(line) for line in (tmp_path / "inbox.jsonl").read_text().splitlines()]
    assert kept == [{"receiver": "webhook", "at": 7.0, "body": {"alerts": [{"status": "firing"}]}}]


def test_runbooks_are_read_here_and_nothing_else(ask):
    # The link in a message leads to the page; no path leads out of the folder.
    code, text = ask("GET", "/runbooks/FeatureDrift.md")
    assert code == 200 and runbook.read(text).name == "FeatureDrift"
    for path in ("/runbooks/None.md", "/runbooks/../runbook.py", "/../../pyproject.toml", "/runbooks/"):
        assert ask("GET", path)[0] == 404
