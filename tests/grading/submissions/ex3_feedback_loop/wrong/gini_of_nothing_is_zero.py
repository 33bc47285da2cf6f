"""Says 0, perfectly even, when nothing was shown."""
answers = {
    "1_gini": {
        "gini": '''
def gini(counts):
    x = np.sort(np.asarray(counts, dtype=float))
    if x.sum() == 0:
        return 0.0
    n = len(x)
    return float(2 * (np.arange(1, n + 1) @ x) / (n * x.sum()) - (n + 1) / n)
''',
    },
}
loses = {"1_gini": {"test_gini_nothing": 1}}
