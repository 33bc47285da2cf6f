"""The Gini coefficient as twice the area above the Lorenz curve."""
answers = {
    "1_gini": {
        "gini": '''
def gini(counts):
    x = np.sort(np.asarray(counts, dtype=float))
    if len(x) == 0 or not x.any():
        return None
    curve = np.concatenate([[0], np.cumsum(x) / x.sum()])
    return float(1 - np.sum(curve[1:] + curve[:-1]) / len(x))
''',
        "concentration": '''
def concentration(counts, blind, margin=0.1):
    counts = [float(c) for c in counts]
    if sum(counts) < len(counts) or not counts:
        return dict(gini=None, excess=None, verdict="undecided", reason="too few impressions")
    curve = np.concatenate([[0], np.cumsum(np.sort(counts)) / sum(counts)])
    g = float(1 - np.sum(curve[1:] + curve[:-1]) / len(counts))
    e = g - float(blind)
    return dict(gini=g, excess=e, verdict=["even", "concentrated"][e > margin], reason="measured")
''',
    },
}
