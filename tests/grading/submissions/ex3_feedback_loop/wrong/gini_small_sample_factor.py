"""Multiplies by n / (n - 1)."""
answers = {
    "1_gini": {
        "gini": '''
def gini(counts):
    x = np.sort(np.asarray(counts, dtype=float))
    n = len(x)
    if x.sum() == 0:
        return None
    if n == 1:
        return 0.0
    return float((2 * (np.arange(1, n + 1) @ x) / (n * x.sum()) - (n + 1) / n) * n / (n - 1))
''',
    },
}
loses = {"1_gini": {"test_gini_value": 2, "test_gini_laws": 2, "test_gini_never_shown": 1}}
