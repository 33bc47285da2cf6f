"""Plays with a fixed epsilon."""
answers = {
    "2_epsilon_greedy": {
        "run": '''
def run(epsilon, rounds, seed):
    slates, chance = play(lambda rates, k, s: epsilon_greedy(rates, k, 0.1, s), rounds, seed)
    counts = np.bincount(slates[rounds // 2:].ravel(), minlength=ITEMS)
    return {"clicks": float(chance[rounds // 2:].mean()), "coverage": float(np.mean(counts > 0)), "top_share": float(np.sort(counts)[-5:].sum() / counts.sum())}
''',
    },
}
loses = {"2_epsilon_greedy": {"test_run_spreads": 2, "test_run_pays": 2}}
