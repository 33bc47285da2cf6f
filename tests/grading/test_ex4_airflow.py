"""The DAG files of exercise 4 in a real Airflow: the rehearsal, by which every student is judged, comes to the same states."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mlmon.grading import rehearsal, retraining_checks

pytestmark = pytest.mark.skipif(find_spec("airflow") is None, reason="Airflow is not installed (it has no Windows build)")
sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grading.conftest import names_of_answers  # noqa: E402
from tests.learning.conftest import airflow_at, empty_airflow  # noqa: E402, F401

HERE, ANSWERS = Path(__file__).parent / "airflow", Path(__file__).parent / "submissions" / "ex4_retraining"
GOOD = ["decide", "train", "validate", "deploy", "watch", "watch", "promote"]
WAYS = {
    "good": (GOOD, None), "rejected": (["decide", "train", "validate", "reject"], None), "skipped": (["decide", "skip"], None),
    "rolled back": ([*GOOD[:5], "roll_back"], None), "first": (["decide", "train", "validate", "promote"], None),
    "dies": (GOOD, "train"),
}
FILES = {      # the answer, and the ways that it goes: those that show its slip
    "reference": list(WAYS),
    "right/operators": ["good", "dies"],
    "right/loops_make_tasks": ["dies"],
    "wrong/branch_to_a_task_that_is_not_there": ["good"],
    "wrong/cleans_up_always": ["rejected"],
    "wrong/green_after_a_crash": ["dies"],
    "wrong/promote_at_any_rate": ["rejected"],
    "wrong/promote_needs_both_branches": ["first"],
}
UNREAD = "wrong/chapter_dag"
OTHERS = [name for name in names_of_answers("ex4_retraining")
          if name not in FILES and name != UNREAD and '"dag_file"' in (ANSWERS / f"{name}.py").read_text()]
# In `make prove` every answer, in every way.
CASES = [pytest.param(name, way, marks=[pytest.mark.prove] * (way not in FILES.get(name, ()))) for name in [*FILES, *OTHERS] for way in WAYS]


def text_of(name, kit):
    """The DAG file of an answer, its DAG under a name of its own."""
    known = {} if name == "reference" else kit.read_answer(ANSWERS / f"{name}.py").cells["5_dag_tests_page"]
    cells = {}
    exec(known.get("dag_file", kit.reference_cells("ex4_retraining", "5_dag_tests_page")["dag_file"]), cells)
    return cells["dag_file"]().replace("retraining", dag_of(name))


def dag_of(name):
    return name.replace("/", "_")


@pytest.fixture(scope="module")
def runs(request, kit, empty_airflow, tmp_path_factory):  # noqa: F811
    """Every case that is asked for, one after the other in one Airflow."""
    home, asked = tmp_path_factory.mktemp("airflow"), {}
    for item in request.session.items:
        if item.path == request.path and "way" in getattr(item, "fixturenames", ()):
            asked.setdefault(item.callspec.params["name"], []).append(item.callspec.params["way"])
    shutil.copy(empty_airflow, home / "airflow.db")
    (home / "dags").mkdir()
    for name in [*asked, UNREAD]:
        (home / "dags" / f"{dag_of(name)}.py").write_text(text_of(name, kit))
    (home / "ways.json").write_text(json.dumps({dag_of(name): {way: WAYS[way] for way in ways} for name, ways in asked.items()}))
    environment = airflow_at(home, AIRFLOW__CORE__DAGS_FOLDER=home / "dags", PYTHONPATH=HERE)
    told = subprocess.run([sys.executable, HERE / "runs.py", home], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-3000:]
    return json.loads((home / "found.json").read_text())


@pytest.mark.slow
def test_airflow_reads_every_file_but_the_chapters(runs):
    # The rehearsal refuses that one as well, as Airflow does: test_rehearsal.
    assert set(runs["errors"]) == {dag_of(UNREAD)}
    assert "schedule_interval" in runs["errors"][dag_of(UNREAD)]


@pytest.mark.slow
@pytest.mark.parametrize("name, way", CASES)
def test_the_rehearsal_comes_to_the_states_of_airflow(name, way, kit, runs):
    script = retraining_checks.Script(*WAYS[way])
    got, real = rehearsal.rehearse(text_of(name, kit), "a run", **script.functions), runs[f"{dag_of(name)} {way}"]
    assert got["states"] == real["states"] and got["run"] == real["run"]
    # Tasks that are ready at once have no order of their own.
    assert (script.done, sorted(script.tried), script.cleaned) == (real["done"], sorted(real["tried"]), real["cleaned"])
