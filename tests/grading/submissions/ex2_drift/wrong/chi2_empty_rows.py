"""Divides 0 by 0 where a level occurs in neither sample."""
answers = {
    "2_chi_squared": {
        "chi2_statistic": '''
def chi2_statistic(table):
    observed = np.array([row for row in table.values()], dtype=float)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    return float(((observed - expected) ** 2 / expected).sum())
''',
    },
}
loses = {"2_chi_squared": {"test_chi2_statistic_zero": 1}}
