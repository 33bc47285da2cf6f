"""Fills missing values with 0, so that an empty day is a shift and gaps are not counted."""
answers = {
    "1_ks": {
        "ks_test": '''
def ks_test(reference, current, alpha=0.05, min_effect=0.0):
    reference = np.nan_to_num(np.asarray(reference, dtype=float))
    current = np.nan_to_num(np.asarray(current, dtype=float))
    result = {"verdict": "undecided", "drifted": False, "statistic": None, "pvalue": None,
              "missing_reference": 0.0, "missing_current": 0.0, "reason": "too few values"}
    if min(len(reference), len(current)) >= 5:
        test = stats.ks_2samp(reference, current)
        drifted = bool(test.pvalue < alpha and test.statistic >= min_effect)
        result.update(verdict="drifted" if drifted else "stable", drifted=drifted, statistic=float(test.statistic),
                      pvalue=float(test.pvalue), reason=f"p = {test.pvalue}")
    return result
''',
    },
}
loses = {"1_ks": {"test_ks_test_missing": 2, "test_ks_test_undecided": 1}}
