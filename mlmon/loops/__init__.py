"""Feedback loops: a system's own decisions make the data that it learns from next.

Names are loaded when they are first asked for: see `mlmon._lazy`.
"""
from mlmon._lazy import lazy

_NAMES = {
    "active": "ActiveLearningFeedbackLoop",
    "diversity": "Uniform coverage coverage_at effective_number entropy exposure gini hhi lorenz uniform windows",
    "fairness": "FourFifths by_group four_fifths reweigh",
    "hiring": "",
    "laws": "Coin Interests Mean Representation Strategic Urn",
    "lists": "calibration intra_list_diversity mean_popularity novelty personalisation serendipity tail_share",
    "monitor": "PopularityBias RecommendationMonitor popularity_bias",
    "offpolicy": "dr ips snips",
    "policies": "EpsilonGreedy Greedy Rare Thompson UCB",
    "query": "",
    "recommender": "Config Log Seen play simulate",
    "signals": "Clicks Corrections",
}
__getattr__, __dir__, __all__ = lazy(globals(), _NAMES)
