"""Mend one notebook from its release: what was locked comes back, what the student wrote stays."""

import copy
import json
import re
from dataclasses import dataclass, field, replace

import nbformat

MOST_CELLS = 2_000
LONGEST = 1_000_000  # characters of one cell
_PICTURES = ("image/png", "image/jpeg")
_VALID_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


class Unreadable(ValueError):
    """A file that is no notebook; the message completes a sentence that starts with its name."""


@dataclass(frozen=True)
class Cell:
    """What counts of a student's cell."""

    kind: str
    source: str
    grade_id: str = ""
    id: str = ""
    attachments: dict = field(default_factory=dict)


def parse(raw):
    """Read the bytes of a notebook of any format.

    Parameters
    ----------
    raw : bytes

    Returns
    -------
    dict
        With a list under ``cells``.

    Raises
    ------
    Unreadable
        With what is wrong with the file.

    Examples
    --------
    >>> parse(b"")
    Traceback (most recent call last):
    mlmon.grading.mend.Unreadable: is empty
    """
    if not raw.strip():
        raise Unreadable("is empty")
    try:
        data = json.loads(raw)
    except RecursionError:
        raise Unreadable("is nested too deep for a notebook") from None
    except UnicodeDecodeError:
        raise Unreadable("is not text") from None
    except ValueError as error:
        raise Unreadable(f"is not JSON: {str(error)[:80]}; it begins with {raw[:30].decode(errors='replace')!r}") from None
    if isinstance(data, dict) and "worksheets" in data:
        data = _upgrade(data)
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise Unreadable("is JSON, but no notebook: it has no cells")
    return data


def _upgrade(data):
    try:
        return nbformat.convert(nbformat.from_dict(data), 4)
    except Exception as error:  # nbformat lets many kinds of errors through here
        raise Unreadable(f"has an old format that could not be read: {str(error)[:80]}") from None


def cells(data):
    """List the cells of a parsed notebook, however odd their fields.

    Parameters
    ----------
    data : dict

    Returns
    -------
    list of Cell

    Examples
    --------
    >>> cells({"cells": [{"cell_type": "code", "source": ["a = 1\\n", "b = 2"]}, 7]})
    [Cell(kind='code', source='a = 1\\nb = 2', grade_id='', id='', attachments={})]
    """
    return [_cell(cell) for cell in data["cells"][:MOST_CELLS] if isinstance(cell, dict)]


def _cell(cell):
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    source = source if isinstance(source, str) else ""
    mark = _dict(_dict(cell.get("metadata")).get("nbgrader"))
    return Cell(
        cell["cell_type"] if cell.get("cell_type") in ("code", "markdown") else "raw",
        source[:LONGEST].encode("utf-8", "replace").decode(),
        _text(mark.get("grade_id")),
        _text(cell.get("id")),
        {name: bundle for name, bundle in _dict(cell.get("attachments")).items() if _is_picture(bundle)},
    )


def _dict(value):
    return value if isinstance(value, dict) else {}


def _text(value):
    return value if isinstance(value, str) else ""


def _is_picture(bundle):
    return isinstance(bundle, dict) and all(
        kind in _PICTURES and isinstance(data, str) and len(data) < 8_000_000 for kind, data in bundle.items()
    )


def _mark(cell):
    return cell.metadata.get("nbgrader", {})


def _grade_id(cell):
    return _mark(cell).get("grade_id", "")


def _is_locked(cell):
    """Cells that the student must not change: tests, given code, tasks."""
    mark = _mark(cell)
    return bool(mark) and not mark.get("solution") and bool(mark.get("grade") or mark.get("locked") or mark.get("task"))


def _is_essay(cell):
    return bool(_mark(cell).get("grade") and _mark(cell).get("solution"))


def overlap(found, release):
    """Share of the release's own cells that a student's notebook still has, by their ids.

    Parameters
    ----------
    found : list of Cell
    release : NotebookNode

    Returns
    -------
    float
    """
    ours = {_grade_id(cell) for cell in release.cells} - {""}
    theirs = {cell.grade_id for cell in found}
    if ours and theirs - {""}:
        return len(ours & theirs) / len(ours)
    ours = {cell.id for cell in release.cells}
    return len(ours & {cell.id for cell in found}) / max(1, len(ours))


def worked(found, release):
    """Whether a student's notebook has anything that the release has not."""
    known = {cell.source for cell in release.cells}
    return any(cell.source.strip() and cell.source not in known for cell in found)


