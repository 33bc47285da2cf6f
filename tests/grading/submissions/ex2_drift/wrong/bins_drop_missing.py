"""Drops missing values before counting."""
answers = {
    "3_psi": {
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    known = reference[~np.isnan(reference)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    inner = edges[1:-1]
    size = len(inner) + 3                                    # below, the bins, above
    counts = []
    for sample in (reference, current):
        values = sample[~np.isnan(sample)]
        place = np.searchsorted(inner, values) + 1
        place[values < edges[0]] = 0
        place[values > edges[-1]] = size - 1
        counts.append(np.bincount(place, minlength=size).tolist() + [0])
    return counts[0], counts[1]
''',
    },
}
loses = {"3_psi": {"test_bin_counts_missing": 2}}
