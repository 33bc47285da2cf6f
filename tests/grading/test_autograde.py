"""A class is graded as it should be, whatever its members hand in."""

import contextlib
import json
import multiprocessing
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from html.parser import HTMLParser

import nbformat
import pytest

from mlmon.grading import autograde, execute, grades, release
from mlmon.grading.course import GradingError

GAP = {"gap:gap_test": 1, "gap:credit_test": 3}
MEAN = {"mean:mean_test": 2, "mean:signs_test": 4}

ENDLESS = "def mean(x):\n    while True:\n        pass"
STUBBORN = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
SPY = (
    "def mean(x):\n"
    "    source = get_ipython().user_ns['In'][-1]\n"
    "    print(source)\n"
    "    if x != [1, 3]:\n"
    "        raise ValueError('my own error ' + source)\n"
    "    return 2"
)
SCRIPT = "from IPython.display import HTML, display\ndisplay(HTML('<b>kept</b><script>alert(1)</script><img src=x onerror=alert(2)>'))"


def with_answers(kit, **changes):
    """Right answers, some of them replaced."""
    mean = {name: source for name, source in changes.items() if name in kit.RIGHT["mean"]}
    gap = {name: source for name, source in changes.items() if name in kit.RIGHT["gap"]}
    return {"mean": {**kit.RIGHT["mean"], **mean}, "gap": {**kit.RIGHT["gap"], **gap}}


def hand_in_class(course, kit, folder):
    """One student for each thing that can happen."""
    exercise = course.release("toy")

    def student(name, **changes):
        books = kit.answer(exercise, with_answers(kit, **changes))
        return books, kit.hand_in(folder, name, books)

    student("right")
    student("warns", mean="import sys\n\ndef mean(x):\n    warnings.warn('old', FutureWarning)\n    print('!', file=sys.stderr)\n    return sum(x) / len(x)")
    student("endless", mean=ENDLESS)
    student("stubborn", mean=STUBBORN)
    student("dies", gap="import os\nopen('loot.py', 'w').write('x')\n\ndef gap(a, b):\n    os._exit(1)")
    student("quits", mean=kit.RIGHT["mean"]["mean"] + "\nquit()")
    student("partly", signs="import numpy as np\n\ndef signs(x):\n    return [np.int64(1)] * len(x)")
    student("numpy", credit="import numpy as np\n\ndef credit():\n    return np.float64(1.5)")
    student("nan", credit="def credit():\n    return float('nan')")
    student("negative", credit="def credit():\n    return -1")
    student("above", credit="def credit():\n    return 7")
    student("spy", mean=SPY, essay="<script>alert(3)</script> <b>essay</b>")
    books, _ = student("shows")
    books["gap"].cells.append(nbformat.v4.new_code_cell(SCRIPT))
    kit.hand_in(folder, "shows", books)
    kit.hand_in(folder, "untouched", kit.answer(exercise, {}))
    books, place = student("missing")
    (place / "gap.ipynb").unlink()
    books, place = student("corrupt")
    (place / "gap.ipynb").write_text('{"cells": [')
    books, place = student("kernel")
    books["gap"].metadata = {"kernelspec": {"name": "julia-1.9", "display_name": "Julia"}}
    books["gap"].cells = [cell for cell in books["gap"].cells if cell.id != "gap_test"]
    kit.hand_in(folder, "kernel, [renamed]", {"my gap (2)": books["gap"], "mean": books["mean"]})
    (folder / "kernel").rename(folder / "silent")
    for path in (folder / "silent").iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def graded(tmp_path_factory, kit):
    """The class, graded once."""
    course = kit.make_course(tmp_path_factory.mktemp("class"))
    release.release(course, "toy")
    hand_in_class(course, kit, course.root / "in")
    course.config.Execute.timeout = 5
    autograde.grade(course, "toy", course.root / "in", check=False, progress=False)
    return course


