"""Blind slates may hold an item twice."""
answers = {
    "1_gini": {
        "blind_gini": '''
def blind_gini(n_slates, k, n_items, seed):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(60):
        x = np.sort(np.bincount(rng.integers(n_items, size=n_slates * k), minlength=n_items))
        found.append(2 * (np.arange(1, n_items + 1) @ x) / (n_items * x.sum()) - (n_items + 1) / n_items)
    return float(np.mean(found))
''',
    },
}
loses = {"1_gini": {"test_blind_gini_value": 2}}
