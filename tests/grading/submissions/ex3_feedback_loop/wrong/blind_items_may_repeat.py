"""A blind item may be one that the slate keeps."""
answers = {
    "2_epsilon_greedy": {
        "epsilon_greedy": '''
def epsilon_greedy(rates, k, epsilon, seed):
    rng = np.random.default_rng(seed)
    slate = np.argsort(-np.asarray(rates, dtype=float), kind="stable")[:k]
    blind = rng.random(k) < epsilon
    slate[blind] = rng.integers(len(rates), size=blind.sum())
    return slate.tolist()
''',
    },
}
loses = {"2_epsilon_greedy": {"test_slate_is_whole": 2, "test_run_spreads": 2, "test_run_pays": 2}}
