"""The service over real sockets: right answers, clear refusals, and a trail by the prediction's id."""
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmon.data import scenarios
from mlmon.serving import intake
from mlmon.serving.fallback import Default
from mlmon.serving.faults import FAULTS, Faults
from mlmon.serving.model import MonitoredModel
from mlmon.serving.service import create_app, demo, serve
from mlmon.serving.telemetry import JsonLines, json_logger

SCENARIO = scenarios.make("customers-none", n=300, days=2)
TABLE = SCENARIO.table
COLUMNS = {name: "numeric" if name in TABLE.numeric else "categorical" for name in TABLE.features}
ROWS = SCENARIO.batches[0][list(TABLE.features)].astype(object).to_dict("records")


class Service:
    """A service that runs, its model, its log lines and spans."""

    def __init__(self, url, model, log, spans):
        self.url, self.model, self._log, self._spans = url, model, log, spans

    def call(self, method, path, body=None, headers=None):
        """(status, JSON or text)."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        content = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        connection.request(method, path, content, {"content-type": "application/json"} | (headers or {}))
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, json.loads(text) if response.getheader("content-type", "").startswith("application/json") else text

    def predict(self, rows, ids=None):
        return self.call("POST", "/predict", {"instances": rows} | ({} if ids is None else {"ids": ids}))

    def value(self, name, **labels):
        return self.model.metrics.value(name, **labels)

    def of_model(self, name, **labels):
        return self.value(name, model="churned", version="1", **labels)

    def lines(self, id):
        """Log lines that carry the prediction's id."""
        found = [json.loads(line) for line in self._log.getvalue().splitlines()]
        return [line for line in found if line.get("prediction_id") == id or id in line.get("prediction_ids", ())]

    def spans(self, id):
        found = self._spans.get_finished_spans()
        return [s for s in found if s.attributes.get("mlmon.prediction_id") == id or id in s.attributes.get("mlmon.prediction_ids", ())]