@pytest.fixture(scope="module")
def rows(graded, kit):
    return kit.read_grades(graded)


def test_every_student_has_a_row(graded, rows):
    # Brackets would be a pattern of folders for nbgrader, so they become round ones.
    folders = [path.name.replace("[", "(").replace("]", ")") for path in (graded.root / "in").iterdir()]
    assert sorted(rows) == sorted(folders)


@pytest.mark.parametrize(
    ("student", "status", "lost"),
    [
        ("right", "graded", {}),
        ("warns", "graded", {}),
        ("quits", "graded", {}),
        ("shows", "graded", {}),
        ("kernel, (renamed)", "graded", {}),
        ("untouched", "graded", {**MEAN, **GAP}),
        ("partly", "graded", {"mean:signs_test": 2}),
        ("numpy", "graded", {"gap:credit_test": 1.5}),
        ("nan", "graded", {"gap:credit_test": 3}),
        ("negative", "graded", {"gap:credit_test": 3}),
        ("above", "graded", {}),
        ("spy", "graded", {"mean:mean_test": 2}),
        ("endless", "timed out", {"mean:mean_test": 2}),
        ("stubborn", "timed out", {"mean:mean_test": 2}),
        ("dies", "crashed", {"gap:gap_test": 1}),
        ("missing", "missing notebook", GAP),
        ("corrupt", "corrupt notebook", GAP),
        ("silent", "no submission", {**MEAN, **GAP}),
    ],
)
def test_each_ends_with_a_status_and_the_points_due(rows, kit, student, status, lost):
    due = {name: most - lost.get(name, 0) for name, most in kit.FULL.items()}
    row = rows[student]
    assert row["status"] == status
    assert kit.points(row, kit.FULL) == due
    assert float(row["score"]) == sum(due.values()) and float(row["max_score"]) == sum(kit.FULL.values())
    assert bool(row["reason"]) == (status != "graded")


def test_written_answers_wait_in_their_own_columns(rows):
    assert (rows["right"]["written_waiting"], rows["right"]["written_max_score"]) == ("1", "3.0")
    assert rows["right"]["mean:essay"] == ""
    # An untouched answer is worth nothing, and nobody has to read it.
    assert (rows["untouched"]["written_waiting"], rows["untouched"]["mean:essay"]) == ("0", "0.0")


def test_odd_scores_and_repairs_are_noted(rows):
    assert "score was nan" in rows["nan"]["notes"]
    assert "maximum 3 given" in rows["above"]["notes"]
    assert "gap_test was missing" in rows["kernel, (renamed)"]["notes"]
    assert "my gap (2).ipynb was taken for gap.ipynb" in rows["kernel, (renamed)"]["notes"]


def test_a_second_run_grades_nobody_again(graded, kit, rows):
    ledger = grades.Ledger(graded.build / "ledger.sqlite")
    before = {student: ledger.runs(student, "toy") for student in rows}
    page = graded.feedback("right", "toy") / "index.html"
    made = page.stat().st_mtime_ns
    autograde.grade(graded, "toy", graded.root / "in", progress=False)
    assert {student: ledger.runs(student, "toy") for student in rows} == before == dict.fromkeys(rows, 1)
    assert kit.read_grades(graded) == rows and page.stat().st_mtime_ns == made


# -- feedback --------------------------------------------------------------------------------------------------------


def feedback(course, student):
    pages = sorted(course.feedback(student, "toy").glob("*.html"))
    return {page.stem: page.read_text() for page in pages}


def test_each_student_has_one_page_that_leads_to_the_notebooks(graded, rows):
    for student, row in rows.items():
        index = feedback(graded, student)["index"]
        assert row["status"] in index
    assert 'href="mean.html#mean_test"' in feedback(graded, "right")["index"]
    assert sorted(feedback(graded, "corrupt")) == ["index", "mean"]


