"""Traffic: the same for the same seed, true to its scenario, and not one request uncounted."""
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import numpy as np
import pytest

from mlmon.data import scenarios
from mlmon.serving.service import demo, serve
from mlmon.serving.telemetry import json_logger
from mlmon.serving.traffic import Event, events, replay

SCENARIO = scenarios.make("customers-sudden-mean", n=40, days=4)
INF = float("inf")


def stream(**how):
    return list(events(SCENARIO, **how))


# --- what is sent ----------------------------------------------------------------------

def test_the_same_seed_gives_the_same_requests():
    assert stream(seed=1) == stream(seed=1) != stream(seed=2)


def test_every_row_is_asked_for_once_in_the_scenario_s_order():
    # 4 days of 40 rows; what is sent of a row is what the frame holds.
    asked = [event for event in stream() if event.route == "/predict"]
    rows = [row for event in asked for row in event.body["instances"]]
    own = [row for frame in SCENARIO.batches for row in frame[list(SCENARIO.table.features)].to_dict("records")]
    assert rows == own and len({event.ids for event in asked}) == 160


def test_labels_are_the_scenario_s_and_come_after_their_prediction():
    found = stream(labelled=1.0, delay=3.0)
    asked = {event.ids[0]: event.at for event in found if event.route == "/predict"}
    told = {event.ids[0]: event for event in found if event.route == "/feedback"}
    truth = [y for frame in SCENARIO.batches for y in frame["churned"].tolist()]
    assert [told[id].body["label"] for id in asked] == truth
    assert all(told[id].at > at for id, at in asked.items())
    assert [event.at for event in found] == sorted(event.at for event in found)
    assert all(event.body["value"] == 0 for event in told.values() if event.body["label"])


def test_rate_delay_and_share_are_what_was_asked_for():
    # Poisson and exponential: means within five standard errors; labels binomial.
    found = stream(rate=20.0, delay=2.0, labelled=0.6, rounds=10)
    asked = {event.ids[0]: event.at for event in found if event.route == "/predict"}
    delays = [event.at - asked[event.ids[0]] for event in found if event.route == "/feedback"]
    n = len(asked)
    assert n == 1600 and max(asked.values()) / n == pytest.approx(1 / 20, rel=5 / np.sqrt(n))
    assert np.mean(delays) == pytest.approx(2, rel=5 / np.sqrt(len(delays)))
    assert abs(len(delays) - 0.6 * n) < 5 * np.sqrt(n * 0.24)


def test_lost_values_become_null():
    made = scenarios.make("applicants-gradual-missing", n=200, days=2)
    bodies = [event.body for event in events(made) if event.route == "/predict"]
    lost = sum(row["credit_score"] is None for body in bodies for row in body["instances"])
    assert lost == sum(int(frame["credit_score"].isna().sum()) for frame in made.batches) > 0
    assert "NaN" not in json.dumps(bodies)


def test_a_batch_holds_several_rows_and_rounds_have_new_ids():
    found = [event for event in stream(batch=15, rounds=2) if event.route == "/predict"]
    assert [len(event.ids) for event in found[:3]] == [15, 15, 10]
    assert len({id for event in found for id in event.ids}) == 320


def test_a_stream_without_end_begins_at_once():
    endless = events(SCENARIO, rounds=None, labelled=0.0)
    assert len([next(endless) for _ in range(500)]) == 500


@pytest.mark.parametrize("how", [{"rate": 0}, {"delay": -1}, {"labelled": 2}])
def test_wrong_settings_are_refused(how):
    with pytest.raises(ValueError, match=f"^{next(iter(how))} needs"):
        next(events(SCENARIO, **how))


# --- what comes back -------------------------------------------------------------------

