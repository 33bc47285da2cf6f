"""SciPy's own tests behind the words."""
answers = {
    "4_ab_test": {
        "compare": '''
def compare(a, b, alpha=0.05):
    lack = min(len(a), len(b)) < 2 or (len(set(map(float, a))) == 1 and len(set(map(float, b))) == 1)
    if lack:
        return dict.fromkeys(["difference", "low", "high"]) | {"verdict": "undecided"}
    test = stats.ttest_ind(b, a, equal_var=False)
    low, high = test.confidence_interval(1 - alpha)
    word = "undecided" if test.pvalue >= alpha else "better" if np.mean(b) > np.mean(a) else "worse"
    return {"difference": float(np.mean(b) - np.mean(a)), "low": float(low), "high": float(high), "verdict": word}
''',
        "sample_ratio": '''
def sample_ratio(counts, shares):
    total = sum(counts)
    chi2 = sum((c - total * s) ** 2 / (total * s) for c, s in zip(counts, shares))
    return float(stats.chi2.sf(chi2, len(counts) - 1))
''',
        "sample_size": '''
def sample_size(delta, sd, alpha=0.05, power=0.8):
    import math
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return math.ceil(2 * (sd * z / delta) ** 2)
''',
        "decide": '''
def decide(shared, apart, counts, alpha=0.05):
    if stats.binomtest(int(counts[0]), int(sum(counts)), 0.5).pvalue < 0.001:
        return {"verdict": "broken", "difference": None, "interference": None}
    own = [b - a for a, b in apart]
    if len(own) < 2:
        return {"verdict": "undecided", "difference": None, "interference": None}
    p = stats.ttest_1samp(own, 0).pvalue
    mean = float(np.mean(own))
    word = "undecided" if p >= alpha else "ship" if mean > 0 else "keep"
    cross = None if len(shared) < 2 else bool(np.mean([b - a for a, b in shared]) * mean < 0)
    return {"verdict": word, "difference": mean, "interference": cross}
''',
    },
}
