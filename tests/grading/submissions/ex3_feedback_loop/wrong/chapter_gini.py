"""The chapter's own: zeros are left out, as a dictionary of shown items does."""
answers = {
    "1_gini": {
        "gini": '''
def gini(counts):
    x = np.sort([c for c in counts if c > 0])
    n = len(x)
    if n == 0:
        return None
    return float(2 * np.sum(np.arange(1, n + 1) * x) / (n * x.sum()) - (n + 1) / n)
''',
    },
}
loses = {"1_gini": {"test_gini_value": 2, "test_gini_never_shown": 1}}
