"""Counts the levels of the reference only: new ones are not seen."""
answers = {
    "2_chi_squared": {
        "count_table": '''
def count_table(reference, current):
    old, new = (["(missing)" if pd.isna(v) else v for v in sample] for sample in (reference, current))
    return {level: [old.count(level), new.count(level)] for level in set(old)}
''',
    },
}
loses = {"2_chi_squared": {"test_count_table_levels": 1}}
