"""Sums over the current column only."""
answers = {
    "2_chi_squared": {
        "chi2_statistic": '''
def chi2_statistic(table):
    observed = np.array([row for row in table.values() if sum(row)], dtype=float)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    return float(((observed - expected) ** 2 / expected)[:, 1].sum())
''',
    },
}
loses = {"2_chi_squared": {"test_chi2_statistic_value": 2}}
