"""Exercise 4 through the grader itself: students' cells in the sandbox, the bench and the hidden pipelines outside of it."""

from pathlib import Path

import pytest

from mlmon.grading import autograde, release

ANSWERS = Path(__file__).parent / "submissions" / "ex4_retraining"
FEW = ["right/functions_by_step", "right/operators", "wrong/check_without_crashes", "wrong/promotes_twice"]      # notebooks 1 to 3: test_class
ALL = [f"{path.parent.name}/{path.stem}" for path in sorted(ANSWERS.glob("*/*.py"))]


@pytest.fixture(scope="module")
def course(tmp_path_factory, kit):
    return kit.exercise_course(tmp_path_factory.mktemp("ex4"), "ex4_retraining")


@pytest.fixture(scope="module")
def graded(request, course, kit):
    """Points of the answers that are asked for, graded as one class."""
    asked = {item.callspec.params["name"] for item in request.session.items if item.path == request.path and hasattr(item, "callspec")}
    answers = [kit.read_answer(ANSWERS / f"{name}.py") for name in sorted(asked)]
    return kit.grade_answers(course, "ex4_retraining", answers)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.prove] * (name not in FEW)) for name in ALL])
def test_an_answer_gets_the_points_that_it_earns_and_no_others(name, kit, course, graded):
    answer, parts = kit.read_answer(ANSWERS / f"{name}.py"), release.parts(course.release("ex4_retraining"))
    assert graded[name] == kit.due(answer, parts)


@pytest.mark.prove
def test_the_reference_gets_all_automatic_points_and_the_release_none(course):
    autograde.check_grader(course, "ex4_retraining")  # raises if either is off
