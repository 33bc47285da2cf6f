"""Rules as a table of lambdas; pandas for the split; gate without a list of rules."""
answers = {
    "1_trigger": {
        "decide": '''
def decide(evidence, labels=1000, cooldown=7, schedule=30):
    quality, performance, estimated, drift = (evidence[key] for key in ("quality", "performance", "estimated", "drift"))
    age = float("inf") if evidence["days"] is None else evidence["days"]
    cause = {"no model": evidence["days"] is None, "seen": performance == "DRIFTED", "estimated": estimated == "DRIFTED", "scheduled": age >= schedule}
    named = "cause: " + ", ".join(key for key in cause if cause[key])
    table = [
        (quality != "STABLE", "BLOCK", "mend the data first"),
        (any(cause.values()) and age < cooldown, "TRIAGE", named + " within the cool-down"),
        (any(cause.values()) and evidence["labels"] < labels, "WAIT", named + " without enough labels"),
        (any(cause.values()), "RETRAIN", named + " and nothing against it"),
        (drift == "DRIFTED", "TRIAGE", "only the inputs drifted"),
        (performance != "STABLE" and estimated != "STABLE", "TRIAGE", "nobody knows how it fares"),
        (True, "WAIT", "all is well"),
    ]
    return next({"action": action, "reason": reason} for holds, action, reason in table if holds)
''',
        "split": '''
def held_out(who, share):
    digest = hashlib.new("sha256", bytes(who, "utf-8")).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def split(rows, now, maturity, recent, share):
    frame = pd.DataFrame(rows, columns=["who", "at", "label"])
    use = (now - frame["at"] >= maturity) & frame["label"].notna()
    late = frame["at"] >= now - maturity - recent
    out = frame["who"].map(lambda who: held_out(who, share)).astype(bool)
    return {"train": np.flatnonzero(use & ~late & ~out), "holdout": np.flatnonzero(use & late & out)}
''',
    },
}
