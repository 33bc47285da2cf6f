"""Sorts the wrong way round."""
answers = {
    "2_epsilon_greedy": {
        "greedy": '''
def greedy(rates, k):
    return np.argsort(rates)[:k].tolist()
''',
    },
}
loses = {"2_epsilon_greedy": {"test_greedy": 2}}
