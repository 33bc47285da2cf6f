"""Epsilon-greedy with a mask of free items, and a new array."""
answers = {
    "2_epsilon_greedy": {
        "epsilon_greedy": '''
def epsilon_greedy(rates, k, epsilon, seed):
    rng = np.random.default_rng(seed)
    best = np.asarray(greedy(rates, k))
    stay = rng.uniform(size=k) >= epsilon
    free = np.ones(len(rates), dtype=bool)
    free[best[stay]] = False
    drawn = rng.permutation(np.flatnonzero(free))[:k]
    return np.where(stay, best, drawn[:k] if len(drawn) == k else np.pad(drawn, (0, k - len(drawn))))[:k] if stay.all() else _fill(best, stay, drawn)

def _fill(best, stay, drawn):
    slate = best.copy()
    slate[~stay] = drawn[:(~stay).sum()]
    return slate.tolist()
''',
        "run": '''
def run(epsilon, rounds, seed):
    def policy(rates, k, s):
        return epsilon_greedy(rates, k, epsilon, s)
    slates, chance = play(policy, rounds, seed)
    late = slates[rounds // 2:]
    shown = pd.Series(late.ravel()).value_counts()
    return {"clicks": float(chance[rounds // 2:].mean()), "coverage": len(shown) / ITEMS,
            "top_share": float(shown.iloc[:PLACES].sum() / late.size)}
''',
    },
}
