"""Refuses propensities of 0 or less, but nan is never smaller than 0."""
answers = {
    "2_epsilon_greedy": {
        "ips": '''
def ips(rewards, propensities, targets):
    r, p, q = (np.asarray(x, dtype=float) for x in (rewards, propensities, targets))
    if (p <= 0).any() or (p > 1).any():
        raise ValueError("log the propensities")
    return float(np.mean(q / p * r))
''',
    },
}
loses = {"2_epsilon_greedy": {"test_ips_refuses": 1}}