@pytest.fixture(scope="module")
def service():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, log, provider = InMemorySpanExporter(), io.StringIO(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    model, app = demo(SCENARIO, logger=json_logger(log), tracer=provider.get_tracer("test"), least_labels=20, cohort_seconds=1e6)
    with serve(app) as served:
        yield Service(served.url, model, log, spans)
    model.close()


@pytest.fixture(autouse=True)
def no_fault_stays(request):
    yield
    if "service" in request.fixturenames:
        request.getfixturevalue("service").call("DELETE", "/admin/faults")


# --- answers -------------------------------------------------------------------------

def test_a_prediction_is_the_model_s_own(service):
    # Through JSON and back the scores are those of a direct call, to the last bit, in the order of the rows.
    status, answer = service.predict(ROWS[:5], list("abcde"))
    own = service.model.model.predict_proba(SCENARIO.batches[0][list(TABLE.features)][:5])[:, 1]
    assert status == 200 and [p["score"] for p in answer["predictions"]] == own.tolist()
    assert [p["id"] for p in answer["predictions"]] == list("abcde") and answer["source"] == "model" and answer["version"] == "1"
    assert [p["decision"] for p in answer["predictions"]] == [int(score >= 1 / 6) for score in own]


def test_columns_may_come_in_any_order(service):
    # JSON objects have no order.
    turned = dict(reversed(ROWS[0].items()))
    assert service.predict([turned])[1]["predictions"][0]["score"] == service.predict(ROWS[:1])[1]["predictions"][0]["score"]


def test_a_missing_value_is_a_value(service):
    assert service.predict([ROWS[0] | {"age": None, "country": None}])[0] == 200


def test_a_label_finds_its_prediction(service):
    given = service.predict(ROWS[:1])[1]["predictions"][0]["id"]
    before = service.of_model("mlmon_revenue_euros_total")
    assert service.call("POST", "/feedback", {"id": given, "label": 0, "value": 2.5}) == (200, {"results": [{"id": given, "result": "joined"}]})
    assert service.call("POST", "/feedback", {"id": given, "label": 0})[1]["results"][0]["result"] == "duplicate"
    assert service.of_model("mlmon_revenue_euros_total") - before == 2.5


def test_many_labels_come_at_once_each_with_its_result(service):
    service.predict(ROWS[:2], ["m1", "m2"])
    labels = [{"id": "m1", "label": 1}, {"id": "nobody", "label": 1}, {"id": "m2", "label": 9}]
    status, answer = service.call("POST", "/feedback", {"labels": labels})
    assert status == 200 and [each["result"] for each in answer["results"]] == ["joined", "unknown", "invalid"]


def test_health_says_who_serves(service):
    assert service.call("GET", "/healthz") == (200, {"status": "ok", "model": "churned", "version": "1"})


def test_the_scrape_passes_the_linter_of_prometheus(service):
    service.predict(ROWS[:1])
    status, text = service.call("GET", "/metrics")
    assert status == 200 and "mlmon_prediction_score_bucket" in text and "nan" not in text.lower()
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    if sys.platform == "linux":
        assert "process_resident_memory_bytes" in text


# --- refusals ------------------------------------------------------------------------

GOOD = ROWS[0]
BAD = {
    "no JSON": ("{", 400, "body needs JSON"),
    "not an object": ([1], 422, "body needs a JSON object, got list"),
    "no instances": ({}, 422, "instances needs a list of objects, at least one, got NoneType"),
    "no rows": ({"instances": []}, 422, "instances needs a list of objects, at least one, got 0 values"),
    "rows of numbers": ({"instances": [1]}, 422, "instances needs a list of objects"),
    "a word too many": ({"instances": [GOOD], "threshold": 1}, 422, "body needs instances and ids, got threshold as well"),
    "feature missing": ({"instances": [{k: v for k, v in GOOD.items() if k != "age"}]}, 422, "instances[0] needs 13 features, got without age"),
    "feature unknown": ({"instances": [GOOD | {"shoe": 1}]}, 422, "instances[0] needs 13 features, got unknown shoe"),
    "text for a number": ({"instances": [GOOD, GOOD | {"age": "old"}]}, 422, "instances[1].age needs a finite number or null, got 'old'"),
    "true for a number": ({"instances": [GOOD | {"age": True}]}, 422, "instances[0].age needs a finite number"),
    "nan": ('{"instances": [' + json.dumps(GOOD | {"age": float("nan")}) + "]}", 422, "instances[0].age needs a finite number or null, got nan"),
    "beyond every float": ({"instances": [GOOD | {"age": 10**400}]}, 422, "instances[0].age needs a finite number"),
    "number for a category": ({"instances": [GOOD | {"country": 1}]}, 422, "instances[0].country needs text or null, got 1"),
    "too few ids": ({"instances": [GOOD, GOOD], "ids": ["a"]}, 422, "ids needs 2 different texts"),
    "one id twice": ({"instances": [GOOD, GOOD], "ids": ["a", "a"]}, 422, "ids needs 2 different texts"),
    "a number as id": ({"instances": [GOOD], "ids": [1]}, 422, "ids needs 1 different texts"),
    "a long id": ({"instances": [GOOD], "ids": ["a" * 201]}, 422, "ids needs 1 different texts"),
    "half a character as id": ({"instances": [GOOD], "ids": ["\ud800"]}, 422, "ids needs 1 different texts"),
    "half a character as feature": ({"instances": [GOOD | {"\ud800": 1}]}, 422, "instances[0] needs 13 features, got unknown \\ud800"),
    "a long name": ({"instances": [GOOD | {"a" * 100_000: 1}]}, 422, "instances[0] needs 13 features, got unknown aaa"),
    "too many rows": ({"instances": [{}] * 1001}, 413, "instances needs at most 1000 objects, got 1001"),
    "too long": ("[" + " " * 1_000_001 + "]", 413, "body needs at most 1,000,000 bytes"),
    "deep": ("[" * 200_000, 400, "body needs JSON"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_told_what_is_wrong(service, case):
    # 4xx, in the caller's words; counted as invalid, never as an error of the model; and the next one is served.
    body, code, says = BAD[case]
    invalid, errors = (service.of_model("mlmon_requests_total", outcome=o) for o in ("invalid", "error"))
    status, answer = service.call("POST", "/predict", body)
    assert status == code and answer["error"].startswith(says)
    assert service.of_model("mlmon_requests_total", outcome="invalid") == invalid + 1
    assert service.of_model("mlmon_requests_total", outcome="error") == errors
    assert service.predict([GOOD])[0] == 200


@pytest.mark.parametrize("body, code, says", [
    ({}, 422, "feedback needs id and label"), ({"id": "a", "label": 1, "score": 2}, 422, "feedback needs id and label"),
    ({"id": 1, "label": 1}, 422, "id needs text, got 1"), ({"id": "\ud800", "label": 1}, 422, "id needs text"), ({"id": "a", "label": [1]}, 422, "label needs a class or a number"),
    ({"id": "a", "label": "maybe"}, 422, "label needs one of 0, 1, got 'maybe'"), ({"id": "a", "label": 1, "value": -1}, 422, "value needs"),
    ({"id": "never served", "label": 1}, 404, "id needs that of a logged prediction, got 'never served'"),
    ({"labels": "all"}, 422, "labels needs a list"), ({"labels": [], "id": "a"}, 422, "body needs labels, got id as well"),
])
def test_a_bad_label_is_told_what_is_wrong(service, body, code, says):
    status, answer = service.call("POST", "/feedback", body)
    assert status == code and answer["error"].startswith(says)


@pytest.mark.parametrize("method, path, code", [("GET", "/predict", 405), ("POST", "/nothing", 404), ("POST", "/metrics", 405)])
def test_a_wrong_way_is_counted_under_few_names(service, method, path, code):
    # A scanner asks for a thousand paths: they share one series.
    route = path if path != "/nothing" else "other"
    before = service.value("mlmon_http_requests_total", route=route, code=code) or 0
    assert service.call(method, path, "{}")[0] == code
    assert service.value("mlmon_http_requests_total", route=route, code=code) == before + 1


def test_other_content_than_json_is_refused(service):
    assert service.call("POST", "/predict", "a=1", {"content-type": "application/x-www-form-urlencoded"})[0] == 415


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["instances", "ids", "labels", "id", "label", "age", "land"]), inner, max_size=3),
                    max_leaves=8)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["instances", "ids", "labels", "id", "label", "value"]), JSON, max_size=4))
