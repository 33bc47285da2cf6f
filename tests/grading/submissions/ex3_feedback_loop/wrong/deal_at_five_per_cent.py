"""Stops good tests: alarm at 0.05."""
answers = {
    "4_ab_test": {
        "decide": '''
def decide(shared, apart, counts, alpha=0.05):
    half = sum(counts) / 2
    if stats.chisquare(counts, [half, half]).pvalue < 0.05:
        return {"verdict": "broken", "difference": None, "interference": None}
    usual, own = ([b - a for a, b in pairs] for pairs in (shared, apart))
    if len(own) < 2:
        return {"verdict": "undecided", "difference": None, "interference": None}
    used = own
    mean, se = float(np.mean(used)), float(np.std(used, ddof=1) / np.sqrt(len(used)))
    reach = float(stats.t.isf(alpha / 2, len(used) - 1)) * se
    verdict = "ship" if mean - reach > 0 else "keep" if mean + reach < 0 else "undecided"
    crossed = bool(np.mean(usual) * np.mean(own) < 0) if len(usual) > 1 else None
    return {"verdict": verdict, "difference": mean, "interference": crossed}
''',
    },
}
loses = {"4_ab_test": {"test_decide_broken": 1}}
