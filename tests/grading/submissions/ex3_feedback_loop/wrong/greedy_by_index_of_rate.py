"""Looks items up by their rate, so ties come twice."""
answers = {
    "2_epsilon_greedy": {
        "greedy": '''
def greedy(rates, k):
    rates = list(rates)
    return [rates.index(rate) for rate in sorted(rates, reverse=True)[:k]]
''',
    },
}
loses = {"2_epsilon_greedy": {"test_greedy": 2}}
