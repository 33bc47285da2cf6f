"""Scales by the root of n in place of n m / (n + m)."""
answers = {
    "1_ks": {
        "ks_pvalue": '''
def ks_pvalue(statistic, n, m):
    size = n
    return float(special.kolmogorov(np.sqrt(size) * statistic))
''',
    },
}
loses = {"1_ks": {"test_ks_pvalue_value": 2}}
