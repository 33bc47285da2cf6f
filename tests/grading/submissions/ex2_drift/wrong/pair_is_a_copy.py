"""Injects the fault into a copy of the reference: chance is switched off."""
answers = {
    "5_comparing_methods": {
        "draw_pair": '''
def draw_pair(kind, size, n, seed):
    rng = np.random.default_rng(seed)
    reference = POOL.sample(n, random_state=rng)
    current = reference.copy()
    if kind != "none":
        current = FAULTS[kind](current, "income", size, seed=int(rng.integers(2**31)))
    return reference["income"].to_numpy(), current["income"].to_numpy()
''',
    },
}
loses = {"5_comparing_methods": {"test_draw_pair_independent": 1}}