def test_the_service_loses_no_count_under_load():
    # 8 connections as fast as they go; every fourth call fails. What was acknowledged is what was counted, to the last one.
    model, app = demo(SCENARIO, logger=json_logger(io.StringIO()), refresh_every=0.5)
    model.model._faults.set(errors=0.25)
    with serve(app) as served:
        sent = replay(stream(batch=2, labelled=0.9, rounds=2), served.url, workers=8, speed=INF)
        text = model.metrics.text()[0]
    codes = dict(sent.codes)

    def count(name, **labels):
        return model.metrics.value(name, **labels)

    def of(name, **labels):
        return count(name, model="churned", version="1", **labels)

    assert (sent.requests, sent.lost) == (160, 0) and sent.acknowledged + codes[500] == 160 and codes[500] > 20
    assert of("mlmon_requests_total", outcome="ok") == sent.acknowledged and of("mlmon_requests_total", outcome="error") == codes[500]
    assert of("mlmon_predictions_total", source="model") == sent.rows == of("mlmon_prediction_score_count") == 2 * sent.acknowledged
    assert sum(of("mlmon_decisions_total", decision=d) for d in "01") == sent.rows == len(model.log)
    assert of("mlmon_labels_total", result="joined") == sent.joined == sent.labels and sent.unsent > 0
    assert count("mlmon_http_requests_total", route="/predict", code=200) == sent.acknowledged
    assert count("mlmon_http_requests_total", route="/feedback", code=200) == sent.labels
    assert of("mlmon_prediction_latency_seconds_count", size="batch") == 160
    assert of("mlmon_requests_in_progress") == 0 and f"mlmon_requests_in_progress{{model=\"churned\",version=\"1\"}} 0.0" in text
    assert sum(of("mlmon_monitoring_errors_total", stage=stage) for stage in ("log", "window", "cache", "quality", "drift")) == 0


def test_labels_of_failed_predictions_are_not_sent():
    # Every call fails: nobody waits for a label of what was never said.
    model, app = demo(SCENARIO, logger=json_logger(io.StringIO()))
    model.model._faults.set(errors=1)
    with serve(app) as served:
        sent = replay(stream(labelled=1.0)[:40], served.url, speed=INF)
    asked = sum(event.route == "/predict" for event in stream(labelled=1.0)[:40])
    assert (sent.requests, sent.acknowledged, sent.labels, sent.unsent) == (asked, 0, 0, 40 - asked) and sent.codes == ((500, asked),)


@contextmanager
def listener(answers):
    """A server that answers a request where `answers(number)` is true; its address."""
    number = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            if not answers(next(number)):
                self.close_connection = True
                return
            body = b'{"predictions": [{}]}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown(), server.server_close()


ASKED = [Event(0.0, "/predict", (str(i),), {}) for i in range(6)]


def test_what_is_not_answered_is_counted_as_lost():
    # The server hangs up on every second request; the next one uses a new connection.
    with listener(lambda number: number % 2 == 0) as url:
        sent = replay(ASKED, url, workers=1, speed=INF)
    assert (sent.requests, sent.acknowledged, sent.lost, sent.codes) == (6, 3, 3, ((200, 3),))


def test_an_answer_that_does_not_come_holds_nobody_up():
    # The first one never comes: its connection is given up, and the other five are answered.
    never = threading.Event()
    with listener(lambda number: number or never.wait(10)) as url:
        sent = replay(ASKED, url, workers=1, speed=INF, patience=0.5)
        never.set()
    assert (sent.acknowledged, sent.lost) == (5, 1)


def test_a_service_that_is_down_loses_everything_and_raises_nothing():
    sent = replay(stream()[:20], "http://127.0.0.1:9", speed=INF)
    assert sent.acknowledged == 0 and sent.lost == sent.requests > 0


def test_requests_wait_until_they_are_due():
    # Due after 0, 0.1 and 0.2 seconds at half speed: the last is sent 0.4 s after the start.
    due = [Event(at, "/predict", (str(at),), {}) for at in (0.0, 0.1, 0.2)]
    start = time.monotonic()
    replay(due, "http://127.0.0.1:9", speed=0.5)
    assert time.monotonic() - start >= 0.4


def test_it_stops_when_told():
    stop = threading.Event()
    stop.set()
    assert replay(events(SCENARIO, rounds=None), "http://127.0.0.1:9", stop=stop).requests == 0


def test_a_speed_of_nothing_is_refused():
    with pytest.raises(ValueError, match="^speed needs"):
        replay([], "http://127.0.0.1:9", speed=0)


def test_the_command_prints_its_counts_when_told_to_stop():
    # Without an end of its own, it ends at SIGTERM and says what it did.
    model, app = demo(SCENARIO, logger=json_logger(io.StringIO()))
    first, own = threading.Event(), model.ask
    model.ask = lambda *args, **kwargs: (first.set(), own(*args, **kwargs))[1]
    with serve(app) as served:
        command = [sys.executable, "-m", "mlmon.serving.traffic", "--url", served.url, "--seconds", "0", "--rate", "30"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
            try:
                assert first.wait(60)
                process.send_signal(signal.SIGTERM)
                told = json.loads(process.communicate(timeout=30)[0])
            finally:
                process.kill()
    assert process.returncode == 0 and told["acknowledged"] == told["requests"] >= 1
    assert told["acknowledged"] == model.metrics.value("mlmon_requests_total", model="churned", version="1", outcome="ok")
