"""Blind items by rejection: draw any item until it is free."""
answers = {
    "2_epsilon_greedy": {
        "epsilon_greedy": '''
def epsilon_greedy(rates, k, epsilon, seed):
    rng = np.random.default_rng(seed)
    slate = greedy(rates, k)
    blind = [bool(rng.random() < epsilon) for _ in range(k)]
    taken = {item for item, gone in zip(slate, blind) if not gone}
    out = []
    for item, gone in zip(slate, blind):
        while gone:
            item = int(rng.integers(len(rates)))
            if item not in taken:
                taken.add(item)
                break
        out.append(item)
    return out
''',
        "propensity": '''
def propensity(item, rates, epsilon):
    odds = np.full(len(rates), epsilon / len(rates))
    odds[np.argmax(rates)] += 1 - epsilon
    return float(odds[item])
''',
    },
}
