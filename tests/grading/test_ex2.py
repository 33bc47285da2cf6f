"""Exercise 2 gives right answers all points, and a wrong one loses those of its slip and no others."""

from pathlib import Path

import pytest

from mlmon.grading import autograde, release

ANSWERS = Path(__file__).parent / "submissions" / "ex2_drift"
RIGHT = [f"right/{path.stem}" for path in sorted((ANSWERS / "right").glob("*.py"))]
WRONG = [f"wrong/{path.stem}" for path in sorted((ANSWERS / "wrong").glob("*.py"))]
# Through nbgrader and its kernels in each run of the tests; all others in forks, and through kernels in `make prove`.
CLASS = [*RIGHT[::2], *WRONG[::6]]


@pytest.fixture(scope="module")
def course(tmp_path_factory, kit):
    return kit.exercise_course(tmp_path_factory.mktemp("ex2"), "ex2_drift")


@pytest.fixture(scope="module")
def parts(course):
    return release.parts(course.release("ex2_drift"))


@pytest.fixture(scope="module")
def answers(kit):
    return {one.name: one for kind in ("right", "wrong") for one in kit.read_answers("ex2_drift", kind)}


@pytest.fixture(scope="module")
def ran(course, kit, answers):
    """Points of all answers, their cells run in forks."""
    return kit.run_answers(course, "ex2_drift", list(answers.values()))


@pytest.fixture(scope="module")
def graded(course, kit, answers):
    """Points of some answers, graded as one class."""
    return kit.grade_answers(course, "ex2_drift", [answers[name] for name in CLASS])


def test_there_are_enough_answers_to_hold_the_grader_honest():
    assert len(RIGHT) >= 10 and len(WRONG) >= 20


def test_the_written_question_is_the_only_part_for_a_person(parts):
    assert [part.name for part in parts if not part.automatic] == ["5_comparing_methods:explain_picture"]


@pytest.mark.slow
def test_the_reference_gets_all_automatic_points_and_the_release_none(course):
    autograde.check_grader(course, "ex2_drift")  # raises if either is off


@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_an_answer_gets_the_points_that_it_earns_and_no_others(name, kit, answers, parts, ran):
    # Right answers name no loss, so they are due everything.
    assert bool(answers[name].loses) == name.startswith("wrong/")
    assert ran[name] == kit.due(answers[name], parts)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASS)
def test_the_grader_gives_the_same_points(name, kit, answers, parts, graded):
    assert graded[name] == kit.due(answers[name], parts)


@pytest.mark.prove
def test_the_grader_gives_every_answer_its_points(kit, answers, parts, tmp_path):
    course = kit.exercise_course(tmp_path, "ex2_drift")
    scores = kit.grade_answers(course, "ex2_drift", list(answers.values()))
    assert scores == {name: kit.due(one, parts) for name, one in answers.items()}
