"""The DAG in a real Airflow: what each task did in a run of each kind. The colour of a run alone tells nothing."""
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.learning.conftest import airflow_at  # noqa: E402

pytestmark = pytest.mark.skipif(find_spec("airflow") is None, reason="Airflow is not installed (it has no Windows build)")
HERE, DAGS = Path(__file__).parent, Path(__file__).parents[2] / "mlmon" / "learning" / "dags"
HAPPY = {"check_should_retrain", "retrain_model", "validate_candidate", "deploy_canary", "watch_canary", "judge_canary"}


@pytest.fixture(scope="module")
def runs(empty_airflow, empty_registry, tmp_path_factory):
    """Seven runs, one after the other, on one bank."""
    home = tmp_path_factory.mktemp("airflow")
    shutil.copy(empty_airflow, home / "airflow.db")
    for bank in ("bank", "empty"):
        (home / bank / "registry").mkdir(parents=True)
        shutil.copy(empty_registry, home / bank / "registry" / "registry.db")
    environment = airflow_at(home, AIRFLOW__CORE__DAGS_FOLDER=DAGS, MLMON_PIPELINE="worlds:pipeline", PYTHONPATH=HERE)
    told = subprocess.run([sys.executable, HERE / "airflow_runs.py", home], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-3000:]
    return json.loads((home / "found.json").read_text())


def of_state(run, state):
    return {task for task, found in run["tasks"].items() if found == state}


def test_a_good_candidate_goes_all_the_way(runs):
    run = runs["good"]
    assert of_state(run, "success") == HAPPY | {"promote_to_production", "close_run"}
    assert of_state(run, "skipped") == {"reject_candidate", "roll_back_canary", "restore_previous", "skip_retraining", "clean_up"}
    assert (run["run"], run["outcome"], run["aliases"]["champion"], run["aliases"]["previous_champion"]) == ("success", "PROMOTED", "2", "1")


def test_a_rejected_candidate_is_rejected_by_a_task_that_runs(runs):
    # In the chapter's DAG that task is skipped, and the run is green since nothing happened.
    run = runs["rejected"]
    assert of_state(run, "success") == {"check_should_retrain", "retrain_model", "validate_candidate", "reject_candidate", "close_run"}
    assert run["tasks"]["promote_to_production"] == run["tasks"]["deploy_canary"] == "skipped"
    assert run["outcome"] == "REJECTED" and run["aliases"] == runs["good"]["aliases"]


def test_a_canary_that_harms_is_rolled_back_by_a_task_that_runs(runs):
    run = runs["rolled back"]
    assert of_state(run, "success") == HAPPY | {"roll_back_canary", "close_run"}
    assert run["tasks"]["promote_to_production"] == "skipped"
    assert run["outcome"] == "ROLLED_BACK" and run["aliases"] == runs["good"]["aliases"] and not run["canary"]


def test_a_crash_is_red_is_retried_is_cleaned_up_and_leaves_production(runs):
    run = runs["crashed"]
    assert (run["run"], run["tasks"]["retrain_model"], run["tries"]["retrain_model"]) == ("failed", "failed", 2)
    assert (run["tasks"]["clean_up"], run["tasks"]["close_run"]) == ("success", "failed")
    assert of_state(run, "upstream_failed") >= {"validate_candidate", "promote_to_production", "reject_candidate"}
    assert run["outcome"] == "" and run["aliases"] == runs["good"]["aliases"] and not run["canary"]


def test_the_next_run_goes_on_where_the_crashed_one_stopped(runs):
    run = runs["taken up"]
    assert of_state(run, "success") == HAPPY | {"promote_to_production", "close_run"}
    assert run["outcome"] == "PROMOTED" and run["aliases"]["previous_champion"] == "2"


def test_where_nothing_fell_nothing_is_trained(runs):
    run = runs["skipped"]
    assert of_state(run, "success") == {"check_should_retrain", "skip_retraining", "close_run"}
    assert run["outcome"] == "SKIPPED" and run["aliases"] == runs["taken up"]["aliases"]


def test_the_first_model_meets_no_canary(runs):
    run = runs["first"]
    assert of_state(run, "success") == {"check_should_retrain", "retrain_model", "validate_candidate", "promote_to_production", "close_run"}
    assert run["aliases"] == {"champion": "1", "anchor": "1"}


def test_whatever_fails_is_cleaned_up_after_and_one_leaf_gives_the_colour(runs):
    edges = {tuple(edge) for edge in runs["edges"]}
    above = {up for up, down in edges if down == "clean_up"}
    assert above == set(runs["good"]["tasks"]) - {"clean_up", "close_run"}
    assert {up for up, down in edges if down == "close_run"} == {"clean_up"} and "close_run" not in {up for up, _ in edges}


