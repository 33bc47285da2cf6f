"""Calls a table with nothing to compare stable."""
answers = {
    "2_chi_squared": {
        "chi2_test": '''
def chi2_test(table, alpha=0.05):
    counts = np.array([row for row in table.values() if sum(row)], dtype=float).reshape(-1, 2)
    if len(counts) < 2 or (counts.sum(axis=0) == 0).any():
        return {"verdict": "stable", "drifted": False, "statistic": None, "pvalue": None, "effect": None,
                "reason": "two levels and rows in both samples are needed"}
    test = stats.chi2_contingency(counts, correction=False)
    effect = float(np.sqrt(test.statistic / counts.sum()))
    drifted = bool(test.pvalue < alpha)
    return {"verdict": "drifted" if drifted else "stable", "drifted": drifted,
            "statistic": float(test.statistic), "pvalue": float(test.pvalue), "effect": effect,
            "reason": f"{len(counts)} levels, Cramer's V {effect:.3f}, p = {test.pvalue:.2g}"}
''',
    },
}
loses = {"2_chi_squared": {"test_chi2_test_undecided": 1}}
