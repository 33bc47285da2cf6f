"""alpha on one side."""
answers = {
    "4_ab_test": {
        "sample_size": '''
def sample_size(delta, sd, alpha=0.05, power=0.8):
    z = stats.norm.isf(alpha) + stats.norm.ppf(power)
    return int(np.ceil(2 * sd**2 * z**2 / delta**2))
''',
    },
}
loses = {"4_ab_test": {"test_sample_size": 2}}
