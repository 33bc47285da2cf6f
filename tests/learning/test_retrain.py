"""The whole cycle on a real registry: what each kind of candidate comes to, and a death at every step."""
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlmon.learning import State
from mlmon.learning.retrain import ATTEMPTS, STEPS
from mlmon.learning.trigger import DAY

spec = importlib.util.spec_from_file_location("worlds", Path(__file__).parent / "worlds.py")
worlds = importlib.util.module_from_spec(spec)
sys.modules["worlds"] = worlds
spec.loader.exec_module(worlds)
Bank, GOOD, POOR, SENSELESS = worlds.Bank, worlds.GOOD, worlds.POOR, worlds.SENSELESS


def lived(bank, run="r1"):
    """A run to its end: until the canary waits, then customers come, then on."""
    state = bank.pipeline.run(run)
    if state.step == "watch":
        bank.visit()
        state = bank.pipeline.run(run)
    return state


def test_a_good_candidate_is_promoted_and_a_better_one_becomes_the_anchor(home):
    bank = Bank(home)
    bank.incumbent(POOR)
    state = lived(bank)
    assert (state.outcome, state.step) == ("PROMOTED", "end")
    assert bank.registry.aliases == {"champion": "2", "previous_champion": "1", "anchor": "2"}
    assert bank.production() == ("2", False) and "PROMOTED" in bank.said[0]
    assert state.reasons[0].startswith("performance fell") and len(state.reasons) == 3


def test_a_good_candidate_that_is_no_better_leaves_the_anchor(home):
    bank = Bank(home)
    bank.incumbent(GOOD)
    assert lived(bank).outcome == "PROMOTED" and (bank.registry.champion, bank.registry.anchor) == ("2", "1")


def test_a_worse_candidate_is_rejected_and_never_meets_anybody(home):
    bank = Bank(home, train=POOR)
    bank.incumbent(GOOD)
    state = bank.pipeline.run("r1")
    assert state.outcome == "REJECTED" and "production FAILED" in state.reasons[-1]
    assert bank.registry.aliases == {"champion": "1", "anchor": "1"}
    assert "deployment" not in [event.action for event in bank.registry.trail()] and "REJECTED" in bank.said[0]


@pytest.mark.parametrize("meets, stage", [("fails", "failed"), ("harms", "success")])
def test_a_candidate_that_fails_in_traffic_is_rolled_back_at_the_next_look(home, meets, stage):
    bank = Bank(home, meets=meets)
    bank.incumbent()
    assert bank.pipeline.run("r1").step == "watch" and bank.production() == ("1", True) and bank.registry.challenger == "2"
    bank.visit()
    state = bank.pipeline.run("r1")         # one tick
    assert state.outcome == "ROLLED_BACK" and stage in state.reasons[-1]
    assert bank.production() == ("1", False) and bank.registry.aliases == {"champion": "1", "anchor": "1"}


def test_the_first_model_is_rubber_stamped_and_says_so(home):
    bank = Bank(home, trained=None)
    state = bank.pipeline.run("r1")
    assert state.outcome == "PROMOTED" and "rubber-stamped" in state.reasons[-1]
    assert bank.registry.aliases == {"champion": "1", "anchor": "1"}


@pytest.mark.parametrize("evidence, told", [
    ({"performance": "STABLE", "drift": "DRIFTED"}, 1), ({"quality": "DRIFTED"}, 1), ({"performance": "STABLE"}, 0),
], ids=["drift alone", "broken data", "calm"])
def test_a_skipped_run_touches_nothing_and_tells_a_person_where_one_should_look(home, evidence, told):
    bank = Bank(home, **evidence)
    bank.incumbent()
    before = bank.registry.trail()
    assert bank.pipeline.run("r1").outcome == "SKIPPED"
    assert bank.registry.trail() == before and len(bank.said) == told


def test_a_fall_after_a_promotion_brings_the_version_before_back_if_it_is_better(home):
    bank = Bank(home, trained=58 * DAY)
    bank.incumbent(GOOD)
    bank.registry.promote(bank.registry.register(SENSELESS(bank.data().train), run="bad"), run="bad")
    state = bank.pipeline.run("r1")
    assert state.outcome == "RESTORED" and (bank.registry.champion, bank.registry.previous) == ("1", None)


def test_a_fall_after_a_promotion_changes_nothing_where_the_version_before_is_no_better(home):
    # The world has changed, not the model.
    bank = Bank(home, trained=58 * DAY)
    bank.incumbent(POOR)
    bank.registry.promote(bank.registry.register(GOOD(bank.data().train), run="fine"), run="fine")
    state = bank.pipeline.run("r1")
    assert (state.outcome, state.action, bank.registry.champion) == ("SKIPPED", "TRIAGE", "2") and "not shown to be better" in bank.said[0]


def test_a_canary_that_nobody_visits_is_not_promoted_by_waiting(home):
    bank = Bank(home, meets="nothing")
    bank.incumbent()
    for bank.day in (60, 65, 73):
        assert bank.pipeline.run("r1").step == "watch" and bank.production() == ("1", True)
    bank.day = 75
    assert bank.pipeline.run("r1").outcome == "ROLLED_BACK" and "no permission" in bank.said[0]