def test_any_object_is_taken_or_refused(body):
    # No request, however made, is the service's own fault: 4xx or rows that make a frame.
    columns = {"age": "numeric", "land": "categorical"}
    try:
        rows, ids = intake.instances(body, columns)
    except intake.Refused as refused:
        assert 400 <= refused.status_code < 500 and str(refused)
    else:
        assert intake.frame(rows, columns).shape == (len(ids), 2)
    try:
        assert all(isinstance(label["id"], str) for label in intake.labels(body))
    except intake.Refused as refused:
        assert 400 <= refused.status_code < 500


# --- the trail -----------------------------------------------------------------------

def test_log_and_trace_carry_the_prediction_s_id(service):
    # From an id one finds its log line, from that its trace, and the caller's trace is the parent.
    parent = "0af7651916cd43dd8448eb211c80319c"
    body = {"instances": ROWS[:1], "ids": ["trail"]}
    service.call("POST", "/predict", body, {"traceparent": f"00-{parent}-b7ad6b7169203331-01"})
    service.call("POST", "/feedback", {"id": "trail", "label": 1})
    predict, feedback = service.lines("trail")
    assert (predict["event"], predict["status"], predict["source"], predict["level"]) == ("predict", 200, "model", "info")
    assert (feedback["event"], feedback["results"]) == ("feedback", ["joined"]) and predict["seconds"] > 0
    spans = {span.name: span for span in service.spans("trail")}
    assert set(spans) == {"POST /predict", "model", "POST /feedback"}
    outer = spans["POST /predict"]
    assert f"{outer.context.trace_id:032x}" == parent == predict["trace_id"] and f"{outer.context.span_id:016x}" == predict["span_id"]
    assert spans["model"].parent.span_id == outer.context.span_id
    assert outer.attributes["mlmon.status"] == 200 and outer.attributes["mlmon.version"] == "1"


def test_a_batch_is_found_by_each_of_its_ids(service):
    service.predict(ROWS[:3], ["b0", "b1", "b2"])
    assert service.lines("b1") == service.lines("b2") != [] and service.spans("b1")


def test_a_failure_leaves_its_trail(service):
    # Status 500 without the model's inner words for the caller; the log has the error, the span as well.
    service.call("PUT", "/admin/faults", {"errors": 1})
    status, answer = service.predict(ROWS[:1], ["broken"])
    assert (status, answer) == (500, {"error": "the model failed with InjectedError", "ids": ["broken"]})
    (line,) = service.lines("broken")
    assert line["level"] == "error" and "InjectedError" in line["exception"]
    inner = next(span for span in service.spans("broken") if span.name == "model")
    assert not inner.status.is_ok and inner.events[0].attributes["exception.type"].endswith("InjectedError")


def test_without_a_tracer_nothing_is_recorded_and_all_is_served():
    # OpenTelemetry without a provider: no trace ids in the log.
    log = io.StringIO()
    model, app = demo(SCENARIO, logger=json_logger(log))
    with serve(app) as served:
        assert Service(served.url, model, log, None).predict(ROWS[:1])[0] == 200
    assert "trace_id" not in log.getvalue()


