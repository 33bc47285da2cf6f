"""The chapter's own KS test: nan is no drift, an empty batch breaks it, and it gives numpy.bool."""
answers = {
    "1_ks": {
        "ks_test": '''
def ks_test(reference, current, alpha=0.05, min_effect=0.0):
    ks_statistic, p_value = stats.ks_2samp(reference, current)
    drift_detected = (p_value < alpha) & (ks_statistic >= min_effect)
    return {
        "verdict": "drifted" if drift_detected else "stable",
        "drifted": drift_detected,
        "pvalue": p_value,
        "statistic": ks_statistic,
        "missing_reference": 0.0,
        "missing_current": 0.0,
        "reason": "Significant drift detected" if drift_detected else "No significant drift",
    }
''',
    },
}
loses = {"1_ks": {"test_ks_test_missing": 2, "test_ks_test_undecided": 1, "test_ks_test_plain": 1}}