# --- death ------------------------------------------------------------------------------------------------

def killed(home):
    """Run the cycle in a process of its own that is killed when the champion was moved; how it died."""
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from worlds import *
from mlmon.learning import retrain
inner = retrain.STEPS["promote"]
def deadly(state, world):
    inner(state, world)
    os.kill(os.getpid(), signal.SIGKILL)
retrain.STEPS["promote"] = deadly
bank = Bank({str(home)!r})
bank.pipeline.run("dead")
bank.visit()
bank.pipeline.run("dead")
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).returncode


class Died(BaseException):
    pass


def dying(inner=None):
    """A step that does all that it does and dies before that is written down. To die before it does anything is to die after the step before."""
    def step(state, world):
        if inner is not None:
            inner(state, world)
        raise Died
    return step


PATHS = [("decide", "well"), ("train", "well"), ("validate", "well"), ("deploy", "well"), ("watch", "well"), ("promote", "well"), ("roll_back", "harms")]


def test_a_death_in_any_step_leaves_production_and_the_next_run_goes_on(home, monkeypatch):
    bank = Bank(home)
    bank.incumbent()
    for step, meets in PATHS:
        run, bank.meets, before = f"dies in {step}", meets, bank.registry.champion
        with monkeypatch.context() as patch:
            patch.setitem(STEPS, step, dying(STEPS[step]))
            with pytest.raises(Died):
                lived(bank, run)
        assert (bank.registry.champion == before) is (step != "promote")
        state = lived(bank, "the next day")        # another id: the unfinished run is taken up, not begun anew
        candidate = bank.registry.version_of(run)
        assert state.run == run and state.outcome == ("PROMOTED" if meets == "well" else "ROLLED_BACK")
        assert bank.production() == (candidate if meets == "well" else before, False)
        acts = [event.action for event in bank.registry.trail() if event.run == run]
        assert sorted(set(acts)) == sorted(acts), "something was done twice"


@pytest.mark.prove      # two more processes that load everything
def test_a_process_that_is_killed_is_taken_up_by_another(home):
    # SIGKILL, as the machine does it, after the champion was moved and before that was written down.
    bank = Bank(home)
    bank.incumbent()
    assert killed(home) == -9
    assert bank.pipeline.state.step == "promote" and bank.registry.champion == "2"
    assert bank.pipeline.run("next").outcome == "PROMOTED"
    assert [event.action for event in bank.registry.trail() if event.run == "dead"].count("promoted") == 1


def test_a_step_that_always_dies_is_given_up(home, monkeypatch):
    bank = Bank(home)
    bank.incumbent()
    assert bank.pipeline.run("r1").step == "watch"
    monkeypatch.setitem(STEPS, "watch", dying())
    for _ in range(ATTEMPTS):
        with pytest.raises(Died):
            bank.pipeline.run("r1")
    state = bank.pipeline.run("r1")
    assert state.outcome == "CRASHED" and "watch died 3 times" in bank.said[-1]
    assert bank.production() == ("1", False) and bank.registry.challenger is None
    monkeypatch.undo()
    assert lived(bank, "r2").outcome == "PROMOTED"


def test_a_lost_state_leaves_nothing_behind(home):
    # The file is gone, as with a lost disk: the next run clears the canary of the run that nobody knows of.
    bank = Bank(home)
    bank.incumbent()
    assert bank.pipeline.run("lost").step == "watch"
    bank.pipeline.path.unlink()
    bank.evidence["performance"] = "STABLE"
    assert bank.pipeline.run("r2").outcome == "SKIPPED"
    assert bank.production() == ("1", False) and bank.registry.challenger is None


def test_pausing_sends_everybody_home_and_going_on_does_not_begin_anew(home):
    bank = Bank(home)
    bank.incumbent()
    bank.pipeline.run("r1")
    bank.visit(300)
    bank.pipeline.pause()
    assert bank.production() == ("1", False)
    assert bank.pipeline.run("r1").step == "watch" and bank.production() == ("1", True)
    assert len(bank.traffic.observed("r1").arm) == 300


def test_the_state_on_disk_is_whole_at_every_moment(home, monkeypatch):
    bank = Bank(home, performance="STABLE")
    bank.incumbent()
    bank.pipeline.run("r1")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(Died))
    with pytest.raises(Died):
        bank.pipeline.run("r2")
    assert bank.pipeline.state.run == "r1" and json.loads(bank.pipeline.path.read_text())["outcome"] == "SKIPPED"


def test_a_step_out_of_turn_does_nothing(home):
    bank = Bank(home)
    bank.incumbent()
    with pytest.raises(ValueError, match="begin"):
        bank.pipeline.step("train")
    bank.pipeline.begin("r1")
    assert bank.pipeline.step("promote") == State("r1") == bank.pipeline.state and bank.registry.champion == "1"
    with pytest.raises(ValueError, match="needs one of"):
        bank.pipeline.step("fly")
    with pytest.raises(ValueError, match="run needs"):
        bank.pipeline.begin("")
