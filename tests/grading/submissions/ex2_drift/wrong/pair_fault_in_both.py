"""Injects the fault into both samples."""
answers = {
    "5_comparing_methods": {
        "draw_pair": '''
def draw_pair(kind, size, n, seed):
    rng = np.random.default_rng(seed)
    reference, current = POOL.sample(n, random_state=rng), POOL.sample(n, random_state=rng)
    if kind != "none":
        reference, current = (FAULTS[kind](sample, "income", size, seed=int(rng.integers(2**31))) for sample in (reference, current))
    return reference["income"].to_numpy(), current["income"].to_numpy()
''',
    },
}
loses = {"5_comparing_methods": {"test_draw_pair_fault": 2}}
