"""Seconds and memory of grading a class: `mlmon grade`, stock nbgrader and otter-grader on the same notebooks."""

import contextlib
import importlib.metadata
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np

from mlmon.grading import release
from mlmon.grading.course import Course
from tests.benchmarks import peers, tables
from tests.grading import classes
from tests.grading import conftest as kit

FOLDER = peers.BUILD / "bench" / "grading"
EXERCISE = "ex2_drift"
EVIDENTLY = "4_daily_report"  # the notebook that calls Evidently: six seconds of its own, so it is left out where sizes grow
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "stock"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError()"}
c.Execute.timeout = 300
"""


@dataclass(frozen=True)
class Measured:
    """Seconds of a class of `size`, those of the processor, and the largest memory that all processes held together."""

    size: int
    seconds: float
    cpu: float  # nan where the machine does not count it
    peak_mb: float


# -- the class -------------------------------------------------------------------------------------------------------


def prepare(name, size, leave_out=()):
    """A course of its own with a class of right hand-ins; its folder."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    course = kit.exercise_course(folder, EXERCISE)
    classes.leave_out(course, EXERCISE, leave_out)
    shelf, rng = classes.Shelf(course, EXERCISE), np.random.default_rng(1)
    for number in range(size):
        books, _ = shelf.work(rng, "right")
        kit.hand_in(folder / "in", f"s{number:03d}", books)
    return folder


def stock(folder):
    """The same course and class for stock nbgrader, its release made; the folder."""
    place = folder.with_name(folder.name + "-stock")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / "solutions", place / "solutions")
    (place / "nbgrader_config.py").write_text(STOCK)
    for student in (folder / "in").iterdir():
        shutil.copytree(student, place / "submitted" / student.name / EXERCISE)
    run([*NBGRADER, "generate_assignment", EXERCISE], place)
    return place


def otter(folder):
    """The same notebooks for otter-grader: cells of tests become files of tests, of the same source."""
    place = folder.with_name(folder.name + "-otter")
    shutil.rmtree(place, ignore_errors=True)
    hidden = {path.stem: nbformat.read(path, as_version=4) for path in (folder / "solutions" / EXERCISE).glob("*.ipynb")}
    for name, book in hidden.items():
        (place / "tests" / name).mkdir(parents=True)
        for cell in filter(_is_test, book.cells):
            mark = cell.metadata.nbgrader
            (place / "tests" / name / f"{mark.grade_id}.py").write_text(
                f"from otter.test_files import test_case\n\nOK_FORMAT = False\nname = {mark.grade_id!r}\npoints = {mark.points}\n\n"
                f"@test_case(points={mark.points})\ndef test(env):\n    exec({cell.source!r}, env)\n"
            )
    for path in sorted((folder / "in").glob("*/*.ipynb")):
        book = nbformat.read(path, as_version=4)
        book.cells = [cell for cell in book.cells if not _is_test(cell)]
        target = place / "in" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, target)
    return place


def _is_test(cell):
    mark = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and mark.get("grade") and not mark.get("solution")


# -- graders ---------------------------------------------------------------------------------------------------------

NBGRADER = [sys.executable, "-m", "nbgrader"]
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # nbgrader calls alembic by name
QUIET = {**peers.QUIET, **peers.ONE_THREAD, "PYTHONPATH": str(kit.ROOT), "PATH": PATH}


COUNTER = Path("/sys/fs/cgroup/cpuacct")  # counts the processor's time of all that a command starts, where there is one


def run(command, folder):
    """Run a command; its seconds, those of the processor, and the largest memory of all its processes, in MB."""
    start, log = time.perf_counter(), folder / "log.txt"
    with log.open("w") as file, counted() as (words, cpu):
        process = subprocess.Popen([*words, *command], cwd=folder, stdout=file, stderr=file, env=os.environ | QUIET)
        with watched(process.pid) as peak:
            code = process.wait()
        if code:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {code}: {log.read_text()[-2000:]}")
        return time.perf_counter() - start, cpu(), peak()


