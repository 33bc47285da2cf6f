"""SciPy's own functions wherever there is one."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    return stats.ks_2samp(reference, current, method="asymp").statistic
''',
        "ks_pvalue": '''
def ks_pvalue(statistic, n, m):
    return stats.kstwobign.sf(statistic * np.sqrt(1 / (1 / n + 1 / m)))
''',
        "ks_test": '''
def ks_test(reference, current, alpha=0.05, min_effect=0.0):
    reference, current = np.array(reference, dtype=float), np.array(current, dtype=float)
    share = lambda sample: float(np.isnan(sample).sum() / max(len(sample), 1))
    result = {"missing_reference": share(reference), "missing_current": share(current)}
    if np.count_nonzero(~np.isnan(reference)) < 5 or np.count_nonzero(~np.isnan(current)) < 5:
        return result | {"verdict": "undecided", "drifted": False, "statistic": None, "pvalue": None, "reason": "too few values"}
    statistic, pvalue = map(float, stats.ks_2samp(reference, current, nan_policy="omit", method="asymp"))
    verdict = "drifted" if pvalue < alpha and statistic >= min_effect else "stable"
    return result | {"verdict": verdict, "drifted": verdict == "drifted", "statistic": statistic, "pvalue": pvalue, "reason": f"D = {statistic}"}
''',
    },
    "2_chi_squared": {
        "chi2_statistic": '''
def chi2_statistic(table):
    counts = np.array([row for row in table.values() if any(row)])
    return stats.chi2_contingency(counts, correction=False)[0]
''',
        "merge_rare": '''
from scipy.stats.contingency import expected_freq

def merge_rare(table, least=5):
    names = sorted(table, key=lambda level: -sum(table[level]))
    counts = np.array([table[level] for level in names])
    rare = expected_freq(counts).min(axis=1) < least
    if not rare.any():
        return table
    keep = int((~rare).sum())
    while keep and expected_freq(np.vstack([counts[:keep], counts[keep:].sum(axis=0)])).min() < least:
        keep -= 1
    merged = dict(zip(names[:keep], counts[:keep].tolist()))
    merged["(other)"] = counts[keep:].sum(axis=0).tolist()
    return merged
''',
        "chi2_test": '''
def chi2_test(table, alpha=0.05):
    from scipy.stats.contingency import association
    counts = np.array([row for row in table.values() if any(row)])
    if counts.ndim != 2 or len(counts) < 2 or not counts.any(axis=0).all():
        return {"verdict": "undecided", "drifted": False, "statistic": None, "pvalue": None, "effect": None, "reason": "no second level"}
    test = stats.chi2_contingency(counts, correction=False)
    return {"verdict": ("stable", "drifted")[int(test.pvalue < alpha)], "drifted": bool(test.pvalue < alpha), "statistic": float(test.statistic),
            "pvalue": float(test.pvalue), "effect": float(association(counts, method="cramer")), "reason": "see p"}
''',
    },
    "3_psi": {
        "psi_from_counts": '''
from scipy.special import rel_entr

def psi_from_counts(reference_counts, current_counts):
    p, q = np.add(reference_counts, 0.5), np.add(current_counts, 0.5)
    return stats.entropy(p, q) + stats.entropy(q, p)
''',
        "psi_threshold": '''
def psi_threshold(n, m, bins=10, alpha=0.05):
    return stats.gamma.isf(alpha, (bins - 1) / 2, scale=2 * (1 / n + 1 / m))
''',
    },
    "5_comparing_methods": {
        "draw_pair": '''
def draw_pair(kind, size, n, seed):
    both = POOL.sample(2 * n, random_state=np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed))), replace=True)
    reference, current = both.iloc[:n], both.iloc[n:]
    if kind in FAULTS:
        current = FAULTS[kind](current, "income", size)
    return reference["income"].tolist(), current["income"].tolist()
''',
        "wilson": '''
def wilson(alarms, runs, level=0.95):
    interval = stats.binomtest(int(alarms), int(runs)).proportion_ci(level, method="wilson")
    return interval.low, interval.high
''',
    },
}
