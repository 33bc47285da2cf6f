"""The chapter's way with many features: each p-value against alpha itself."""
answers = {
    "1_ks": {
        "drifted_features": '''
def drifted_features(pvalues, alpha=0.05):
    return [name for name, p in pvalues.items() if p is not None and p < alpha]
''',
    },
}
loses = {"1_ks": {"test_drifted_features_holm": 2, "test_drifted_features_promise": 1}}
