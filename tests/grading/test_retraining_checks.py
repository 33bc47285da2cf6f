"""The bench of exercise 4: services that die where they are told to, a scheduler that tries again, and the judge of a student's own tests."""

import pytest

from mlmon.grading import retraining_checks as bench


def ends(state, do):
    return {**state, "step": "end", "outcome": "SKIPPED"}


@pytest.mark.parametrize("when, champion", [("before", "7"), ("after", "9")])
def test_a_service_dies_before_or_after_its_work(when, champion):
    world = bench.Bench({"crash": ["set_alias champion", when, 1]})
    with pytest.raises(RuntimeError, match="out of order"):
        world.services["set_alias"]("champion", "9")
    assert world.aliases["champion"] == champion
    world.services["set_alias"]("champion", "9")      # once only
    assert world.aliases["champion"] == "9" and len(world.log) == 2


def test_a_step_that_died_is_done_again_with_the_same_state():
    seen = []

    def advance(state, do):
        seen.append(dict(state))
        do["train"](state["run"])
        state["step"] = "nonsense"      # its own copy
        return {**state, "step": "end", "outcome": "PROMOTED"}

    assert bench.run(advance, None, {"crash": ["train", "after", 2]})["outcome"] == "PROMOTED"
    assert len(seen) == 3 and all(state == seen[0] for state in seen)


def test_after_three_deaths_it_is_cleaned_up():
    told = []
    got = bench.run(lambda state, do: do["train"](state["run"]), lambda state, do: told.append(state["step"]), {"crash": ["train", "before", 9]})
    assert (got["outcome"], told) == ("CRASHED", ["decide"])


def test_a_run_without_an_end_is_unfinished():
    assert bench.run(lambda state, do: state, None)["outcome"] == "UNFINISHED"


@pytest.mark.parametrize("state, words", [
    (None, "give a dict"), ({"run": "x"}, "Missing"), ({"run": "x", "step": "canary"}, "be one of"), ({"run": "x", "step": "end"}, "outcome"),
    ({"run": "x", "step": "train", "model": object()}, "plain Python"), ({"run": "x", "step": "train", "data": "x" * 5000}, "small"),
])  # fmt: skip
def test_a_state_that_no_scheduler_can_store_is_refused(state, words):
    with pytest.raises(AssertionError, match=words):
        bench.run(lambda *_: state, None)


def test_an_error_of_the_students_own_is_shown_and_not_tried_again():
    with pytest.raises(KeyError, match="versoin"):
        bench.run(lambda state, do: state["versoin"], None)


def test_a_case_with_a_wrong_word_is_refused():
    with pytest.raises(ValueError, match="canery"):
        bench.Bench({"canery": ["HOLD"]})


def test_a_check_that_condemns_a_right_pipeline_is_refused():
    def check(run):
        assert False, "never content"

    with pytest.raises(AssertionError, match="should pass a pipeline that is right: the good one. It fails, with: AssertionError: never content"):
        bench.catches(check, {"the good one": lambda case: {}}, {}, "check")


def test_a_check_that_is_not_written_yet_catches_nothing():
    def check(run):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        bench.catches(check, {}, {"broken": lambda case: {}}, "check")


def test_pipelines_come_in_random_order():
    # Twelve in one and the same order twice: a chance of 1 in 12! = 479,001,600.
    orders = []
    for _ in range(2):
        seen = []
        bench.catches(lambda run: seen.append(run({})), {str(k): (lambda case, k=k: k) for k in range(12)}, {}, "check")
        orders.append(seen)
    assert orders[0] != orders[1]
