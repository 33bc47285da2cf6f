"""Hostile hand-ins, one class of them with honest classmates: none earns, reads, harms or leaves anything.

The attacks themselves are in ``attacks.py``; what they are after are canaries that this test makes.
"""

import contextlib
import hashlib
import os
import re
import socket
import sqlite3
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from mlmon.grading import autograde, release

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grading import attacks  # noqa: E402

HONEST = [f"honest {number:02d}" for number in range(4)]
BY_NAME = {attack.name: attack for attack in attacks.ATTACKS}
MARK = f"{7000 + os.getpid() % 1000}.{time.time_ns() % 10**6:06d}"
CANARY = f"CANARY-{time.time_ns()}"
os.environ["CANARY_TOKEN"] = CANARY  # before any grader starts: its workers keep the environment of then


def notebooks(kit):
    """The toy exercise, with tests that use a library, a callback, a file and an iterator behind those of `gap`."""
    toy = kit.toy_notebooks()
    toy["gap"].cells += [
        kit.code_cell("import numpy as np\nimport pandas as pd", "given_more", locked=True),
        kit.code_cell("def spread(x):\n    ### BEGIN SOLUTION\n    return float(np.std(x))\n    ### END SOLUTION", "spread", solution=True),
        kit.graded_cell("assert np.isclose(spread([1, 2, 3]), np.std([1, 2, 3]))\n### BEGIN HIDDEN TESTS\n"
                        "assert abs(spread([4, 4])) <= 1e-9\n### END HIDDEN TESTS", "spread_test", 2),
        kit.code_cell("def twice(f, x):\n    ### BEGIN SOLUTION\n    return f(f(x))\n    ### END SOLUTION", "twice", solution=True),
        kit.graded_cell("assert twice(lambda v: v + 1, 1) == 3\n### BEGIN HIDDEN TESTS\nhidden_step = 17\n"
                        "assert twice(lambda v: v * hidden_step, 2) == 578\n### END HIDDEN TESTS", "twice_test", 1),
        kit.code_cell("def save(path):\n    ### BEGIN SOLUTION\n    open(path, 'w').write('42')\n    return path\n    ### END SOLUTION", "save", solution=True),
        kit.graded_cell("from mlmon.grading import checks\nassert checks.read_text(save('out.txt'), 'save(path)') == '42'", "save_test", 1),
        kit.code_cell("def steps(n):\n    ### BEGIN SOLUTION\n    yield from range(n)\n    ### END SOLUTION", "steps", solution=True),
        kit.graded_cell("assert list(steps(3)) == [0, 1, 2]", "steps_test", 1),
    ]  # fmt: skip
    return toy


FULL = {"gap:spread_test": 2, "gap:twice_test": 1, "gap:save_test": 1, "gap:steps_test": 1}
MORE = {
    "spread": "def spread(x):\n    return float(np.sqrt(np.mean((np.array(x) - np.mean(x)) ** 2)))",
    "twice": "def twice(f, x):\n    once = f(x)\n    return f(once)",
    "save": "from pathlib import Path\n\ndef save(path):\n    Path(path).write_text('42')\n    return path",
    "steps": "def steps(n):\n    return list(range(n))",
}


