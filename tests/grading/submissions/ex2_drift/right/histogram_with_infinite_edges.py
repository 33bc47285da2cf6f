"""NumPy's histogram, its edges reaching to infinity and bins of their own for what lies outside."""
answers = {
    "3_psi": {
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    reference, current = np.array(reference, dtype=float), np.array(current, dtype=float)
    known = reference[~np.isnan(reference)]
    cuts = np.percentile(known, np.linspace(0, 100, bins + 1), method="median_unbiased")
    edges = np.unique(np.r_[-np.inf, cuts[0], cuts[:-1][cuts[:-1] < cuts[-1]], np.nextafter(cuts[-1], np.inf), np.inf])
    result = []
    for sample in (reference, current):
        counts, _ = np.histogram(sample[~np.isnan(sample)], edges)
        result.append([*counts, np.isnan(sample).sum()])
    return tuple(result)
''',
    },
}