def test_without_opentelemetry_all_is_served(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    log = io.StringIO()
    model, app = demo(SCENARIO, logger=json_logger(log))
    with serve(app) as served:
        assert Service(served.url, model, log, None).predict(ROWS[:1])[0] == 200


def test_a_log_line_is_one_line_of_json():
    import logging

    log = io.StringIO()
    try:
        raise ValueError("two\nlines")
    except ValueError:
        json_logger(log).exception("oh", extra={"about": {"id": "a\nb", "odd": {1, 2}}})
    (line,) = log.getvalue().splitlines()
    told = json.loads(line)
    assert told["event"] == "oh" and told["id"] == "a\nb" and "two\nlines" in told["exception"]
    assert logging.getLogger("mlmon.serving").handlers == []      # nothing global was touched
    assert JsonLines().format(logging.makeLogRecord({"created": 0.9996, "levelname": "INFO"})).startswith('{"time": "1970-01-01T00:00:00.999Z"')


# --- faults --------------------------------------------------------------------------

def on(service, **faults):
    assert service.call("PUT", "/admin/faults", faults) == (200, {k: float(v) for k, v in faults.items()})


def test_latency_is_added(service):
    before = service.of_model("mlmon_prediction_latency_seconds_sum", size="one")
    on(service, latency=0.2)
    service.predict(ROWS[:1])
    assert service.of_model("mlmon_prediction_latency_seconds_sum", size="one") - before >= 0.2


def test_errors_and_scores_that_are_no_numbers_are_500(service):
    for fault, outcome in (("errors", "error"), ("nonfinite", "nonfinite")):
        before = service.of_model("mlmon_requests_total", outcome=outcome)
        on(service, **{fault: 1})
        assert service.predict(ROWS[:1])[0] == 500
        assert service.of_model("mlmon_requests_total", outcome=outcome) == before + 1
        service.call("DELETE", "/admin/faults")
    assert service.predict(ROWS[:1])[0] == 200


def test_drift_and_lost_values_reach_the_drift_job(service):
    # 300 rows each: quiet first, then one feature moves by two deviations, then half of it is lost.
    def window():
        service.model._window._parts.clear()
        service.model._window._count = 0
        for start in (0, 150):
            service.predict(ROWS[start:start + 150])
        return service.model.refresh().drift

    assert not window().drifted
    on(service, drift=2)
    assert window().report.drifted_features == ("recency",)
    psi = service.of_model("mlmon_feature_psi", feature="recency")
    service.call("DELETE", "/admin/faults")
    on(service, missing=0.5)
    assert "recency" in window().report.drifted_features and psi > 1
    assert service.of_model("mlmon_feature_missing_ratio", feature="recency") == pytest.approx(0.5, abs=0.15)


def test_concept_flips_labels_and_unlabelled_loses_them(service):
    service.predict(ROWS[:2], ["x1", "x2"])
    on(service, concept=1)
    service.call("POST", "/feedback", {"id": "x1", "label": 1})
    on(service, concept=1, unlabelled=1)
    assert service.call("POST", "/feedback", {"id": "x2", "label": 1})[1] == {"results": [{"id": "x2", "result": "lost"}]}
    assert service.model.log.find("x1").label == "0" and service.model.log.find("x2").label is None


def test_every_fault_can_be_set_and_is_undone(service):
    on(service, **dict.fromkeys(FAULTS, 1))
    assert service.call("GET", "/admin/faults")[1].keys() == FAULTS.keys()
    assert service.call("DELETE", "/admin/faults") == (200, {}) and service.predict(ROWS[:1])[0] == 200


@pytest.mark.parametrize("faults, says", [({"fire": 1}, "fault needs one of"), ({"self": 1}, "fault needs one of"), ({"errors": 2}, "errors needs a share"), ({"latency": -1}, "latency needs"), ({"latency": "x"}, "latency needs")])
def test_a_wrong_fault_is_refused_and_none_is_taken(service, faults, says):
    status, answer = service.call("PUT", "/admin/faults", {"concept": 1, **faults})
    assert status == 422 and answer["error"].startswith(says) and service.call("GET", "/admin/faults")[1] == {}


def scope(path, client, method="GET"):
    return {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
            "client": (client, 1), "server": ("x", 80), "scheme": "http", "http_version": "1.1", "root_path": ""}


@pytest.mark.parametrize("client, code", [("127.0.0.1", 200), ("::1", 200), ("10.0.0.7", 403), ("203.0.113.9", 403)])
def test_faults_are_set_from_this_machine_only(client, code):
    import asyncio

    app, sent = demo(SCENARIO, logger=json_logger(io.StringIO()))[1], []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(app(scope("/admin/faults", client), receive, send))
    assert sent[0]["status"] == code


def test_a_service_without_faults_has_no_door_to_them():
    model, _ = demo(SCENARIO)
    with serve(create_app(model, columns=COLUMNS, logger=json_logger(io.StringIO()))) as served:
        assert Service(served.url, model, None, None).call("GET", "/admin/faults")[0] == 404


def test_the_share_of_errors_is_what_was_asked_for():
    # 2,000 draws at 0.3: binomial, within five standard deviations.
    faults = Faults(seed=3)
    faults.set(errors=0.3)
    hits = sum(faults._hits("errors") for _ in range(2000))
    assert abs(hits - 600) < 5 * np.sqrt(2000 * 0.3 * 0.7)


# --- starting and stopping -------------------------------------------------------------

def test_a_fallback_answers_and_is_named():
    model, app = demo(SCENARIO, fallbacks=[Default(0.2)], logger=json_logger(io.StringIO()))
    with serve(app) as served, pytest.warns(UserWarning, match="default"):
        service = Service(served.url, model, None, None)
        on(service, errors=1)
        status, answer = service.predict(ROWS[:1])
    assert status == 200 and answer["source"] == "fallback" and answer["predictions"][0]["score"] == pytest.approx(0.2)


def test_a_model_without_probabilities_is_served_without_scores():
    from sklearn.dummy import DummyClassifier

    inner = DummyClassifier(strategy="constant", constant="no").fit([[0], [1]], ["no", "yes"])
    inner = type("Bare", (), {"classes_": inner.classes_, "predict": inner.predict})()
    app = create_app(MonitoredModel(inner, name="m", version="1"), columns={"age": "numeric"}, logger=json_logger(io.StringIO()))
    with serve(app) as served:
        status, answer = Service(served.url, None, None, None).predict([{"age": 1}], ["a"])
    assert status == 200 and answer["predictions"] == [{"id": "a", "score": None, "decision": "no"}]


def test_the_jobs_run_while_the_service_does():
    model, app = demo(SCENARIO, refresh_every=0.02, logger=json_logger(io.StringIO()), clock=lambda: 5.0)
    ran, own = threading.Event(), model.refresh
    model.refresh = lambda: (own(), ran.set())
    with serve(app):
        assert ran.wait(10)
    assert model._thread is None and model.metrics.value("mlmon_drift_last_run_timestamp_seconds", model="churned", version="1") == 5


def test_what_is_under_way_at_the_end_is_answered():
    # The stop comes while the model thinks: the answer still arrives whole.
    model, app = demo(SCENARIO, logger=json_logger(io.StringIO()))
    thinking, go, own, found = threading.Event(), threading.Event(), model.ask, []

    def slow(*args, **kwargs):
        thinking.set()
        go.wait(10)
        return own(*args, **kwargs)

    model.ask = slow
    with serve(app) as served:
        service = Service(served.url, model, None, None)
        thread = threading.Thread(target=lambda: found.append(service.predict(ROWS[:1])))
        thread.start()
        assert thinking.wait(10)
        threading.Timer(0.3, go.set).start()
    thread.join(10)
    assert found[0][0] == 200 and found[0][1]["predictions"]


def test_a_taken_port_is_told():
    model, app = demo(SCENARIO, logger=json_logger(io.StringIO()))
    with serve(app) as served, pytest.raises(ValueError, match=f"^port needs a free one on 127.0.0.1, got {served.port}"):
        with serve(app, port=served.port):
            pass


def test_an_app_that_cannot_start_is_told():
    async def broken(scope, receive, send):
        raise OSError("no disk")

    with pytest.raises(RuntimeError, match="^app needs to start"):
        with serve(broken):
            pass


def test_the_command_serves_and_stops_when_told(tmp_path):
    # SIGTERM, as a supervisor sends it: exit status 0, and the log of predictions is whole.
    command = [sys.executable, "-m", "mlmon.serving.service", "--log", str(tmp_path / "log"), "--refresh", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        try:
            where = json.loads(process.stdout.readline())
            service = Service(where["url"], None, None, None)
            assert where["pid"] == process.pid and service.predict(ROWS[:2], ["k1", "k2"])[0] == 200
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
        finally:
            process.kill()
    from mlmon.serving.predictions import PredictionLog

    assert process.returncode == 0 and len(PredictionLog(tmp_path / "log")) == 2
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["predict"]
