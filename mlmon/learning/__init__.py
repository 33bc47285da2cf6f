"""Learning on: when to train again, what a candidate has to show, how it meets traffic, and how to go back.

A name is loaded from its module when it is first asked for, so that the package costs no more than what is used of it.
"""
from importlib import import_module

_NAMES = {
    "canary": "Call Judgement Observed Plan Traffic arm judge",
    "holdout": "Holdout Split split",
    "registry": "Event Registry",
    "retrain": "ContinuousLearningPipeline State World",
    "trigger": "Action Decision Evidence Policy",
    "validate": "Check Gate Outcome Validation assess paired_delong rows_needed scorer",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"mlmon.learning.{_HOMES[name]}"), name)
        return value
    if name in _NAMES:
        return import_module(f"mlmon.learning.{name}")
    raise AttributeError(f"module 'mlmon.learning' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
