"""One match; what is needed later is in the state under other names."""
answers = {
    "4_pipeline": {
        "advance": '''
def advance(state, do):
    new = dict(state)
    match state["step"]:
        case "decide":
            told = do["decide"]()
            new.update(told, champion=do["get_alias"]("champion"), step="train" if told["action"] == "RETRAIN" else "skip")
        case "train":
            new.update(candidate=do["train"](new["run"]), step="validate")
        case "validate":
            told = do["validate"](new["candidate"])
            new["reason"] = told["reason"]
            new["step"] = ("deploy" if new["champion"] else "promote") if told["approved"] else "reject"
        case "deploy":
            do["deploy"](new["candidate"])
            new["step"] = "watch"
        case "watch":
            told = do["watch"](new["candidate"])
            new["reason"] = told["reason"]
            if told["call"] != "HOLD":
                new["step"] = told["call"].lower()
        case "promote":
            do["withdraw"]()
            if new["champion"]:
                do["set_alias"]("previous_champion", new["champion"])
            do["set_alias"]("champion", new["candidate"])
            return end(new, do, "PROMOTED")
        case "reject":
            return end(new, do, "REJECTED")
        case "roll_back":
            do["withdraw"]()
            return end(new, do, "ROLLED_BACK")
        case "skip":
            return end(new, do, "SKIPPED")
    return new


def end(new, do, outcome):
    if new["action"] != "WAIT":
        do["notify"](f"{new['run']} {outcome} {new.get('candidate')} {new['reason']}")
    return new | {"step": "end", "outcome": outcome}
''',
    },
}
