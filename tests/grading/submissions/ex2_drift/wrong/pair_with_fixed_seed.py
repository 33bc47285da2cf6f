"""Draws the same pair whatever the seed."""
answers = {
    "5_comparing_methods": {
        "draw_pair": '''
def draw_pair(kind, size, n, seed):
    rng = np.random.default_rng(0)
    reference, current = POOL.sample(n, random_state=rng), POOL.sample(n, random_state=rng)
    if kind != "none":
        current = FAULTS[kind](current, "income", size, seed=int(rng.integers(2**31)))
    return reference["income"].to_numpy(), current["income"].to_numpy()
''',
    },
}
loses = {"5_comparing_methods": {"test_draw_pair_seed": 1}}
