"""Keeps equal edges, so ties break pd.cut."""
answers = {
    "3_psi": {
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    reference, current = pd.Series(list(reference), dtype=float), pd.Series(list(current), dtype=float)
    edges = [-np.inf, *reference.quantile(np.arange(1, bins) / bins), np.inf]
    counts = []
    for sample in (reference, current):
        places = pd.cut(sample, edges, labels=False).value_counts().reindex(range(bins), fill_value=0)
        counts.append(places.tolist() + [int(sample.isna().sum())])
    return counts[0], counts[1]
''',
    },
}
loses = {"3_psi": {"test_bin_counts_ties": 1}}
