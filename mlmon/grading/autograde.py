"""Grade a whole class: workers run the submissions, one writer keeps gradebook, ledger, feedback and grades.

What `nbgrader autograde` does for one student at a time, with the same preprocessors and the same
scores, and with what a class needs: a check of the grader itself, retries, and a run that can be resumed.
"""

import contextlib
import json
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import nbformat
import numpy as np
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files, is_solution
from tqdm import tqdm

from . import grades, jobs, likeness, sandbox, submission
from . import release as releases
from .course import GradingError, log
from .execute import Given, RunSubmission
from .feedback import Pages, write_feedback
from .gradebook import Tests, Writer


def grade(course, exercise, source, *, workers=2, executor=None, scheduler=None, check=True, unsafe=False, progress=True):
    """Grade a class, give feedback, and write ``grades.csv``.

    Parameters
    ----------
    course : Course
    exercise : str
        Its solution is in ``solutions/<exercise>``.
    source : path
        A folder or zip that holds ``<student>/<notebook>.ipynb``.
    workers : int
        Submissions that run at the same time.
    executor : callable, optional
        Opens a `concurrent.futures` executor to run them on, ``lambda: ThreadPoolExecutor(1)`` for one.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers then run them.
    check : bool
        Whether to grade the reference and the untouched release first. Leave it on for a class.
    unsafe : bool
        Whether to run strangers' code without a sandbox. Said in the grades.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    list of Row
        One for each student in `source`.

    Notes
    -----
    Safe to run again: who was graded, and has not handed in anything else since, is left as is.
    """
    unsafe = unsafe or RunSubmission(config=course.config).unsafe
    with _only_run(course), _crew(workers, executor, scheduler, unsafe) as crew:
        return _grade(course, exercise, source, _Run(crew, unsafe, progress), check)


@dataclass(frozen=True)
class _Run:
    """How the submissions of a run are worked on."""

    crew: jobs.Crew
    unsafe: bool
    progress: bool


@dataclass(frozen=True)
class _HandedIn:
    """What the writer keeps of a normalised hand-in; its notebooks wait on the disk."""

    student: str
    problems: dict
    notes: list
    received: datetime | None = None
    digest: str = ""
    fingerprint: np.ndarray | None = None


@contextlib.contextmanager
def _crew(workers, executor, scheduler, unsafe):
    if executor is not None:
        with jobs.Crew(executor, workers) as crew:
            yield crew
        return
    if scheduler is None and not unsafe and (reason := sandbox.missing()):
        raise GradingError(f"strangers' code is graded in a sandbox only, and there is none here: {reason}")
    with jobs.crew(workers, scheduler) as crew:
        yield crew


def _grade(course, exercise, source, run, check):
    if not releases.up_to_date(course, exercise):
        raise GradingError(
            f"students got another exercise than the one to grade: exercises/{exercise} is not what "
            f"solutions/{exercise} generates. Run `mlmon release {exercise}`, look at the difference, and grade again."
        )
    handed_in = list(_normalised(course, exercise, source))
    ledger = grades.Ledger(course.build / "ledger.sqlite")
    version = releases.digest(course.solution(exercise))
    keys = {entry.student: f"{version} {entry.digest}" for entry in handed_in}
    waiting = [entry for entry in handed_in if not ledger.done(entry.student, exercise, keys[entry.student])]
    releases.generate(course, exercise, str((course.build / "release").relative_to(course.root)), enrol=True)
    if waiting and check:
        _check(course, exercise, run)
    with course.gradebook() as gradebook:
        for row in _bar(_rows(course, exercise, waiting, gradebook, run), run.progress, exercise, len(waiting)):
            ledger.save(row, keys[row.student])
        ledger.compared(exercise, likeness.compare({entry.student: entry.fingerprint for entry in handed_in}))
        rows = [ledger.row(entry.student, exercise) for entry in handed_in]
        _feed_back(course, exercise, rows, gradebook, ledger, run)
        known = {name: releases.parts(course.release(name)) for name in ledger.exercises()}
        grades.write(course.build / "grades.csv", gradebook, ledger, known)
    return rows


