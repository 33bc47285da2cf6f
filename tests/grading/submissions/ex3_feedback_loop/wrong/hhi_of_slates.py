"""Shares of slates, which sum to the number of places."""
answers = {
    "3_over_time": {
        "windows": '''
def windows(slates, n_items, size):
    rows = []
    for start in range(0, len(slates) - size + 1, size):
        counts = np.bincount(np.asarray(slates[start:start + size]).ravel(), minlength=n_items)
        rows.append({"start": start, "end": start + size, "coverage": float(np.mean(counts > 0)), "hhi": float(np.sum((counts / size) ** 2))})
    return pd.DataFrame(rows)
''',
    },
}
loses = {"3_over_time": {"test_windows_hhi": 2}}
