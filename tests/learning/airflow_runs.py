"""Run the DAG in a real Airflow, one run after the other on one bank, and print what became of each task.

``python airflow_runs.py HOME``, in a process whose environment names Airflow's home.
"""
import json
import os
import sys
import warnings
from datetime import timedelta
from pathlib import Path

RUNS = [      # name, conf
    ("good", {}),
    ("rejected", {"train": "poor"}),
    ("rolled back", {"bank": {"meets": "harms"}}),
    ("crashed", {"train": "full"}),
    ("taken up", {}),
    ("skipped", {"bank": {"performance": "STABLE"}}),
    ("first", {"bank": {"trained": None}, "home": "empty"}),
]


def main(home):
    warnings.simplefilter("ignore")
    from airflow.dag_processing.dagbag import DagBag

    from worlds import Bank

    Bank(Path(home, "bank")).incumbent()
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    assert bag.import_errors == {}, bag.import_errors
    dag, found = bag.dags["continuous_learning"], {}
    for each in dag.tasks:
        each.retry_delay = timedelta(0)
    found["edges"] = sorted((up.task_id, down) for up in dag.tasks for down in up.downstream_task_ids)
    for name, conf in RUNS:
        where = str(Path(home, conf.get("home", "bank")))
        run = dag.test(run_conf={**conf, "home": where})
        bank = Bank(where)
        found[name] = {
            "run": str(run.state), "tasks": {task.task_id: str(task.state) for task in run.get_task_instances()},
            "tries": {task.task_id: task.try_number for task in run.get_task_instances()},
            "outcome": bank.pipeline.state.outcome, "aliases": bank.registry.aliases, "canary": bank.traffic.running() is not None,
        }
    Path(home, "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