@contextlib.contextmanager
def _only_run(course):
    """Refuse a second run over the same folders."""
    import fcntl  # not on Windows, where nbgrader's own commands still grade

    with open(course.build / "grade.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GradingError(f"one run grades at a time, and another works in {course.build}. Wait for it.") from None
        yield


def _normalised(course, exercise, source):
    """Normalise each hand-in onto the disk; what stays in memory is its hash, its notes and its fingerprint."""
    release = releases.notebooks(course.release(exercise))
    given = likeness.hashes(cell.source for book in release.values() for cell in book.cells if cell.cell_type == "code")
    for hand_in in submission.hand_ins(source, exercise):
        try:
            ready = submission.normalise(hand_in, release)
        except Exception as error:
            log.exception("normalising %s", hand_in.student)
            trouble = ("failed", f"the hand-in could not be read: {error!r}"[:300])
            ready = submission.Submission(hand_in.student, {}, dict.fromkeys(release, trouble), hand_in.notes)
        submission.write(ready, course.submitted(ready.student, exercise))
        print_ = likeness.fingerprint(_answers(ready), given)
        yield _HandedIn(ready.student, ready.problems, ready.notes, ready.received, ready.digest(), print_)


def _answers(ready):
    """The code of a student's answer cells."""
    cells = [cell for book in ready.notebooks.values() for cell in book.cells]
    return [cell.source for cell in cells if cell.cell_type == "code" and is_solution(cell)]


def _bar(items, progress, label, total=None):
    return tqdm(items, desc=label, total=total, disable=None if progress else True, unit="student")


def _rows(course, exercise, waiting, gradebook, run):
    """Run the waiting submissions and write each as it comes in; a row says how it ended."""
    tests, writer = Tests(gradebook, exercise), Writer(gradebook, exercise, course.config)
    files = _data_files(course, exercise)
    release, solution = releases.notebooks(course.release(exercise)), releases.notebooks(course.solution(exercise))
    given = {name: Given.of(book) for name, book in release.items()}
    warm = jobs.imports([*release.values(), *solution.values()])
    like = jobs.Job("", {}, given, files, course.config, warm, run.unsafe)
    entries, troubles = {entry.student: entry for entry in waiting}, {}

    def made():
        for student in entries:
            try:
                yield replace(like, student=student, notebooks=_with_tests(course.submitted(student, exercise), tests))
            except Exception as error:
                log.exception("preparing %s", student)
                troubles[student] = error

    for job, result in run.crew.spread(made()):
        yield _written(course, exercise, entries[job.student], result, writer, files)
    for student, error in troubles.items():
        yield _written(course, exercise, entries[student], error, writer, files)


def _data_files(course, exercise):
    """What stands beside the notebooks of an exercise, by path."""
    folder = course.solution(exercise)
    ignored = CourseDirectory(config=course.config).ignore
    names = find_all_files(str(folder), [*ignored, "*.ipynb"])
    return {str(Path(name).relative_to(folder)): Path(name).read_bytes() for name in sorted(names)}


def _with_tests(folder, tests):
    """A student's normalised notebooks with the hidden tests in them, as JSON by name."""
    books = {path.stem: nbformat.v4.reads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.ipynb"))}
    return {name: json.dumps(tests.restore(name, book)) for name, book in books.items()}


def _written(course, exercise, entry, result, writer, files):
    """Write one student's result, whatever it is, and say in a row how it went."""
    try:
        if isinstance(result, Exception):
            result = jobs.Result(entry.student, failures={"all notebooks": f"{result!r}"})
        for name, told in result.failures.items():
            log.error("running %s of %s: %s", name, entry.student, told)
        books = {name: nbformat.from_dict(json.loads(text)) for name, text in result.notebooks.items()}
        _write_folder(course, exercise, entry.student, books, files)
        writer.save(entry.student, books, entry.received)
    except Exception as error:
        log.exception("writing %s", entry.student)
        return grades.Row(entry.student, exercise, "failed", f"the grader failed: {error!r}"[:500], entry.notes)
    marks = _marks(books)
    status, reason = _status(entry.problems, result.failures, marks)
    notes, tampering = entry.notes + marks["notes"], marks["tampering"]
    return grades.Row(entry.student, exercise, status, reason, notes, tampering, result.sandbox)


def _write_folder(course, exercise, student, books, files):
    """Lay out the executed notebooks where nbgrader looks for them."""
    folder = course.autograded(student, exercise)
    if folder.exists():
        shutil.rmtree(folder)
    if not books:
        return
    folder.mkdir(parents=True)
    arrived = course.submitted(student, exercise) / "timestamp.txt"
    dated = {arrived.name: arrived.read_bytes()} if arrived.exists() else {}
    texts = {f"{name}.ipynb": nbformat.v4.writes(book).encode("utf-8", "replace") for name, book in books.items()}
    for name, content in {**files, **dated, **texts}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _marks(books):
    """What the run left in the metadata of the graded notebooks."""
    marks = {"timed out": [], "crashed": [], "notes": [], "tampering": []}
    for name, book in sorted(books.items()):
        for kind, told in marks.items():
            told += [f"{name}: {text}" for text in book.metadata.get("mlmon", {}).get(kind, [])]
    return marks


def _status(problems, failures, marks):
    """The word for a row, the most serious first, and all reasons."""
    told = [("failed", f"{name}: the grader failed: {text.strip().splitlines()[-1]}"[:500]) for name, text in failures.items()]
    told += sorted(problems.values())
    told += [("crashed", f"ended the Python process: {name}") for name in marks["crashed"]]
    told += [("timed out", f"took too long: {name}") for name in marks["timed out"]]
    order = ["failed", "corrupt notebook", "missing notebook", "no submission", "crashed", "timed out"]
    status = min((status for status, _ in told), key=order.index, default="graded")
    return status, "; ".join(dict.fromkeys(reason for _, reason in told))


def _feed_back(course, exercise, rows, gradebook, ledger, run):
    """Bring everybody's pages up to date."""
    parts, pages = releases.parts(course.release(exercise)), Pages(course.config)
    scores, remarks = grades.table(gradebook, exercise, parts), grades.remarks(gradebook, exercise)
    for row in _bar(rows, run.progress, "feedback"):
        told = remarks.get(row.student, grades.Remarks())
        try:
            write_feedback(course, exercise, row, parts, scores.get(row.student, {}), told, ledger, pages)
        except Exception:  # one page must not keep the class from its grades; the next run tries again
            log.exception("feedback for %s", row.student)


def check_grader(course, exercise, *, workers=2, executor=None, unsafe=False, progress=False):
    """Grade the reference and the untouched release, and refuse to go on if either is off.

    Parameters
    ----------
    course : Course
    exercise : str
    workers, executor
        As in `grade`.
    unsafe : bool
        Whether to run without a sandbox.
    progress : bool

    Raises
    ------
    GradingError
        If the reference misses an automatic point, or the release earns one.
    """
    unsafe = unsafe or RunSubmission(config=course.config).unsafe
    with _crew(workers, executor, None, unsafe) as crew:
        _check(course, exercise, _Run(crew, unsafe, progress))


def _check(course, exercise, run):
    folder = str((course.build / "check").relative_to(course.root))
    shutil.rmtree(course.root / folder, ignore_errors=True)
    trial = course.beside(folder)
    if (course.build / "gradebook.db").exists():  # a copy is there sooner than a new one
        shutil.copy(course.build / "gradebook.db", trial.build)
    releases.generate(trial, exercise, f"{folder}/release", enrol=True)
    release = releases.notebooks(trial.release(exercise))
    waiting = []
    for name, source in {"reference": course.solution(exercise), "untouched": course.release(exercise)}.items():
        files = {path.name: path.read_bytes() for path in source.glob("*.ipynb")}
        ready = submission.normalise(submission.HandIn(name, files), release)
        submission.write(ready, trial.submitted(name, exercise))
        waiting.append(_HandedIn(name, ready.problems, ready.notes))
    parts = [part for part in releases.parts(trial.release(exercise)) if part.automatic]
    with trial.gradebook() as gradebook:
        bar = _bar(_rows(trial, exercise, waiting, gradebook, run), run.progress, "check", len(waiting))
        rows = {row.student: row for row in bar}
        table = grades.table(gradebook, exercise, parts)
    faults = [
        *_faults(trial, exercise, rows["reference"], parts, table, lambda part: part.points),
        *_faults(trial, exercise, rows["untouched"], parts, table, lambda part: 0),
    ]
    if faults:
        slow = any(row.status == "timed out" for row in rows.values())
        time = "If this machine is only busy, give more time: --cell-seconds. Otherwise mend" if slow else "Mend"
        raise GradingError(
            f"grading needs a reference with all automatic points of {exercise} and a release with none. "
            f"Nothing was graded, because {'; '.join(faults)}. {time} the environment or the exercise first; "
            f"the notebooks as they ran are in {trial.build / 'autograded'}."
        )


def _faults(course, exercise, row, parts, table, due):
    if row.status != "graded":
        yield f"the {row.student} ended as {row.status!r} ({row.reason})"
    for part in parts:
        got = table[row.student].get(part.name)
        if got is None or got.score != due(part):
            score = "no score" if got is None or got.score is None else f"{got.score:g}"
            error = _error(course.autograded(row.student, exercise) / f"{part.notebook}.ipynb", part.grade_id)
            yield f"the {row.student} got {score} of {due(part):g} on {part.name}{error}"


def _error(path, grade_id):
    """The error that a graded cell ended with, for a message."""
    if not path.exists():
        return ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    return f" ({output.ename}: {output.evalue[:200]})"
    return ""
