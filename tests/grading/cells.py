"""Run the cells of many notebooks without a kernel: libraries are imported once, each notebook has a fork of its own.

A program of the tests: a list of ``[name, cells, [[grade_id, points] or null, ...]]`` comes in as JSON, and
``{name: {grade_id: score}}`` goes out. Scores are admitted as the grader admits them.
"""

import ast
import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import warnings

from mlmon.grading.autograde import admit

LIBRARIES = ("numpy", "pandas", "scipy.stats", "matplotlib.pyplot", "mlmon.plot", "mlmon.data.inject")
SECONDS = 120


def run(job):
    """Run one notebook's cells; the points of its tests."""
    name, cells, tests = job
    signal.alarm(SECONDS)
    names, scores = {"__name__": "__main__"}, {}
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        os.chdir(folder)
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            for source, test in zip(cells, tests, strict=True):
                value, failed = run_cell(source, names)
                if test:
                    scores[test[0]] = 0.0 if failed else admit("" if value is None else repr(value), test[1])[0]
        os.chdir("/")
    return name, scores


def run_cell(source, names):
    """The value of a cell's last expression, and whether the cell failed."""
    try:
        body = ast.parse(source).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "cell", "exec"), names)
        return last and eval(compile(ast.Expression(last.value), "cell", "eval"), names), False
    except BaseException:
        return None, True


def main():
    warnings.simplefilter("ignore")
    jobs = json.load(sys.stdin)
    heavy = ["evidently", "evidently.presets"] if any("evidently" in cell for _, cells, _ in jobs for cell in cells) else []
    for library in (*LIBRARIES, *heavy):
        importlib.import_module(library)
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        json.dump(dict(pool.imap_unordered(run, jobs, chunksize=1)), sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    main()
