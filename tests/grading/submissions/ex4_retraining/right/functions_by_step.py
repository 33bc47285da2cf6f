"""One function a step; the champion is asked when it is needed."""
answers = {
    "4_pipeline": {
        "advance": '''
def decide_step(state, do):
    told = do["decide"]()
    return {"step": "train" if told["action"] == "RETRAIN" else "skip", "quiet": told["action"] == "WAIT", "why": told["reason"]}


def validate_step(state, do):
    told = do["validate"](state["version"])
    if not told["approved"]:
        return {"step": "reject", "why": told["reason"]}
    return {"step": "deploy" if do["get_alias"]("champion") else "promote", "why": told["reason"]}


def deploy_step(state, do):
    do["deploy"](state["version"])
    return {"step": "watch"}


def watch_step(state, do):
    told = do["watch"](state["version"])
    return {"step": dict(PROMOTE="promote", HOLD="watch", ROLL_BACK="roll_back")[told["call"]], "why": told["reason"]}


def promote_step(state, do):
    now = do["get_alias"]("champion")
    if now != state["version"]:                       # not done yet
        if now:
            do["set_alias"]("previous_champion", now)
        do["set_alias"]("champion", state["version"])
    do["withdraw"]()
    return over(state, do, "PROMOTED")


def roll_back_step(state, do):
    do["withdraw"]()
    return over(state, do, "ROLLED_BACK")


def over(state, do, outcome):
    if not state["quiet"]:
        do["notify"](f"{outcome} {state.get('version', '')} because: {state['why']}")
    return {"step": "end", "outcome": outcome}


STEPS = {
    "decide": decide_step, "train": lambda state, do: {"step": "validate", "version": do["train"](state["run"])}, "validate": validate_step,
    "deploy": deploy_step, "watch": watch_step, "promote": promote_step, "roll_back": roll_back_step,
    "reject": lambda state, do: over(state, do, "REJECTED"), "skip": lambda state, do: over(state, do, "SKIPPED"),
}


def advance(state, do):
    return state | STEPS[state["step"]](state, do)
''',
        "clean_up": '''
def clean_up(state, do):
    do["notify"]("CRASHED, run " + state["run"] + ", step " + state["step"])
    do["withdraw"]()


def restore(do):
    back = do["get_alias"]("previous_champion")
    if not back:
        raise ValueError("nothing to restore")
    if do["get_alias"]("champion") != back:
        do["set_alias"]("champion", back)
    do["notify"](back + " RESTORED")
    return back
''',
    },
}
