"""A class of 300, a quarter of it in each exercise, is graded as it was built, though the grader is killed three times a quarter."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mlmon.grading import grades

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grading import classes  # noqa: E402
from tests.grading import conftest as kit  # noqa: E402

pytestmark = pytest.mark.prove
SIZE, KILLS = 300 // len(classes.EXERCISES), 3


@pytest.fixture(scope="module", params=classes.EXERCISES)
def graded(request, tmp_path_factory):
    """The course, the members of its class, and how many were done at each kill; late work comes after the second."""
    exercise = request.param
    course = kit.exercise_course(tmp_path_factory.mktemp("class"), exercise)
    members = classes.make_class(course, exercise, SIZE, seed=2026)
    late = [member.student for member in members if member.kind == "late"]
    (course.root / "later").mkdir()
    for student in late:
        shutil.move(course.root / "in" / student, course.root / "later" / student)
    rng, killed = np.random.default_rng(), []
    for number in range(KILLS):
        killed.append(kill(course, exercise, after=int(rng.integers(10, SIZE // (KILLS + 1))), pause=rng.random() * 2))
        if number == 1:
            for student in late:
                shutil.move(course.root / "later" / student, course.root / "in" / student)
    run = start(course, exercise)
    assert run.wait() == 1  # some rows need a look
    return course, exercise, members, killed


def start(course, exercise):
    words = ["grade", exercise, "--submissions", "in", "--cell-seconds", "30"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", "mlmon.cli", *words], cwd=course.root, env=os.environ | {"PYTHONPATH": str(kit.ROOT)}, **quiet)


def kill(course, exercise, after, pause):
    """Start the grader, kill it when so many more are done and a moment has passed; how many are done then."""
    ledger = grades.Ledger(course.build / "ledger.sqlite")
    aim, run = len(ledger.rows(exercise)) + after, start(course, exercise)
    while len(ledger.rows(exercise)) < aim:
        assert run.poll() is None, "the run ended by itself"
        time.sleep(0.1)
    time.sleep(pause)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    return len(ledger.rows(exercise))


def test_each_run_was_killed_on_the_way(graded):
    killed = graded[3]
    assert 0 < killed[0] < killed[1] < killed[2] < SIZE


def test_every_student_is_graded_once(graded):
    course, exercise, members, _ = graded
    ledger = grades.Ledger(course.build / "ledger.sqlite")
    assert {member.student: ledger.runs(member.student, exercise) for member in members} == {member.student: 1 for member in members}


@pytest.mark.parametrize("kind", classes.KINDS)
def test_a_student_gets_the_grade_and_the_status_that_the_work_was_built_for(kind, graded):
    course, _, members, _ = graded
    rows = kit.read_grades(course)
    some = [member for member in members if member.kind == kind]
    assert len(rows) == SIZE and some
    wrong = {member.student: (classes.said(member, rows[member.student]), classes.expected(member)) for member in some}
    assert {student: pair for student, pair in wrong.items() if pair[0] != pair[1]} == {}


def test_each_has_a_page_of_feedback(graded):
    course, exercise, members, _ = graded
    assert [member.student for member in members if not (course.feedback(member.student, exercise) / "index.html").exists()] == []


def test_late_work_has_its_own_date(graded):
    course, exercise, members, _ = graded
    with course.gradebook() as gradebook:
        dates = {gradebook.find_submission(exercise, one.student).timestamp for one in members if one.kind == "late"}
    assert dates == {classes.LATE.replace(tzinfo=None)}
