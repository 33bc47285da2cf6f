"""Counts one direction only: half of the chance."""
answers = {
    "1_ks": {
        "ks_pvalue": '''
def ks_pvalue(statistic, n, m):
    x = statistic * np.sqrt(n * m / (n + m))
    return float(np.exp(-2 * x**2))
''',
    },
}
loses = {"1_ks": {"test_ks_pvalue_value": 2}}
