"""Learning on: when to train again, what a candidate has to show, how it meets traffic, and how to go back.

Names are loaded when they are first asked for: see `mlmon._lazy`.
"""
from mlmon._lazy import lazy

_NAMES = {
    "canary": "Call Judgement Observed Plan Traffic arm judge",
    "holdout": "Holdout Split split",
    "registry": "Event Registry",
    "retrain": "ContinuousLearningPipeline State World",
    "trigger": "Action Decision Evidence Policy",
    "validate": "Check Gate Outcome Validation assess paired_delong rows_needed scorer",
}
__getattr__, __dir__, __all__ = lazy(globals(), _NAMES)
