"""Values outside the reference's range fall out of the histogram."""
answers = {
    "3_psi": {
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    known = reference[~np.isnan(reference)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    if len(edges) == 1:
        edges = np.array([edges[0], edges[0]])
    return tuple(np.histogram(sample[~np.isnan(sample)], edges)[0].tolist() + [int(np.isnan(sample).sum())] for sample in (reference, current))
''',
    },
}
loses = {"3_psi": {"test_bin_counts_outside": 2, "test_bin_counts_ties": 1}}
