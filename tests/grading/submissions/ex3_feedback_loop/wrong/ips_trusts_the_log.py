"""Computes with propensities of 0 and nan."""
answers = {
    "2_epsilon_greedy": {
        "ips": '''
def ips(rewards, propensities, targets):
    r, p, q = (np.asarray(x, dtype=float) for x in (rewards, propensities, targets))
    return float(np.nanmean(q / np.maximum(p, 1e-6) * r))
''',
    },
}
loses = {"2_epsilon_greedy": {"test_ips_refuses": 1}}
