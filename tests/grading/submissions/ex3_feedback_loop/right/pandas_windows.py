"""Windows by groupby, trend by counting pairs."""
answers = {
    "3_over_time": {
        "windows": '''
def windows(slates, n_items, size):
    whole = len(slates) // size * size
    long = pd.DataFrame([(i, item) for i, slate in enumerate(slates[:whole]) for item in slate], columns=["slate", "item"])
    long["window"] = long["slate"] // size
    rows = []
    for window, part in long.groupby("window"):
        share = part["item"].value_counts(normalize=True)
        rows.append([window * size, (window + 1) * size, part["item"].nunique() / n_items, (share**2).sum()])
    return pd.DataFrame(rows, columns=["start", "end", "coverage", "hhi"])
''',
        "trend": '''
def trend(values, alpha=0.05):
    kept = pd.Series(list(values), dtype=float).dropna().reset_index(drop=True)
    if len(kept) < 5:
        return "undecided"
    if kept.nunique() == 1:
        return "none"
    result = stats.kendalltau(kept.index, kept)
    if result.pvalue < alpha:
        return "rising" if result.statistic > 0 else "falling"
    return "none"
''',
    },
}
