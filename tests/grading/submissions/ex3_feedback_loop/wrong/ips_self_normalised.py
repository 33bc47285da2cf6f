"""Divides by the sum of weights."""
answers = {
    "2_epsilon_greedy": {
        "ips": '''
def ips(rewards, propensities, targets):
    r, p, q = (np.asarray(x, dtype=float) for x in (rewards, propensities, targets))
    if not ((p > 0) & (p <= 1)).all():
        raise ValueError("log the propensities")
    return float(np.sum(q / p * r) / np.sum(q / p))
''',
    },
}
loses = {"2_epsilon_greedy": {"test_ips_value": 3}}
