"""Another generator at each call."""
answers = {
    "2_epsilon_greedy": {
        "epsilon_greedy": '''
def epsilon_greedy(rates, k, epsilon, seed):
    rng = np.random.default_rng()
    slate = np.argsort(-np.asarray(rates, dtype=float), kind="stable")[:k]
    blind = rng.random(k) < epsilon
    free = np.setdiff1d(np.arange(len(rates)), slate[~blind])
    slate[blind] = rng.choice(free, size=blind.sum(), replace=False)
    return slate.tolist()
''',
    },
}
loses = {"2_epsilon_greedy": {"test_slate_seed": 1}}
