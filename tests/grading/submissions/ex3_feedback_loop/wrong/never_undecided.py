"""Judges three impressions as well."""
answers = {
    "1_gini": {
        "concentration": '''
def concentration(counts, blind, margin=0.1):
    x = np.sort(np.asarray(counts, dtype=float))
    n, total = max(len(x), 1), max(x.sum(), 1)
    g = float(2 * (np.arange(1, len(x) + 1) @ x) / (n * total) - (n + 1) / n) if x.sum() else 0.0
    e = g - float(blind)
    return {"gini": g, "excess": e, "verdict": "concentrated" if e > margin else "even", "reason": "measured"}
''',
    },
}
loses = {"1_gini": {"test_concentration_undecided": 1}}
