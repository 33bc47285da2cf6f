"""Grades for a learning-management system: the points of ``grades.csv`` beside the names and numbers of the CSV that the system gave.

Canvas takes its gradebook's export back, Moodle an assignment's grading worksheet. What is written holds the columns that say who
somebody is and the one grade, so that nothing else is changed when it is read; who has no points in it keeps what is there.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import lms
from .course import GradingError
from .grades import plain_text

_HIDDEN = "participant"  # Moodle's word for everybody when names are hidden


@dataclass(frozen=True)
class Exported:
    """What was written, and whom to look at.

    `aside` maps students who are not in the file to the reason, `waiting` names those with written answers that nobody
    has graded yet, `silent` those of the roster who have no points.
    """

    path: Path
    written: int
    aside: dict
    waiting: list
    silent: list


@dataclass(frozen=True)
class _Sheet:
    """A roster, read: which columns are kept, which one takes the points, which rows stand above the people."""

    header: list
    kept: list
    grade: int
    top: list
    people: list
    maximum: float | None
    delimiter: str


@dataclass(frozen=True)
class _Person:
    """One person of a roster; `ids` are other names that a system knows the person by, and `locked` keeps the grade as it is."""

    row: list
    number: str
    name: str
    ids: frozenset
    locked: bool = False


def export(course, exercise, system, roster, *, column=None, scale=False):
    """Write the points of one exercise as a system's gradebook takes them.

    Parameters
    ----------
    course : Course
        Graded: its ``grades.csv`` is read.
    exercise : str
    system : {"canvas", "moodle"}
    roster : path
        Canvas's gradebook export, or Moodle's grading worksheet of the assignment.
    column : str, optional
        Canvas's column for the assignment; by default the one that has the exercise's name.
    scale : bool
        Whether to stretch the points to the system's maximum where that is another.

    Returns
    -------
    Exported
    """
    course.check(exercise)
    rows = _graded(course.build / "grades.csv", exercise)
    sheet = _canvas(*_read(roster), column or exercise) if system == "canvas" else _moodle(*_read(roster))
    factor = _factor(rows, sheet, exercise, scale)
    found, aside = _match(rows, sheet.people)
    target = course.build / f"{system}-{exercise}.csv"
    lines = [sheet.header, *sheet.top]
    for student, person in found.items():
        line = list(person.row)
        line[sheet.grade] = _number(factor * (float(rows[student]["score"]) + float(rows[student]["written_score"])))
        lines.append(line)
    with open(target, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=sheet.delimiter)
        writer.writerows([_safe(line[place]) for place in sheet.kept] for line in lines)
    waiting = [student for student in found if float(rows[student]["written_waiting"])]
    taken = {id(person) for person in found.values()}
    silent = [person.name or person.number for person in sheet.people if id(person) not in taken]
    return Exported(target, len(found), aside, waiting, silent)


def _graded(path, exercise):
    """Rows of ``grades.csv`` of one exercise, by student."""
    rows = {}
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            rows = {row["student"]: row for row in csv.DictReader(file) if row["exercise"] == exercise}
    if not rows:
        raise GradingError(f"an export needs grades, and {path} has none of {exercise}. Run `mlmon grade {exercise}` first.")
    return rows


def _read(path):
    """Header, rows and delimiter of a CSV, with a comma or a semicolon and with or without a byte-order mark."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GradingError(f"an export needs the CSV that the system gave, in UTF-8, and {path} is none: {error}. Download it again.") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    header, *rows = list(csv.reader(io.StringIO(text), delimiter=delimiter)) or [[]]
    return header, [row + [""] * (len(header) - len(row)) for row in rows if any(row)], delimiter


def _canvas(header, rows, delimiter, column):
    """Canvas's gradebook: names, ID and others up to Section, then a column an assignment; rows without an ID say what holds for all."""
    if "ID" not in header or "Section" not in header:
        raise GradingError(f"Canvas's gradebook export has the columns Student, ID and Section, got {header[:6]}. In Canvas: Grades, Export.")
    number, section = header.index("ID"), header.index("Section")
    top, people = [row for row in rows if not row[number]], [row for row in rows if row[number]]
    points = next((row for row in top if "Points Possible" in row[0]), [""] * len(header))
    choice = [place for place in range(section + 1, len(header)) if "read only" not in points[place]]
    titles = {place: {header[place].casefold(), re.sub(r" \(\d+\)$", "", header[place]).casefold()} for place in choice}
    grades = [place for place in choice if column.casefold() in titles[place]]
    if len(grades) != 1:
        names = ", ".join(repr(header[place]) for place in choice) or "none"
        raise GradingError(f"the export needs one column of the gradebook for the points, and {column!r} is not one. Pass --column with one of: {names}.")
    kept = [*range(section + 1), *grades]
    known = [place for place in range(section) if header[place] in ("SIS User ID", "SIS Login ID", "Integration ID")]
    people = [
        _Person(row, row[number], " ".join(row[:number]), _ids(row, [number, *known]), row[grades[0]] in ("EX", "N/A")) for row in people
    ]  # fmt: skip
    return _Sheet(header, kept, grades[0], [row for row in top if row[grades[0]]], people, _float(points[grades[0]]), delimiter)


