"""A new exercise works before a word of it is changed."""

import pytest

from mlmon import cli
from mlmon.grading import autograde, release, template

NEXT = "Change it, then: mlmon release ex5_mine"


@pytest.fixture
def made(course, capsys):
    """The toy course with a new exercise beside its own."""
    assert cli.main(["new", "exercise", "ex5_mine", "--root", str(course.root)]) == 0
    assert NEXT in capsys.readouterr().out
    return course


def test_a_new_exercise_is_released_and_graded_at_once(made, kit):
    # The real grader goes on only if the reference earns every automatic point and the release none; a student gets the points of her answer.
    release.release(made, "ex5_mine")
    answer = "def missing_share(values):\n    return sum(value != value for value in values) / max(len(values), 1)"
    book = template.NOTEBOOK.removesuffix(".ipynb")
    kit.hand_in(made.root / "in", "ada", kit.answer(made.release("ex5_mine"), {book: {"missing_share": answer, "account": "Customers are hurt."}}))
    autograde.grade(made, "ex5_mine", made.root / "in", executor=kit.here, progress=False)
    row = kit.read_grades(made)["ada"]
    assert kit.points(row, [f"{book}:test_missing_share", f"{book}:test_missing_share_empty"]) == {
        f"{book}:test_missing_share": 2.0, f"{book}:test_missing_share_empty": 0.0,
    }  # fmt: skip
    assert (row["max_score"], row["written_max_score"], row["written_waiting"], row["sandbox"]) == ("3.0", "2.0", "1", "bubblewrap")


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
