"""The chapter's own: the last value against the first."""
answers = {
    "3_over_time": {
        "trend": '''
def trend(values, alpha=0.05):
    x = [v for v in values if not np.isnan(v)]
    if len(x) < 5:
        return "undecided"
    return "rising" if x[-1] > x[0] else "falling" if x[-1] < x[0] else "none"
''',
    },
}
loses = {"3_over_time": {"test_trend_found": 2, "test_trend_noise": 2}}