def mend(found, release):
    """Put a student's notebook back into the shape that was released.

    Cells of the release keep their order. Locked cells get their source, kind and metadata back, also
    when they were deleted; answers keep their text and get their kind and metadata back; the student's
    own cells stay behind the cell that they stood behind.

    Parameters
    ----------
    found : list of Cell
        The student's cells.
    release : NotebookNode
        The released notebook.

    Returns
    -------
    notebook : NotebookNode
    notes : list of str
        What was mended, in words for the instructor.
    """
    notes = []
    places = _drop_doubles(found, _places(found, release), release, notes)
    groups = _groups(found, places)
    order = [place for place, _ in groups if place is not None]
    if order != sorted(order):
        notes.append("cells were moved; the order of the release was restored")
    behind = dict(groups)
    result = [_own(cell, number) for number, cell in enumerate(behind.get(None, []))]
    for place, cell in enumerate(release.cells):
        own = behind.get(place, [])
        mended = _restore(cell, own, notes) if place not in behind else _keep(cell, own.pop(0), notes)
        result += [mended] if mended is not None else []
        result += [_own(extra, len(result) + number) for number, extra in enumerate(own)]
    return _notebook(result, release), notes


def _places(found, release):
    """For each student's cell, the index of the release's cell that it is, or None."""
    by_grade = {_grade_id(cell): index for index, cell in enumerate(release.cells) if _grade_id(cell)}
    by_id = {cell.id: index for index, cell in enumerate(release.cells)}
    by_text = {cell.source: index for index, cell in enumerate(release.cells) if cell.source.strip()}
    places, free = [], set(range(len(release.cells)))
    free -= {by_grade[cell.grade_id] for cell in found if cell.grade_id in by_grade}
    for cell in found:
        place = by_grade.get(cell.grade_id)
        for index in (by_id.get(cell.id), by_text.get(cell.source)):
            if place is None and index in free:
                place = index
                free.discard(index)
        places.append(place)
    return places


def _drop_doubles(found, places, release, notes):
    """Let each cell of the release be claimed once; -1 marks copies that are left out."""
    places = list(places)
    for place in sorted({place for place in places if place is not None}):
        claims = [index for index, claim in enumerate(places) if claim == place]
        if len(claims) == 1:
            continue
        cell = release.cells[place]
        notes.append(f"{_grade_id(cell)} was there {len(claims)} times")
        answers = [index for index in claims if found[index].source not in ("", cell.source)]
        keeper = claims[0] if _is_locked(cell) or not answers else answers[-1]
        for index in claims:
            if index != keeper:
                places[index] = None if index in answers and not _is_locked(cell) else -1
    return places


def _groups(found, places):
    """Cut the student's cells before each cell of the release: pairs of its place and the cells."""
    groups = [(None, [])]
    for cell, place in zip(found, places, strict=True):
        if place == -1:
            continue
        if place is None:
            groups[-1][1].append(cell)
        else:
            groups.append((place, [cell]))
    return groups


def _keep(cell, theirs, notes):
    """A cell of the release with the student's answer in it, if it has room for one."""
    mended = copy.deepcopy(cell)
    name = _grade_id(cell)
    if name and theirs.kind != cell.cell_type:
        notes.append(f"{name} had become a {theirs.kind} cell; it is a {cell.cell_type} cell again")
    if _is_locked(cell):
        if theirs.source.strip() != cell.source.strip():
            notes.append(f"{name} had been edited; the released text is back")
        return mended
    if name and theirs.grade_id != name:
        notes.append(f"{name} had lost its mark; it has it again")
    kind = cell.cell_type if name else theirs.kind
    return _fill(mended if kind == cell.cell_type else _new(kind, cell.id), theirs)


def _fill(cell, theirs):
    cell.source = theirs.source
    if theirs.attachments and cell.cell_type == "markdown":
        cell["attachments"] = nbformat.from_dict(theirs.attachments)
    return cell


def _restore(cell, own, notes):
    """What stands for a cell of the release that is not in the student's notebook."""
    name = _grade_id(cell)
    if not name:
        return None
    if _is_locked(cell):
        notes.append(f"{name} was missing; it is back")
        return copy.deepcopy(cell)
    if not _is_essay(cell):
        notes.append(f"answer cell {name} is missing")
        return None
    mended = copy.deepcopy(cell)
    mended.source = "*The cell of this answer was deleted. Look for the answer in the cells around it.*"
    notes.append(f"written answer {name} is missing; look for it in the cells around it")
    return mended


def _own(cell, number):
    """A cell that the student added: its text and nothing else."""
    return _fill(_new(cell.kind, f"own-{number}"), replace(cell, id=""))


def _new(kind, id):
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    return make.get(kind, nbformat.v4.new_raw_cell)("", id=id)


def _notebook(result, release):
    """A notebook with the release's metadata, its kernel among them, no outputs, and each id once."""
    seen = set()
    for number, cell in enumerate(result):
        if cell.id in seen or not _VALID_ID.match(cell.id):
            cell["id"] = f"cell-{number}"
        seen.add(cell.id)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.v4.new_notebook(cells=result, metadata=copy.deepcopy(release.metadata), nbformat_minor=5)
