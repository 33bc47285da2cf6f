"""Expects equal arms, whatever was meant."""
answers = {
    "4_ab_test": {
        "sample_ratio": '''
def sample_ratio(counts, shares):
    return float(stats.chisquare(counts).pvalue)
''',
    },
}
loses = {"4_ab_test": {"test_sample_ratio": 2}}
