"""Trend by Mann and Kendall's S with its normal approximation and correction for continuity."""
answers = {
    "3_over_time": {
        "trend": '''
def trend(values, alpha=0.05):
    x = [float(v) for v in values if not np.isnan(v)]
    n = len(x)
    if n < 5:
        return "undecided"
    s = sum(np.sign(x[j] - x[i]) for i in range(n) for j in range(i + 1, n))
    ties = np.unique(x, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if variance == 0:
        return "none"
    z = max(abs(s) - 1, 0) / np.sqrt(variance)
    if 2 * stats.norm.sf(z) >= alpha:
        return "none"
    return "rising" if s > 0 else "falling"
''',
    },
}
