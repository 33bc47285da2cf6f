"""Nested ifs, and a set of customers."""
answers = {
    "1_trigger": {
        "decide": '''
def decide(evidence, labels=1000, cooldown=7, schedule=30):
    def say(action, *words):
        return dict(action=action, reason=" ".join(words))

    if evidence["quality"] in ("DRIFTED", "UNDECIDED"):
        return say("BLOCK", "quality is", evidence["quality"])
    if evidence["days"] is None:
        if evidence["labels"] >= labels:
            return say("RETRAIN", "the very first model")
        return say("WAIT", "no model, too few labels")
    if evidence["performance"] == "DRIFTED":
        cause = "it fell"
    elif evidence["estimated"] == "DRIFTED":
        cause = "it is estimated to have fallen"
    elif evidence["days"] >= schedule:
        cause = "it is old"
    elif evidence["drift"] == "DRIFTED":
        return say("TRIAGE", "other customers, same performance")
    elif evidence["performance"] == "STABLE" or evidence["estimated"] == "STABLE":
        return say("WAIT", "nothing to do")
    else:
        return say("TRIAGE", "nothing is known of it")
    if evidence["days"] < cooldown:
        return say("TRIAGE", cause, "too soon")
    return say("RETRAIN" if evidence["labels"] >= labels else "WAIT", cause, "by day", str(evidence["days"]))
''',
        "split": '''
def held_out(who, share):
    return int(hashlib.sha256(who.encode("utf-8")).hexdigest()[0:8], base=16) / 4294967296 < share


def split(rows, now, maturity, recent, share):
    first, last = now - maturity - recent, now - maturity
    final = [i for i in range(len(rows)) if rows[i]["at"] <= last and rows[i]["label"] in (0, 1)]
    away = {rows[i]["who"] for i in final if held_out(rows[i]["who"], share)}
    return {
        "train": [i for i in final if rows[i]["who"] not in away and rows[i]["at"] < first],
        "holdout": [i for i in final if rows[i]["who"] in away and rows[i]["at"] >= first],
    }
''',
    },
}
