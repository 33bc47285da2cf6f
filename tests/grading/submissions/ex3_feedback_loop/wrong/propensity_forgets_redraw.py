"""The greedy item has 1 - epsilon, and the blind draw is forgotten for it."""
answers = {
    "2_epsilon_greedy": {
        "propensity": '''
def propensity(item, rates, epsilon):
    return float(1 - epsilon if item == int(np.argmax(rates)) else epsilon / len(rates))
''',
    },
}
loses = {"2_epsilon_greedy": {"test_propensity": 2, "test_propensity_sums": 1}}
