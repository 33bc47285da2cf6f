"""Kill the cycle in each of its steps with SIGKILL, take it up in another process, and write down what became of it.

``python deaths.py HOME ASIDE``. Each life is a fork of this process, which has loaded everything and opened nothing of HOME's bank.
"""
import json
import os
import signal
import sys
import traceback
from pathlib import Path

from mlmon.learning.retrain import STEPS
from mlmon.learning.trigger import DAY

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.learning.worlds import POOR, SENSELESS, Bank, lived  # noqa: E402

CASES = {      # step: the bank in which a run comes to it
    "decide": {}, "train": {}, "validate": {}, "deploy": {}, "watch": {}, "promote": {},
    "roll_back": {"meets": "harms"}, "reject": {"train": POOR}, "skip": {"performance": "STABLE", "drift": "DRIFTED"}, "restore": {"trained": 58 * DAY},
}


def life(act, *args):
    """Do something in a process of its own; the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        try:
            act(*args)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or status == 0, "the child has failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def prepare(home, step):
    bank = Bank(home)
    if bank.registry.champion is None:
        bank.incumbent()
    if step == "restore":
        bank.registry.promote(bank.registry.register(SENSELESS(bank.data().train), run="bad"), run="bad")
    note(home, "before", {"champion": bank.registry.champion, "previous": bank.registry.previous})


def die(home, step):
    """The step does all that it does, and the process is gone before that is written down."""
    inner = STEPS[step]

    def deadly(state, world):
        inner(state, world)
        os.kill(os.getpid(), signal.SIGKILL)

    STEPS[step] = deadly
    lived(Bank(home, **CASES[step]), f"dies in {step}")


def take_up(home, step):
    bank = Bank(home, **CASES[step])
    note(home, "dead", {"champion": bank.registry.champion, "step": bank.pipeline.state.step})
    state = lived(bank, "the next day")
    champion, canary = bank.production()
    note(home, "after", {
        "run": state.run, "outcome": state.outcome, "champion": champion, "canary": canary, "candidate": bank.registry.version_of(state.run),
        "challenger": bank.registry.challenger, "acts": [event.action for event in bank.registry.trail() if event.run == state.run],
    })


def note(home, name, what):
    Path(home, f"{name}.json").write_text(json.dumps(what))


def load_all(home):
    """Have every module loaded, on a bank of no consequence, so that no life has to."""
    bank = Bank(home)
    bank.registry.load(bank.incumbent())


def main(home, aside):
    load_all(aside)
    found = {}
    for step in CASES:
        life(prepare, home, step)
        signals = life(die, home, step), life(take_up, home, step)
        found[step] = {"signals": signals, **{name: json.loads(Path(home, f"{name}.json").read_text()) for name in ("before", "dead", "after")}}
    Path(home, "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
