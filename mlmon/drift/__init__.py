"""Drift: how far data, labels, scores and performance moved (numbers), and whether that is more than chance (verdicts).

A name is loaded from its module when it is first asked for, so that the package costs no more than what is used of it.
"""
from importlib import import_module

_NAMES = {
    "ask": "compares learns steps",
    "card": "ReportCard report_card",
    "cbpe": "CBPE",
    "detect": "BUDGET DataDriftDetector",
    "differential": "Diagnosis Hypothesis diagnose",
    "distance": "Shares hellinger js kl psi shares total_variation wasserstein",
    "domain": "Overlap",
    "label": "ClassShift ConditionalDrift LabelDrift class_conditional_drift label_drift",
    "late": "PredictionLog",
    "ledger": "Slice SliceLedger slices",
    "metric": "Estimate Trend difference evaluate mann_kendall",
    "performance": "ConceptDriftDetector PerformanceReport WindowResult",
    "prediction": "PredictionDriftDetector PredictionReport PredictionResult",
    "prior": "PriorEstimate adjust_prior estimate_prior",
    "profile": "Profile Profiler",
    "report": "DriftReport FeatureResult",
    "rootcause": "Split Term disde shapley",
    "stream": "ADWIN CUSUM DDM EDDM HDDMA HDDMW KSWIN PageHinkley RunLength run_length",
    "twosample": "chi2_test cvm_test domain_classifier ks_test missing_test psi_test wasserstein_test",
    "verdict": "TestResult Verdict",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"mlmon.drift.{_HOMES[name]}"), name)
        return value
    if name in _NAMES:
        return import_module(f"mlmon.drift.{name}")
    raise AttributeError(f"module 'mlmon.drift' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
