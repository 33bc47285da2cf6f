"""Merges the rare levels and does not look whether the result is rare."""
answers = {
    "2_chi_squared": {
        "merge_rare": '''
def merge_rare(table, least=5):
    sizes = np.sum(list(table.values()), axis=0)
    share = sizes.min() / sizes.sum()
    rows = sorted(table.items(), key=lambda item: sum(item[1]))
    other = np.zeros(2, dtype=int)
    merged = 0
    while rows and (sum(rows[0][1]) * share < least):
        other = other + rows.pop(0)[1]
        merged += 1
    kept = dict(rows)
    if merged:
        kept["(other)"] = other.tolist()
    return kept
''',
    },
}
loses = {"2_chi_squared": {"test_merge_rare_until": 1}}
