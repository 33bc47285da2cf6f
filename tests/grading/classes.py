"""Classes of made hand-ins. What each one is due is known from how it was built, not from a grader.

A hand-in puts answers of ``submissions/<exercise>`` into the released notebooks, several in one notebook where they
neither share a cell nor lose the same test: then what they lose adds up. A later exercise joins by its folder there.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timezone

import nbformat
import numpy as np

from mlmon.grading import release
from tests.grading import conftest as kit

EXERCISES = sorted(path.name for path in kit.ANSWERS.iterdir() if path.is_dir())
LATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
NAMES = ["anna", "Ünal, Ayşe", "O'Neil", "李 小龙", 'say "hi"', "<i>kim<i>", "e-mail@x.org", "tab & co", "zoë"]


@dataclass
class Member:
    """One student of a made class.

    `due` maps automatic parts to points, `told` is what the row has to say among its notes, reasons and tampering.
    """

    student: str
    kind: str
    books: dict
    due: dict
    status: str = "graded"
    told: str = ""


def make_class(course, exercise, n, seed, folder=None):
    """Write a class of hand-ins, every kind among them.

    Parameters
    ----------
    course : Course
        The exercise is released in it.
    exercise : str
        One with answers under ``submissions/``.
    n : int
    seed : int
    folder : path, optional
        Where the students' folders go; by default ``in`` under the course's root.

    Returns
    -------
    list of Member
    """
    rng, shelf = np.random.default_rng(seed), Shelf(course, exercise)
    names = list(KINDS)
    shares = np.array([share for share, _ in KINDS.values()], dtype=float)
    drawn = [names[i] for i in rng.choice(len(names), size=max(0, n - len(names)), p=shares / shares.sum())]
    members = []
    for number, kind in enumerate(rng.permutation([*names, *drawn][:n])):
        student = f"{NAMES[rng.integers(len(NAMES))]} {number:03d}"
        quality = {"right": "right", "wrong": "wrong"}.get(kind, "partly")
        member = Member(student, str(kind), *shelf.work(rng, quality))
        place = (folder or course.root / "in") / student
        KINDS[kind][1](member, place, rng)
        members.append(member)
    return members


def leave_out(course, exercise, books):
    """Take notebooks out of an exercise, where a class need not have them all."""
    for folder in (course.solution(exercise), course.release(exercise)):
        for book in books:
            (folder / f"{book}.ipynb").unlink(missing_ok=True)


class Shelf:
    """The answers of an exercise, by notebook, and ways to put several of them into one."""

    def __init__(self, course, exercise):
        self.released = course.release(exercise)
        self.reference = _reference(course.solution(exercise))
        self.parts = [part for part in release.parts(self.released) if part.automatic]
        self.answers = {kind: kit.read_answers(exercise, kind) for kind in ("right", "wrong")}

    def work(self, rng, quality):
        """All notebooks of a student who is ``right``, ``partly`` right or ``wrong``, and the points due."""
        due = {part.name: part.points for part in self.parts}
        sources = {}
        for book, answers in self.reference.items():
            if quality == "partly" and rng.random() < 0.1:
                due.update({name: 0 for name in due if name.startswith(f"{book}:")})
                continue
            sources[book] = dict(answers)
            for one in self.mixture(book, rng, quality):
                sources[book].update({cell: source.strip() for cell, source in one.cells[book].items()})
                for test, points in one.loses.get(book, {}).items():
                    due[f"{book}:{test}"] -= points
        books = kit.answer(self.released, sources)
        return {name: kit.without_demonstrations(book) for name, book in books.items()}, due

    def mixture(self, book, rng, quality):
        """Answers for one notebook of which no two share a cell or lose the same test."""
        kinds = {"right": ["right"], "wrong": ["wrong"], "partly": ["right", "wrong"]}[quality]
        choice = [one for kind in kinds for one in self.answers[kind] if book in one.cells]
        chosen, cells, tests = [], set(), set()
        for one in (choice[i] for i in rng.permutation(len(choice))[: 12 if quality == "wrong" else 3]):
            if cells.isdisjoint(one.cells[book]) and tests.isdisjoint(one.loses.get(book, {})):
                chosen.append(one)
                cells |= set(one.cells[book])
                tests |= set(one.loses.get(book, {}))
        return chosen


def _reference(folder):
    """The instructor's answers: ``{notebook: {grade_id: source}}``."""
    return {
        name: {cell.metadata.nbgrader.grade_id: _bare(cell.source) for cell in book.cells if _is_answer(cell)}
        for name, book in release.notebooks(folder).items()
    }


def _is_answer(cell):
    return cell.metadata.get("nbgrader", {}).get("solution", False)


def _bare(source):
    return "\n".join(line for line in source.split("\n") if not line.strip().startswith("### "))


# -- kinds of students: each writes the hand-in, and says what becomes of it -----------------------------------------


def _plain(member, place, rng):
    kit.hand_in(place.parent, member.student, member.books)


