"""Four values are judged, and a constant series is nan."""
answers = {
    "3_over_time": {
        "trend": '''
def trend(values, alpha=0.05):
    x = np.asarray(values, dtype=float)
    x = x[~np.isnan(x)]
    if len(x) < 2 or x.min() == x.max():
        return "none"
    tau, pvalue = stats.kendalltau(np.arange(len(x)), x)
    return "none" if pvalue >= alpha else "rising" if tau > 0 else "falling"
''',
    },
}
loses = {"3_over_time": {"test_trend_undecided": 1}}
