"""A class of made hand-ins of every kind gets the grades that it was built for."""

import sys
from pathlib import Path

import pytest

from mlmon.grading import autograde

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grading import classes  # noqa: E402

SIZES = {"ex2_drift": 20}  # of each other exercise 12: every kind once, and some
QUICK = "ex1_dashboard"  # in `make test`; the same of the other exercises in `make prove`
SLOW = ["4_daily_report", "2_dashboard", "3_alerts"]  # seconds a student; `make prove` grades a class of 300 with them


@pytest.fixture(scope="module", params=[pytest.param(name, marks=[pytest.mark.prove] * (name != QUICK)) for name in classes.EXERCISES])
def graded(request, tmp_path_factory, kit):
    """One class an exercise: its members and the rows of its grades."""
    course = kit.exercise_course(tmp_path_factory.mktemp("class"), request.param)
    classes.leave_out(course, request.param, SLOW)
    members = classes.make_class(course, request.param, SIZES.get(request.param, 12), seed=1)
    course.config.Execute.timeout = 40
    autograde.grade(course, request.param, course.root / "in", executor=kit.here, check=False, progress=False)
    return members, kit.read_grades(course)


@pytest.mark.slow
def test_every_member_has_one_row(graded):
    members, rows = graded
    assert sorted(rows) == sorted(member.student for member in members)


@pytest.mark.slow
@pytest.mark.parametrize("kind", classes.KINDS)
def test_a_student_gets_the_grade_and_the_status_that_the_work_was_built_for(kind, graded, kit):
    members, rows = graded
    some = [member for member in members if member.kind == kind]
    assert some
    for member in some:
        assert classes.said(member, rows[member.student]) == classes.expected(member), member.student
