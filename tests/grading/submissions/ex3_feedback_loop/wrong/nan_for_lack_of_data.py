"""Lets NumPy answer nan where nothing can be said."""
answers = {
    "4_ab_test": {
        "compare": '''
def compare(a, b, alpha=0.05):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if min(len(a), len(b)) < 2:
        return {"difference": float("nan"), "low": float("nan"), "high": float("nan"), "verdict": "undecided"}
    d = float(b.mean() - a.mean())
    h = float(stats.norm.isf(alpha / 2) * np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
    return {"difference": d, "low": d - h, "high": d + h, "verdict": "better" if d > h else "worse" if d < -h else "undecided"}
''',
    },
}
loses = {"4_ab_test": {"test_compare_lack": 1, "test_compare_plain": 1}}
