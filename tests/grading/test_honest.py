"""Honest work in every style has the full mark and no word against it, in one class."""

import os
from datetime import datetime, timezone

import nbformat
import pytest

from mlmon.grading import autograde, release

PLAIN = "\n\ndef mean(x):\n    return sum(x) / len(x)"
CAME = datetime(2026, 2, 3, 10, 0, 1, tzinfo=timezone.utc)
STYLES = {  # the answer cell of `mean`, and a cell of the student's own before it
    "plain": (PLAIN, ""),
    "writes a module": ("from helper import total\n\ndef mean(x):\n    return total(x) / len(x)", "%%writefile helper.py\ndef total(x):\n    return sum(x)"),
    "uses magics": ("%matplotlib inline\n!echo hello\nfiles = !ls\n%timeit -n1 -r1 1 + 1" + PLAIN, "%%bash\necho hello"),
    "awaits": ("import asyncio\nawait asyncio.sleep(0)" + PLAIN, ""),
    "has an object for a function": ("class Mean:\n    def __call__(self, x):\n        return sum(x) / len(x)\n\nmean = Mean()", ""),
    "decorates": ("import functools\n\ndef loud(f):\n    @functools.wraps(f)\n    def call(*args):\n        print('called')\n        return f(*args)\n    return call\n\n@loud" + PLAIN[1:], ""),
    "warns": ("import sys\n\ndef mean(x):\n    warnings.warn('old', FutureWarning)\n    print('!', file=sys.stderr)\n    return sum(x) / len(x)", ""),
    "changes its argument": ("def mean(x):\n    size = len(x)\n    while len(x) > 1:\n        x[0] += x.pop()\n    return x[0] / size", ""),
    "returns NumPy": ("import numpy as np\n\ndef mean(x):\n    return np.mean(x)", ""),
    "returns a Fraction": ("from fractions import Fraction\n\ndef mean(x):\n    return Fraction(sum(x), len(x))", ""),
    "draws": ("import matplotlib.pyplot as plt\n\ndef mean(x):\n    plt.plot(x)\n    plt.show()\n    return sum(x) / len(x)", ""),
    "counts its calls": ("calls = 0\n\ndef mean(x):\n    global calls\n    calls += 1\n    return sum(x) / len(x)", ""),
    "computes in threads": ("from concurrent.futures import ThreadPoolExecutor\n\ndef mean(x):\n    with ThreadPoolExecutor(4) as pool:\n        return sum(pool.map(float, x)) / len(x)", ""),
    "computes in processes": ("import multiprocessing\n\ndef mean(x):\n    with multiprocessing.get_context('fork').Pool(2) as pool:\n        return sum(pool.map(float, x)) / len(x)", ""),
    "keeps files": ("import json, tempfile\nfrom pathlib import Path\n\ndef mean(x):\n    Path('kept.json').write_text(json.dumps(x))\n    with tempfile.NamedTemporaryFile():\n        x = json.loads(Path('kept.json').read_text())\n    return sum(x) / len(x)", ""),
    "asserts": ("def mean(x):\n    assert x, 'no numbers'\n    try:\n        return sum(x) / len(x)\n    except BaseException:\n        return None", "assert True"),
    "has an error of its own": (PLAIN, "1 / 0"),
    "seeds": ("import random\nrandom.seed(1)\nimport numpy as np\nnp.random.seed(1)" + PLAIN, ""),
    "shows help": ("mean?\n%whos" + PLAIN, "%lsmagic"),
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory, kit):
    """The class, graded once; all came at one time."""
    course = kit.make_course(tmp_path_factory.mktemp("honest"))
    release.release(course, "toy")
    for style, (mean, own) in STYLES.items():
        books = kit.answer(course.release("toy"), {**kit.RIGHT, "mean": {**kit.RIGHT["mean"], "mean": mean}})
        books["mean"].cells.insert(2, nbformat.v4.new_code_cell(own))
        for path in kit.hand_in(course.root / "in", style, books).iterdir():
            os.utime(path, (CAME.timestamp(), CAME.timestamp()))
    autograde.grade(course, "toy", course.root / "in", executor=kit.here, check=False, progress=False)
    return course


@pytest.mark.parametrize("style", STYLES)
def test_honest_work_has_the_full_mark_and_no_word_against_it(style, course, kit):
    row = kit.read_grades(course)[style]
    assert kit.points(row, kit.FULL) == kit.FULL
    assert (row["status"], row["reason"], row["notes"], row["tampering"]) == ("graded", "", "", "")


def test_the_hour_of_a_hand_in_is_not_taken_for_a_time_zone(course):
    # Stock nbgrader reads "2026-02-03-10-00-01" as 11 o'clock.
    with course.gradebook() as gradebook:
        assert {gradebook.find_submission("toy", style).timestamp for style in STYLES} == {CAME.replace(tzinfo=None)}
