"""Blind slates from permutations, a hundred draws, mean of a list."""
answers = {
    "1_gini": {
        "blind_gini": '''
def blind_gini(n_slates, k, n_items, seed):
    rng = np.random.default_rng([seed, 17])
    found = []
    for _ in range(100):
        places = rng.permuted(np.tile(np.arange(n_items), (n_slates, 1)), axis=1)[:, :k]
        x = np.sort(np.bincount(places.ravel(), minlength=n_items))
        found.append(1 + 1 / n_items - 2 * np.sum((n_items - np.arange(n_items)) * x) / (n_items * x.sum()))
    return float(np.mean(found))
''',
        "exposure": '''
def exposure(slates, n_items):
    return (np.asarray(slates)[:, :, None] == np.arange(n_items)).sum(axis=(0, 1)).tolist()
''',
    },
}
