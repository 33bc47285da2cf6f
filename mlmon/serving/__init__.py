"""A model being served: what it measures, who is told, and the real servers that do it.

A name is loaded from its module when it is first asked for, so that the package costs no more than what is used of it.
"""
from importlib import import_module

_NAMES = {
    "alerts": "SLOS Alert Limits Recording",
    "compose": "",
    "dashboard": "Panel",
    "dryrun": "",
    "export": "Contacts Plan",
    "fallback": "CachedScore Default FallbackWarning SimplerModel",
    "faults": "Faults InjectedError",
    "inbox": "Inbox",
    "intake": "Refused",
    "live": "",
    "metrics": "CATALOGUE LATENCY LAYERS Metric Metrics",
    "model": "Answer Health MonitoredModel",
    "predictions": "Cohort Entry PredictionLog",
    "processes": "",
    "quality": "Quality",
    "replay": "MONTH Incident Policy Score Service burn_policy",
    "routing": "Inhibition Route Routing",
    "runbook": "Runbook",
    "scorecard": "Scorecard",
    "service": "Served create_app serve",
    "slo": "RULES SLO BurnRule Pace time_to_detect time_to_reset",
    "stack": "Settings Stack StackError",
    "telemetry": "JsonLines Tracing json_logger",
    "traffic": "Event Sent",
    "window": "Drift",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"mlmon.serving.{_HOMES[name]}"), name)
        return value
    if name in _NAMES:
        return import_module(f"mlmon.serving.{name}")
    raise AttributeError(f"module 'mlmon.serving' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__, *_NAMES})