@contextlib.contextmanager
def counted():
    """Words before a command that have its processor time counted, and a function that reads the seconds so far."""
    try:
        group = Path(tempfile.mkdtemp(prefix="mlmon-", dir=COUNTER))
    except OSError:
        yield [], lambda: float("nan")
        return
    try:
        yield ["sh", "-c", f'echo $$ > {group}/tasks; exec "$@"', "sh"], lambda: int((group / "cpuacct.usage").read_text()) / 1e9
    finally:
        with contextlib.suppress(OSError):  # a process may end while it is moved
            for process in (group / "tasks").read_text().split():  # what outlives its command counts no longer
                (COUNTER / "tasks").write_text(process)
            group.rmdir()


@contextlib.contextmanager
def watched(root):
    """Look at the memory of a process and of all that descend from it, ten times in four seconds."""
    seen, over = [0.0], threading.Event()

    def look():
        while not over.wait(0.4):
            seen.append(sum(_megabytes(process) for process in family(root)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: max(seen)
    finally:
        over.set()
        thread.join()


def family(root):
    """A process and its descendants."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found, new = {root}, {root}
    while new:
        new = {process for process, parent in parents.items() if parent in new}
        found |= new
    return found


def _megabytes(process):
    """What a process holds, shared pages divided among those that share them."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
    return 0.0


def _only(folder, size, place):
    """Keep the first students of a class; the others wait beside it."""
    aside = folder / "aside"
    aside.mkdir(exist_ok=True)
    for student in list((folder / place).iterdir()):
        shutil.move(student, aside / student.name)
    for student in sorted(aside.iterdir())[:size]:
        shutil.move(student, folder / place / student.name)


def with_mlmon(folder, size, workers):
    """Grade with the sandbox on, feedback and the check of the grader included."""
    _only(folder, size, "in")
    shutil.rmtree(folder / "build", ignore_errors=True)
    (folder / "build").mkdir()
    words = ["grade", EXERCISE, "--submissions", "in", "--workers", str(workers)]
    found = run([sys.executable, "-m", "mlmon.cli", *words], folder)
    scores = kit.read_grades(Course.at(folder))
    assert len(scores) == size and all(row["score"] == row["max_score"] for row in scores.values()), scores
    return Measured(size, *found)


def most(folder):
    """Automatic points of the exercise."""
    return sum(part.points for part in release.parts(folder / "solutions" / EXERCISE) if part.automatic)


def with_nbgrader(folder, size, workers=1):
    """`nbgrader autograde` and `nbgrader generate_feedback` with nothing set but the folders."""
    _only(folder, size, "submitted")
    for step in ("autograded", "feedback"):
        shutil.rmtree(folder / step, ignore_errors=True)
    took = [run([*NBGRADER, step, EXERCISE, "--force"], folder) for step in ("autograde", "generate_feedback")]
    query = """SELECT student_id, sum(auto_score) FROM grade JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
               JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id GROUP BY student_id"""
    with contextlib.closing(sqlite3.connect(folder / "gradebook.db")) as file:
        scores = dict(file.execute(query))
    assert {scores[path.name] for path in (folder / "autograded").iterdir()} == {most(folder)}, scores
    seconds, cpu, peak = zip(*took, strict=True)
    return Measured(size, sum(seconds), sum(cpu), max(peak))


def with_otter(folder, size, workers=1):
    """otter-grader in one process, the quickest way it has; no pages of feedback."""
    _only(folder, size, "in")
    command = [peers.PEERS["otter-grader"].python, peers.HERE / "workers" / "grade_otter.py", folder]
    found = run(command, folder)
    results = json.loads((folder / "results.json").read_text())
    assert len(results) == size and all(got == most for got, most in results.values()), results
    return Measured(size, *found)


GRADERS = {
    "mlmon": (with_mlmon, "`mlmon grade`, sandbox, check and feedback"),
    "nbgrader": (with_nbgrader, "`autograde` and `generate_feedback`, stock; no sandbox"),
    "otter-grader": (with_otter, "`grade_notebook` in one process; no sandbox, no feedback"),
}


def version(name):
    """Of a grader."""
    return peers.PEERS[name].version if name in peers.PEERS else importlib.metadata.version(name)


# -- tables ----------------------------------------------------------------------------------------------------------


def beside(small=2, large=6, *, leave_out=(), rounds=1):
    """Each grader on two classes of the same notebooks, in turn; what each further submission takes."""
    base = prepare("beside", large, leave_out)
    folders = {"mlmon": base, "nbgrader": stock(base), "otter-grader": otter(base)}
    rows = [("mlmon", 1), ("mlmon", 2), ("nbgrader", 1), ("otter-grader", 1)]
    found = {row: {small: [], large: []} for row in rows}
    for _ in range(rounds):
        for size in (small, large):
            for name, workers in rows:
                found[name, workers][size].append(GRADERS[name][0](folders[name], size, workers))
    best = {row: [min(found[row][size], key=lambda one: one.seconds) for size in (small, large)] for row in rows}
    each = {row: ((two.seconds - one.seconds) / (large - small), (two.cpu - one.cpu) / (large - small)) for row, (one, two) in best.items()}
    first = each["mlmon", 1]
    return tables.table(
        ["grader", "what it does", "workers", f"class of {small}", f"class of {large}", "each further", "x mlmon", "CPU of each", "x its CPU", "peak MB"],
        [[f"{name} {version(name)}", GRADERS[name][1], str(workers), tables.seconds(one.seconds), tables.seconds(two.seconds),
          tables.seconds(each[name, workers][0]), tables.ratio(each[name, workers][0] / first[0]),
          tables.seconds(each[name, workers][1]), tables.ratio(each[name, workers][1] / first[1]), f"{two.peak_mb:.0f}"]
         for (name, workers), (one, two) in best.items()])  # fmt: skip


def growth(sizes=(4, 16, 64), leave_out=(EVIDENTLY,)):
    """Seconds and memory of `mlmon grade` by size of the class and number of workers."""
    folder = prepare("growth", max(sizes), leave_out)
    rows = []
    for workers in (1, 2):
        found = [with_mlmon(folder, size, workers) for size in sizes]
        each = (found[-1].seconds - found[0].seconds) / (sizes[-1] - sizes[0])
        rows.append([str(workers), *(tables.seconds(one.seconds) for one in found), tables.seconds(each),
                     *(f"{one.peak_mb:.0f}" for one in found)])  # fmt: skip
    head = ["workers", *(f"class of {size}" for size in sizes), "each further", *(f"MB at {size}" for size in sizes)]
    return tables.table(head, rows)


def parts(size, leave_out=()):
    """Where the time of a submission goes, measured in one process with one worker; what the first one takes more is shared by all."""
    folder = prepare("parts", size, leave_out)
    command = [sys.executable, peers.HERE / "workers" / "grade_parts.py", folder, EXERCISE]
    run(command, folder)
    found = json.loads((folder / "parts.json").read_text())
    rows = [[label, tables.seconds(seconds / (1 if once else size)), "once" if once else f"{calls / size:.0f}"]
            for label, (seconds, calls, once) in found.items()]  # fmt: skip
    return tables.table(["part", "a submission", "calls"], rows)


def markdown(quick=False):
    """All tables of grading."""
    small, large, several, sizes = (1, 2, 2, (1, 2)) if quick else (2, 6, 24, (4, 16, 64))
    return "\n".join([
        "All of exercise 2, right answers; its Evidently notebook takes most of the time of everybody:", "",
        beside(small, large), "", "The same without that notebook:", "", beside(small, large, leave_out=(EVIDENTLY,)), "",
        "Where the time of a submission goes (one worker, without that notebook):", "", parts(several, (EVIDENTLY,)), "",
        "Growth of `mlmon grade` (without that notebook):", "", growth(sizes),
    ])  # fmt: skip
