"""Drops rare levels in place of merging them."""
answers = {
    "2_chi_squared": {
        "merge_rare": '''
def merge_rare(table, least=5):
    sizes = np.sum(list(table.values()), axis=0)
    share = sizes.min() / sizes.sum()
    return {level: row for level, row in table.items() if sum(row) * share >= least}
''',
    },
}
loses = {"2_chi_squared": {"test_merge_rare_worked": 2, "test_merge_rare_until": 1, "test_merge_rare_keeps": 1}}
