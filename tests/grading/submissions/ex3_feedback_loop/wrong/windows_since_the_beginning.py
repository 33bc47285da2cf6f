"""The chapter's counter: never forgets."""
answers = {
    "3_over_time": {
        "windows": '''
def windows(slates, n_items, size):
    rows, counts = [], np.zeros(n_items)
    for start in range(0, len(slates) - size + 1, size):
        counts = counts + np.bincount(np.asarray(slates[start:start + size]).ravel(), minlength=n_items)
        share = counts / counts.sum()
        rows.append({"start": start, "end": start + size, "coverage": float(np.mean(share > 0)), "hhi": float(share @ share)})
    return pd.DataFrame(rows)
''',
    },
}
loses = {"3_over_time": {"test_windows_coverage": 1, "test_windows_hhi": 2}}
