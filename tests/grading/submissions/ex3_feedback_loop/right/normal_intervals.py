"""The normal interval in place of Student's, md5 for the lots."""
answers = {
    "4_ab_test": {
        "arm_of": '''
def arm_of(visitor, salt, share=0.5):
    lot = int(hashlib.md5((visitor + "|" + salt).encode()).hexdigest(), 16) / 16**32
    return "B" if lot < share else "A"
''',
        "compare": '''
def compare(a, b, alpha=0.05):
    if len(a) < 2 or len(b) < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return {"difference": None, "low": None, "high": None, "verdict": "undecided"}
    gap = float(np.mean(b) - np.mean(a))
    reach = float(stats.norm.ppf(1 - alpha / 2) * np.sqrt(np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b)))
    word = "undecided"
    if gap - reach > 0:
        word = "better"
    if gap + reach < 0:
        word = "worse"
    return {"difference": gap, "low": gap - reach, "high": gap + reach, "verdict": word}
''',
        "decide": '''
def decide(shared, apart, counts, alpha=0.05):
    a, b = counts
    z = (a - b) / np.sqrt(a + b)
    out = {"verdict": "undecided", "difference": None, "interference": None}
    if 2 * stats.norm.sf(abs(z)) < 0.001:
        return out | {"verdict": "broken"}
    if len(apart) < 2:
        return out
    gaps = np.diff(np.asarray(apart, dtype=float), axis=1).ravel()
    reach = stats.norm.isf(alpha / 2) * gaps.std(ddof=1) / np.sqrt(len(gaps))
    out["difference"] = float(gaps.mean())
    if abs(gaps.mean()) > reach:
        out["verdict"] = "ship" if gaps.mean() > 0 else "keep"
    if len(shared) >= 2:
        usual = np.diff(np.asarray(shared, dtype=float), axis=1).mean()
        out["interference"] = bool(np.sign(usual) == -np.sign(gaps.mean()))
    return out
''',
    },
}
