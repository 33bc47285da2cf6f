"""What comes in is read safely, matched with the release, and mended."""

import io
import json
import os
import stat
import zipfile

import nbformat
import pytest

from mlmon.grading import mend, submission
from mlmon.grading.course import GradingError
from mlmon.grading.release import notebooks


@pytest.fixture
def release(course):
    return notebooks(course.release("toy"))


@pytest.fixture
def mean(course, kit):
    """The notebook `mean` with right answers in it."""
    return kit.answer(course.release("toy"), kit.RIGHT)["mean"]


def cell(notebook, grade_id):
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def ids(notebook):
    return [cell.metadata["nbgrader"]["grade_id"] for cell in notebook.cells if "nbgrader" in cell.metadata]


def mended(notebook, release):
    return mend.mend(mend.cells(notebook), release)


def taken(folder, exercise="toy"):
    return {hand_in.student: hand_in for hand_in in submission.hand_ins(folder, exercise)}


# -- reading ---------------------------------------------------------------------------------------------------------


def test_every_folder_is_a_student_and_an_empty_one_too(tmp_path):
    (tmp_path / "Ünal, Ayşe").mkdir()
    (tmp_path / "anna" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "anna" / "deep" / "er" / "mean.ipynb").write_text("{}")
    (tmp_path / ".DS_Store").write_text("")
    found = taken(tmp_path)
    assert sorted(found) == ["anna", "Ünal, Ayşe"] or sorted(found) == ["Ünal, Ayşe", "anna"]
    assert list(found["anna"].files) == ["deep/er/mean.ipynb"]


def test_a_link_is_not_followed(tmp_path):
    # The canary is this test's own file: its content must not come in.
    (tmp_path / "canary.ipynb").write_text("canary")
    (tmp_path / "in" / "anna").mkdir(parents=True)
    os.symlink(tmp_path / "canary.ipynb", tmp_path / "in" / "anna" / "mean.ipynb")
    os.symlink(tmp_path, tmp_path / "in" / "anna" / "folder")
    os.symlink(tmp_path, tmp_path / "in" / "ben")
    found = taken(tmp_path / "in")
    assert not found["anna"].files and not found["ben"].files
    assert len(found["anna"].notes) == 2 and len(found["ben"].notes) == 1


def test_a_pipe_does_not_block_the_reader(tmp_path):
    (tmp_path / "anna").mkdir()
    os.mkfifo(tmp_path / "anna" / "mean.ipynb")
    assert not taken(tmp_path)["anna"].files


def test_modules_and_other_files_stay_outside(tmp_path):
    # A scipy.py beside the notebook would shadow the installed package.
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "scipy.py").write_text("")
    (tmp_path / "anna" / "mean.ipynb").write_text("{}")
    (tmp_path / "anna" / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")
    anna = taken(tmp_path)["anna"]
    assert list(anna.files) == ["mean.ipynb"]
    assert any("scipy.py" in note for note in anna.notes)
    assert anna.received.year > 2000


def test_a_huge_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "LARGEST", 100)
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "mean.ipynb").write_bytes(b"x" * 101)
    anna = taken(tmp_path)["anna"]
    assert not anna.files and "allowed" in anna.notes[0]


