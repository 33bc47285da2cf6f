"""Each exercise gives right answers all points, and a wrong one loses those of its slip and no others.

Here an answer is judged in a fork, by plain Python. `test_graded` sends answers through the grader itself: all of
exercise 2, some of the others, and in `make prove` all.
"""

import contextlib
import functools
import multiprocessing
import sys
from pathlib import Path

import pytest

from mlmon.grading import release

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grading.conftest import lacking, names_of_answers  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(__file__).parent / "submissions"
WRITTEN = {      # the one question of an exercise that a person grades
    "ex1_dashboard": "4_runbook:account",
    "ex2_drift": "5_comparing_methods:explain_picture",
    "ex3_feedback_loop": "4_ab_test:explain_test",
    "ex4_retraining": "5_dag_tests_page:account",
}
# Rules that are not the reference's go through days of series: a second or more each. `make test` judges three such.
LONG = {
    "right/other_rules", "right/shared_objects", "right/yaml_by_hand", "wrong/absent_asks_for_any", "wrong/drift_at_first_sight",
    "wrong/every_instance_must_run_the_job", "wrong/instances_apart", "wrong/never_fires", "wrong/no_least_number_of_calls",
    "wrong/no_runbook_in_the_alert", "wrong/one_pair_is_missing", "wrong/owner_is_missing", "wrong/short_windows_only",
    "wrong/stale_in_minutes", "wrong/versions_together", "wrong/waits_for_a_counter_to_be_zero",
}
FORKS = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no processes can be forked here")


def needs(exercise):
    """Marks of an exercise whose tests need programs."""
    return [FORKS, pytest.mark.skipif(bool(lacking(exercise)), reason=lacking(exercise))]


IN_FORKS = [pytest.param(name, marks=needs(name)) for name in WRITTEN if name != "ex2_drift"]
CASES = [
    pytest.param(exercise, name, marks=[*needs(exercise), *[pytest.mark.prove] * (exercise == "ex1_dashboard" and name in LONG)])
    for exercise in WRITTEN if exercise != "ex2_drift" for name in names_of_answers(exercise)
]


@pytest.fixture(scope="module")
def judged(kit):
    """Of an exercise, the points of the reference by part, and a way to judge an answer. The reference runs once."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda exercise: stack.enter_context(kit.judge_in_forks(exercise)))


@functools.cache
def parts(exercise):
    return release.parts(ROOT / "exercises" / exercise)


def automatic(exercise):
    return {part.name: part.points for part in parts(exercise) if part.automatic}


def test_every_exercise_has_its_answers_here():
    assert sorted(path.name for path in ANSWERS.iterdir() if path.is_dir()) == sorted(WRITTEN)
    assert {*names_of_answers("ex1_dashboard")} > LONG


@pytest.mark.parametrize("exercise", WRITTEN)
def test_there_are_enough_answers_to_hold_the_grader_honest(exercise):
    assert len(names_of_answers(exercise, "right")) >= 10 and len(names_of_answers(exercise, "wrong")) >= 20


@pytest.mark.parametrize("exercise", WRITTEN)
def test_the_written_question_is_the_only_part_for_a_person(exercise):
    assert [part.name for part in parts(exercise) if not part.automatic] == [WRITTEN[exercise]]


@pytest.mark.parametrize("exercise", WRITTEN)
def test_right_answers_lose_nothing_and_every_part_is_lost_by_some_wrong_answer(exercise, kit):
    # A check that no slip fails would prove nothing.
    assert [one.name for one in kit.read_answers(exercise, "right") if one.loses] == []
    slips = [one.loses for one in kit.read_answers(exercise, "wrong")]
    assert all(slips)
    assert {*automatic(exercise)} - {f"{book}:{test}" for loses in slips for book, tests in loses.items() for test in tests} == set()


@pytest.mark.parametrize("exercise", IN_FORKS)
def test_the_reference_gets_all_automatic_points(exercise, judged):
    assert judged(exercise)[0] == automatic(exercise)


@pytest.mark.parametrize("exercise", IN_FORKS)
def test_the_untouched_release_gets_none(exercise, kit):
    assert kit.points_of(kit.released(ROOT / "exercises" / exercise)) == dict.fromkeys(automatic(exercise), 0)


@pytest.mark.parametrize("exercise, name", CASES)
def test_an_answer_gets_the_points_that_it_earns_and_no_others(exercise, name, kit, judged):
    one = kit.read_answer(ANSWERS / exercise / f"{name}.py")
    assert judged(exercise)[1](one) == kit.due(one, parts(exercise))
