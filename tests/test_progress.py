"""How far a student has come, from notebooks made by hand."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mlmon import cli, progress

ROOT = Path(__file__).parents[1]
RAN = {"execution": {"shell.execute_reply": "2026-01-01T00:00:00Z"}}
FAILED = nbformat.v4.new_output("error", ename="AssertionError", evalue="should be 2, yours gives 3\nmore", traceback=[])


def cell(ran=False, error=False, points=None):
    made = nbformat.v4.new_code_cell("1 + 1", metadata=dict(RAN) if ran else {}, execution_count=1, outputs=[FAILED] if error else [])
    if points is not None:
        made.metadata["nbgrader"] = {"grade": True, "grade_id": f"test_{points}", "points": points}
    return made


@pytest.fixture
def folder(tmp_path):
    """A course of two notebooks, one begun, and an exercise with checks of 2, 3 and 5 points."""
    books = {
        "course/00_a.ipynb": [nbformat.v4.new_markdown_cell("# Is it so?\nText"), cell(ran=True), cell(ran=True)],
        "course/01_b.ipynb": [cell(ran=True), cell(ran=True, error=True), cell(), cell()],
        "exercises/ex/1_c.ipynb": [cell(ran=True), cell(ran=True, points=2), cell(ran=True, error=True, points=3), cell(points=5)],
    }
    for name, cells in books.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / name)
    return tmp_path


def test_cells_count_as_run_when_they_ended_without_an_error(folder):
    first, second, _ = progress.read(folder).steps
    assert (first.title, first.done, first.whole, first.note) == ("Is it so?", 2, 2, "")
    assert (second.title, second.done, second.whole) == ("01_b", 1, 4)
    assert second.note == "AssertionError: should be 2, yours gives 3"


def test_an_exercise_is_as_far_as_its_checks_have_passed(folder):
    step = progress.read(folder).steps[2]
    assert (step.part, step.done, step.whole, step.share) == ("ex", 2, 10, 0.2)
    assert step.note == "test_3: AssertionError: should be 2, yours gives 3"


def test_stored_outputs_are_not_a_students_work(folder):
    # What the course is shipped with has outputs and counts, and no time at which a cell ran.
    nbformat.write(nbformat.v4.new_notebook(cells=[cell(), cell()]), folder / "course" / "00_a.ipynb")
    assert progress.read(folder).steps[0].done == 0


def test_what_comes_next_is_the_first_that_is_not_done(folder):
    told = progress.read(folder)
    assert told.next is told.steps[1] and "Next: 01_b (01_b)" in repr(told)
    assert progress.Progress(told.steps[:1]).next is None and "All is done." in repr(progress.Progress(told.steps[:1]))


def test_a_notebook_that_cannot_be_read_is_said_and_stops_nothing(folder):
    (folder / "course" / "01_b.ipynb").write_text("{")
    steps = progress.read(folder).steps
    assert len(steps) == 3 and steps[1].done == 0 and steps[1].note.startswith("cannot be read")


def test_a_frame_has_one_row_a_notebook(folder):
    frame = progress.read(folder).to_frame()
    assert frame["share"].tolist() == [1.0, 0.25, 0.2] and list(frame) == ["part", "notebook", "title", "done", "whole", "note", "share"]


def test_the_command_prints_it_and_says_where_there_is_no_course(folder, tmp_path_factory, capsys):
    assert cli.main(["progress", "--root", str(folder)]) == 0
    assert "##########  2 of 2" in capsys.readouterr().out
    assert cli.main(["progress", "--root", str(tmp_path_factory.mktemp("empty"))]) == 2
    assert "needs course/*.ipynb" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_no_error():
    # As in `mlmon progress | head -3`: the pipe is closed before the first line.
    reading, writing = os.pipe()
    os.close(reading)
    told = subprocess.run([sys.executable, "-m", "mlmon.cli", "progress"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (told.returncode, told.stderr) == (0, b"")
