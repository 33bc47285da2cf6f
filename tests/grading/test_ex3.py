"""Exercise 3 gives right answers all points, and a wrong one loses those of its slip and no others."""

from pathlib import Path

import pytest

from mlmon.grading import autograde, release

ANSWERS = Path(__file__).parent / "submissions" / "ex3_feedback_loop"
RIGHT = [f"right/{path.stem}" for path in sorted((ANSWERS / "right").glob("*.py"))]
WRONG = [f"wrong/{path.stem}" for path in sorted((ANSWERS / "wrong").glob("*.py"))]


@pytest.fixture(scope="module")
def course(tmp_path_factory, kit):
    return kit.exercise_course(tmp_path_factory.mktemp("ex3"), "ex3_feedback_loop")


@pytest.fixture(scope="module")
def parts(course):
    return release.parts(course.release("ex3_feedback_loop"))


@pytest.fixture(scope="module")
def answers(kit):
    return {one.name: one for kind in ("right", "wrong") for one in kit.read_answers("ex3_feedback_loop", kind)}


@pytest.fixture(scope="module")
def graded(course, kit, answers):
    """Points of all answers, graded as one class."""
    return kit.grade_answers(course, "ex3_feedback_loop", list(answers.values()))


def test_there_are_enough_answers_to_hold_the_grader_honest():
    assert len(RIGHT) >= 10 and len(WRONG) >= 20


def test_the_written_question_is_the_only_part_for_a_person(parts):
    assert [part.name for part in parts if not part.automatic] == ["4_ab_test:explain_test"]


@pytest.mark.slow
def test_the_reference_gets_all_automatic_points_and_the_release_none(course):
    autograde.check_grader(course, "ex3_feedback_loop")  # raises if either is off


@pytest.mark.slow
@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_an_answer_gets_the_points_that_it_earns_and_no_others(name, kit, answers, parts, graded):
    # Right answers name no loss, so they are due everything.
    assert bool(answers[name].loses) == name.startswith("wrong/")
    assert graded[name] == kit.due(answers[name], parts)
