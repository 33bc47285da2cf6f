"""The chapter's own PSI: 0.0001 in empty bins, equal width, out-of-range and missing values dropped."""
answers = {
    "3_psi": {
        "psi_from_counts": '''
def psi_from_counts(reference_counts, current_counts):
    ref_probs = np.asarray(reference_counts) / np.sum(reference_counts)
    curr_probs = np.asarray(current_counts) / np.sum(current_counts)
    ref_probs = np.where(ref_probs == 0, 0.0001, ref_probs)
    curr_probs = np.where(curr_probs == 0, 0.0001, curr_probs)
    return np.sum((curr_probs - ref_probs) * np.log(curr_probs / ref_probs))
''',
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    edges = np.histogram_bin_edges(reference, bins=bins)
    ref_hist, _ = np.histogram(reference, bins=edges)
    curr_hist, _ = np.histogram(current, bins=edges)
    return ref_hist.tolist() + [0], curr_hist.tolist() + [0]
''',
    },
}
loses = {"3_psi": {"test_psi_from_counts_empty": 1, "test_bin_counts_quantiles": 2, "test_bin_counts_outside": 2, "test_bin_counts_ties": 1, "test_bin_counts_missing": 2}}
