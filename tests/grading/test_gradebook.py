"""The writer of a class leaves in the gradebook and in the pages what nbgrader's own steps leave."""

import shutil
import sqlite3
from datetime import datetime, timezone

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import AssignLatePenalties, OverwriteCells, SaveAutoGrades

from mlmon.grading import autograde, execute, gradebook, release

LATE = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, kit):
    """A course with an essay and a task, a student graded by it, and that student's executed notebook."""
    book = kit.toy_notebooks()["mean"]
    book.cells.append(kit.text_cell("Draw it on paper.", "drawing", task=True, locked=True, points=5))
    course = kit.make_course(tmp_path_factory.mktemp("course"), {"mean": book})
    release.release(course, "toy")
    kit.hand_in(course.root / "in", "anna", kit.answer(course.release("toy"), {"mean": kit.RIGHT["mean"]}))
    kit.hand_in(course.root / "in", "ben", kit.answer(course.release("toy"), {}))
    autograde.grade(course, "toy", course.root / "in", executor=kit.here, check=False, progress=False)
    return course


def executed(course, student):
    return {"mean": nbformat.read(course.autograded(student, "toy") / "mean.ipynb", as_version=4)}


def grader_was_here(book):
    """A person has graded, commented, set a date and given a day more."""
    grade = book.find_grade("mean_test", "mean", "toy", "anna")
    grade.manual_score, grade.extra_credit = 1.5, 0.25
    book.find_comment("signs", "mean", "toy", "anna").manual_comment = "Neat."
    book.find_assignment("toy").duedate = datetime(2026, 3, 1)
    book.db.commit()


def rows(url):
    """All that the gradebook says of submissions, by names instead of ids."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        grades = file.execute(
            "SELECT student_id, name, auto_score, manual_score, extra_credit, needs_manual_grade, late_submission_penalty, "
            "timestamp FROM grade JOIN base_cell ON cell_id = base_cell.id JOIN submitted_notebook ON "
            "grade.notebook_id = submitted_notebook.id "
            "JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id"
        )
        comments = file.execute(
            "SELECT student_id, name, auto_comment, manual_comment FROM comment JOIN base_cell ON cell_id = base_cell.id "
            "JOIN submitted_notebook ON comment.notebook_id = submitted_notebook.id "
            "JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id"
        )
        return sorted(grades, key=str), sorted(comments, key=str)


@pytest.mark.parametrize("student", ["anna", "ben", "new"])
def test_scores_comments_and_penalties_are_nbgraders_own(graded, tmp_path, student):
    config = graded.config.copy()
    config.LateSubmissionPlugin.penalty_method = "zero"
    books = executed(graded, "anna" if student == "new" else student)
    urls = [f"sqlite:///{tmp_path / name}.db" for name in ("ours", "theirs")]
    for url in urls:
        shutil.copy(graded.build / "gradebook.db", url.removeprefix("sqlite:///"))
        with Gradebook(url, "mlmon") as book:
            grader_was_here(book)
    with Gradebook(urls[0], "mlmon") as book:
        writer = gradebook.Writer(book, "toy", config)
        for _ in range(2):  # again changes nothing
            writer.save(student, books, LATE)
    with Gradebook(urls[1], "mlmon") as book:
        book.update_or_create_student(student)
        book.update_or_create_submission("toy", student, timestamp=LATE)
    where = {"nbgrader": {"notebook": "mean", "assignment": "toy", "student": student, "db_url": urls[1]}}
    for step in (SaveAutoGrades, AssignLatePenalties):
        step(config=config).preprocess(books["mean"], where)
    assert rows(urls[0]) == rows(urls[1])


def test_a_notebook_that_is_gone_earns_nothing_and_what_a_person_gave_stays(graded, tmp_path):
    url = f"sqlite:///{tmp_path / 'book.db'}"
    shutil.copy(graded.build / "gradebook.db", tmp_path / "book.db")
    with Gradebook(url, "mlmon") as book:
        grader_was_here(book)
        gradebook.Writer(book, "toy", graded.config).save("anna", {})
        scores = {grade.name: grade for grade in book.find_submission_notebook("mean", "toy", "anna").grades}
        assert {name: grade.auto_score for name, grade in scores.items()} == dict.fromkeys(scores, 0)
        assert scores["mean_test"].score == 1.75 and not any(grade.needs_manual_grade for grade in scores.values())


def test_hidden_tests_come_back_as_nbgrader_brings_them(graded, kit):
    path = graded.submitted("anna", "toy") / "mean.ipynb"
    with graded.gradebook() as book:
        ours = gradebook.Tests(book, "toy").restore("mean", nbformat.read(path, as_version=4))
    where = {"notebook": "mean", "assignment": "toy", "student": "anna", "db_url": graded.config.CourseDirectory.db_url}
    theirs, _ = OverwriteCells().preprocess(nbformat.read(path, as_version=4), {"nbgrader": where})
    assert ours == theirs and "secret_numbers" in "".join(cell.source for cell in ours.cells)


@pytest.mark.parametrize("student", ["anna", "ben"])
def test_a_page_is_the_one_that_nbgrader_makes(graded, student):
    ours = (graded.feedback(student, "toy") / "mean.html").read_text()
    graded.convert(GenerateFeedback, "toy", student, force=True)
    theirs = (graded.feedback(student, "toy") / "mean.html").read_text()
    assert ours == theirs and "Score: " in ours


def test_what_the_grader_itself_cannot_run_is_failed_with_its_reason(graded, kit, monkeypatch, tmp_path):
    def broken(*_, **__):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(execute, "run_notebook", broken)
    kit.hand_in(tmp_path, "carl", kit.answer(graded.release("toy"), {"mean": kit.RIGHT["mean"]}))
    (row,) = autograde.grade(graded, "toy", tmp_path, executor=kit.here, check=False, progress=False)
    assert row.status == "failed" and "RuntimeError: unforeseen" in row.reason
    assert float(kit.read_grades(graded)["carl"]["score"]) == 0
