"""DeLong by ranks."""
answers = {
    "2_validate": {
        "auc_difference": '''
def placed(y, scores):
    y, scores = np.asarray(y).astype(bool), np.asarray(scores, float)
    if y.all() or not y.any():
        raise ValueError("both classes are needed")
    together, m, n = stats.rankdata(scores), y.sum(), (~y).sum()
    v = (together[y] - stats.rankdata(scores[y])) / n
    w = 1 - (together[~y] - stats.rankdata(scores[~y])) / m
    return v, w


def auc(y, scores):
    return placed(y, scores)[0].mean()


def auc_difference(y, candidate, production, confidence=0.95):
    v, w = (a - b for a, b in zip(placed(y, candidate), placed(y, production)))
    sd = (np.var(v, ddof=1) / v.size + np.var(w, ddof=1) / w.size) ** 0.5
    low, high = stats.norm.interval(confidence, loc=v.mean(), scale=sd) if sd > 0 else (v.mean(), v.mean())
    return {"difference": v.mean(), "low": low, "high": high}
''',
        "gate": '''
def gate(found, margin=0.01, slice_margin=0.05, positives=50, uses=20, milliseconds=100):
    against = []
    if found["loads"] is False:
        against.append("can't be loaded")
    if not found["milliseconds"] <= milliseconds:
        against.append("slow")
    if not found["positives"] >= positives:
        against.append("too few positives")
    if not found["uses"] < uses:
        against.append("used up")
    for other in ["production", "anchor"]:
        if found[other] and not found[other]["low"] >= -margin:
            against.append(f"{other}: {found[other]['low']}")
    against.extend(f"slice {name}" for name, gap in found["slices"].items() if gap["high"] < -slice_margin)
    return dict(approved=len(against) == 0, rubber_stamp=not found["production"], reasons=tuple(against))
''',
    },
}
