"""What students get holds no answers, and comes out the same each time."""

import zipfile
from pathlib import Path

import nbformat
import pytest

from mlmon.grading import release
from mlmon.grading.course import Course, GradingError

ROOT = Path(__file__).resolve().parents[2]


def sources(folder):
    return "\n".join(cell.source for book in release.notebooks(folder).values() for cell in book.cells)


def test_a_release_has_no_answers_and_no_hidden_tests(course):
    text = sources(course.release("toy"))
    assert "raise NotImplementedError()" in text
    for secret in ("BEGIN", "sum(x)", "secret_numbers", "hidden_pair", "The spread"):
        assert secret not in text


def test_a_release_is_the_same_each_time(course):
    first = {path.name: path.read_bytes() for path in course.release("toy").iterdir()}
    for path in course.release("toy").iterdir():
        path.unlink()
    assert release.release(course, "toy") and not release.release(course, "toy")
    assert {path.name: path.read_bytes() for path in course.release("toy").iterdir()} == first


def test_cells_keep_their_ids(course):
    before = [cell.id for book in release.notebooks(course.solution("toy")).values() for cell in book.cells]
    after = [cell.id for book in release.notebooks(course.release("toy")).values() for cell in book.cells]
    assert before == after


def test_the_release_knows_its_parts(course, kit):
    parts = release.parts(course.release("toy"))
    assert {part.name: part.points for part in parts if part.automatic} == kit.FULL
    assert [part.name for part in parts if not part.automatic] == ["mean:essay"]


def test_a_changed_solution_makes_the_release_outdated(course):
    path = course.solution("toy") / "gap.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "base = 11"
    nbformat.write(notebook, path)
    assert not release.up_to_date(course, "toy")
    release.release(course, "toy")
    assert release.up_to_date(course, "toy") and "base = 11" in sources(course.release("toy"))


def test_an_old_format_is_refused_since_its_cells_have_no_ids(course):
    path = course.solution("toy") / "gap.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        del cell["id"]
    notebook.nbformat_minor = 4
    nbformat.write(notebook, path)
    with pytest.raises(GradingError, match="format 4.5"):
        release.release(course, "toy")


def test_a_solution_that_nbgrader_cannot_read_is_named(course):
    path = course.solution("toy") / "gap.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = "### BEGIN SOLUTION\nx = 1"
    nbformat.write(notebook, path)
    with pytest.raises(GradingError, match="solutions/toy/gap.ipynb"):
        release.release(course, "toy")


def test_the_archive_for_students_has_no_solutions_and_is_always_the_same(course):
    (course.root / "mlmon" / "__pycache__").mkdir(parents=True)
    (course.root / "mlmon" / "a.py").write_text("")
    (course.root / "tests").mkdir()
    (course.root / "tests" / "answers.py").write_text("")
    first = release.archive(course, ["toy"]).read_bytes()
    target = release.archive(course, ["toy"])
    assert target.read_bytes() == first
    with zipfile.ZipFile(target) as pack:
        assert sorted(pack.namelist()) == [
            "mlmon/exercises/toy/gap.ipynb",
            "mlmon/exercises/toy/mean.ipynb",
            "mlmon/mlmon/a.py",
            "mlmon/nbgrader_config.py",
        ]


@pytest.mark.parametrize("exercise", Course.at(ROOT).exercises())
def test_exercises_are_what_the_solutions_generate(exercise):
    assert release.up_to_date(Course.at(ROOT), exercise), f"run `mlmon release {exercise}` and commit exercises/"


@pytest.mark.parametrize("exercise", Course.at(ROOT).exercises())
def test_every_part_of_an_exercise_has_its_own_id(exercise):
    # A part is a column of the grades and a key of the tests.
    names = [part.name for part in release.parts(Course.at(ROOT).solution(exercise))]
    assert len(names) == len(set(names)) > 0
