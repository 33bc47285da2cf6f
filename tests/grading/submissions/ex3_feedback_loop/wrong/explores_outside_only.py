"""Never draws a greedy item blindly: at epsilon 1 the best are never shown."""
answers = {
    "2_epsilon_greedy": {
        "epsilon_greedy": '''
def epsilon_greedy(rates, k, epsilon, seed):
    rng = np.random.default_rng(seed)
    order = np.argsort(-np.asarray(rates, dtype=float), kind="stable")
    slate, rest = order[:k].copy(), order[k:]
    blind = (rng.random(k) < epsilon) & (len(rest) >= k)
    slate[blind] = rng.choice(rest, size=blind.sum(), replace=False)
    return slate.tolist()
''',
    },
}
loses = {"2_epsilon_greedy": {"test_slate_ends": 2}}
