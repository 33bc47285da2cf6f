"""The chapter's own: one coin for the whole page."""
answers = {
    "2_epsilon_greedy": {
        "epsilon_greedy": '''
def epsilon_greedy(rates, k, epsilon, seed):
    rng = np.random.default_rng(seed)
    if rng.random() < epsilon:
        return rng.choice(len(rates), size=k, replace=False).tolist()
    return greedy(rates, k)
''',
    },
}
loses = {"2_epsilon_greedy": {"test_slate_by_place": 2}}