@pytest.mark.parametrize("student", ["spy", "untouched", "endless", "dies", "right"])
def test_no_page_shows_a_hidden_test(graded, student):
    # The spy prints the test's source and raises it as its error: also then.
    text = "".join(feedback(graded, student).values())
    for secret in ("secret_numbers", "[5, 6, 10]", "hidden_pair", "(4, 9)", "HIDDEN TESTS"):
        assert secret not in text


def test_a_page_shows_what_the_student_wrote_as_it_is(graded):
    # A hidden test of `gap` repeats a line of an open cell: that line is no secret.
    page = re.sub(r"<[^>]*>", "", feedback(graded, "right")["gap"])
    assert "return max(a, b) - min(a, b)" in page and "[hidden test]" not in page and "base = 10" in page


def test_files_that_a_submission_writes_do_not_come_back_with_the_pages(graded):
    assert {path.name for path in graded.feedback("dies", "toy").iterdir()} == {"index.html", "gap.html", "mean.html"}
    assert not list(graded.build.glob("**/loot.py"))


def test_a_page_shows_the_students_own_error_and_the_tests_hint(graded):
    assert "my own error" in feedback(graded, "spy")["mean"]
    assert "NotImplementedError" in feedback(graded, "untouched")["mean"]
    assert "longer than allowed" in feedback(graded, "stubborn")["mean"]


