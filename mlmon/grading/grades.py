"""What grading leaves: a ledger of who is done, and one table of grades."""

import contextlib
import csv
import json
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import BaseCell, Comment, Grade, Notebook, Student, SubmittedAssignment, SubmittedNotebook
from nbgrader.api import Assignment as ExerciseRow
from nbgrader.plugins import ExportPlugin

from .release import parts as parts_of


@dataclass(frozen=True)
class Row:
    """How one student's submission ended."""

    student: str
    exercise: str
    status: str
    reason: str = ""
    notes: list = field(default_factory=list)
    tampering: list = field(default_factory=list)
    sandbox: str = ""


@dataclass(frozen=True)
class Score:
    """Points of one part; `score` is None while nobody has graded it."""

    score: float | None
    waiting: bool


@dataclass(frozen=True)
class Remarks:
    """What a student's pages say beside the points: comments by part, and penalties by notebook."""

    comments: dict = field(default_factory=dict)
    penalties: dict = field(default_factory=dict)


class Ledger:
    """Who was graded, on which hand-in: what makes a run resumable.

    Parameters
    ----------
    path : path
        An sqlite file, made when it is not there.
    """

    def __init__(self, path):
        self.path = Path(path)
        with self._open() as file:
            file.execute(
                "CREATE TABLE IF NOT EXISTS done (student TEXT, exercise TEXT, key TEXT, status TEXT, reason TEXT, "
                "notes TEXT, feedback TEXT DEFAULT '', runs INTEGER DEFAULT 1, PRIMARY KEY (student, exercise))"
            )
            known = {name for _, name, *_ in file.execute("PRAGMA table_info(done)")}
            for name, default in (("tampering", "[]"), ("sandbox", "")):
                if name not in known:  # a ledger of an earlier version
                    file.execute(f"ALTER TABLE done ADD COLUMN {name} TEXT DEFAULT '{default}'")
            file.execute(
                "CREATE TABLE IF NOT EXISTS alike (student TEXT, exercise TEXT, share REAL, most_like TEXT, "
                "PRIMARY KEY (student, exercise))"
            )

    @contextlib.contextmanager
    def _open(self):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as file, file:
            yield file

    def save(self, row, key):
        """Record a graded student; from here on a kill loses nothing of it."""
        with self._open() as file:
            file.execute(
                "INSERT INTO done (student, exercise, key, status, reason, notes, tampering, sandbox) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (student, exercise) DO UPDATE SET key = excluded.key, "
                "status = excluded.status, reason = excluded.reason, notes = excluded.notes, "
                "tampering = excluded.tampering, sandbox = excluded.sandbox, feedback = '', runs = runs + 1",
                (row.student, row.exercise, key, row.status, row.reason, *map(json.dumps, (row.notes, row.tampering)), row.sandbox),
            )

    def done(self, student, exercise, key):
        """Whether this very hand-in was graded. What failed for the grader's own reasons is tried again."""
        found = self._one("SELECT key, status FROM done WHERE student = ? AND exercise = ?", student, exercise)
        return found is not None and found[0] == key and found[1] != "failed"

    def row(self, student, exercise):
        """The row of a student, or None."""
        query = "SELECT status, reason, notes, tampering, sandbox FROM done WHERE student = ? AND exercise = ?"
        found = self._one(query, student, exercise)
        if found is None:
            return None
        status, reason, notes, tampering, sandbox = found
        return Row(student, exercise, status, reason, json.loads(notes), json.loads(tampering), sandbox)

    def compared(self, exercise, found):
        """Record who is most like whom, in place of what an earlier run found.

        Parameters
        ----------
        exercise : str
        found : dict of str to Likeness
        """
        with self._open() as file:
            file.execute("DELETE FROM alike WHERE exercise = ?", (exercise,))
            rows = [(student, exercise, one.share, one.student) for student, one in found.items()]
            file.executemany("INSERT INTO alike VALUES (?, ?, ?, ?)", rows)

    def likeness(self, student, exercise):
        """Share of a student's answers that the most alike classmate has too, and who that is; empty when unknown."""
        query = "SELECT share, most_like FROM alike WHERE student = ? AND exercise = ?"
        return self._one(query, student, exercise) or ("", "")

    def exercises(self):
        """Names of the exercises that somebody was graded on, sorted."""
        with self._open() as file:
            return [name for (name,) in file.execute("SELECT DISTINCT exercise FROM done ORDER BY exercise")]

    def rows(self, exercise):
        """All rows of an exercise, by student."""
        with self._open() as file:
            query = "SELECT student FROM done WHERE exercise = ? ORDER BY student"
            students = [student for (student,) in file.execute(query, (exercise,))]
        return [self.row(student, exercise) for student in students]

    def runs(self, student, exercise):
        """How many times a student was graded."""
        found = self._one("SELECT runs FROM done WHERE student = ? AND exercise = ?", student, exercise)
        return found[0] if found else 0

    def feedback(self, student, exercise):
        """Hash of the grades that the student's feedback page shows."""
        found = self._one("SELECT feedback FROM done WHERE student = ? AND exercise = ?", student, exercise)
        return found[0] if found else ""

    def fed_back(self, student, exercise, digest):
        """Record that the feedback page shows these grades."""
        with self._open() as file:
            file.execute(
                "UPDATE done SET feedback = ? WHERE student = ? AND exercise = ?", (digest, student, exercise)
            )

    def _one(self, query, *values):
        with self._open() as file:
            return file.execute(query, values).fetchone()


