"""The word follows from the means, not from the interval."""
answers = {
    "4_ab_test": {
        "compare": '''
def compare(a, b, alpha=0.05):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if min(len(a), len(b)) < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return {"difference": None, "low": None, "high": None, "verdict": "undecided"}
    d = float(b.mean() - a.mean())
    h = float(stats.norm.isf(alpha / 2) * np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
    return {"difference": d, "low": d - h, "high": d + h, "verdict": "better" if d > 0 else "worse" if d < 0 else "undecided"}
''',
    },
}
loses = {"4_ab_test": {"test_compare_verdict": 2}}
