"""scipy.stats.chisquare against the reference's shares: half of the clean days are alarms."""
answers = {
    "2_chi_squared": {
        "chi2_test": '''
def chi2_test(table, alpha=0.05):
    counts = np.array([row for row in table.values() if sum(row)], dtype=float).reshape(-1, 2)
    if len(counts) < 2 or (counts.sum(axis=0) == 0).any():
        return {"verdict": "undecided", "drifted": False, "statistic": None, "pvalue": None, "effect": None,
                "reason": "two levels and rows in both samples are needed"}
    test = stats.chi2_contingency(counts, correction=False)
    due = counts[:, 0] * counts[:, 1].sum() / counts[:, 0].sum()
    pvalue = stats.chisquare(counts[:, 1], np.maximum(due, 1e-9), sum_check=False).pvalue
    effect = float(np.sqrt(test.statistic / counts.sum()))
    drifted = bool(pvalue < alpha)
    return {"verdict": "drifted" if drifted else "stable", "drifted": drifted,
            "statistic": float(test.statistic), "pvalue": float(pvalue), "effect": effect,
            "reason": f"{len(counts)} levels, Cramer's V {effect:.3f}, p = {pvalue:.2g}"}
''',
    },
}
loses = {"2_chi_squared": {"test_chi2_test_verdict": 2, "test_chi2_test_promise": 1}}
