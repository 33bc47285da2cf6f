"""The gap counts in one direction only: incomes that fall are not seen."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    reference, current = np.sort(reference), np.sort(current)
    points = np.concatenate([reference, current])
    f = np.searchsorted(reference, points, side="right") / len(reference)
    g = np.searchsorted(current, points, side="right") / len(current)
    return float(np.max(f - g))
''',
    },
}
loses = {"1_ks": {"test_ks_statistic_laws": 1}}
