"""Draws from a generator of its own."""
answers = {
    "1_gini": {
        "blind_gini": '''
def blind_gini(n_slates, k, n_items, seed):
    rng = np.random.default_rng()
    found = []
    for _ in range(60):
        slates = np.argsort(rng.random((n_slates, n_items)), axis=1)[:, :k]
        x = np.sort(np.bincount(slates.ravel(), minlength=n_items))
        found.append(2 * (np.arange(1, n_items + 1) @ x) / (n_items * x.sum()) - (n_items + 1) / n_items)
    return float(np.mean(found))
''',
    },
}
loses = {"1_gini": {"test_blind_gini_seed": 1}}
