"""Is B better than A? Models on the same rows, arms of an experiment, tests that may be looked at any time.

Names are loaded when they are first asked for: see `mlmon._lazy`.
"""
from mlmon._lazy import lazy

_NAMES = {
    "arms": "Comparison Finding means paired_bootstrap ratios two_proportions",
    "design": "SampleRatio cuped power sample_ratio sample_size",
    "sequential": "SequentialTest always_valid_half_width always_valid_p",
}
__getattr__, __dir__, __all__ = lazy(globals(), _NAMES)