def test_a_thousand_files_and_their_bytes_are_not_all_read(tmp_path, monkeypatch, release):
    # A zip of zeros is small: unpacked, a thousand notebooks of 64 MB would take the machine's memory.
    monkeypatch.setattr(submission, "MOST_BYTES", 1000)
    monkeypatch.setattr(submission, "MOST_NOTES", 5)
    with zipfile.ZipFile(tmp_path / "anna.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        for number in range(20):
            pack.writestr(f"{number}.ipynb", b" " * 300)
            pack.writestr(f"{number}.txt", b"")
    anna = taken(tmp_path)["anna"]
    assert list(anna.files) == ["0.ipynb", "1.ipynb", "2.ipynb"]
    assert "3.ipynb was left out" in " ".join(anna.notes)
    assert submission.normalise(anna, release).notes[5:] == ["and 35 notes more"]


@pytest.mark.parametrize("top", ["", "class/"])
def test_a_zip_of_the_class_reads_like_its_folder(tmp_path, top):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as pack:
        pack.writestr(f"{top}anna/mean.ipynb", "{}")
        pack.writestr(f"{top}ben/toy/mean.ipynb", "{}")
        pack.writestr(f"{top}carl/", "")
        pack.writestr("__MACOSX/anna/mean.ipynb", "{}")
    found = taken(tmp_path / "class.zip")
    assert {name: list(one.files) for name, one in found.items()} == {
        "anna": ["mean.ipynb"],
        "ben": ["toy/mean.ipynb"],
        "carl": [],
    }


def test_a_students_own_zip_is_read(tmp_path):
    (tmp_path / "anna").mkdir()
    for target in (tmp_path / "anna" / "work.zip", tmp_path / "ben.zip"):
        with zipfile.ZipFile(target, "w") as pack:
            pack.writestr("toy/mean.ipynb", "{}")
    found = taken(tmp_path)
    assert list(found["anna"].files) == list(found["ben"].files) == ["toy/mean.ipynb"]


@pytest.mark.parametrize("name", ["../../evil.ipynb", "/evil.ipynb", "a/../../evil.ipynb", "C:\\evil.ipynb", "..\\e.ipynb"])
def test_a_path_out_of_the_zip_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "anna.zip", "w") as pack:
        pack.writestr(name, "{}")
        pack.writestr("mean.ipynb", "{}")
    anna = taken(tmp_path)["anna"]
    assert list(anna.files) == ["mean.ipynb"]
    assert any("refused" in note for note in anna.notes)
    assert not list(tmp_path.glob("**/e*.ipynb"))


def test_a_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "anna.zip", "w") as pack:
        entry = zipfile.ZipInfo("mean.ipynb")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        pack.writestr(entry, "/etc/hostname")
    assert not taken(tmp_path)["anna"].files


def test_a_broken_zip_is_a_note(tmp_path):
    (tmp_path / "anna.zip").write_bytes(b"PK no zip")
    assert "could not be unpacked" in taken(tmp_path)["anna"].notes[0]


def test_a_damaged_zip_of_the_class_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as pack:
        pack.writestr("anna/mean.ipynb", "{}")
    whole = (tmp_path / "class.zip").read_bytes()
    (tmp_path / "class.zip").write_bytes(b"x" * 40 + whole[60:])
    with pytest.raises(GradingError, match="damaged"):
        taken(tmp_path / "class.zip")


@pytest.mark.parametrize("shape", ["nothing", "file", "loose"])
def test_no_class_is_an_error_that_says_what_to_do(tmp_path, shape):
    path = tmp_path / "in"
    if shape == "file":
        path.write_text("no zip")
    if shape == "loose":
        path.mkdir()
        (path / "mean.ipynb").write_text("{}")
    with pytest.raises(GradingError, match="<student>/<notebook>.ipynb"):
        taken(path)


# -- what learning-management systems give -----------------------------------------------------------------------------

# The names of Moodle's and Canvas's own code (mod/assign/classes/downloader.php, lib/content_zipper.rb), and who handed in what.
MOODLE = {
    "Ada Lovelace_12345_assignsubmission_file/mean.ipynb": "{}",
    "Ada Lovelace_12345_assignsubmission_file/more/gap.ipynb": "{}",
    "Ada Lovelace_12345_assignsubmission_onlinetext/onlinetext.html": "<p>Done.</p>",
    "Ünal Ayşe_777_assignsubmission_file/mean.ipynb": "{}",
    "Participant_9_assignsubmission_onlinetext/onlinetext.html": "<p>Sorry.</p>",
}
OLD_MOODLE = {name.replace("_file/", "_file_/").replace("text/", "text_/"): text for name, text in MOODLE.items()}
FLAT_MOODLE = {name.replace("/", "_") if "more" not in name else name.replace("/more/", "_"): text for name, text in MOODLE.items()}
BY_MOODLE = {"Ada Lovelace_12345": ["gap.ipynb", "mean.ipynb"], "Ünal Ayşe_777": ["mean.ipynb"], "Participant_9": []}
CANVAS = {
    "lovelaceada_12345_678910_mean.ipynb": "{}",
    "lovelaceada_12345_678911_gap-1.ipynb": "{}",
    "ünalayşe_LATE_777_678912_mean.ipynb": "{}",
    "noether_9_text.html": "<p>Sorry.</p>",
    "anon_Ab3xY_678913_mean.ipynb": "{}",
}
BY_CANVAS = {"lovelaceada_12345": ["gap-1.ipynb", "mean.ipynb"], "ünalayşe_777": ["mean.ipynb"], "noether_9": [], "anon_Ab3xY": ["mean.ipynb"]}