def table(gradebook, exercise, parts):
    """Read the scores of a class from the gradebook.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
    exercise : str
    parts : list of Part

    Returns
    -------
    dict of str to dict of str to Score
        By student and by the part's name.
    """
    known = {part.name for part in parts}
    query = (
        gradebook.db.query(Student.id, Notebook.name, BaseCell.name, Grade)
        .select_from(Grade)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(ExerciseRow, SubmittedAssignment.assignment_id == ExerciseRow.id)
        .join(Student, SubmittedAssignment.student_id == Student.id)
        .filter(ExerciseRow.name == exercise)
    )
    scores = {}
    for student, notebook, cell, grade in query:
        if f"{notebook}:{cell}" in known:
            open_ = grade.auto_score is None and grade.manual_score is None
            score = Score(None if open_ else float(grade.score), bool(grade.needs_manual_grade))
            scores.setdefault(student, {})[f"{notebook}:{cell}"] = score
    return scores


def remarks(gradebook, exercise):
    """Read the comments of a class and what lateness costs, from the gradebook.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
    exercise : str

    Returns
    -------
    dict of str to Remarks
        By student.
    """
    found = {}
    books = (
        gradebook.db.query(SubmittedAssignment.student_id, Notebook.name, SubmittedNotebook.late_submission_penalty)
        .select_from(SubmittedNotebook)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(ExerciseRow, SubmittedAssignment.assignment_id == ExerciseRow.id)
        .filter(ExerciseRow.name == exercise)
    )
    for student, notebook, penalty in books:
        found.setdefault(student, Remarks()).penalties[notebook] = penalty or 0.0
    comments = (
        gradebook.db.query(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, Comment.comment)
        .select_from(Comment)
        .join(BaseCell, Comment.cell_id == BaseCell.id)
        .join(SubmittedNotebook, Comment.notebook_id == SubmittedNotebook.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(ExerciseRow, SubmittedAssignment.assignment_id == ExerciseRow.id)
        .filter(ExerciseRow.name == exercise, Comment.comment.is_not(None))
    )
    for student, notebook, cell, comment in comments:
        found[student].comments[f"{notebook}:{cell}"] = comment
    return found


COLUMNS = (
    "student", "exercise", "score", "max_score", "status", "reason",
    "written_score", "written_max_score", "written_waiting", "notes", "tampering", "likeness", "most_like", "sandbox",
)  # fmt: skip


def write(path, gradebook, ledger, parts):
    """Write the grades of some exercises: one row a student, one column a part.

    ``score`` and ``max_score`` count what is graded automatically; written answers have columns of
    their own, and ``written_waiting`` says how many of them nobody has graded yet.

    Parameters
    ----------
    path : path
        Replaced at once, so that a reader never sees half a table.
    gradebook : nbgrader.api.Gradebook
    ledger : Ledger
    parts : dict of str to list of Part
        By exercise.
    """
    names = list(dict.fromkeys(part.name for some in parts.values() for part in some))
    partial = Path(f"{path}.part")
    with open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *names], restval="")
        writer.writeheader()
        for exercise, some in parts.items():
            scores = table(gradebook, exercise, some)
            for row in _all_rows(ledger, exercise, scores):
                writer.writerow(_line(row, some, scores.get(row.student, {}), ledger.likeness(row.student, exercise)))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _all_rows(ledger, exercise, scores):
    """The ledger's rows, and those whom only the stock commands have graded."""
    rows = {row.student: row for row in ledger.rows(exercise)}
    for student in scores:
        rows.setdefault(student, Row(student, exercise, "graded", "by nbgrader autograde"))
    return [rows[student] for student in sorted(rows)]


def _line(row, parts, scores, likeness):
    automatic = [part for part in parts if part.automatic]
    written = [part for part in parts if not part.automatic]
    return {
        "student": row.student,
        "exercise": row.exercise,
        "score": _sum(automatic, scores),
        "max_score": sum(part.points for part in automatic),
        "status": row.status,
        "reason": plain_text(row.reason),
        "written_score": _sum(written, scores),
        "written_max_score": sum(part.points for part in written),
        "written_waiting": sum(scores[part.name].waiting for part in written if part.name in scores),
        "notes": plain_text("; ".join(row.notes)),
        "tampering": plain_text("; ".join(row.tampering)),
        "likeness": likeness[0],
        "most_like": likeness[1],
        "sandbox": row.sandbox,
        **{part.name: _shown(scores.get(part.name)) for part in parts},
    }


def plain_text(words):
    """Words that a spreadsheet does not take for a formula.

    Examples
    --------
    >>> plain_text("=1+1"), plain_text("late")
    ("'=1+1", 'late')
    """
    return f"'{words}" if words.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) else words


def _sum(parts, scores):
    return sum((scores[part.name].score or 0.0) for part in parts if part.name in scores)


def _shown(score):
    return "" if score is None or score.score is None else score.score


class GradesExport(ExportPlugin):
    """Let `nbgrader export` write the same table as `mlmon grade`."""

    def export(self, gradebook):
        """Write the table to ``--to``, or next to the gradebook."""
        folders = self.parent.coursedir
        build = Path(gradebook.engine.url.database).parent
        ledger = Ledger(build / "ledger.sqlite")
        wanted = list(self.assignment) or sorted(assignment.name for assignment in gradebook.assignments)
        parts = {
            name: parts_of(folders.format_path(folders.release_directory, ".", name)) for name in map(str, wanted)
        }
        write(self.to or build / "grades.csv", gradebook, ledger, parts)
