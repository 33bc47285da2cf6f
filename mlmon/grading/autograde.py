"""Run a class of submissions: the one place where a stranger's notebook is executed and its score admitted.

The preprocessors plug into nbgrader by its configuration, so `nbgrader autograde` and `mlmon grade`
score alike. `grade` adds what a class needs: a check of the grader itself, a ledger, feedback, grades.
"""

import ast
import contextlib
import math
import os
import re
import shutil
import signal
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from time import monotonic

import nbformat
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader import utils
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from tqdm import tqdm
from traitlets import Dict, Float, Integer

from . import grades, mend, submission
from . import release as releases
from .course import GradingError, log
from .feedback import write_feedback

# One thread at a time works with nbgrader and its gradebook; it steps aside while cells run.
_turn = threading.Lock()
_mine = threading.local()

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # submissions share the cores
_TOO_LONG = "the cell ran longer than allowed"
_NO_EXIT = "get_ipython().ask_exit = lambda *a, **k: None"  # quit() in a cell ends the cell, not the kernel


@contextlib.contextmanager
def _my_turn():
    with _turn:
        _mine.turn = True
        try:
            yield
        finally:
            _mine.turn = False


@contextlib.contextmanager
def _step_aside():
    if not getattr(_mine, "turn", False):
        yield
        return
    _turn.release()
    try:
        yield
    finally:
        _turn.acquire()
        os.environ["NBGRADER_EXECUTION"] = "autograde"  # nbgrader deletes it when a notebook is done


class MendSubmission(NbGraderPreprocessor):
    """Mend a submitted notebook from its release before nbgrader trusts its metadata."""

    def preprocess(self, nb, resources):
        """Give back the notebook with the release's cells, kinds and metadata."""
        where = resources["nbgrader"]
        folders = self.parent.parent.coursedir
        path = Path(folders.format_path(folders.release_directory, ".", where["assignment"]))
        path = path / f"{where['notebook']}.ipynb"
        if not path.exists():
            return nb, resources
        mended, notes = mend.mend(mend.cells(nb), nbformat.read(path, as_version=4))
        for note in notes:
            self.log.warning("%s %s: %s", where["student"], where["notebook"], note)
        return mended, resources


