"""A scoring service over a monitored model: /predict, /feedback, /metrics, /healthz.

Thin: it reads JSON, says clearly what is wrong with a request, asks the model in a thread, and
leaves a log line and a span that carry the prediction's id. `demo` makes a whole one to try things
on, with faults to inject; ``python -m mlmon.serving.service`` runs that.
"""
import argparse
import json
import os
import signal
import socket
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Thread
from traceback import format_exc

import numpy as np

from mlmon import _check
from mlmon.serving import intake
from mlmon.serving.faults import Faults
from mlmon.serving.intake import Refused
from mlmon.serving.metrics import LABELS
from mlmon.serving.model import MonitoredModel
from mlmon.serving.telemetry import Tracing, attributes, json_logger

_QUIET = ("/metrics", "/healthz")      # asked for every few seconds: counted, not logged


def create_app(model, *, columns, faults=None, tracer=None, logger=None, refresh_every=None):
    """The service as an ASGI application.

    Parameters
    ----------
    model : MonitoredModel
    columns : dict
        Name of each feature, in the model's order, and its kind: "numeric" or "categorical".
    faults : Faults, optional
        Then /admin/faults reads and sets them, for callers on this machine only.
    tracer : opentelemetry.trace.Tracer, optional
        The process's own by default.
    logger : logging.Logger, optional
        JSON lines on stderr by default.
    refresh_every : float, optional
        Seconds between two runs of the drift and quality jobs. None leaves them to the caller.

    Returns
    -------
    starlette.applications.Starlette
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    for name, kind in columns.items():
        _check.one_of(kind, ("numeric", "categorical"), f"columns[{name!r}]")
    desk = _Desk(model, dict(columns), faults, Tracing(tracer), logger or json_logger(sys.stderr))
    routes = [Route("/predict", desk.predict, methods=["POST"]), Route("/feedback", desk.feedback, methods=["POST"]),
              Route("/metrics", desk.metrics), Route("/healthz", desk.health)]
    if faults is not None:
        routes.append(Route("/admin/faults", desk.faults_on, methods=["GET", "PUT", "DELETE"]))
    app = Starlette(routes=routes, exception_handlers={Refused: _refused, HTTPException: _refused}, lifespan=desk.lifespan(refresh_every))
    app.add_middleware(_Observed, desk=desk)
    for code in ("200", "500"):      # at 0 from the start, or the first failure would not be an increase
        model.metrics.child("mlmon_http_requests_total", route="/predict", code=code)
    return app


@dataclass(frozen=True)
class Served:
    """A service that runs.

    Parameters
    ----------
    url : str
        Without a slash at its end.
    port : int
    """

    url: str
    port: int


@contextmanager
def serve(app, *, host="127.0.0.1", port=0, patience=10.0):
    """Run an application in a thread for the length of a ``with`` block.

    Parameters
    ----------
    app : ASGI application
    host, port : str, int
        Port 0 takes a free one.
    patience : float
        Seconds that a start may take, and that requests under way get at the end.

    Yields
    ------
    Served

    Raises
    ------
    RuntimeError
        Where the application does not start.
    """
    listener = _listen(host, port)
    server = _server(app, patience)
    thread = Thread(target=_run, args=(server, listener), name="service", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + patience
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"app needs to start within {patience:g} s, got none. Read its log.")
            thread.join(0.005)
        port = listener.getsockname()[1]
        yield Served(f"http://{host}:{port}", port)
    finally:
        server.should_exit = True
        thread.join(2 * patience)
        listener.close()


def demo(scenario="customers-none", *, seed=0, refresh_every=None, logger=None, tracer=None, **settings):
    """A model of a scenario's population, served, with faults to inject.

    A logistic regression that has seen 4,000 other rows of the population. It decides at the
    threshold that costs least, a missed positive costing five times a false alarm.

    Parameters
    ----------
    scenario : str or mlmon.data.scenarios.Scenario
    seed : int
    refresh_every, logger, tracer
        As in `create_app`.
    **settings
        Of `MonitoredModel`.

    Returns
    -------
    (MonitoredModel, starlette.applications.Starlette)
    """
    from mlmon.data import scenarios
    from mlmon.serving.scorecard import Scorecard

    scenario = scenarios.make(scenario, seed, days=2) if isinstance(scenario, str) else scenario
    table = scenario.table
    columns = {name: "numeric" if name in table.numeric else "categorical" for name in table.features}
    past = table.sample(4000, (seed, 1_000_000))
    inner = Scorecard(table.numeric, table.categorical).fit(past, past[table.target])
    reference = scenario.reference[list(table.features)]
    feature = max((name for name in table.numeric if name in table.weights), key=lambda name: abs(table.weights[name]))
    faults = Faults(feature=feature, spread=float(reference[feature].std()), seed=seed)
    known = dict(name=table.target, version="1", reference=reference, reference_scores=inner.predict_proba(reference)[:, 1],
                 costs={"false_positive": 5.0, "false_negative": 25.0}, threshold=1 / 6, seed=seed)
    model = MonitoredModel(faults.model(inner), **(known | settings))
    return model, create_app(model, columns=columns, faults=faults, refresh_every=refresh_every, logger=logger, tracer=tracer)


def main(argv=None):
    """Run `demo` in this process until SIGTERM or Ctrl-C; a line of JSON on stdout says where."""
    parser = argparse.ArgumentParser(prog="python -m mlmon.serving.service", description=main.__doc__)
    parser.add_argument("--scenario", default="customers-none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--refresh", type=float, default=5.0, metavar="SECONDS", help="between two runs of the drift and quality jobs")
    parser.add_argument("--window", type=int, default=2000, metavar="ROWS", help="that the drift job compares at most (%(default)s)")
    parser.add_argument("--least-rows", type=int, default=200, metavar="ROWS", help="that it needs (%(default)s)")
    parser.add_argument("--cohort", type=float, default=86400.0, metavar="SECONDS", help="of predictions that quality is of (%(default)s)")
    parser.add_argument("--version", default="1", help="label of the model")
    parser.add_argument("--fallback", type=float, metavar="SHARE", help="the score to give where the model fails; without it the caller gets an error")
    parser.add_argument("--log", metavar="FILE", help="of the predictions; in memory by default")
    chosen = parser.parse_args(argv)
    from mlmon.serving.fallback import Default
    from mlmon.serving.predictions import PredictionLog

    log = PredictionLog(chosen.log)
    fallbacks = () if chosen.fallback is None else (Default(chosen.fallback),)
    model, app = demo(chosen.scenario, seed=chosen.seed, refresh_every=chosen.refresh, log=log, version=chosen.version,
                      window_rows=chosen.window, least_rows=chosen.least_rows, cohort_seconds=chosen.cohort, fallbacks=fallbacks)
    listener = _listen(chosen.host, chosen.port)
    where = {"event": "listening", "url": f"http://{chosen.host}:{listener.getsockname()[1]}", "pid": os.getpid()}
    for number in (signal.SIGTERM, signal.SIGINT):      # uvicorn stops at these, and then raises them again
        signal.signal(number, lambda *_: None)
    try:
        _server(app, 10.0, lambda: print(json.dumps(where), flush=True)).run(sockets=[listener])
    finally:
        model.close()
        log.close()


async def _refused(request, error):
    from starlette.responses import JSONResponse

    if request.url.path == "/predict":
        request.state.desk.model.refuse()
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


class _Desk:
    """What the routes do."""

    def __init__(self, model, columns, faults, tracing, logger):
        self.model, self.columns, self.faults, self.tracing, self.logger = model, columns, faults, tracing, logger

    def lifespan(self, every):
        @asynccontextmanager
        async def life(app):
            if every is not None:
                self.model.start(every, unless=self.faults.stalled if self.faults else lambda: False)
            _process(self.model.metrics.registry)
            yield
            self.model.stop()
            _leave_folder()

        return life

    async def predict(self, request):
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        about = request.state.about
        about.update(model=self.model.name, version=self.model.version)
        rows, ids = intake.instances(await intake.read(request), self.columns)
        about.update(rows=len(rows), **_named(ids))
        try:
            answer = await run_in_threadpool(self._ask, rows, ids, about)
        except Exception as error:
            about["exception"] = format_exc(limit=-5)
            return JSONResponse({"error": f"the model failed with {type(error).__name__}", "ids": ids}, 500)
        about["source"] = answer.source
        finite = np.isfinite(answer.scores).tolist()
        if not all(fine or decision is not None for fine, decision in zip(finite, answer.decisions)):
            about["exception"] = "a score is not a finite number"
            return JSONResponse({"error": "the model gave a score that is not a finite number", "ids": ids}, 500)
        predictions = [{"id": id, "score": score if fine else None, "decision": decision}
                       for id, score, fine, decision in zip(answer.ids, answer.scores.tolist(), finite, answer.decisions)]
        return JSONResponse({"model": self.model.name, "version": answer.version, "source": answer.source, "predictions": predictions})

    def _ask(self, rows, ids, about):
        with self.tracing.step("model", about):
            frame = intake.frame(rows, self.columns)
            return self.model.ask(self.faults.rows(frame) if self.faults else frame, ids=ids)

    async def feedback(self, request):
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        body = await intake.read(request)
        labels, single = intake.labels(body), "labels" not in body
        request.state.about.update(_named([label["id"] for label in labels]))
        results = await run_in_threadpool(self._join, labels)
        request.state.about["results"] = [each["result"] for each in results]
        if single and results[0]["result"] == "unknown":
            raise Refused(404, f"id needs that of a logged prediction, got {body['id']!r}. Send the id that /predict gave.")
        if single and results[0]["result"] == "invalid":
            raise Refused(422, results[0]["error"])
        return JSONResponse({"results": results})

    def _join(self, labels):
        return [{"id": label["id"], **self._one(label)} for label in labels]

    def _one(self, label):
        true = label["label"]
        if self.faults and (true := self.faults.label(true, self.model.classes or ())) is None:
            return {"result": "lost"}
        try:
            return {"result": self.model.feedback(label["id"], true, value=label.get("value"))}
        except ValueError as error:
            return {"result": "invalid", "error": str(error)}

    async def metrics(self, request):
        from starlette.responses import Response

        text, kind = self.model.metrics.text(request.headers.get("accept"))
        return Response(text, headers={"content-type": kind})

    async def health(self, request):
        from starlette.responses import JSONResponse

        return JSONResponse({"status": "ok", "model": self.model.name, "version": self.model.version})

    async def faults_on(self, request):
        from starlette.responses import JSONResponse

        if not (request.client and ip_address(request.client.host).is_loopback):
            raise Refused(403, "faults are set from the service's own machine only")
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "PUT":
            try:
                self.faults.set(**await intake.read(request))
            except ValueError as error:
                raise Refused(422, str(error)) from None
            self.logger.warning("fault", extra={"about": self.faults.active()})
        return JSONResponse(self.faults.active())


class _Observed:
    """Counts, times, traces and logs every HTTP request, also one that no route knows or that fails."""

    def __init__(self, app, desk):
        self.app, self.desk = app, desk

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        route = scope["path"] if scope["path"] in LABELS["route"] else "other"
        about, code, start = {"route": route}, 500, time.perf_counter()
        scope.setdefault("state", {}).update(about=about, desk=self.desk)

        async def noting(message):
            nonlocal code
            code = message.get("status", code)
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self.desk.tracing.server(f"{scope['method']} {route}", headers) as span:
            try:
                await self.app(scope, receive, noting)
            finally:
                seconds = time.perf_counter() - start
                self.desk.model.metrics.child("mlmon_http_requests_total", route=route, code=code).inc()
                self.desk.model.metrics.child("mlmon_http_request_duration_seconds", route=route).observe(seconds)
                about.update(status=code, seconds=round(seconds, 6), **self.desk.tracing.ids(span))
                if span is not None:
                    span.set_attributes(attributes(about))
                if route not in _QUIET:
                    say = self.desk.logger.error if code >= 500 else self.desk.logger.info
                    say(route.strip("/") or "other", extra={"about": about})


def _named(ids):
    """The prediction's id, or those of all rows."""
    return {"prediction_id": ids[0]} if len(ids) == 1 else {"prediction_ids": list(ids)} if ids else {}


def _listen(host, port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ValueError(f"port needs a free one on {host}, got {port}: {error.strerror}. Pass 0 for any.") from None
    return listener


def _server(app, patience, ready=lambda: None):
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            if self.started:
                ready()

    return Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=patience))


def _run(server, listener):
    try:
        server.run(sockets=[listener])
    except SystemExit:      # uvicorn's word for an application that did not start; it has logged why
        pass


def _process(registry):
    """Memory, processor time and open files of this process, once a registry; not where processes share their numbers."""
    from prometheus_client import ProcessCollector

    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        try:
            ProcessCollector(registry=registry)
        except ValueError:      # it has one
            pass


def _leave_folder():
    """Take what counts only for a living process out of the shared folder."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(os.getpid())


if __name__ == "__main__":
    main()