def _moodle(header, rows, delimiter):
    """Moodle's grading worksheet: Identifier, names and others up to Status, then Grade; comments are left where they are."""
    needed = ("Identifier", "Grade", "Last modified (grade)")
    if lacking := [name for name in needed if name not in header]:
        raise GradingError(
            f"Moodle's grading worksheet has the columns {', '.join(needed)}, and {', '.join(lacking)} is not there. In the assignment: "
            "Grading action, Download grading worksheet, with Moodle set to English."
        )
    who = range(header.index("Status") if "Status" in header else header.index("Grade"))
    grade, changed = header.index("Grade"), header.index(needed[2])
    lower = [name.casefold() for name in header]
    maximum, open_, name = (lower.index(word) if word in lower else None for word in ("maximum grade", "grade can be changed", "full name"))
    if "scale" in lower:
        raise GradingError("the worksheet grades by a scale, and points are no words of it. Set the assignment's grade type to Point.")
    people = [
        _Person(
            row, re.sub(r"^\D*", "", row[header.index("Identifier")]), "" if name is None else row[name],
            _ids(row, [place for place in who if place != name]), open_ is not None and row[open_].casefold() == "no",
        )
        for row in rows
    ]  # fmt: skip
    kept = [*who, grade, *([] if maximum is None else [maximum]), changed]
    return _Sheet(header, kept, grade, [], people, _float(rows[0][maximum]) if rows and maximum is not None else None, delimiter)


def _ids(row, places):
    return frozenset(row[place].casefold() for place in places if row[place])


def _float(text):
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _factor(rows, sheet, exercise, scale):
    """What to multiply points by; refuses a maximum that is another unless that is asked for."""
    ours = max(float(row["max_score"]) + float(row["written_max_score"]) for row in rows.values())
    if sheet.maximum is None or sheet.maximum == ours:
        return 1.0
    if not scale:
        raise GradingError(
            f"{exercise} has {ours:g} points, and the roster says {sheet.maximum:g} at most. Set the assignment's maximum to {ours:g} there "
            "and download again, or pass --scale to stretch the points."
        )
    return sheet.maximum / ours


def _match(rows, people):
    """The person of each student, and why the others have none."""
    found, aside = {}, {}
    for student in rows:
        person, reason = _person(student, people)
        if rows[student]["status"] == "failed":
            reason = "the grader failed on it: grade again"
        elif person and person.locked:
            reason = "locked, excused or not assigned there"
        if reason:
            aside[student] = reason
        else:
            found[student] = person
    shared = Counter(map(id, found.values()))
    for student in [student for student, person in found.items() if shared[id(person)] > 1]:
        aside[student] = f"more than one hand-in is {found.pop(student).name}'s there"
    return found, aside


def _person(student, people):
    """The one person that a student's name means, or None and the reason.

    A number decides only where the name does not speak against it, so that numbers of another system or course hit nobody.
    """
    name, number = lms.numbered(student)
    for one in people:
        if number and one.number == number:
            agrees = not one.name or _letters(name) in (_letters(one.name), _letters(_HIDDEN))
            return (one, "") if agrees else (None, f"number {number} is {one.name} there")
    same = [one for one in people if student.casefold() in one.ids or (one.name and _letters(student) == _letters(one.name))]
    if len(same) == 1:
        return same[0], ""
    return None, "several there have this name" if same else "nobody there has this number, login or name"


def _letters(name):
    """Letters and digits of a name in alphabetical order, since systems write "Ada Lovelace", "Lovelace, Ada" and "lovelaceada".

    Examples
    --------
    >>> _letters("Lovelace, Ada") == _letters("lovelaceada") == _letters("Ada Lovelace") != _letters("Ada Love")
    True
    """
    return sorted(re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", name).casefold()))


def _number(points):
    """Points with two digits at most.

    Examples
    --------
    >>> _number(17.0), _number(2.5), _number(10 / 3), _number(100)
    ('17', '2.5', '3.33', '100')
    """
    return f"{points:.2f}".rstrip("0").rstrip(".")


def _safe(cell):
    """A cell that a spreadsheet does not compute; numbers and Moodle's dash for "never" stay."""
    return cell if cell == "-" or _float(cell) is not None else plain_text(cell)
