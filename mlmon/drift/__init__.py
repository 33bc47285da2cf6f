"""Drift: how far data moved (numbers), and whether that is more than chance (verdicts)."""
from mlmon.drift.detect import BUDGET, DataDriftDetector
from mlmon.drift.distance import Shares, hellinger, js, kl, psi, shares, total_variation, wasserstein
from mlmon.drift.report import DriftReport, FeatureResult
from mlmon.drift.twosample import chi2_test, cvm_test, domain_classifier, ks_test, missing_test, psi_test, wasserstein_test
from mlmon.drift.verdict import TestResult, Verdict

__all__ = [
    "BUDGET", "DataDriftDetector", "DriftReport", "FeatureResult", "Shares", "TestResult", "Verdict",
    "chi2_test", "cvm_test", "domain_classifier", "hellinger", "js", "kl", "ks_test", "missing_test", "psi",
    "psi_test", "shares", "total_variation", "wasserstein", "wasserstein_test",
]
