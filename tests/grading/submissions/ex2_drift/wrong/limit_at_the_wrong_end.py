"""Takes the lower quantile: nearly every clean pair is above it."""
answers = {
    "5_comparing_methods": {
        "fair_threshold": '''
def fair_threshold(scores, alpha=0.05):
    return float(np.quantile(scores, alpha))
''',
    },
}
loses = {"5_comparing_methods": {"test_fair_threshold": 2}}
