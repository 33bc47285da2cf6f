"""Visitors of both arms together."""
answers = {
    "4_ab_test": {
        "sample_size": '''
def sample_size(delta, sd, alpha=0.05, power=0.8):
    z = stats.norm.isf(alpha / 2) + stats.norm.ppf(power)
    return int(np.ceil(4 * sd**2 * z**2 / delta**2))
''',
    },
}
loses = {"4_ab_test": {"test_sample_size": 2}}
