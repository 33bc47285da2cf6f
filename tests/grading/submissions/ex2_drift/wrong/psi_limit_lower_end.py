"""The lower quantile of chi-squared in place of the upper one."""
answers = {
    "3_psi": {
        "psi_threshold": '''
def psi_threshold(n, m, bins=10, alpha=0.05):
    return float((1 / n + 1 / m) * stats.chi2.ppf(alpha, bins - 1))
''',
    },
}
loses = {"3_psi": {"test_psi_threshold": 2}}
