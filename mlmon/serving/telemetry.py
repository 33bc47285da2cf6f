"""Logs as JSON lines and traces by OpenTelemetry, both carrying the prediction's id."""
import json
import logging
import time
from contextlib import contextmanager


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, and whatever the record's `about` holds.

    Examples
    --------
    >>> record = logging.makeLogRecord({"msg": "predict", "levelname": "INFO", "created": 0.0, "about": {"prediction_id": "a"}})
    >>> JsonLines().format(record)
    '{"time": "1970-01-01T00:00:00.000Z", "level": "info", "event": "predict", "prediction_id": "a"}'
    """

    def format(self, record):
        whole, part = divmod(record.created, 1)
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int(part * 1000):03d}Z"
        line = {"time": stamp, "level": record.levelname.lower(), "event": record.getMessage(), **getattr(record, "about", {})}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def json_logger(stream):
    """A logger of its own that writes JSON lines to a stream.

    Returns
    -------
    logging.Logger
        Not one of logging's tree: nothing global is changed.
    """
    logger, handler = logging.Logger("mlmon.serving", logging.INFO), logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    return logger


class Tracing:
    """Spans of an OpenTelemetry tracer; none where there is no tracer and the library is not installed.

    Parameters
    ----------
    tracer : opentelemetry.trace.Tracer, optional
        By default that of the process, which does nothing until somebody sets a provider.
    """

    def __init__(self, tracer=None):
        try:
            from opentelemetry import propagate, trace
        except ImportError:
            self._tracer = None
        else:
            self._tracer, self._propagate, self._trace = tracer or trace.get_tracer("mlmon.serving"), propagate, trace

    @contextmanager
    def server(self, name, headers):
        """The span of a request, as a child of the caller's if its headers say so."""
        if self._tracer is None:
            yield None
            return
        kind = self._trace.SpanKind.SERVER
        with self._tracer.start_as_current_span(name, self._propagate.extract(headers), kind=kind) as span:
            yield span

    @contextmanager
    def step(self, name, about):
        """A span within the present one. An error that passes through is recorded on it."""
        if self._tracer is None:
            yield
            return
        with self._tracer.start_as_current_span(name, attributes=attributes(about)):
            yield

    def ids(self, span):
        """trace_id and span_id of a span that is recorded, for the log line."""
        if span is None or not span.get_span_context().is_valid:
            return {}
        context = span.get_span_context()
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def attributes(about):
    """What a log line says, under names for a span: ``mlmon.prediction_id`` and so on."""
    return {f"mlmon.{key}": value for key, value in about.items() if isinstance(value, (str, int, float, bool, list))}
