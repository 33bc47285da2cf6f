"""Gives NumPy's numbers, which JSON refuses."""
answers = {
    "1_gini": {
        "concentration": '''
def concentration(counts, blind, margin=0.1):
    x = np.sort(np.asarray(counts, dtype=float))
    n = len(x)
    if x.sum() < n or n == 0:
        return {"gini": None, "excess": None, "verdict": "undecided", "reason": "too few"}
    g = 2 * (np.arange(1, n + 1) @ x) / (n * x.sum()) - (n + 1) / n
    return {"gini": g, "excess": np.float64(g - blind), "verdict": "concentrated" if g - blind > margin else "even", "reason": "measured"}
''',
    },
}
loses = {"1_gini": {"test_concentration_plain": 1}}
