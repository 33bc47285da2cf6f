"""Takes the samples as they come: searchsorted on unsorted values."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    reference, current = np.asarray(reference), np.asarray(current)
    points = np.concatenate([reference, current])
    f = np.searchsorted(reference, points, side="right") / len(reference)
    g = np.searchsorted(current, points, side="right") / len(current)
    return float(np.max(np.abs(f - g)))
''',
    },
}
loses = {"1_ks": {"test_ks_statistic_value": 2}}
