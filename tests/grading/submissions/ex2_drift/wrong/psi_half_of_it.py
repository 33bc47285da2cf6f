"""Sums q ln(q / p) alone: the Kullback-Leibler divergence, which is not symmetric."""
answers = {
    "3_psi": {
        "psi_from_counts": '''
def psi_from_counts(reference_counts, current_counts):
    p = np.asarray(reference_counts, dtype=float) + 0.5
    q = np.asarray(current_counts, dtype=float) + 0.5
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(q * np.log(q / p)))
''',
    },
}
loses = {"3_psi": {"test_psi_from_counts_value": 2, "test_psi_from_counts_empty": 1, "test_psi_from_counts_laws": 1}}