class Handlers(HTMLParser):
    """Collects what a page could run: event handlers and addresses that are scripts."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, *one) for one in attrs if one[0].startswith("on") or str(one[1]).startswith("javascript:")]


def test_nothing_of_the_students_runs_in_a_page(graded):
    for page in (feedback(graded, "shows")["gap"], feedback(graded, "spy")["mean"]):
        assert "default-src 'none'" in page[:400]
        handlers = Handlers()
        handlers.feed(page)
        assert handlers.found == []
        assert not re.search(r"<script[^>]*>\s*alert", page)
    assert "<b>kept</b>" in feedback(graded, "shows")["gap"]
    assert "<b>essay</b>" in feedback(graded, "spy")["mean"]


# -- running again, being killed -------------------------------------------------------------------------------------


def one_notebook(kit):
    """A course that is quick to grade."""
    return {"gap": kit.toy_notebooks()["gap"]}


def quick_course(folder, kit):
    course = kit.make_course(folder, one_notebook(kit))
    release.release(course, "toy")
    return course


def test_new_work_and_new_grades_by_hand_are_taken_up(tmp_path, kit):
    course = kit.make_course(tmp_path, {"mean": kit.toy_notebooks()["mean"]})
    release.release(course, "toy")
    right = {"mean": kit.RIGHT["mean"]}
    kit.hand_in(tmp_path / "in", "anna", kit.answer(course.release("toy"), {"mean": {}}))
    kit.hand_in(tmp_path / "in", "ben", kit.answer(course.release("toy"), right))
    autograde.grade(course, "toy", tmp_path / "in", executor=kit.here, check=False, progress=False)
    assert kit.read_grades(course)["anna"]["score"] == "0.0"
    kit.hand_in(tmp_path / "in", "anna", kit.answer(course.release("toy"), right))
    with course.gradebook() as gradebook:
        gradebook.find_grade("essay", "mean", "toy", "ben").manual_score = 2
        gradebook.find_grade("essay", "mean", "toy", "ben").needs_manual_grade = False
        gradebook.db.commit()
    autograde.grade(course, "toy", tmp_path / "in", executor=kit.here, check=False, progress=False)
    rows = kit.read_grades(course)
    assert (rows["anna"]["score"], rows["ben"]["mean:essay"], rows["ben"]["written_waiting"]) == ("6.0", "2.0", "0")
    assert "2 of 3" in (course.feedback("ben", "toy") / "index.html").read_text()
    ledger = grades.Ledger(course.build / "ledger.sqlite")
    assert (ledger.runs("anna", "toy"), ledger.runs("ben", "toy")) == (2, 1)


def test_a_killed_run_is_taken_up_where_it_stopped(tmp_path, kit):
    course = quick_course(tmp_path, kit)
    for number in range(12):
        books = kit.answer(course.release("toy"), {"gap": kit.RIGHT["gap"]} if number % 2 else {})
        kit.hand_in(tmp_path / "in", f"student{number:02}", books)
    ledger = grades.Ledger(course.build / "ledger.sqlite")
    command = (
        "from mlmon.grading import autograde, course\n"
        "if __name__ == '__main__':\n"
        f"    autograde.grade(course.Course.at({str(tmp_path)!r}), 'toy', {str(tmp_path / 'in')!r}, workers=1, check=False)"
    )
    (tmp_path / "run.py").write_text(command)
    run = subprocess.Popen([sys.executable, str(tmp_path / "run.py")], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 240
    while not (done := [row.student for row in ledger.rows("toy")]) and time.monotonic() < until:
        time.sleep(0.01)
    workers = children(run.pid)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert 0 < len(done) < 12 and workers
    autograde.grade(course, "toy", tmp_path / "in", executor=kit.here, check=False, progress=False)
    rows = kit.read_grades(course)
    assert [rows[student]["score"] for student in sorted(rows)] == ["0.0", "4.0"] * 6
    assert all(ledger.runs(student, "toy") == 1 for student in rows)
    # What the killed run had started has ended with it.
    while any(os.path.exists(f"/proc/{pid}") for pid in workers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)


def children(pid):
    """Processes that a process has started, their children among them."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, IndexError):
            if entry.isdigit():
                with open(f"/proc/{entry}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                found += [int(entry), *children(int(entry))] if parent == pid else []
    return found


def test_a_worker_that_dies_costs_its_own_submission_and_no_other(tmp_path, kit, monkeypatch):
    course = quick_course(tmp_path, kit)
    for name in ("anna", "ben", "carl", "dora"):
        more = "\n# kills its worker" if name == "ben" else ""
        answers = {"gap": {**kit.RIGHT["gap"], "gap": kit.RIGHT["gap"]["gap"] + more}}
        kit.hand_in(tmp_path / "in", name, kit.answer(course.release("toy"), answers))
    opened = []

    def run_or_die(notebook, sandbox, **limits):
        if any("kills its worker" in cell.source for cell in notebook.cells):
            os._exit(9)

    def forked():
        opened.append(ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")))
        return opened[-1]

    monkeypatch.setattr(execute, "run_notebook", run_or_die)
    autograde.grade(course, "toy", tmp_path / "in", executor=forked, check=False, progress=False)
    rows = kit.read_grades(course)
    assert {name: row["status"] for name, row in rows.items()} == {
        "anna": "graded", "ben": "failed", "carl": "graded", "dora": "graded"
    }  # fmt: skip
    assert "BrokenProcessPool" in rows["ben"]["reason"] and rows["ben"]["gap:gap_test"] == "0.0"
    ledger = grades.Ledger(course.build / "ledger.sqlite")
    assert {ledger.runs(name, "toy") for name in rows} == {1} and len(opened) <= 4


def test_any_executor_gives_the_same_grades(tmp_path, kit):
    course = quick_course(tmp_path, kit)
    kit.hand_in(tmp_path / "in", "anna", kit.answer(course.release("toy"), {"gap": kit.RIGHT["gap"]}))
    kit.hand_in(tmp_path / "in", "ben", kit.answer(course.release("toy"), {}))
    autograde.grade(course, "toy", tmp_path / "in", executor=lambda: ThreadPoolExecutor(2), progress=False)
    rows = kit.read_grades(course)
    assert (rows["anna"]["score"], rows["ben"]["score"]) == ("4.0", "0.0")
    assert {row["sandbox"] for row in rows.values()} == {"bubblewrap"}


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_grades(tmp_path, kit):
    from distributed import LocalCluster

    course = quick_course(tmp_path, kit)
    kit.hand_in(tmp_path / "in", "anna", kit.answer(course.release("toy"), {"gap": kit.RIGHT["gap"]}))
    kit.hand_in(tmp_path / "in", "ben", kit.answer(course.release("toy"), {}))
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        autograde.grade(
            course, "toy", tmp_path / "in", scheduler=cluster.scheduler_address, check=False, progress=False
        )
    rows = kit.read_grades(course)
    assert (rows["anna"]["score"], rows["ben"]["score"]) == ("4.0", "0.0")


def test_without_a_sandbox_nobody_is_graded_unless_told(tmp_path, kit, monkeypatch):
    course = quick_course(tmp_path, kit)
    kit.hand_in(tmp_path / "in", "anna", kit.answer(course.release("toy"), {"gap": kit.RIGHT["gap"]}))
    monkeypatch.setattr(autograde.sandbox, "missing", lambda: "bubblewrap is not here.")
    with pytest.raises(GradingError, match="in a sandbox only.*bubblewrap is not here"):
        autograde.grade(course, "toy", tmp_path / "in", progress=False)
    assert not (course.build / "grades.csv").exists()
    autograde.grade(course, "toy", tmp_path / "in", unsafe=True, check=False, progress=False)
    row = kit.read_grades(course)["anna"]
    assert (row["score"], row["sandbox"]) == ("4.0", "none")


def test_a_students_trouble_never_stops_the_class(tmp_path, kit, monkeypatch):
    # Whatever breaks for one, even inside the grader, the others have their grades.
    course = quick_course(tmp_path, kit)
    for name in ("anna", "ben", "carl"):
        kit.hand_in(tmp_path / "in", name, kit.answer(course.release("toy"), {"gap": kit.RIGHT["gap"]}))
    normalise, feed_back = autograde.submission.normalise, autograde.write_feedback

    def normalise_but_not_ben(hand_in, release):
        if hand_in.student == "ben":
            raise RuntimeError("unforeseen")
        return normalise(hand_in, release)

    def feed_back_but_not_carl(course, exercise, row, *rest):
        if row.student == "carl":
            raise RuntimeError("unforeseen")
        return feed_back(course, exercise, row, *rest)

    monkeypatch.setattr(autograde.submission, "normalise", normalise_but_not_ben)
    monkeypatch.setattr(autograde, "write_feedback", feed_back_but_not_carl)
    autograde.grade(course, "toy", tmp_path / "in", executor=kit.here, check=False, progress=False)
    rows = kit.read_grades(course)
    assert [rows[name]["status"] for name in ("anna", "ben", "carl")] == ["graded", "failed", "graded"]
    assert rows["anna"]["score"] == rows["carl"]["score"] == "4.0"
    monkeypatch.undo()
    autograde.grade(course, "toy", tmp_path / "in", executor=kit.here, check=False, progress=False)  # what failed is tried again
    assert kit.read_grades(course)["ben"]["score"] == "4.0"
    assert (course.feedback("carl", "toy") / "index.html").exists()


def test_two_runs_at_once_are_refused(course):
    with autograde._only_run(course), pytest.raises(GradingError, match="one run grades at a time"):
        autograde.grade(course, "toy", course.root)


# -- the grader is checked first -------------------------------------------------------------------------------------


def test_a_broken_environment_or_exercise_stops_before_anyone_is_graded(tmp_path, kit):
    # A package that does not import gave a whole class 0 points without a word; here nobody is graded.
    broken = kit.make_notebook(
        kit.code_cell(
            "### BEGIN SOLUTION\nimport no_such_package\ndef half(x):\n    return x / 2\n### END SOLUTION",
            "half",
            solution=True,
        ),
        kit.graded_cell("assert half(4) == 2", "half_test", 1),
        kit.graded_cell("### BEGIN HIDDEN TESTS\n'half' in globals()\n### END HIDDEN TESTS", "gift_test", 2),
    )
    course = kit.make_course(tmp_path, {"broken": broken})
    release.release(course, "toy")
    kit.hand_in(tmp_path / "in", "anna", kit.answer(course.release("toy"), {}))
    with pytest.raises(GradingError, match="no_such_package|half_test") as caught:
        autograde.grade(course, "toy", tmp_path / "in", progress=False)
    assert "the reference got 0 of 1 on broken:half_test" in str(caught.value)
    assert not (course.build / "grades.csv").exists()


def test_a_release_that_earns_points_is_refused(tmp_path, kit):
    gift = kit.make_notebook(
        kit.code_cell("def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION", "half", solution=True),
        kit.graded_cell("assert callable(half)", "half_test", 1),
    )
    course = kit.make_course(tmp_path, {"gift": gift})
    release.release(course, "toy")
    with pytest.raises(GradingError, match="the untouched got 1 of 0 on gift:half_test"):
        autograde.check_grader(course, "toy", executor=kit.here)


def test_a_reference_without_time_asks_for_more(tmp_path, kit):
    # On a machine that is busy with other things the exercise is well, and what lacks is seconds.
    slow = kit.make_notebook(
        kit.code_cell("### BEGIN SOLUTION\nimport time\ntime.sleep(60)\n### END SOLUTION", "slow", solution=True),
        kit.graded_cell("assert 'time' in globals()", "slow_test", 1),
    )
    course = kit.make_course(tmp_path, {"slow": slow})
    release.release(course, "toy")
    course.config.Execute.timeout = 1
    with pytest.raises(GradingError, match="If this machine is only busy, give more time: --cell-seconds"):
        autograde.check_grader(course, "toy", executor=kit.here)


def test_an_outdated_release_is_refused(course, tmp_path):
    # Students worked on what exercises/ holds; grading them by other given code would be unfair.
    path = course.solution("toy") / "gap.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "base = 11"
    nbformat.write(notebook, path)
    (tmp_path / "anna").mkdir()
    with pytest.raises(GradingError, match="mlmon release toy"):
        autograde.grade(course, "toy", tmp_path)


# -- scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("2", 2), ("2.0", 2), ("np.float64(2.0)", 2), ("np.float32(0.5)", 0.5), ("np.int64(3)", 3), ("1e-1", 0.1),
        ("array(2.)", 2), ("array([2.])", 2), ("Decimal('1.5')", 1.5), ("Fraction(3, 2)", 1.5), ("np.True_", 3),
        ("True", 3), ("False", 0), ("np.False_", 0), ("nan", 0), ("np.float64(nan)", 0), ("inf", 0), ("-inf", 0),
        ("-0.5", 0), ("<NA>", 0), ("NaT", 0), ("99", 3), ("'all right'", 3), ("[1, 2]", 3), ("", 3),
    ],
)  # fmt: skip
def test_a_score_is_finite_and_between_zero_and_the_maximum(text, score):
    # Stock nbgrader gives 3 of 3 for np.float64(2.0), nan and -0.5, and ends the submission on 99.
    assert execute.admit(text, 3)[0] == score


