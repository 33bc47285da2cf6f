"""Right and wrong answers through the grader itself: students' cells in the sandbox, tests and their tools outside of it."""

import functools
import sys
from pathlib import Path

import pytest

from mlmon.grading import autograde, release

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grading import classes  # noqa: E402
from tests.grading.conftest import lacking, names_of_answers  # noqa: E402

ANSWERS = Path(__file__).parent / "submissions"
FEW = {      # in `make test` these, and of exercise 2 all
    "ex1_dashboard": ["wrong/chapter_promql", "wrong/the_first_route_takes_it_all"],
    "ex3_feedback_loop": ["right/plain_loops", "right/scipy_tests", "wrong/chapter_alerts", "wrong/chapter_epsilon_greedy", "wrong/never_undecided"],
    "ex4_retraining": ["right/functions_by_step", "right/operators", "wrong/check_without_crashes", "wrong/promotes_twice"],
}


def marks(exercise, quick):
    return [pytest.mark.slow, pytest.mark.skipif(bool(lacking(exercise)), reason=lacking(exercise)), *[pytest.mark.prove] * (not quick)]


CASES = [
    pytest.param(exercise, name, marks=marks(exercise, exercise not in FEW or name in FEW[exercise]))
    for exercise in classes.EXERCISES for name in names_of_answers(exercise)
]
REFERENCES = [pytest.param(exercise, marks=marks(exercise, exercise not in FEW)) for exercise in classes.EXERCISES]


@pytest.fixture(scope="module")
def course(tmp_path_factory, kit):
    """Each exercise, released once in a folder of its own."""
    return functools.cache(lambda exercise: kit.exercise_course(tmp_path_factory.mktemp("graded"), exercise))


@pytest.fixture(scope="module")
def graded(request, course, kit):
    """Of an exercise, the points of the answers that are asked for, graded once as one class."""
    asked = [item.callspec.params for item in request.session.items if item.path == request.path and "name" in getattr(item, "fixturenames", ())]

    @functools.cache
    def grade(exercise):
        names = sorted(one["name"] for one in asked if one["exercise"] == exercise)
        return kit.grade_answers(course(exercise), exercise, [kit.read_answer(ANSWERS / exercise / f"{name}.py") for name in names])

    return grade


@pytest.fixture(scope="module")
def parts(course):
    """The parts of each exercise, read once."""
    return functools.cache(lambda exercise: release.parts(course(exercise).release(exercise)))


@pytest.mark.parametrize("exercise, name", CASES)
def test_an_answer_gets_the_points_that_it_earns_and_no_others(exercise, name, kit, parts, graded):
    answer = kit.read_answer(ANSWERS / exercise / f"{name}.py")
    assert graded(exercise)[name] == kit.due(answer, parts(exercise))


@pytest.mark.parametrize("exercise", REFERENCES)
def test_the_reference_gets_all_automatic_points_and_the_release_none(exercise, course, kit):
    autograde.check_grader(course(exercise), exercise, executor=kit.here)  # raises if either is off
