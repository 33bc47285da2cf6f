"""The notebooks of the course are stored as they run: executed, in order, without an error."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
COURSE = sorted((ROOT / "course").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)

# Stored outputs are those of the Python that is tested throughout; on the others the cells must run.
MODE = "--nbval" if sys.version_info[:2] == (3, 11) else "--nbval-lax"


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code" and cell.source.strip()]


def silent():
    """Environment of nbval and its kernel: no plugins but those named, one thread a library, and no word to other machines."""
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {**os.environ, **quiet}


def run_again(path):
    """Run a notebook and hold what comes against what is stored; the seconds it takes, and those of the processor."""
    nbval = ["-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "nbval.plugin", "-p", "tests.nbval_like_jupyter"]
    start, used = time.monotonic(), _used()
    answer = subprocess.run(
        [sys.executable, *nbval, MODE, "--nbval-current-env", "--nbval-cell-timeout=300", str(path)],
        cwd=ROOT, env=silent(), capture_output=True, text=True,
    )
    assert answer.returncode == 0, answer.stdout[-5000:] + answer.stderr[-2000:]
    return time.monotonic() - start, _used() - used


def _used():
    """Seconds that the processor has worked for processes that this one started and saw end."""
    spent = os.times()
    return spent.children_user + spent.children_system


@pytest.mark.slow
@each_notebook
def test_running_again_gives_the_stored_outputs(path):
    # What the text says of a picture or a number is true of what the reader gets.
    run_again(path)


@each_notebook
def test_every_cell_is_stored_executed_from_top_to_bottom(path):
    # Cells run in the order in which a reader meets them, in one session.
    cells = code_cells(path)
    assert cells
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@each_notebook
def test_no_error_or_warning_is_stored(path):
    # A reader on a code host sees only what the author has seen and meant.
    outputs = [output for cell in code_cells(path) for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


@each_notebook
def test_no_path_of_the_authors_machine_is_stored(path):
    # Paths of one machine mean nothing on another.
    text = path.read_text()
    assert str(ROOT) not in text
    assert str(Path.home()) + "/" not in text


@pytest.mark.prove
@each_notebook
def test_twenty_runs_of_a_notebook_give_the_stored_outputs(path):
    # A notebook that fails once in twenty fails in every class. The times are kept, start and comparison included.
    from tests.benchmarks import tables

    runs = [run_again(path) for _ in range(20)]
    seconds, processor = (sorted(kind) for kind in zip(*runs, strict=True))
    kept = ROOT / "build" / "twenty"
    kept.mkdir(parents=True, exist_ok=True)
    row = path.stem, *(f"{value:.1f}" for value in (seconds[10], seconds[-1], processor[10]))
    (kept / f"{path.stem}.json").write_text(json.dumps(row))
    rows = [json.loads(one.read_text()) for one in sorted(kept.glob("*.json"))]
    head = "notebook", "median of 20 runs (s)", "longest (s)", "median of the processor's (s)"
    tables.write("notebooks", tables.table(head, rows), ROOT / "CONTRIBUTING.md")
