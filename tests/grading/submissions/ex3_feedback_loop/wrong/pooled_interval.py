"""One variance for both arms."""
answers = {
    "4_ab_test": {
        "compare": '''
def compare(a, b, alpha=0.05):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if min(len(a), len(b)) < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return {"difference": None, "low": None, "high": None, "verdict": "undecided"}
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2)
    d = float(b.mean() - a.mean())
    h = float(stats.norm.isf(alpha / 2) * np.sqrt(pooled * (1 / len(a) + 1 / len(b))))
    return {"difference": d, "low": d - h, "high": d + h, "verdict": "better" if d > h else "worse" if d < -h else "undecided"}
''',
    },
}
loses = {"4_ab_test": {"test_compare_interval": 2}}
