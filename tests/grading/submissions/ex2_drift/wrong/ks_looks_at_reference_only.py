"""Looks for the gap at the reference's values only."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    reference, current = np.sort(reference), np.sort(current)
    points = reference
    f = np.searchsorted(reference, points, side="right") / len(reference)
    g = np.searchsorted(current, points, side="right") / len(current)
    return float(np.max(np.abs(f - g)))
''',
    },
}
loses = {"1_ks": {"test_ks_statistic_laws": 1}}
