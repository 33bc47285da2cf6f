"""Forgets that a world is a pair."""
answers = {
    "4_ab_test": {
        "decide": '''
def decide(shared, apart, counts, alpha=0.05):
    half = sum(counts) / 2
    if stats.chisquare(counts, [half, half]).pvalue < 0.001:
        return {"verdict": "broken", "difference": None, "interference": None}
    if len(apart) < 2:
        return {"verdict": "undecided", "difference": None, "interference": None}
    a, b = np.asarray(apart, dtype=float).T
    mean = float(b.mean() - a.mean())
    p = stats.ttest_ind(b, a, equal_var=False).pvalue
    verdict = "undecided" if p >= alpha else "ship" if mean > 0 else "keep"
    crossed = bool(np.mean([y - x for x, y in shared]) * mean < 0) if len(shared) > 1 else None
    return {"verdict": verdict, "difference": mean, "interference": crossed}
''',
    },
}
loses = {"4_ab_test": {"test_decide_apart": 2}}