@pytest.mark.parametrize("form", ["zip", "zip in a folder", "unpacked"])
@pytest.mark.parametrize(
    ("names", "due"),
    [(MOODLE, BY_MOODLE), (OLD_MOODLE, BY_MOODLE), (FLAT_MOODLE, BY_MOODLE), (CANVAS, BY_CANVAS)], ids=["moodle", "old moodle", "flat moodle", "canvas"],
)
def test_a_download_of_moodle_or_canvas_is_read_as_it_came(tmp_path, names, due, form):
    # All that one student uploaded comes together under a name that still holds the number; nobody else's work does.
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as pack:
        for name, text in names.items():
            pack.writestr(f"homework 1/{name}" if form == "zip in a folder" else name, text)
    if form == "unpacked":
        zipfile.ZipFile(tmp_path / "class.zip").extractall(tmp_path / "class")
    found = taken(tmp_path / ("class" if form == "unpacked" else "class.zip"))
    assert {name: sorted(file.split("/")[-1] for file in one.files) for name, one in found.items()} == due


@pytest.mark.parametrize("form", ["zip", "unpacked"])
@pytest.mark.parametrize("top", ["Ada_1_assignsubmission_file/work.zip", "lovelaceada_1_22_work.zip", "ada/work.zip", "ada.zip"])
def test_a_zip_that_a_student_uploaded_is_read_inside_of_the_class_too(tmp_path, top, form):
    # Five notebooks come as one zip; a zip within that zip is not opened, so that nothing unfolds without end.
    inner, deeper = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(deeper, "w") as pack:
        pack.writestr("deeper.ipynb", "{}")
    with zipfile.ZipFile(inner, "w") as pack:
        pack.writestr("toy/mean.ipynb", "{}")
        pack.writestr("../gap.ipynb", "{}")
        pack.writestr("deeper.zip", deeper.getvalue())
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as pack:
        pack.writestr(top, inner.getvalue())
    if form == "unpacked":
        zipfile.ZipFile(tmp_path / "class.zip").extractall(tmp_path / "class")
    (one,) = taken(tmp_path / ("class" if form == "unpacked" else "class.zip")).values()
    assert list(one.files) == ["toy/mean.ipynb"] and one.student in ("Ada_1", "lovelaceada_1", "ada")
    assert sum("refused" in note or "not a notebook" in note for note in one.notes) == 2


def test_a_late_upload_is_noted(tmp_path):
    # Canvas writes LATE into the name; the grade stays the instructor's decision.
    (tmp_path / "lovelaceada_LATE_1_22_mean.ipynb").write_text("{}")
    assert taken(tmp_path)["lovelaceada_1"].notes == ["lovelaceada_LATE_1_22_mean.ipynb is marked late"]


def test_two_files_of_one_name_are_both_read(tmp_path):
    # The better one is chosen by what is in it, so neither may take the other's place.
    for number, text in (("22", "{}"), ("23", "[]")):
        (tmp_path / f"lovelaceada_1_{number}_mean.ipynb").write_text(text)
    assert taken(tmp_path)["lovelaceada_1"].files == {"mean.ipynb": b"{}", "again/mean.ipynb": b"[]"}


def test_a_link_with_a_name_of_canvas_is_not_followed(tmp_path):
    # The canary is this test's own file, as above.
    (tmp_path / "canary.ipynb").write_text("canary")
    (tmp_path / "in").mkdir()
    os.symlink(tmp_path / "canary.ipynb", tmp_path / "in" / "lovelaceada_1_22_mean.ipynb")
    assert not taken(tmp_path / "in")["lovelaceada_1"].files


# -- matching --------------------------------------------------------------------------------------------------------


def test_a_renamed_notebook_is_known_by_its_cells(course, kit, release):
    books = kit.answer(course.release("toy"), kit.RIGHT)
    files = {"homework (1).ipynb": nbformat.writes(books["gap"]).encode(), "x.json": nbformat.writes(books["mean"]).encode()}
    ready = submission.normalise(submission.HandIn("anna", files), release)
    assert not ready.problems
    assert cell(ready.notebooks["gap"], "gap").source == kit.RIGHT["gap"]["gap"]


