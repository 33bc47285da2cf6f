"""Leaves min_effect out: with many rows, everything is drift."""
answers = {
    "1_ks": {
        "ks_test": '''
def ks_test(reference, current, alpha=0.05, min_effect=0.0):
    kept, missing = [], []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        gone = np.isnan(values)
        missing.append(float(gone.mean()) if len(values) else 0.0)
        kept.append(values[~gone])
    result = {"verdict": "undecided", "drifted": False, "statistic": None, "pvalue": None,
              "missing_reference": missing[0], "missing_current": missing[1]}
    if min(len(kept[0]), len(kept[1])) < 5:
        result["reason"] = f"{len(kept[0])} and {len(kept[1])} values are too few: 5 are needed in each sample"
        return result
    test = stats.ks_2samp(*kept)
    drifted = bool(test.pvalue < alpha)
    result.update(verdict="drifted" if drifted else "stable", drifted=drifted,
                  statistic=float(test.statistic), pvalue=float(test.pvalue))
    result["reason"] = f"the curves are {test.statistic:.3f} apart, p = {test.pvalue:.2g}"
    return result
''',
    },
}
loses = {"1_ks": {"test_ks_test_effect": 1}}
