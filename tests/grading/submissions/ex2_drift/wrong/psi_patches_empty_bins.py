"""Writes 0.0001 into empty bins in place of half a count everywhere."""
answers = {
    "3_psi": {
        "psi_from_counts": '''
def psi_from_counts(reference_counts, current_counts):
    p, q = (np.asarray(counts, dtype=float) / np.sum(counts) for counts in (reference_counts, current_counts))
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return float(np.sum((q - p) * np.log(q / p)))
''',
    },
}
loses = {"3_psi": {"test_psi_from_counts_empty": 1}}
