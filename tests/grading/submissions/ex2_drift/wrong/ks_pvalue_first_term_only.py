"""Keeps the first term of the series: a chance of 2 for a gap of 0."""
answers = {
    "1_ks": {
        "ks_pvalue": '''
def ks_pvalue(statistic, n, m):
    x = statistic * np.sqrt(n * m / (n + m))
    return float(2 * np.exp(-2 * x**2))
''',
    },
}
loses = {"1_ks": {"test_ks_pvalue_range": 1}}
