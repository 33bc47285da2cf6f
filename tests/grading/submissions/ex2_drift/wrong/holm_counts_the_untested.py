"""Divides alpha among all features, the untested ones too."""
answers = {
    "1_ks": {
        "drifted_features": '''
def drifted_features(pvalues, alpha=0.05):
    known = sorted((p, name) for name, p in pvalues.items() if p is not None)
    found = []
    for i, (p, name) in enumerate(known):
        if p >= alpha / (len(pvalues) - i):
            break
        found.append(name)
    return found
''',
    },
}
loses = {"1_ks": {"test_drifted_features_unknown": 1}}