def test_swapped_names_do_not_cost_points(course, kit, release):
    books = kit.answer(course.release("toy"), kit.RIGHT)
    files = {"mean.ipynb": nbformat.writes(books["gap"]).encode(), "gap.ipynb": nbformat.writes(books["mean"]).encode()}
    ready = submission.normalise(submission.HandIn("anna", files), release)
    assert cell(ready.notebooks["gap"], "gap").source == kit.RIGHT["gap"]["gap"]


def test_the_worked_copy_is_taken_not_the_untouched_one(mean, release):
    files = {"mean.ipynb": nbformat.writes(release["mean"]).encode(), "mean-Copy1.ipynb": nbformat.writes(mean).encode()}
    ready = submission.normalise(submission.HandIn("anna", files), release)
    assert "total" in cell(ready.notebooks["mean"], "mean").source
    assert any("mean.ipynb was not graded" in note for note in ready.notes)


@pytest.mark.parametrize(
    "raw",
    [b"", b"  \n", b"{", b"[1, 2]", b"\xff\xfe\x00", b'{"cells": 3}', b"[" * 100_000, b'{"worksheets": 1}', b"null"],
    ids=["empty", "blank", "cut", "list", "binary", "cells", "deep", "old", "null"],
)
def test_an_unreadable_notebook_is_a_status_with_its_reason(raw, release):
    ready = submission.normalise(submission.HandIn("anna", {"mean.ipynb": raw}), release)
    status, reason = ready.problems["mean"]
    assert status == "corrupt notebook" and reason.startswith("mean.ipynb ")


def test_missing_and_none_differ(mean, release):
    files = {"mean.ipynb": nbformat.writes(mean).encode()}
    assert submission.normalise(submission.HandIn("a", files), release).problems["gap"][0] == "missing notebook"
    assert submission.normalise(submission.HandIn("a", {}), release).problems["gap"][0] == "no submission"


def test_an_old_format_is_read(mean, release):
    old = nbformat.v3.nbbase.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(input="a = 1", metadata={})])]
    )
    ready = submission.normalise(submission.HandIn("a", {"mean.ipynb": json.dumps(old).encode()}), release)
    assert any(cell.source == "a = 1" for cell in ready.notebooks["mean"].cells)


# -- mending ---------------------------------------------------------------------------------------------------------


def test_an_honest_notebook_passes_unchanged(mean, release):
    result, notes = mended(mean, release["mean"])
    assert notes == []
    assert [one.source for one in result.cells] == [one.source for one in mean.cells]
    assert [one.id for one in result.cells] == [one.id for one in mean.cells]


def test_mending_twice_is_mending_once(mean, release):
    del mean.cells[3]
    once, _ = mended(mean, release["mean"])
    assert mended(once, release["mean"])[0] == once


def test_deleted_tests_come_back_in_their_place(mean, release):
    mean.cells = [one for one in mean.cells if not one.id.endswith("_test")]
    result, notes = mended(mean, release["mean"])
    assert ids(result) == ids(release["mean"])
    assert len(notes) == 2


def test_a_deleted_answer_cell_does_not_bring_its_stub_back(mean, release):
    # The student wrote the function in a cell of their own: a stub behind it would undo the work.
    answer = cell(mean, "mean")
    place = mean.cells.index(answer)
    mean.cells[place] = nbformat.v4.new_code_cell(answer.source)
    result, notes = mended(mean, release["mean"])
    code = "\n".join(one.source for one in result.cells)
    assert answer.source in code and code.count("def mean") == 1
    assert notes == ["answer cell mean is missing"]
    order = [one.source for one in result.cells]
    assert order.index(answer.source) < order.index(cell(result, "mean_test").source)


def test_retyped_cells_become_again_what_they_were(mean, release):
    for name, make in (("mean", nbformat.v4.new_markdown_cell), ("mean_test", nbformat.v4.new_raw_cell)):
        old = cell(mean, name)
        mean.cells[mean.cells.index(old)] = make(old.source, id=old.id, metadata=old.metadata)
    result, notes = mended(mean, release["mean"])
    assert {cell(result, "mean").cell_type, cell(result, "mean_test").cell_type} == {"code"}
    assert "total" in cell(result, "mean").source and len(notes) == 2


def test_an_edited_test_and_its_points_come_back(mean, release):
    cell(mean, "mean_test").source = "assert True"
    cell(mean, "mean_test").metadata.nbgrader.update(points=99, grade=False, solution=True)
    result, notes = mended(mean, release["mean"])
    assert cell(result, "mean_test") == cell(release["mean"], "mean_test")
    assert notes == ["mean_test had been edited; the released text is back"]