def _late(member, place, rng):
    _plain(member, place, rng)
    for path in place.iterdir():
        os.utime(path, (LATE.timestamp(), LATE.timestamp()))


def _renamed(member, place, rng):
    names = list(member.books)
    shape = rng.integers(3)
    if shape == 0:  # each notebook under the name of the next
        books = dict(zip(names[1:] + names[:1], member.books.values(), strict=True))
    else:
        books = {f"My {name} (1)": book for name, book in member.books.items()}
    kit.hand_in(place.parent if shape < 2 else place, member.student if shape < 2 else "downloads", books)
    if shape == 2:
        shutil.make_archive(place / "homework", "zip", place / "downloads")
        shutil.rmtree(place / "downloads")
    member.told = "was taken for"


def _lose(member, book):
    member.due.update({name: 0 for name in member.due if name.startswith(f"{book}:")})


def _missing(member, place, rng):
    _plain(member, place, rng)
    gone = list(member.books)[rng.integers(len(member.books))]
    (place / f"{gone}.ipynb").unlink()
    _lose(member, gone)
    member.status = "missing notebook"


def _corrupt(member, place, rng):
    _plain(member, place, rng)
    broken = list(member.books)[rng.integers(len(member.books))]
    path = place / f"{broken}.ipynb"
    raw = path.read_bytes()
    path.write_bytes([raw[: len(raw) // 2], b"", b"\xff\xfe\x00" + raw, b"[" * 100_000, b"[1, 2]"][rng.integers(5)])
    _lose(member, broken)
    member.status = "corrupt notebook"


def _nothing(member, place, rng):
    place.mkdir(parents=True)
    for book in member.books:
        _lose(member, book)
    member.status = "no submission"


def _hostile(member, place, rng):
    """One attack beside the student's own work, which keeps its points."""
    book = member.books[list(member.books)[rng.integers(len(member.books))]]
    attack = ATTACKS[rng.integers(len(ATTACKS))]
    member.status, member.told = attack(book) or ("graded", "")
    _plain(member, place, rng)


KINDS = {  # share of a class, and how the hand-in is written
    "right": (20, _plain),
    "partly": (35, _plain),
    "wrong": (10, _plain),
    "late": (6, _late),
    "renamed": (6, _renamed),
    "missing": (6, _missing),
    "corrupt": (6, _corrupt),
    "nothing": (2, _nothing),
    "hostile": (9, _hostile),
}


# -- attacks on a notebook: each gives the row's status and what it has to say ---------------------------------------


def _add(book, source, place=None):
    book.cells.insert(len(book.cells) if place is None else place, nbformat.v4.new_code_cell(source))


def _tests(book):
    return [cell for cell in book.cells if cell.metadata.get("nbgrader", {}).get("grade") and not _is_answer(cell)]


def _dies(book):
    _add(book, "import os\nos._exit(1)")
    return "crashed", "ended the Python process"


def _runs_on(book):
    _add(book, "import time\nwhile True:\n    time.sleep(0.1)")  # idle, for the sake of the others; `attacks` has loops that work
    return "timed out", "took too long"


def _leaves_processes(book):
    _add(book, "import subprocess\nlast = subprocess.Popen(['sleep', '600'], start_new_session=True)")


def _strips_asserts(book):
    _add(book, "import ast\nclass Strip(ast.NodeTransformer):\n    def visit_Assert(self, node):\n        return ast.Pass()\n"
               "get_ipython().ast_transformers.append(Strip())", 0)  # fmt: skip
    return "graded", "ast_transformers"


def _edits_tests(book):
    for cell in _tests(book):
        cell.source = "assert True"
        cell.metadata.nbgrader.update(points=99, grade=False, solution=True)
    return "graded", "had been edited"


def _deletes_tests(book):
    gone = _tests(book)
    book.cells = [cell for cell in book.cells if cell not in gone]
    return "graded", "was missing"


def _strange_schema(book):
    for cell in _tests(book):
        cell.metadata.nbgrader["schema_version"] = 99


def _doubles_cells(book):
    book.cells += [nbformat.from_dict({**cell, "id": f"again-{number}"}) for number, cell in enumerate(_tests(book))]
    return "graded", "was there 2 times"


def _shows_a_script(book):
    _add(book, "from IPython.display import HTML\nHTML('<script>alert(1)</script>')")


ATTACKS = [_dies, _runs_on, _leaves_processes, _strips_asserts, _edits_tests, _deletes_tests, _strange_schema,
           _doubles_cells, _shows_a_script]  # fmt: skip


# -- what has to come out --------------------------------------------------------------------------------------------


def expected(member):
    """Points, status, and that the row tells what it has to tell."""
    return member.due, member.status, True


def said(member, row):
    """The same of a row of grades.csv."""
    told = " ".join(row[column] for column in ("reason", "notes", "tampering"))
    return kit.points(row, member.due), row["status"], member.told in told
