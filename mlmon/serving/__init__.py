"""A model being served: what it measures, who is told, and the real servers that do it.

Names are loaded when they are first asked for: see `mlmon._lazy`.
"""
from mlmon._lazy import lazy

_NAMES = {
    "alerts": "SLOS Alert Limits Recording",
    "brief": "",
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
__getattr__, __dir__, __all__ = lazy(globals(), _NAMES)