def test_marks_of_cells_cannot_be_forged(mean, release):
    # "skip-execution" on a test cell would leave it without an error, which nbgrader reads as full marks.
    cell(mean, "mean_test").metadata["tags"] = ["skip-execution"]
    own = nbformat.v4.new_code_cell("1", metadata={"tags": ["x"], "nbgrader": {"grade_id": "bonus", "points": 50}})
    mean.cells.append(own)
    result, _ = mended(mean, release["mean"])
    assert "tags" not in cell(result, "mean_test").metadata
    assert result.cells[-1].metadata == {} and result.cells[-1].source == "1"


@pytest.mark.parametrize("schema", [99, None, "3", []])
def test_a_strange_schema_is_replaced(mean, release, schema):
    # Stock nbgrader ends the whole batch on these.
    cell(mean, "mean_test").metadata.nbgrader["schema_version"] = schema
    result, _ = mended(mean, release["mean"])
    assert cell(result, "mean_test").metadata.nbgrader.schema_version == 3


def test_of_doubled_answers_the_last_worked_one_counts_and_stubs_go(mean, release):
    stub = cell(release["mean"], "mean")
    place = mean.cells.index(cell(mean, "mean"))
    mean.cells.insert(place + 1, nbformat.from_dict(dict(stub, id="copy")))
    result, notes = mended(mean, release["mean"])
    assert "total" in cell(result, "mean").source
    assert sum("NotImplementedError" in one.source for one in result.cells) == 0
    assert notes == ["mean was there 2 times"]


def test_moved_tests_go_back_behind_their_answers(mean, release):
    mean.cells.insert(0, mean.cells.pop(3))
    result, notes = mended(mean, release["mean"])
    assert ids(result) == ids(release["mean"])
    assert any("order" in note for note in notes)


def test_own_cells_stay_behind_the_cell_they_stood_behind(mean, release):
    helper = nbformat.v4.new_code_cell("def helper(): return 1")
    mean.cells.insert(2, helper)
    result, notes = mended(mean, release["mean"])
    assert [one.source for one in result.cells].index(helper.source) == 2 and not notes


def test_a_lost_mark_is_found_again_by_the_cells_id(mean, release):
    essay = cell(mean, "essay")
    essay.metadata = {}
    result, notes = mended(mean, release["mean"])
    assert cell(result, "essay").source == essay.source
    assert notes == ["essay had lost its mark; it has it again"]


def test_a_deleted_essay_waits_for_a_person(mean, release):
    mean.cells = [one for one in mean.cells if one.id != "essay"]
    result, notes = mended(mean, release["mean"])
    assert "deleted" in cell(result, "essay").source and "essay" in notes[0]


def test_the_kernel_is_that_of_the_release(mean, release):
    mean.metadata = {"kernelspec": {"name": "julia-1.9"}, "widgets": {"state": 1}}
    result, _ = mended(mean, release["mean"])
    assert result.metadata == release["mean"].metadata


def test_odd_fields_never_raise(release):
    odd = [7, None, {}, {"cell_type": [], "source": 3, "metadata": [], "id": {}}, {"source": ["a", 1]}, {"source": "\ud800"},
           {"metadata": {"nbgrader": {"grade_id": ["mean"]}}}, {"cell_type": "markdown", "attachments": {"a": 1}},
           {"cell_type": "code", "id": "mean", "source": "x", "metadata": {"nbgrader": 1}}]  # fmt: skip
    result, _ = mend.mend(mend.cells({"cells": odd}), release["mean"])
    nbformat.validate(result)
    nbformat.writes(result).encode("utf-8")


def test_outputs_do_not_count_for_the_hash(mean, release):
    plain = submission.normalise(submission.HandIn("a", {"mean.ipynb": nbformat.writes(mean).encode()}), release)
    mean.cells[1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    ran = submission.normalise(submission.HandIn("a", {"mean.ipynb": nbformat.writes(mean).encode()}), release)
    assert plain.digest() == ran.digest()


def test_pictures_in_an_essay_are_kept(mean, release):
    cell(mean, "essay")["attachments"] = {"a.png": {"image/png": "aGk="}, "b": {"text/html": "<script>"}}
    result, _ = mended(mean, release["mean"])
    assert cell(result, "essay")["attachments"] == {"a.png": {"image/png": "aGk="}}
