"""A column that is absent today ends in a KeyError."""
answers = {
    "3_psi": {
        "psi_features": '''
def psi_features(reference, current, bins=10):
    result = {}
    for name in reference.columns:
        a, b = reference[name], current[name]
        if pd.api.types.is_numeric_dtype(a):
            result[name] = psi_from_counts(*bin_counts(a, b, bins))
            continue
        a, b = (s.astype(object).where(s.notna(), "(missing)").value_counts() for s in (a, b))
        levels = a.index.union(b.index)
        result[name] = psi_from_counts(a.reindex(levels, fill_value=0), b.reindex(levels, fill_value=0))
    return result
''',
    },
}
loses = {"3_psi": {"test_psi_features_absent": 1}}
