"""nbgrader's gradebook for a whole class: opened once, read once, written a submission at a time.

What lands in it is what nbgrader's own preprocessors would have written, `OverwriteCells`,
`SaveAutoGrades` and `AssignLatePenalties`, which open it nine times for each submission.
"""

import uuid
from types import SimpleNamespace

from nbgrader import utils
from nbgrader.api import (
    BaseCell, Comment, Grade, GradeCell, MissingEntry, Notebook, SolutionCell, Student, SubmittedAssignment,
    SubmittedNotebook, TaskCell,
)  # fmt: skip
from nbgrader.preprocessors import AssignLatePenalties, OverwriteCells
from sqlalchemy import insert, update

from .course import log


class Tests:
    """The graded cells of an exercise as the gradebook has them: with their hidden tests.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
    exercise : str
        Enrolled, as by `release.generate`.
    """

    def __init__(self, gradebook, exercise):
        self._exercise = exercise
        self._cells = {
            book.name: _Cells(
                {cell.name: _copy(cell, "name", "cell_type", "locked", "source", "checksum") for cell in book.source_cells},
                {cell.name: _copy(cell, "name", "max_score") for cell in [*book.grade_cells, *book.task_cells]},
            )
            for book in gradebook.find_assignment(exercise).notebooks
        }

    def restore(self, name, notebook):
        """Put the hidden tests back into a student's mended notebook.

        Parameters
        ----------
        name : str
            The notebook's name in the release.
        notebook : NotebookNode
            Changed in place.

        Returns
        -------
        NotebookNode
        """
        step = OverwriteCells(log=log)
        step.notebook_id, step.assignment_id, step.gradebook = name, self._exercise, self._cells[name]
        for number, cell in enumerate(notebook.cells):
            step.preprocess_cell(cell, {}, number)
        return notebook


class _Cells:
    """What `OverwriteCells` asks a gradebook for, answered from memory."""

    def __init__(self, source, graded):
        self._source, self._graded = source, graded

    def find_source_cell(self, name, notebook, assignment):
        return _found(self._source, name)

    def find_graded_cell(self, name, notebook, assignment):
        return _found(self._graded, name)


def _found(cells, name):
    if name not in cells:
        raise MissingEntry(f"no cell {name!r} in the gradebook")
    return cells[name]


def _copy(row, *names):
    return SimpleNamespace(**{name: getattr(row, name) for name in names})


class Writer:
    """Writes executed submissions of one exercise, each in one transaction that may be repeated.

    What a person graded or wrote stays: manual scores, extra credit, comments, extensions.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
        Open, and used by nobody else in this process.
    exercise : str
    config : traitlets.config.Config
        nbgrader's settings, for penalties of late work.
    """

    def __init__(self, gradebook, exercise, config):
        self._db = gradebook.db
        self._assignment = gradebook.find_assignment(exercise).id
        books = self._db.query(Notebook.id, Notebook.name).filter(Notebook.assignment_id == self._assignment)
        self._books = {id: name for id, name in books}
        self._graded = self._cells(GradeCell) + self._cells(TaskCell)
        self._commented = self._cells(SolutionCell) + self._cells(TaskCell)
        self._names = {id: (self._books[book], name) for id, book, name in self._graded + self._commented}
        self._penalties = AssignLatePenalties(config=config, log=log)
        self._penalties.init_plugin()

    def _cells(self, kind):
        columns = self._db.query(kind.id, BaseCell.notebook_id, BaseCell.name)
        return [tuple(row) for row in columns.filter(BaseCell.notebook_id.in_(self._books))]

    def save(self, student, notebooks, received=None):
        """Write one student's automatic scores and comments, and forget those of an earlier hand-in.

        Parameters
        ----------
        student : str
        notebooks : dict of str to NotebookNode
            As executed. A notebook that is not there earns nothing.
        received : datetime, optional
            When it was handed in, in UTC.
        """
        try:
            submission = self._submission(student, received)
            self._save_scores(submission, notebooks)
            self._save_comments(submission, notebooks)
            self._save_penalties(submission, student, notebooks)
            self._db.commit()
        except BaseException:
            self._db.rollback()
            raise

    def _submission(self, student, received):
        if self._db.get(Student, student) is None:
            self._db.add(Student(id=student))
        known = {"assignment_id": self._assignment, "student_id": student}
        submission = self._db.query(SubmittedAssignment).filter_by(**known).one_or_none()
        if submission is None:
            submission = SubmittedAssignment(id=_new_id(), **known)
            self._db.add(submission)
            self._db.flush()
            self._lay_out(submission.id)
        if received is not None:
            submission.timestamp = utils.parse_utc(received).replace(microsecond=0)
        return submission

    def _lay_out(self, submission):
        """Make the rows of a new submission."""
        books = {book: _new_id() for book in self._books}
        rows = [{"id": id, "notebook_id": book, "assignment_id": submission} for book, id in books.items()]
        self._insert(SubmittedNotebook, rows)
        for kind, cells in ((Grade, self._graded), (Comment, self._commented)):
            self._insert(kind, [{"id": _new_id(), "cell_id": id, "notebook_id": books[book]} for id, book, _ in cells])

    def _insert(self, kind, rows):
        if rows:
            self._db.execute(insert(kind), rows)

    def _save_scores(self, submission, notebooks):
        found = {
            (name, cell.metadata.nbgrader.grade_id): _score(cell)
            for name, book in notebooks.items()
            for cell in book.cells
            if utils.is_grade(cell) or utils.is_task(cell)
        }
        rows = []
        for id, cell, manual in self._rows(submission, Grade, Grade.manual_score):
            there = self._names[cell] in found
            score = found.get(self._names[cell], 0.0)
            waits = there and (manual is not None or score is None)
            rows.append({"id": id, "auto_score": score, "needs_manual_grade": waits})
        self._update(Grade, rows)

    def _save_comments(self, submission, notebooks):
        silent = {
            (name, cell.metadata.nbgrader.grade_id)
            for name, book in notebooks.items()
            for cell in book.cells
            if utils.is_solution(cell) and cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
        }
        rows = [
            {"id": id, "auto_comment": "No response." if self._names[cell] in silent else None}
            for id, cell in self._rows(submission, Comment)
        ]
        self._update(Comment, rows)

    def _rows(self, submission, kind, *columns):
        query = self._db.query(kind.id, kind.cell_id, *columns)
        query = query.join(SubmittedNotebook, kind.notebook_id == SubmittedNotebook.id)
        return query.filter(SubmittedNotebook.assignment_id == submission.id).all()

    def _update(self, kind, rows):
        if rows:
            self._db.execute(update(kind), rows)

    def _save_penalties(self, submission, student, notebooks):
        """Ask nbgrader's plugin what lateness costs each notebook."""
        late = submission.total_seconds_late
        books = self._db.query(SubmittedNotebook).filter_by(assignment_id=submission.id)
        if not late:
            books.filter(SubmittedNotebook.late_submission_penalty.is_not(None)).update({"late_submission_penalty": None})
            return
        for book in books:
            penalty = None
            if self._books[book.notebook_id] in notebooks:
                penalty = self._penalties.plugin_inst.late_submission_penalty(student, book.score, late)
            book.late_submission_penalty = None if penalty is None else min(max(penalty, 0), book.score)


def _score(cell):
    """The points of a graded cell; None where a person has to look."""
    return None if utils.is_task(cell) else utils.determine_grade(cell, log)[0]


def _new_id():
    return uuid.uuid4().hex
