"""0.05, whatever alpha says."""
answers = {
    "3_over_time": {
        "trend": '''
def trend(values, alpha=0.05):
    x = np.asarray(values, dtype=float)
    x = x[~np.isnan(x)]
    if len(x) < 5:
        return "undecided"
    if x.min() == x.max():
        return "none"
    tau, pvalue = stats.kendalltau(np.arange(len(x)), x)
    return "none" if pvalue >= 0.05 else "rising" if tau > 0 else "falling"
''',
    },
}
loses = {"3_over_time": {"test_trend_noise": 2}}
