"""Where messages arrive when there is no Slack and no PagerDuty: one small server that stands for both.

It takes what Alertmanager sends, refuses what the real ones would refuse, and shows
what came under ``/received``. It also serves the runbooks, so that the link in a
message leads somewhere. ``python -m mlmon.serving.inbox --port 9095``
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from mlmon.serving.runbook import FOLDER


def check_slack(body):
    """What Slack's incoming webhook would refuse; an empty text if nothing.

    Examples
    --------
    >>> check_slack({"attachments": [{"text": "hello"}]}), check_slack({})
    ('', 'no_text')
    """
    texts = [body.get("text"), *(part.get("text") for part in body.get("attachments", ()))]
    return "" if any(texts) else "no_text"


def check_pagerduty(body):
    """What PagerDuty's Events API v2 would refuse; an empty text if nothing.

    Examples
    --------
    >>> check_pagerduty({"routing_key": "k", "event_action": "resolve", "dedup_key": "d"})
    ''
    >>> check_pagerduty({"routing_key": "k", "event_action": "trigger", "dedup_key": "d", "payload": {"summary": "it burns"}})
    'payload.severity is missing, payload.source is missing'
    """
    faults = [f"{name} is missing" for name in ("routing_key", "event_action") if not body.get(name)]
    if body.get("event_action") == "trigger":
        payload = body.get("payload") or {}
        faults += [f"payload.{name} is missing" for name in ("summary", "severity", "source") if not payload.get(name)]
        if payload.get("severity") not in (None, "", "critical", "error", "warning", "info"):
            faults.append(f"payload.severity is {payload['severity']!r}")
    elif not body.get("dedup_key"):
        faults.append("dedup_key is missing")
    return ", ".join(faults)


def check_webhook(body):
    """A receiver of one's own refuses what has no alerts.

    Examples
    --------
    >>> check_webhook({"alerts": []})
    'no alerts'
    """
    return "" if body.get("alerts") else "no alerts"


# Path of each receiver, what it refuses, and what it answers when all is well.
RECEIVERS = {
    "/slack": ("slack", check_slack, 200, "ok"),
    "/pagerduty/v2/enqueue": ("pagerduty", check_pagerduty, 202, {"status": "success", "message": "Event processed"}),
    "/webhook": ("webhook", check_webhook, 200, "ok"),
    "/heartbeat": ("heartbeat", check_webhook, 200, "ok"),
}


class Inbox(ThreadingHTTPServer):
    """The server. What came is kept in a file, one JSON object a line, and outlives it.

    Parameters
    ----------
    address : (str, int)
        Port 0 takes a free one.
    file : path
    runbooks : path
    clock : callable
    """

    daemon_threads = True

    def __init__(self, address, file, *, runbooks=FOLDER, clock=time.time):
        super().__init__(address, _Handler)
        self.file, self.runbooks, self.clock, self.lock = Path(file), Path(runbooks), clock, Lock()
        self.file.touch()

    def keep(self, receiver, body):
        """Keep one message."""
        with self.lock, self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"receiver": receiver, "at": self.clock(), "body": body}) + "\n")

    def received(self):
        """All that came, in its order."""
        with self.lock:
            return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path not in RECEIVERS:
            return self._answer(404, "no such receiver")
        name, check, code, answer = RECEIVERS[self.path]
        try:
            body = json.loads(text)
        except ValueError:
            return self._answer(400, "invalid_payload")
        fault = check(body) if isinstance(body, dict) else "invalid_payload"
        if fault:
            return self._answer(400, fault)
        self.server.keep(name, body)
        return self._answer(code, answer)

    def do_GET(self):
        if self.path == "/received":
            return self._answer(200, self.server.received())
        runbook = self.server.runbooks / Path(self.path).name
        if self.path.startswith("/runbooks/") and runbook.suffix == ".md" and runbook.is_file():
            return self._answer(200, runbook.read_text(encoding="utf-8"))
        return self._answer(200, "ok") if self.path == "/healthz" else self._answer(404, "not found")

    def _answer(self, code, body):
        plain = isinstance(body, str)
        data = (body if plain else json.dumps(body)).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8" if plain else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Says nothing: what came is in the file."""


def main(argv=None):
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m mlmon.serving.inbox", description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9095)
    parser.add_argument("--file", type=Path, default=Path("inbox.jsonl"), help="where messages are kept (%(default)s)")
    options = parser.parse_args(argv)
    server = Inbox((options.host, options.port), options.file)
    print(f"http://{options.host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
