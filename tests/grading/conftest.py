"""A toy course for the grader's own tests, and ways to hand work in."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


def _code(source, id, **mark):
    return _marked(nbformat.v4.new_code_cell(source, id=id), id, mark)


def _text(source, id, **mark):
    return _marked(nbformat.v4.new_markdown_cell(source, id=id), id, mark)


def _marked(cell, id, mark):
    if mark:
        base = {"schema_version": 3, "grade_id": id, "grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {**base, **mark}
    return cell


def _test(source, id, points):
    return _code(source, id, grade=True, locked=True, points=points)


def _notebook(*cells):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=list(cells), metadata=kernel, nbformat_minor=5)


def toy_notebooks():
    """Two notebooks: `mean` with partial credit and an essay, `gap` with hidden tests."""
    mean = _notebook(
        _text("# The mean", "title"),
        _code("import warnings", "imports"),
        _code(
            "def mean(x):\n    ### BEGIN SOLUTION\n    return sum(x) / len(x)\n    ### END SOLUTION",
            "mean",
            solution=True,
        ),
        _test(
            'assert mean([1, 3]) == 2, "mean([1, 3]) should be 2"\n'
            "### BEGIN HIDDEN TESTS\nsecret_numbers = [5, 6, 10]\n"
            'assert mean(secret_numbers) == 7, "Did you divide by the length?"\n### END HIDDEN TESTS',
            "mean_test",
            2,
        ),
        _code(
            "def signs(x):\n    ### BEGIN SOLUTION\n    return [(v > 0) - (v < 0) for v in x]\n    ### END SOLUTION",
            "signs",
            solution=True,
        ),
        _test(
            "right = [signs([v]) == [s] for v, s in [(3, 1), (-2, -1), (0, 0), (7, 1)]]\nsum(right)", "signs_test", 4
        ),
        _text("*Say what a mean hides.*\n\n### BEGIN SOLUTION\nThe spread.\n### END SOLUTION", "essay",
              grade=True, solution=True, points=3),
    )  # fmt: skip
    gap = _notebook(
        _code("base = 10", "given", locked=True),
        _code(
            "def gap(a, b):\n    ### BEGIN SOLUTION\n    return abs(a - b)\n    ### END SOLUTION", "gap", solution=True
        ),
        _test(
            "assert gap(base, 7) == 3\n### BEGIN HIDDEN TESTS\nhidden_pair = (4, 9)\n"
            'assert gap(*hidden_pair) == 5, "Is your gap negative?"\n### END HIDDEN TESTS',
            "gap_test",
            1,
        ),
    )
    return {"mean": mean, "gap": gap}


RIGHT = {
    "mean": {
        "mean": "def mean(x):\n    total = 0\n    for v in x:\n        total += v\n    return total / len(x)",
        "signs": "def signs(x):\n    return [1 if v > 0 else -1 if v < 0 else 0 for v in x]",
        "essay": "It hides how far apart the values are.",
    },
    "gap": {"gap": "def gap(a, b):\n    return max(a, b) - min(a, b)"},
}
FULL = {"mean:mean_test": 2, "mean:signs_test": 4, "gap:gap_test": 1}


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


def make_course(folder):
    """A course with nbgrader's settings of this project and the toy exercise."""
    from mlmon.grading.course import Course

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "solutions" / "toy").mkdir(parents=True)
    for name, notebook in toy_notebooks().items():
        nbformat.write(notebook, folder / "solutions" / "toy" / f"{name}.ipynb")
    return Course.at(folder)


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
    return sys.modules[__name__]


def mlmon(course, *words, **options):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "mlmon.cli", *words, "--root", str(course.root)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)