def test_a_value_counts_only_as_the_last_statement():
    # With IPython's "all" setting, or last_expr_or_assign, other values are shown as results too.
    cell = nbformat.v4.new_code_cell("assert True\nresult = 0.3", execution_count=1)
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "points": 2, "grade_id": "a"}
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "0.3"})]
    assert execute._honest(cell, 2.0) == "" and cell.outputs[-1].data["text/plain"] == "2.0"


def test_a_test_that_never_ran_earns_nothing():
    # nbgrader reads a cell without any output as full marks.
    cell = nbformat.v4.new_code_cell("assert False")
    execute._honest(cell, 2.0)
    assert cell.outputs[0].ename == "NotRun"


def test_output_without_end_is_cut(course, tmp_path, kit):
    course = quick_course(tmp_path / "other", kit)
    course.config.RunSubmission.max_output = 20_000
    course.config.Execute.timeout = 3
    loud = {"gap": {**kit.RIGHT["gap"], "gap": "while True:\n    print('x' * 1000)"}}
    kit.hand_in(tmp_path / "in", "loud", kit.answer(course.release("toy"), loud))
    (row,) = autograde.grade(course, "toy", tmp_path / "in", executor=kit.here, check=False, progress=False)
    assert row.status == "timed out"
    assert (course.autograded("loud", "toy") / "gap.ipynb").stat().st_size < 60_000


