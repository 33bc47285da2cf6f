"""Takes the reference for the truth and sums over the current column, as Evidently does."""
answers = {
    "2_chi_squared": {
        "chi2_statistic": '''
def chi2_statistic(table):
    n = sum(a for a, b in table.values())
    m = sum(b for a, b in table.values())
    return float(sum((b - a * m / n) ** 2 / (a * m / n) for a, b in table.values() if a))
''',
    },
}
loses = {"2_chi_squared": {"test_chi2_statistic_value": 2}}
