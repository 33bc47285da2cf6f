"""Bytes, arrays, and the order of rules by a table."""
answers = {
    "3_canary": {
        "arm": '''
def arm(customer, run, share):
    number = int.from_bytes(hashlib.sha256((run + " " + customer).encode()).digest()[:4], "big") / 2**32
    if number < share:
        return "candidate"
    return "rest" if number < 1 - share else "control"
''',
        "bounds": '''
def bounds(candidate, control, alpha=0.05, tau=0.03):
    bad, n = np.array([candidate, control], dtype=float).T
    if (n < 50).any():
        return {"difference": None, "low": -1.0, "high": 1.0}
    d = np.subtract(*(bad / n))
    p = (bad + 1) / (n + 2)
    v = (p * (1 - p) / n).sum()
    s = v + tau * tau
    h = np.sqrt(v * s / tau**2 * np.log(s / v / alpha**2))
    return {"difference": d, "low": d - h, "high": d + h}
''',
        "judge": '''
def judge(seen, margin=0.02, longest=336):
    known = [seen[name] for name in ("errors", "outcomes") if seen[name]]
    harmed = [name for name in ("errors", "outcomes") if seen[name] and seen[name]["low"] > 0]
    if harmed:
        return {"call": "ROLL_BACK", "reason": f"certainly harms by {harmed[0]}"}
    if len(known) == 2 and all(each["high"] < margin for each in known):
        return {"call": "PROMOTE", "reason": "both below the margin"}
    late = seen["hours"] >= longest
    return {"call": "ROLL_BACK" if late else "HOLD", "reason": "the time is over" if late else "look again later on"}
''',
    },
}
