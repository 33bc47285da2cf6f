"""A toy course for the grader's own tests, and ways to hand work in."""

import contextlib
import copy
import csv
import functools
import json
import multiprocessing
import re
import runpy
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from mlmon import doctor

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(__file__).parent / "submissions"
SANDBOXED = (
    "test_attacks", "test_autograde", "test_class", "test_cli", "test_execute", "test_graded", "test_honest", "test_sandbox", "test_template",
)


def pytest_collection_modifyitems(items):
    """Where there is no bubblewrap, say so for each test that needs a sandbox."""
    if missing := doctor.lack("bubblewrap"):
        for item in items:
            if item.path.stem in SANDBOXED:
                item.add_marker(pytest.mark.skip(reason=missing))


def code_cell(source, id, **mark):
    return mark_cell(nbformat.v4.new_code_cell(source, id=id), id, mark)


def text_cell(source, id, **mark):
    return mark_cell(nbformat.v4.new_markdown_cell(source, id=id), id, mark)


def mark_cell(cell, id, mark):
    if mark:
        base = {"schema_version": 3, "grade_id": id, "grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {**base, **mark}
    return cell


def graded_cell(source, id, points):
    return code_cell(source, id, grade=True, locked=True, points=points)


def make_notebook(*cells):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=list(cells), metadata=kernel, nbformat_minor=5)


def toy_notebooks():
    """Two notebooks: `mean` with partial credit and an essay, `gap` with a score that the answer sets."""
    mean = make_notebook(
        text_cell("# The mean", "title"),
        code_cell("import warnings", "imports"),
        code_cell(
            "def mean(x):\n    ### BEGIN SOLUTION\n    return sum(x) / len(x)\n    ### END SOLUTION",
            "mean",
            solution=True,
        ),
        graded_cell(
            'assert mean([1, 3]) == 2, "mean([1, 3]) should be 2"\n'
            "### BEGIN HIDDEN TESTS\nsecret_numbers = [5, 6, 10]\n"
            'assert mean(secret_numbers) == 7, "Did you divide by the length?"\n### END HIDDEN TESTS',
            "mean_test",
            2,
        ),
        code_cell(
            "def signs(x):\n    ### BEGIN SOLUTION\n    return [(v > 0) - (v < 0) for v in x]\n    ### END SOLUTION",
            "signs",
            solution=True,
        ),
        graded_cell(
            "right = [signs([v]) == [s] for v, s in [(3, 1), (-2, -1), (0, 0), (7, 1)]]\nsum(right)", "signs_test", 4
        ),
        text_cell("*Say what a mean hides.*\n\n### BEGIN SOLUTION\nThe spread.\n### END SOLUTION", "essay",
              grade=True, solution=True, points=3),
    )  # fmt: skip
    gap = make_notebook(
        code_cell("base = 10", "given", locked=True),
        code_cell(
            "def gap(a, b):\n    ### BEGIN SOLUTION\n    return abs(a - b)\n    ### END SOLUTION", "gap", solution=True
        ),
        graded_cell(
            "assert gap(base, 7) == 3\n### BEGIN HIDDEN TESTS\nbase = 10\nhidden_pair = (4, 9)\n"
            'assert gap(*hidden_pair) == 5, "Is your gap negative?"\n### END HIDDEN TESTS',
            "gap_test",
            1,
        ),
        code_cell("def credit():\n    ### BEGIN SOLUTION\n    return 3.0\n    ### END SOLUTION", "credit", solution=True),
        graded_cell("credit()", "credit_test", 3),
    )
    return {"mean": mean, "gap": gap}


RIGHT = {
    "mean": {
        "mean": "def mean(x):\n    total = 0\n    for v in x:\n        total += v\n    return total / len(x)",
        "signs": "def signs(x):\n    return [1 if v > 0 else -1 if v < 0 else 0 for v in x]",
        "essay": "It hides how far apart the values are.",
    },
    "gap": {
        "gap": "def gap(a, b):\n    return max(a, b) - min(a, b)",
        "credit": "def credit():\n    return 3",
    },
}
FULL = {"gap:gap_test": 1, "gap:credit_test": 3, "mean:mean_test": 2, "mean:signs_test": 4}


