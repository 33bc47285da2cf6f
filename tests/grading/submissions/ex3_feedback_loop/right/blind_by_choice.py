"""Blind slates drawn one by one with rng.choice."""
answers = {
    "1_gini": {
        "blind_gini": '''
def blind_gini(n_slates, k, n_items, seed):
    rng = np.random.default_rng(seed)
    total = 0.0
    for _ in range(30):
        counts = np.zeros(n_items)
        for _ in range(n_slates):
            counts[rng.choice(n_items, k, replace=False)] += 1
        total += np.abs(np.subtract.outer(counts, counts)).mean() / (2 * counts.mean())
    return total / 30
''',
    },
}
