"""Walks through the merged values one at a time, so ties open gaps."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    merged = sorted([(x, 0) for x in reference] + [(x, 1) for x in current])
    f = g = widest = 0.0
    for x, which in merged:
        if which == 0:
            f += 1 / len(reference)
        else:
            g += 1 / len(current)
        widest = max(widest, abs(f - g))
    return widest
''',
    },
}
loses = {"1_ks": {"test_ks_statistic_ties": 2}}