def answer(release, sources):
    """Fill answers into released notebooks.

    Parameters
    ----------
    release : path
        Folder of released notebooks.
    sources : dict of str to dict of str to str
        ``{notebook: {grade_id of the answer's cell: source}}``.

    Returns
    -------
    dict of str to NotebookNode
        Every notebook of the release.
    """
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in sorted(Path(release).glob("*.ipynb"))}
    for name, cells in sources.items():
        known = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebooks[name].cells}
        for grade_id, source in cells.items():
            known[grade_id].source = source
    return notebooks


def hand_in(folder, student, notebooks):
    """Write notebooks as a student's hand-in."""
    target = Path(folder) / student
    target.mkdir(parents=True, exist_ok=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, target / f"{name}.ipynb")
    return target


def read_grades(course):
    """The rows of grades.csv by student."""
    with open(course.build / "grades.csv", newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def points(row, names):
    """Points of some parts; None where nobody graded."""
    return {name: float(row[name]) if row[name] else None for name in names}


def make_course(folder, notebooks=None):
    """A course with nbgrader's settings of this project and a toy exercise."""
    from mlmon.grading.course import Course

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "solutions" / "toy").mkdir(parents=True)
    for name, notebook in (notebooks or toy_notebooks()).items():
        nbformat.write(notebook, folder / "solutions" / "toy" / f"{name}.ipynb")
    return Course.at(folder)


@dataclass(frozen=True)
class Answer:
    """A right or wrong answer: its cells, ``{notebook: {grade_id: source}}``, and the points it loses by test."""

    name: str
    cells: dict
    loses: dict


def read_answer(path):
    """Read an answer from a file of ``submissions/``; its README shows the form."""
    path = Path(path)
    names, exercise = runpy.run_path(str(path)), path.parent.parent.name
    name = f"{path.parent.name}/{path.stem}"
    cells = {book: dict(sources) for book, sources in names.get("answers", {}).items()}
    for book, slips in names.get("slips", {}).items():
        for cell, changes in slips.items():
            cells.setdefault(book, {})[cell] = slip(reference_cells(exercise, book)[cell], changes, f"{name}: {cell}")
    assert cells, f"{name} needs answers = {{notebook: {{answer cell: source}}}}, or slips"
    return Answer(name, cells, names.get("loses", {}))


@functools.cache
def reference_cells(exercise, book):
    """Sources of the reference's answer cells, by name and without nbgrader's markers."""
    cells = nbformat.read(ROOT / "solutions" / exercise / f"{book}.ipynb", as_version=4).cells
    marked = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return {cell.metadata.nbgrader.grade_id: re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.M) for cell in marked}


def slip(source, changes, name):
    """A source with each (old, new) text replaced; the old one stands there once."""
    for old, new in changes:
        assert source.count(old) == 1, f"{name} has {old!r} {source.count(old)} times"
        source = source.replace(old, new)
    return source


def names_of_answers(exercise, kind="*"):
    """Names of the right and wrong answers of an exercise, such as "right/plain_loops"."""
    return [f"{path.parent.name}/{path.stem}" for path in sorted((ANSWERS / exercise).glob(f"{kind}/*.py"))]


@functools.cache
def lacking(exercise):
    """What an exercise's tests need and this machine lacks, in the doctor's words; empty where nothing is missing."""
    return exercise == "ex1_dashboard" and (doctor.lack("prometheus") or doctor.lack("alertmanager")) or ""


def read_answers(exercise, kind):
    """All right or all wrong answers of an exercise, by name."""
    return [read_answer(path) for path in sorted((ANSWERS / exercise / kind).glob("*.py"))]


def due(answer, parts):
    """Points that an answer should get for each automatic part of the notebooks that it names."""
    points = {part.name: part.points for part in parts if part.automatic and part.notebook in answer.cells}
    for notebook, tests in answer.loses.items():
        for test, lost in tests.items():
            points[f"{notebook}:{test}"] -= lost
    return points


def exercise_course(folder, exercise):
    """One exercise of the real course in a folder of its own, released."""
    from mlmon.grading import release
    from mlmon.grading.course import Course

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions" / exercise, folder / "solutions" / exercise)
    made = Course.at(folder)
    release.release(made, exercise)
    return made


