"""Feedback loops: worlds in which a model makes its own next data, measures of what that does, and cures.

A name is loaded from its module when it is first asked for, so that the package costs no more than what is used of it.
"""
from importlib import import_module

_NAMES = {
    "diversity": "Uniform coverage coverage_at effective_number entropy exposure gini hhi lorenz uniform windows",
    "lists": "calibration intra_list_diversity mean_popularity novelty personalisation tail_share",
    "monitor": "PopularityBias RecommendationMonitor popularity_bias",
    "offpolicy": "dr ips snips",
    "policies": "EpsilonGreedy Greedy Rare Thompson UCB",
    "recommender": "Config Log Seen play simulate",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"mlmon.loops.{_HOMES[name]}"), name)
        return value
    if name in _NAMES:
        return import_module(f"mlmon.loops.{name}")
    raise AttributeError(f"module 'mlmon.loops' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
