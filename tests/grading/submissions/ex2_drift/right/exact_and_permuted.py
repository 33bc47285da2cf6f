"""Exact distributions and permutations in place of smooth curves; Clopper and Pearson in place of Wilson."""
answers = {
    "1_ks": {
        "ks_pvalue": '''
def ks_pvalue(statistic, n, m):
    size = np.sqrt(n * m / (n + m))
    if statistic == 0:
        return 1.0
    return float(special.kolmogorov((size + 0.12 + 0.11 / size) * statistic))     # Stephens
''',
        "ks_test": '''
def ks_test(reference, current, alpha=0.05, min_effect=0.0):
    a, b = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    result = {"missing_reference": float(np.isnan(a).mean()) if a.size else 0.0, "missing_current": float(np.isnan(b).mean()) if b.size else 0.0}
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if a.size < 5 or b.size < 5:
        return {**result, "verdict": "undecided", "drifted": False, "statistic": None, "pvalue": None, "reason": "too few"}
    gap = stats.ks_2samp(a, b, method="exact" if a.size * b.size <= 10_000 else "asymp")
    yes = bool(gap.pvalue < alpha) and bool(gap.statistic >= min_effect)
    return {**result, "verdict": "drifted" if yes else "stable", "drifted": yes, "statistic": float(gap.statistic), "pvalue": float(gap.pvalue), "reason": "exact"}
''',
    },
    "2_chi_squared": {
        "chi2_test": '''
def chi2_test(table, alpha=0.05):
    rows = [row for row in table.values() if sum(row)]
    counts = np.array(rows, dtype=int).reshape(len(rows), 2)
    n, m = counts.sum(axis=0)
    if len(rows) < 2 or n == 0 or m == 0:
        return {"verdict": "undecided", "drifted": False, "statistic": None, "pvalue": None, "effect": None, "reason": "nothing to compare"}
    totals = counts.sum(axis=1)

    def statistic(first):
        second = totals - first
        due, owed = totals * n / (n + m), totals * m / (n + m)
        return ((first - due) ** 2 / due + (second - owed) ** 2 / owed).sum(axis=-1)

    observed = float(statistic(counts[:, 0]))
    shuffled = statistic(np.random.default_rng(0).multivariate_hypergeometric(totals, n, size=1999, method="marginals"))
    pvalue = float((1 + (shuffled >= observed - 1e-9).sum()) / 2000)
    drifted = pvalue < alpha
    return {"verdict": "drifted" if drifted else "stable", "drifted": drifted, "statistic": observed, "pvalue": pvalue,
            "effect": float((observed / (n + m)) ** 0.5), "reason": f"1999 permutations, p = {pvalue}"}
''',
    },
    "5_comparing_methods": {
        "wilson": '''
def wilson(alarms, runs, level=0.95):
    tail = (1 - level) / 2
    low = 0.0 if alarms == 0 else stats.beta.ppf(tail, alarms, runs - alarms + 1)
    high = 1.0 if alarms == runs else stats.beta.isf(tail, alarms + 1, runs - alarms)
    return float(low), float(high)
''',
    },
}
