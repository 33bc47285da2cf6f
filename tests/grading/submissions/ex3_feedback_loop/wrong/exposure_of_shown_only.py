"""Counts only the items that were shown."""
answers = {
    "1_gini": {
        "exposure": '''
def exposure(slates, n_items):
    return np.unique(np.asarray(slates), return_counts=True)[1]
''',
    },
}
loses = {"1_gini": {"test_exposure_never_shown": 1}}
