"""Outer bins that are open at both ends, with a case of its own for a constant reference."""
answers = {
    "3_psi": {
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    reference, current = np.asarray(reference, float), np.asarray(current, float)
    known = reference[~np.isnan(reference)]
    if known.min() == known.max():
        inner = np.array([known[0], np.nextafter(known[0], np.inf)])
    else:
        inner = np.unique(np.quantile(known, np.arange(1, bins) / bins))
        inner = inner[inner > known.min()]
    def count(sample):
        there = ~np.isnan(sample)
        places = np.digitize(sample[there], inner)
        return [int((places == i).sum()) for i in range(len(inner) + 1)] + [int((~there).sum())]
    return count(reference), count(current)
''',
        "psi_features": '''
def psi_features(reference, current, bins=10):
    scores = dict.fromkeys(reference.columns)
    for name in reference.columns.intersection(current.columns):
        if reference[name].dtype.kind in "iuf":
            scores[name] = float(psi_from_counts(*bin_counts(reference[name], current[name], bins=bins)))
        else:
            codes, levels = pd.factorize(pd.concat([reference[name], current[name]], ignore_index=True).astype(object))
            old, new = codes[:len(reference)] + 1, codes[len(reference):] + 1            # 0: missing
            scores[name] = float(psi_from_counts(np.bincount(old, minlength=len(levels) + 1), np.bincount(new, minlength=len(levels) + 1)))
    return scores
''',
    },
}
