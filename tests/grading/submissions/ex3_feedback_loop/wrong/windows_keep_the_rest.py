"""Keeps the last, shorter window."""
answers = {
    "3_over_time": {
        "windows": '''
def windows(slates, n_items, size):
    rows = []
    for start in range(0, len(slates), size):
        part = np.asarray(slates[start:start + size])
        share = np.bincount(part.ravel(), minlength=n_items) / part.size
        rows.append({"start": start, "end": start + len(part), "coverage": float(np.mean(share > 0)), "hhi": float(share @ share)})
    return pd.DataFrame(rows)
''',
    },
}
loses = {"3_over_time": {"test_windows_rows": 2}}
