"""A new exercise works before a word of it is changed."""

import pytest

from mlmon import cli
from mlmon.grading import autograde, release

NEXT = "Change it, then: mlmon release ex5_mine"


@pytest.fixture
def made(course, capsys):
    """The toy course with a new exercise beside its own."""
    assert cli.main(["new", "exercise", "ex5_mine", "--root", str(course.root)]) == 0
    assert NEXT in capsys.readouterr().out
    return course


def test_a_new_exercise_is_released_and_graded_at_once(made):
    # The real grader raises unless the reference earns every automatic point and the release none.
    release.release(made, "ex5_mine")
    autograde.check_grader(made, "ex5_mine")
    parts = release.parts(made.release("ex5_mine"))
    assert {part.automatic for part in parts} == {True, False}        # there is a written question, too


def test_a_release_of_it_keeps_what_is_hidden(made):
    release.release(made, "ex5_mine")
    text = "\n".join(cell.source for book in release.notebooks(made.release("ex5_mine")).values() for cell in book.cells)
    assert "raise NotImplementedError()" in text and "missing_share" in text
    assert not any(secret in text for secret in ("BEGIN", "permutation", "isnan", "A model answer"))


@pytest.mark.parametrize("name", ["toy", "5_mine", "my exercise", "../ex5", "", "class", "öx"])
def test_a_name_that_cannot_be_is_refused(course, capsys, name):
    # What is there stays as it is, and nothing is written anywhere else.
    before = sorted(course.root.rglob("*.ipynb"))
    assert cli.main(["new", "exercise", name, "--root", str(course.root)]) == 2
    assert "name" in capsys.readouterr().err and sorted(course.root.rglob("*.ipynb")) == before
