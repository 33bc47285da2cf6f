"""Drift: how far data, labels, scores and performance moved (numbers), and whether that is more than chance (verdicts).

Names are loaded when they are first asked for: see `mlmon._lazy`.
"""
from mlmon._lazy import lazy

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
__getattr__, __dir__, __all__ = lazy(globals(), _NAMES)