class Listener:
    """A server that the test runs as a canary: whoever reaches it is remembered."""

    def __init__(self, family, address):
        self.reached, self.socket = [], socket.socket(family)
        self.socket.bind(address)
        self.socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.reached.append(self.socket.accept())


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Three servers: on the loopback, at an abstract name, at a path of the course."""
    root = tmp_path_factory.mktemp("attacked")
    made = {
        "port": Listener(socket.AF_INET, ("127.0.0.1", 0)),
        "socket": Listener(socket.AF_UNIX, f"\0line-{MARK}"),
        "path": Listener(socket.AF_UNIX, str(root / "line")),
    }
    yield root, made
    for line in made.values():
        line.socket.close()


def contents(*folders):
    """Hash of every file of some folders, links not followed."""
    paths = [path for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file() and not path.is_symlink()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def course(lines, kit):
    """The class, graded once; what it must not touch is hashed before."""
    root, made = lines
    course = kit.make_course(root, notebooks(kit))
    release.release(course, "toy")
    (root / "canary.txt").write_text(CANARY)
    right = {**kit.RIGHT, "gap": {**kit.RIGHT["gap"], **MORE}}
    known = {"root": root, "port": made["port"].socket.getsockname()[1], "socket": f"line-{MARK}", "mark": MARK}
    plain = [attacks.Attack(name) for name in HONEST]
    for attack in [*plain, *attacks.ATTACKS]:
        attacks.write(root / "in", attack, right, lambda sources: kit.answer(course.release("toy"), sources), known)
    course.config.Execute.timeout = 3
    course.config.RunSubmission.budget = 40.0
    kept = contents(root / "in", root / "solutions", root / "exercises")
    autograde.grade(course, "toy", root / "in", workers=3, check=False, progress=False)
    return course, kept


@pytest.fixture(scope="module")
def rows(course, kit):
    """By the folder handed in; a name that a spreadsheet would compute may have lost its first sign."""
    found = kit.read_grades(course[0])
    return {name: found.get(name) or found["_" + name[1:]] for name in (*HONEST, *BY_NAME)}


@pytest.mark.parametrize("name", [*HONEST, *BY_NAME])
def test_an_attack_earns_what_is_honestly_due_and_a_classmate_keeps_the_full_mark(name, rows, kit):
    attack, row = BY_NAME.get(name, attacks.Attack(name)), rows[name]
    due = {part: most - attack.lost.get(part, 0) for part, most in {**kit.FULL, **FULL}.items()}
    assert kit.points(row, due) == due
    assert row["status"] in attack.status.split("|")


@pytest.mark.parametrize("name", [name for name, attack in BY_NAME.items() if attack.told])
def test_an_attack_that_can_be_known_is_reported(name, rows):
    told = " ".join(rows[name][column] for column in ("tampering", "notes", "reason"))
    assert re.search(BY_NAME[name].told, told)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_classmate_is_accused_of_nothing(name, rows):
    assert (rows[name]["tampering"], rows[name]["notes"], rows[name]["sandbox"]) == ("", "", "bubblewrap")


@pytest.mark.parametrize("name", [*BY_NAME])
def test_nobody_gets_what_is_not_theirs(name, course):
    # Each attack prints the word when it got hold of anything: a canary, a hidden test, a way out.
    for path in course[0].autograded(name, "toy").glob("*.ipynb"):
        shown = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
        assert attacks.LOOT not in str(shown) and CANARY not in str(shown)


def test_no_file_outside_of_a_session_is_touched(course):
    course, kept = course
    assert contents(course.root / "in", course.root / "solutions", course.root / "exercises") == kept
    assert (course.root / "canary.txt").read_text() == CANARY
    strange = [name for name in ("reduced", "module-ran", "slipped.ipynb") if list(course.root.rglob(name))]
    assert strange == [] and not list(course.root.parent.glob("slipped*"))
    assert not Path(f"/tmp/slipped-{os.getpid()}.ipynb").exists()


def test_the_gradebook_holds_no_score_that_a_person_would_have_given(course):
    with contextlib.closing(sqlite3.connect(course[0].build / "gradebook.db")) as file:
        assert file.execute("SELECT count(*) FROM grade WHERE manual_score IS NOT NULL OR extra_credit > 0").fetchone() == (0,)


def test_nobody_reaches_a_server_outside(course, lines):
    assert {name: line.reached for name, line in lines[1].items()} == {"port": [], "socket": [], "path": []}


def test_nothing_is_left_running(course):
    # Daemons, children of children, processes of the shell: all of them carried the mark.
    assert [process for process in Path("/proc").iterdir() if process.name.isdigit() and MARK in label(process)] == []


def label(process):
    with contextlib.suppress(OSError):
        return (process / "comm").read_text() + (process / "cmdline").read_text()
    return ""


def test_output_without_end_leaves_small_notebooks(course):
    sizes = {path: path.stat().st_size for path in course[0].build.glob("autograded/*/toy/*.ipynb")}
    assert max(sizes.values()) < 4_000_000


def test_a_date_is_when_the_work_came_not_what_it_says(course):
    with course[0].gradebook() as gradebook:
        assert gradebook.find_submission("toy", "forges the date").timestamp.year >= 2026


class Page(HTMLParser):
    """Collects what a page could run or send."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        attributes = {name: str(value) for name, value in attrs}
        harmful = tag in ("iframe", "form", "base", "object", "embed") or attributes.get("http-equiv", "").lower() == "refresh"
        harmful |= any(name.startswith("on") or value.strip().lower().startswith("javascript:") for name, value in attributes.items())
        self.found += [(tag, attrs)] if harmful else []


def test_no_page_runs_or_fetches_anything_of_a_students(course):
    pages = list(course[0].build.glob("feedback/*/toy/*.html"))
    assert len(pages) > len(BY_NAME)
    for path in pages:
        text, page = path.read_text(), Page()
        page.feed(text)
        assert "default-src 'none'; img-src data:" in text[:400]  # so pictures elsewhere are not fetched
        assert (path, page.found) == (path, [])
        assert not re.search(r"<script[^>]*>[^<]*alert\(\d", text), path


@pytest.mark.parametrize("secret", ["secret_numbers", "hidden_step", "hidden_pair", CANARY], ids=["numbers", "step", "pair", "canary"])
def test_no_page_shows_a_secret(secret, course):
    assert [path for path in course[0].build.glob("feedback/*/toy/*.html") if secret in path.read_text()] == []


def test_no_cell_of_the_grades_is_a_formula(course):
    # A spreadsheet would compute what starts with one of these; numbers may.
    lines = (course[0].build / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) > len(BY_NAME)
    assert [line for line in lines if re.search(r"(^|,)\"?[=+@\t]|(^|,)\"?-(?![\d.])", line)] == []
