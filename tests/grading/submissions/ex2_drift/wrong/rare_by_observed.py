"""Calls a level rare by its observed count: one that vanished is merged away."""
answers = {
    "2_chi_squared": {
        "merge_rare": '''
def merge_rare(table, least=5):
    sizes = np.sum(list(table.values()), axis=0)
    share = sizes.min() / sizes.sum()
    rows = sorted(table.items(), key=lambda item: sum(item[1]))
    other = np.zeros(2, dtype=int)
    merged = 0
    while rows and (min(rows[0][1]) < least or (merged and other.sum() * share < least)):
        other = other + rows.pop(0)[1]
        merged += 1
    kept = dict(rows)
    if merged:
        kept["(other)"] = other.tolist()
    return kept
''',
    },
}
loses = {"2_chi_squared": {"test_merge_rare_worked": 2}}
