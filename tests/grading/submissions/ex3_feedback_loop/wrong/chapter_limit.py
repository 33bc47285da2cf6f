"""The chapter's fixed limit of 0.7 in place of the excess."""
answers = {
    "1_gini": {
        "concentration": '''
def concentration(counts, blind, margin=0.1):
    x = np.sort(np.asarray(counts, dtype=float))
    n = len(x)
    if x.sum() < n or n == 0:
        return {"gini": None, "excess": None, "verdict": "undecided", "reason": "too few"}
    g = float(2 * (np.arange(1, n + 1) @ x) / (n * x.sum()) - (n + 1) / n)
    return {"gini": g, "excess": g - float(blind), "verdict": "concentrated" if g > 0.7 else "even", "reason": "limit 0.7"}
''',
    },
}
loses = {"1_gini": {"test_concentration_verdict": 2}}