class RunSubmission(Execute):
    """Run the cells of one notebook, whatever they do.

    A cell that ends its kernel, or that no signal can stop, is marked, and the notebook runs again without it.
    """

    budget = Float(600, help="Seconds that one notebook may take.").tag(config=True)
    error_on_timeout = Dict(
        {"ename": "CellTimeoutError", "evalue": _TOO_LONG, "traceback": [f"CellTimeoutError: {_TOO_LONG}"]},
        help="The error that such a cell shows.",
    ).tag(config=True)
    max_output = Integer(1_000_000, help="Characters of output that one cell may leave.").tag(config=True)

    def preprocess(self, nb, resources, km=None):
        """Execute the notebook; cells that could not run carry an error that says why."""
        self._deadline = monotonic() + self.budget
        self._lost, self._late, self._group = {}, set(), None
        self.timeout_func = self._seconds
        with _step_aside(), tempfile.TemporaryDirectory(prefix="mlmon-") as self._folder:
            _copy_data(Path(resources.get("metadata", {}).get("path", "")), Path(self._folder))
            while not self._attempt(nb, resources, km):
                pass
        nb.metadata["mlmon"] = {
            "timed out": [self._name(nb, index) for index in sorted(self._late)],
            "crashed": [self._name(nb, index) for index in sorted(set(self._lost) - self._late)],
        }
        return nb, resources

    def _attempt(self, nb, resources, km):
        self._now, self._written = None, 0
        try:
            with open(os.devnull, "w") as nowhere:
                self._quiet = nowhere
                super().preprocess(nb, resources, km)
            return True
        except (CellTimeoutError, DeadKernelError) as error:
            if self._now is None:
                raise
            late = isinstance(error, CellTimeoutError)
            self._lost[self._now] = "CellTimeoutError" if late else "KernelDied"
            self._late |= {self._now} if late else set()
            return False
        finally:
            self._end_group()

    async def async_start_new_kernel(self, **kwargs):
        """Start the kernel in a folder of its own, without its chatter, and note its process group."""
        environment = {**dict.fromkeys(_THREADS, "1"), **os.environ}
        kwargs = {**kwargs, "cwd": self._folder, "env": environment}
        await super().async_start_new_kernel(stdout=self._quiet, stderr=self._quiet, **kwargs)
        self._group = getattr(self.km.provisioner, "pgid", None)

    start_new_kernel = run_sync(async_start_new_kernel)  # nbclient's plain twin of the coroutine

    async def on_notebook_start(self, **kwargs):
        """Keep `quit()` from taking the kernel away from the cells that follow."""
        self.kc.execute(_NO_EXIT, silent=True, store_history=False)

    def preprocess_cell(self, cell, resources, index):
        """Run one cell, or mark why it is not run."""
        if cell.cell_type != "code":
            return cell, resources
        if index in self._lost:
            return _failed(cell, self._lost[index], _REASONS[self._lost[index]]), resources
        if self._left() <= 0:
            self._late.add(index)
            return _failed(cell, "OutOfTime", f"the notebook had used up its {self.budget:.0f} seconds"), resources
        self._now, self._written = index, 0
        return super().preprocess_cell(cell, resources, index)

    def on_cell_executed(self, **kwargs):
        """Let nbgrader record the error, and remember a timeout."""
        super().on_cell_executed(**kwargs)
        if kwargs["execute_reply"]["content"].get("ename") == "CellTimeoutError":
            self._late.add(kwargs["cell_index"])

    def process_message(self, msg, cell, cell_index):
        """Take a message of the kernel; output beyond the limit is dropped."""
        if msg["msg_type"] in ("stream", "display_data", "execute_result", "update_display_data", "error"):
            self._written += len(str(msg["content"]))
            if self._written > self.max_output:
                return None
        return super().process_message(msg, cell, cell_index)

    def _seconds(self, cell):
        """Time for a cell: after one that took too long, the tests that call it get a quarter each."""
        seconds = self.timeout or self.budget
        return max(1, min(seconds / 4 if self._late else seconds, self._left()))

    def _left(self):
        return self._deadline - monotonic()

    def _end_group(self):
        """End what the cells started and left behind."""
        if self._group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
            self._group = None

    @staticmethod
    def _name(nb, index):
        return nb.cells[index].metadata.get("nbgrader", {}).get("grade_id") or f"cell {index + 1}"


_REASONS = {
    "CellTimeoutError": f"{_TOO_LONG} and could not be stopped",
    "KernelDied": "the cell ended the Python process (memory, os._exit or a crash)",
}


def _failed(cell, name, reason):
    cell.outputs = [nbformat.v4.new_output("error", ename=name, evalue=reason, traceback=[f"{name}: {reason}"])]
    return cell


def _copy_data(source, target):
    """Lay the exercise's data files beside a notebook; notebooks, which hold hidden tests, stay behind."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.ipynb", "timestamp.txt"), dirs_exist_ok=True)


class HonestScores(NbGraderPreprocessor):
    """Rewrite the outputs of test cells so that nbgrader reads the score that is due.

    Warnings cost nothing; a cell that never ran earns nothing; a score is a finite number from 0 to the maximum.
    """

    def preprocess(self, nb, resources):
        """Go through the test cells and keep notes in the notebook's metadata."""
        notes = []
        for cell in nb.cells:
            if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell):
                note = _honest(cell, float(cell.metadata.nbgrader["points"]))
                notes += [f"{cell.metadata.nbgrader['grade_id']}: {note}"] if note else []
        nb.metadata.setdefault("mlmon", {})["notes"] = notes
        return nb, resources


def _honest(cell, most):
    """Make one test cell's outputs plain; a note when its score was odd."""
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            output.name = "stdout"
    if any(output.output_type == "error" for output in cell.outputs):
        return ""
    if cell.source.strip() and cell.execution_count is None:
        _failed(cell, "NotRun", "the cell was not run")
        return "was not run"
    results = [output for output in cell.outputs if output.output_type == "execute_result"]
    score, note = most, ""
    if results and _ends_in_value(cell.source):
        score, note = admit(results[-1].data.get("text/plain", ""), most)
    cell.outputs = [output for output in cell.outputs if output not in results]
    if results:
        text = {"text/plain": repr(score)}
        cell.outputs.append(nbformat.v4.new_output("execute_result", text, execution_count=cell.execution_count))
    return note


