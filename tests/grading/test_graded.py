"""Right and wrong answers through the grader itself: students' cells in the sandbox, tests and their tools outside of it."""

import sys
from pathlib import Path

import pytest

from mlmon import doctor
from mlmon.grading import autograde, release

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grading import classes  # noqa: E402

ANSWERS = Path(__file__).parent / "submissions"
FEW = {      # in `make test` these, and of exercise 2 all
    "ex1_dashboard": ["wrong/chapter_promql", "wrong/the_first_route_takes_it_all"],
    "ex3_feedback_loop": ["right/plain_loops", "right/scipy_tests", "wrong/chapter_alerts", "wrong/chapter_epsilon_greedy", "wrong/never_undecided"],
    "ex4_retraining": ["right/functions_by_step", "right/operators", "wrong/check_without_crashes", "wrong/promotes_twice"],
}


def marks(exercise, quick):
    missing = exercise == "ex1_dashboard" and (doctor.lack("prometheus") or doctor.lack("alertmanager"))
    return [pytest.mark.slow, pytest.mark.skipif(bool(missing), reason=missing or ""), *[pytest.mark.prove] * (not quick)]


CASES = [
    pytest.param(exercise, f"{path.parent.name}/{path.stem}", marks=marks(exercise, exercise not in FEW or f"{path.parent.name}/{path.stem}" in FEW[exercise]))
    for exercise in classes.EXERCISES for path in sorted((ANSWERS / exercise).glob("*/*.py"))
]
REFERENCES = [pytest.param(exercise, marks=marks(exercise, exercise not in FEW)) for exercise in classes.EXERCISES]


@pytest.fixture(scope="module")
def course(request, tmp_path_factory, kit):
    """One exercise, released in a folder of its own."""
    return request.param, kit.exercise_course(tmp_path_factory.mktemp("graded"), request.param)


@pytest.fixture(scope="module")
def graded(request, course, kit):
    """Points of the answers that are asked for, graded as one class."""
    exercise, made = course
    asked = {
        item.callspec.params["name"] for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec") and item.callspec.params["course"] == exercise and "name" in item.callspec.params
    }
    return kit.grade_answers(made, exercise, [kit.read_answer(ANSWERS / exercise / f"{name}.py") for name in sorted(asked)])


@pytest.mark.parametrize("course, name", CASES, indirect=["course"])
def test_an_answer_gets_the_points_that_it_earns_and_no_others(name, kit, course, graded):
    answer, parts = kit.read_answer(ANSWERS / course[0] / f"{name}.py"), release.parts(course[1].release(course[0]))
    assert graded[name] == kit.due(answer, parts)


@pytest.mark.parametrize("course", REFERENCES, indirect=True)
def test_the_reference_gets_all_automatic_points_and_the_release_none(course):
    autograde.check_grader(course[1], course[0])  # raises if either is off
