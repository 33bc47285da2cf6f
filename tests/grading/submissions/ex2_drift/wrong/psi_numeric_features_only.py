"""The chapter's PSI for all features leaves the categorical ones out."""
answers = {
    "3_psi": {
        "psi_features": '''
def psi_features(reference, current, bins=10):
    return {name: psi_from_counts(*bin_counts(reference[name], current[name], bins)) if name in current else None
            for name in reference.select_dtypes("number")}
''',
    },
}
loses = {"3_psi": {"test_psi_features_all": 2, "test_psi_features_levels": 1, "test_psi_features_absent": 1}}