def _ends_in_value(source):
    """Whether a cell's last statement is an expression, whose value is its score."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # magics and the like
        return True
    return bool(body) and isinstance(body[-1], ast.Expr)


_NUMBER = re.compile(
    r"""(?:[\w.]+\()?\[?['"]?(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf(?:inity)?|nan)['"]?\]?"""
    r"""(?:,\s*dtype=[\w.']+)?\)?""",
    re.IGNORECASE,
)
_NOTHING = {"False", "np.False_", "<NA>", "NaT", "None"}


def admit(text, most):
    """Read the value of a test cell as a score: the one place where points are let in.

    Parameters
    ----------
    text : str
        The value as Python prints it.
    most : float
        The points of the cell.

    Returns
    -------
    score : float
        Finite, from 0 to `most`. A value that is no number means that all checks passed.
    note : str
        What was odd, or nothing.

    Examples
    --------
    >>> admit("np.float64(1.5)", 3.0)
    (1.5, '')
    >>> admit("nan", 3.0)
    (0.0, 'the score was nan, 0 given; please look')
    >>> admit("4.0", 3.0)
    (3.0, 'the score was 4.0, the maximum 3 given; please look')
    >>> admit("<Axes: title='drift'>", 3.0)
    (3.0, '')
    """
    text = text.strip()
    fraction = re.fullmatch(r"Fraction\((-?\d+), (\d+)\)", text)
    number = _NUMBER.fullmatch(text)
    if text in _NOTHING:
        return 0.0, f"the score was {text}, 0 given; please look"
    if not fraction and not number:
        return float(most), ""
    score = int(fraction[1]) / int(fraction[2]) if fraction else float(number["number"])
    if not math.isfinite(score) or score < 0:
        return 0.0, f"the score was {text}, 0 given; please look"
    if score > most:
        return float(most), f"the score was {text}, the maximum {most:g} given; please look"
    return score, ""


def grade(course, exercise, source, *, workers=2, check=True, progress=True):
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
    check : bool
        Whether to grade the reference and the untouched release first. Leave it on for a class.
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
    with _only_run(course):
        return _grade(course, exercise, source, workers, check, progress)


def _grade(course, exercise, source, workers, check, progress):
    if not releases.up_to_date(course, exercise):
        raise GradingError(
            f"students got another exercise than the one to grade: exercises/{exercise} is not what "
            f"solutions/{exercise} generates. Run `mlmon release {exercise}`, look at the difference, and grade again."
        )
    handed_in = list(_normalised(course, exercise, source))
    ledger = grades.Ledger(course.build / "ledger.sqlite")
    version = releases.digest(course.solution(exercise))
    keys = {student: f"{version} {digest}" for student, digest, *_ in handed_in}
    waiting = [entry for entry in handed_in if not ledger.done(entry[0], exercise, keys[entry[0]])]
    releases.generate(course, exercise, str((course.build / "release").relative_to(course.root)), enrol=True)
    if waiting and check:
        check_grader(course, exercise, workers=workers, progress=progress)
    for row in _run(course, exercise, waiting, workers, progress):
        ledger.save(row, keys[row.student])
    rows = [ledger.row(student, exercise) for student, *_ in handed_in]
    parts = releases.parts(course.release(exercise))
    with course.gradebook() as gradebook, _my_turn():
        table = grades.table(gradebook, exercise, parts)
        for row in _bar(rows, progress, "feedback"):
            try:
                write_feedback(course, exercise, row, parts, table.get(row.student, {}), ledger)
            except Exception:  # one page must not keep the class from its grades; the next run tries again
                log.exception("feedback for %s", row.student)
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
    """Normalise each hand-in onto the disk; what stays in memory is its hash and its notes."""
    release = releases.notebooks(course.release(exercise))
    for hand_in in submission.hand_ins(source, exercise):
        try:
            ready = submission.normalise(hand_in, release)
        except Exception as error:
            log.exception("normalising %s", hand_in.student)
            trouble = ("failed", f"the hand-in could not be read: {error!r}"[:300])
            ready = submission.Submission(hand_in.student, {}, dict.fromkeys(release, trouble), hand_in.notes)
        submission.write(ready, course.submitted(ready.student, exercise))
        yield ready.student, ready.digest(), ready.problems, ready.notes


def _bar(items, progress, label, total=None):
    return tqdm(items, desc=label, total=total, disable=None if progress else True, unit="student")


def _run(course, exercise, waiting, workers, progress):
    """Grade the waiting submissions, some at a time; rows come as they are done."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        jobs = [pool.submit(_grade_one, course, exercise, student, *rest) for student, _, *rest in waiting]
        try:
            for job in _bar(as_completed(jobs), progress, exercise, len(jobs)):
                yield job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _grade_one(course, exercise, student, problems, notes):
    """Grade one student whatever happens, and say in a row how it went."""
    try:
        with _my_turn():
            return _grade_folder(course, exercise, student, problems, notes)
    except Exception as error:
        log.exception("grading %s", student)
        return grades.Row(student, exercise, "failed", f"the grader failed: {error!r}"[:500], notes)


def _grade_folder(course, exercise, student, problems, notes):
    failures = {}
    _reset(course, exercise, student)
    if course.submitted(student, exercise).is_dir():
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(course.autograded(student, exercise))
        failures = course.convert(Autograde, exercise, student, force=True)
    marks = _marks(course.autograded(student, exercise), skip=failures)
    status, reason = _status(problems, failures, marks)
    return grades.Row(student, exercise, status, reason, notes + marks["notes"])


def _reset(course, exercise, student):
    """Forget automatic scores of an earlier hand-in; what a person graded stays."""
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission(exercise, student)
        for notebook in gradebook.find_submission(exercise, student).notebooks:
            for score in notebook.grades:
                score.auto_score, score.needs_manual_grade = 0, False
        gradebook.db.commit()


def _marks(folder, skip):
    """What the run left in the metadata of the graded notebooks."""
    marks = {"timed out": [], "crashed": [], "notes": []}
    for path in sorted(folder.glob("*.ipynb")):
        if path.stem not in skip:
            left = nbformat.read(path, as_version=4).metadata.get("mlmon", {})
            for kind, names in marks.items():
                names += [f"{path.stem}: {name}" for name in left.get(kind, [])]
    return marks


def _status(problems, failures, marks):
    """The word for a row, the most serious first, and all reasons."""
    told = [("failed", f"{name}: the grader failed: {error!r}"[:300]) for name, error in failures.items()]
    told += sorted(problems.values())
    told += [("crashed", f"ended the Python process: {name}") for name in marks["crashed"]]
    told += [("timed out", f"took too long: {name}") for name in marks["timed out"]]
    order = ["failed", "corrupt notebook", "missing notebook", "no submission", "crashed", "timed out"]
    status = min((status for status, _ in told), key=order.index, default="graded")
    return status, "; ".join(dict.fromkeys(reason for _, reason in told))


def check_grader(course, exercise, *, workers=2, progress=False):
    """Grade the reference and the untouched release, and refuse to go on if either is off.

    Parameters
    ----------
    course : Course
    exercise : str
    workers : int
    progress : bool

    Raises
    ------
    GradingError
        If the reference misses an automatic point, or the release earns one.
    """
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
        waiting.append((name, "", ready.problems, ready.notes))
    rows = {row.student: row for row in _run(trial, exercise, waiting, workers, progress)}
    parts = [part for part in releases.parts(trial.release(exercise)) if part.automatic]
    with trial.gradebook() as gradebook:
        table = grades.table(gradebook, exercise, parts)
    faults = [
        *_faults(trial, exercise, rows["reference"], parts, table, lambda part: part.points),
        *_faults(trial, exercise, rows["untouched"], parts, table, lambda part: 0),
    ]
    if faults:
        raise GradingError(
            f"grading needs a reference with all automatic points of {exercise} and a release with none. "
            f"Nothing was graded, because {'; '.join(faults)}. Mend the environment or the exercise first; "
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
    with contextlib.suppress(OSError, MissingEntry):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
                for output in cell.get("outputs", []):
                    if output.output_type == "error":
                        return f" ({output.ename}: {output.evalue[:200]})"
    return ""
