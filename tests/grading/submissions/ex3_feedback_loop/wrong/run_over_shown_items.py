"""Takes the catalogue to be what was shown."""
answers = {
    "2_epsilon_greedy": {
        "run": '''
def run(epsilon, rounds, seed):
    slates, chance = play(lambda rates, k, s: epsilon_greedy(rates, k, epsilon, s), rounds, seed)
    counts = np.unique(slates[rounds // 2:], return_counts=True)[1]
    return {"clicks": float(chance[rounds // 2:].mean()), "coverage": float(np.mean(counts > 0)), "top_share": float(np.sort(counts)[-5:].sum() / counts.sum())}
''',
    },
}
loses = {"2_epsilon_greedy": {"test_run_spreads": 2}}