def test_a_notebook_has_a_budget(course, tmp_path, kit):
    course = quick_course(tmp_path / "other", kit)
    course.config.RunSubmission.budget = 4.0
    slow = {"gap": {**kit.RIGHT["gap"], "gap": kit.RIGHT["gap"]["gap"] + "\nimport time; time.sleep(60)"}}
    kit.hand_in(tmp_path / "in", "slow", kit.answer(course.release("toy"), slow))
    begin = time.monotonic()
    (row,) = autograde.grade(course, "toy", tmp_path / "in", executor=kit.here, check=False, progress=False)
    assert row.status == "timed out" and time.monotonic() - begin < 50


# -- the stock commands on the same folders --------------------------------------------------------------------------


def nbgrader(course, *words, ok=True):
    command = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, timeout=240)
    assert (done.returncode == 0) == ok, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.slow
def test_formgrader_shows_the_class(graded, kit):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={graded.root}"]
    server = subprocess.Popen(command, cwd=graded.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        books = json.loads(fetch(f"http://127.0.0.1:{port}/formgrader/api/submitted_notebooks/toy/mean", 60))
        scores = {book["student"]: book["score"] for book in books}
        assert scores["right"] == 6 and scores["untouched"] == 0
        waiting = next(book["id"] for book in books if book["student"] == "right")
        page = fetch(f"http://127.0.0.1:{port}/formgrader/submissions/{waiting}/")
        assert "It hides how far apart the values are." in page
    finally:
        server.terminate()
        server.wait(30)


def fetch(address, seconds=10):
    """Read a page, waiting for the server to start."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return answer.read().decode()
        except ConnectionError:
            pass
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
        assert time.monotonic() < until, f"no answer from {address}"
        time.sleep(0.3)


@pytest.mark.slow
def test_the_stock_commands_work_on_the_same_folders(course, kit):
    for name, answers in {"anna": kit.RIGHT, "spy": with_answers(kit, mean=SPY)}.items():
        place = course.submitted(name, "toy")
        kit.hand_in(place.parent, "toy", kit.answer(course.release("toy"), answers))
    nbgrader(course, "generate_assignment", "toy", "--force")
    assert release.up_to_date(course, "toy")
    nbgrader(course, "autograde", "toy")
    nbgrader(course, "generate_feedback", "toy")
    nbgrader(course, "export")
    rows = kit.read_grades(course)
    assert kit.points(rows["anna"], kit.FULL) == kit.FULL
    assert kit.points(rows["spy"], kit.FULL) == {**kit.FULL, "mean:mean_test": 0}
    assert "secret_numbers" not in feedback(course, "spy")["mean"]
    books = [str(folder / "gap.ipynb") for folder in (course.release("toy"), course.submitted("anna", "toy"))]
    told = nbgrader(course, "validate", *books)
    assert "VALIDATION FAILED ON 2 CELL(S)" in told and "Success! Your notebook passes all the tests" in told


def test_the_ledger_is_plain_sqlite(graded):
    with sqlite3.connect(graded.build / "ledger.sqlite") as file:
        notes = file.execute("SELECT notes FROM done WHERE student = 'nan'").fetchone()[0]
    assert json.loads(notes)
