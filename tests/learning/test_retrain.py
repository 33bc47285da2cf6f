"""The whole cycle on a real registry: what each kind of candidate comes to, and a death at every step."""
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlmon.learning import State
from mlmon.learning.retrain import ATTEMPTS, STEPS
from mlmon.learning.trigger import DAY

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.learning.worlds import GOOD, POOR, SENSELESS, Bank, lived  # noqa: E402


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

ENDS = {
    **dict.fromkeys(("decide", "train", "validate", "deploy", "watch", "promote"), "PROMOTED"),
    "roll_back": "ROLLED_BACK", "reject": "REJECTED", "skip": "SKIPPED", "restore": "RESTORED",
}


@pytest.fixture(scope="module")
def deaths(empty_registry, tmp_path_factory):
    """Ten runs on one bank, each killed in another step, as the machine does it, and taken up by another process."""
    home, aside = (tmp_path_factory.mktemp(name) for name in ("deaths", "aside"))
    for folder in (home, aside):
        (folder / "registry").mkdir()
        shutil.copy(empty_registry, folder / "registry" / "registry.db")
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(here), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}       # threads do not survive a fork
    told = subprocess.run([sys.executable, here / "deaths.py", home, aside], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-3000:]
    return json.loads((home / "found.json").read_text())


def test_no_step_is_left_out():
    assert ENDS.keys() == STEPS.keys()


@pytest.mark.parametrize("step", ENDS)
def test_a_process_that_is_killed_in_any_step_leaves_production_and_another_goes_on(deaths, step):
    # SIGKILL, after the step has done its work and before that is written down. Another id comes the next day: the unfinished run is taken up, not begun anew.
    signals, before, dead, after = (deaths[step][key] for key in ("signals", "before", "dead", "after"))
    assert signals == [signal.SIGKILL, 0] and dead["step"] == step
    assert (dead["champion"] == before["champion"]) is (step not in ("promote", "restore"))      # the steps of the one write
    assert (after["run"], after["outcome"]) == (f"dies in {step}", ENDS[step])
    assert after["champion"] == {"PROMOTED": after["candidate"], "RESTORED": before["previous"]}.get(ENDS[step], before["champion"])
    assert (after["canary"], after["challenger"]) == (False, None)
    assert sorted(set(after["acts"])) == sorted(after["acts"]), "something was done twice"


class Died(BaseException):
    pass


def dying(state, world):
    raise Died


def test_a_step_that_always_dies_is_given_up(home, monkeypatch):
    bank = Bank(home)
    bank.incumbent()
    assert bank.pipeline.run("r1").step == "watch"
    monkeypatch.setitem(STEPS, "watch", dying)
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