def without_demonstrations(notebook):
    """Keep marked cells and imports: graded cells need no others, and pictures take half of the time."""
    plain = [cell for cell in notebook.cells if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
    shows = [cell for cell in plain if not cell.source.lstrip().startswith(("import ", "from "))]
    notebook.cells = [cell for cell in notebook.cells if cell not in shows]
    return notebook


def answered(folder, answers):
    """For each answer its notebooks: the reference's cells of a folder, with the answer's cells in them."""
    reference = {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}
    for one in answers:
        books = {name: copy.deepcopy(reference[name]) for name in one.cells}
        for name, book in books.items():
            known = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in book.cells if "nbgrader" in cell.metadata}
            for grade_id, source in one.cells[name].items():
                assert known[grade_id].metadata.nbgrader.solution, f"{one.name}: {grade_id} is no answer cell"
                known[grade_id].source = source.strip()
            without_demonstrations(book)
        yield one, books


@contextlib.contextmanager
def judge_in_forks(exercise):
    """A way to judge answers quickly: each in a fork of this process, without sandbox and gradebook.

    First the reference runs here, so that a fork knows what promtool and amtool have said of all that its answer
    shares with the reference: the same question to the same tool has the same answer.

    Parameters
    ----------
    exercise : str

    Yields
    ------
    reference : dict of str to float
        Points of the reference by part.
    judge : callable
        Takes an `Answer` and gives its points by part, of the notebooks that it names.
    """
    from mlmon.serving import brief, dryrun

    folder = ROOT / "solutions" / exercise
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((dryrun, "_run"), (brief, "ask"), (brief, "_messages")):
            patch.setattr(module, name, _remembered(getattr(module, name)))
        reference = points_of(released(folder))
        yield reference, lambda one: in_a_fork(points_of, next(answered(folder, [one]))[1])


def _remembered(ask):
    """A function that answers the same question out of its memory."""
    told = {}

    def answer(*words, **more):
        question = json.dumps([words, more], sort_keys=True, default=list)
        if question not in told:
            told[question] = ask(*words, **more)
        return told[question]

    return answer


def released(folder):
    """The notebooks of a folder, without their demonstrations."""
    return {path.stem: without_demonstrations(nbformat.read(path, as_version=4)) for path in sorted(folder.glob("*.ipynb"))}


def points_of(books):
    """Points by part of notebooks that are run as they stand, by plain Python."""
    found = {}
    for name, book in books.items():
        names = {"__name__": "__main__"}
        for cell in (cell for cell in book.cells if cell.cell_type == "code"):
            mark = cell.metadata.get("nbgrader", {})
            try:
                exec(compile(cell.source, cell.id, "exec"), names)
                earned = mark.get("points", 0)
            except Exception:
                earned = 0
            if mark.get("grade") and not mark["solution"]:
                found[f"{name}:{mark['grade_id']}"] = float(earned)
    return found


def in_a_fork(function, *args):
    """What a function gives in a process that begins where this one stands."""
    ours, theirs = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: theirs.send(function(*args)))
    child.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        child.join()


def here():
    """One worker that is a thread of this process, so that its sandbox stays warm from one class to the next."""
    return ThreadPoolExecutor(1)


def grade_answers(course, exercise, answers):
    """Grade answers as one class, each handing in the notebooks that it names.

    Parameters
    ----------
    course : Course
        Released, as by `exercise_course`.
    exercise : str
    answers : list of Answer

    Returns
    -------
    dict of str to dict of str to float
        Points by answer and part, of the notebooks handed in.
    """
    from mlmon.grading import autograde

    for one, books in answered(course.solution(exercise), answers):
        hand_in(course.root / "in", one.name.replace("/", " "), books)
    autograde.grade(course, exercise, course.root / "in", executor=here, check=False, progress=False)
    rows = read_grades(course)
    return {one.name: _of_notebooks(rows[one.name.replace("/", " ")], one.cells) for one in answers}


def _of_notebooks(row, notebooks):
    return {name: float(value) for name, value in row.items() if name.split(":")[0] in notebooks and value}


@pytest.fixture(scope="session", autouse=True)
def quick_gradebooks():
    """Ask Alembic for the newest version once; nbgrader asks in a process of its own for each gradebook."""
    import nbgrader.api

    asked = nbgrader.api.get_alembic_version
    nbgrader.api.get_alembic_version = functools.cache(asked)
    yield
    nbgrader.api.get_alembic_version = asked


@pytest.fixture
def course(tmp_path):
    """The toy course, released."""
    from mlmon.grading import release

    made = make_course(tmp_path / "course")
    release.release(made, "toy")
    return made


@pytest.fixture(scope="session")
def kit():
    """The helpers above, since test files of this suite are not importable by name."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("__")})
