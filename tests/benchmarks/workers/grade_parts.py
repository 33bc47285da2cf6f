"""Grade a class in one process with clocks around its steps; writes ``parts.json``: seconds, calls, whether once a class."""

import functools
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

from mlmon.grading import autograde, execute, gradebook, grades, jobs, sandbox, submission
from mlmon.grading import release as releases
from mlmon.grading.course import Course

STEPS = [  # what is timed, under which name, and whether it happens once for a class
    (releases, "generate", "the release, made anew", True),
    (sandbox, "_Server", "sandbox: start, imports", True),
    (submission, "normalise", "normalising", False),
    (submission, "write", "normalised notebooks to disk", False),
    (autograde, "_with_tests", "hidden tests put back", False),
    (sandbox.Sandbox, "open", "sandbox: a session opened (a notebook)", False),
    (execute._Run, "answer", "the student's cells", False),
    (execute._Run, "test", "tests, with the student's functions", False),
    (sandbox.Session, "end", "sandbox: a session ended (a notebook)", False),
    (jobs, "run", "all of running a submission", False),
    (autograde, "_write_folder", "executed notebooks to disk", False),
    (gradebook.Writer, "save", "gradebook", False),
    (autograde, "write_feedback", "feedback", False),
    (grades, "write", "grades.csv", True),
]


def clocked(owner, name, label, once, found):
    """Put a clock around a function or class."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def timed(*args, **kwargs):
        start = time.perf_counter()
        try:
            return inner(*args, **kwargs)
        finally:
            seconds, calls, _ = found[label]
            found[label] = (seconds + time.perf_counter() - start, calls + 1, once)

    setattr(owner, name, timed)


def bare(folder):
    """Seconds of a class's code cells and tests as plain Python in this process, the second time that they run."""
    for _ in range(2):
        start = time.perf_counter()
        for path in sorted(Path(folder).glob("*/*/*.ipynb")):
            names = {"__name__": "__main__"}
            for cell in nbformat.read(path, as_version=4).cells:
                if cell.cell_type == "code":
                    exec(cell.source, names)
    return time.perf_counter() - start


def main(folder, exercise):
    course, found = Course.at(folder), {label: (0.0, 0, once) for *_, label, once in STEPS}
    for owner, name, label, once in STEPS:
        clocked(owner, name, label, once, found)
    start = time.perf_counter()
    rows = autograde.grade(course, exercise, course.root / "in", executor=lambda: ThreadPoolExecutor(1), workers=1, check=False)
    found["all of it"] = (time.perf_counter() - start, len(rows), False)
    found["the same cells and tests as plain Python"] = (bare(course.build / "autograded"), len(rows), False)
    Path(folder, "parts.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
