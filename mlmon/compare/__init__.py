"""Is B better than A? Models on the same rows, arms of an experiment, tests that may be looked at any time.

A name is loaded from its module when it is first asked for, so that the package costs no more than what is used of it.
"""
from importlib import import_module

_NAMES = {
    "arms": "Comparison Finding means paired_bootstrap ratios two_proportions",
    "design": "SampleRatio cuped power sample_ratio sample_size",
    "sequential": "SequentialTest always_valid_half_width always_valid_p",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"mlmon.compare.{_HOMES[name]}"), name)
        return value
    if name in _NAMES:
        return import_module(f"mlmon.compare.{name}")
    raise AttributeError(f"module 'mlmon.compare' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
