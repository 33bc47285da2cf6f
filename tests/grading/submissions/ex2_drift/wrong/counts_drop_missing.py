"""value_counts drops missing values."""
answers = {
    "2_chi_squared": {
        "count_table": '''
def count_table(reference, current):
    old, new = (pd.Series(list(sample), dtype=object).value_counts() for sample in (reference, current))
    return {level: [int(old.get(level, 0)), int(new.get(level, 0))] for level in old.index.union(new.index)}
''',
    },
}
loses = {"2_chi_squared": {"test_count_table_missing": 1}}
