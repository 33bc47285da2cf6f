"""Ranks without sorting."""
answers = {
    "1_gini": {
        "gini": '''
def gini(counts):
    x = np.asarray(counts, dtype=float)
    if x.sum() == 0:
        return None
    n = len(x)
    return float(2 * (np.arange(1, n + 1) @ x) / (n * x.sum()) - (n + 1) / n)
''',
    },
}
loses = {"1_gini": {"test_gini_value": 2, "test_gini_laws": 2, "test_gini_never_shown": 1}}
