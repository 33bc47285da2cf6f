"""Tasks from a loop; the clean-up itself makes the run red."""
answers = {
    "5_dag_tests_page": {
        "dag_file": """
def dag_file():
    return '''
import datetime as dt

from airflow.sdk import dag, task
from pipeline import advance, clean_up, where


@dag(schedule="@daily", start_date=dt.datetime(2026, 1, 1), catchup=False, max_active_runs=1)
def retraining():
    def plain(name, kind=task, **more):
        @kind(task_id=name, retries=3, retry_delay=dt.timedelta(minutes=1), **more)
        def work(run_id=None):
            return advance(run_id, name)
        return work()

    steps = {name: plain(name) for name in ("train", "deploy", "reject", "roll_back", "skip")}
    steps |= {name: plain(name, task.branch) for name in ("decide", "validate")}
    steps["promote"] = plain("promote", trigger_rule="none_failed_min_one_success")

    @task.sensor(task_id="watch", mode="reschedule", timeout=100_000, retries=1)
    def watching(run_id=None):
        return advance(run_id, "watch") != "watch"

    @task.branch
    def after_watching(run_id=None):
        return [where(run_id)]

    steps["watch"], steps["after"] = watching(), after_watching()
    for one, others in {"decide": ["train", "skip"], "train": ["validate"], "validate": ["deploy", "reject", "promote"], "deploy": ["watch"], "watch": ["after"], "after": ["promote", "roll_back"]}.items():
        steps[one] >> [steps[other] for other in others]

    @task(trigger_rule="one_failed")
    def red(run_id=None):
        clean_up(run_id)
        raise RuntimeError("a step failed")

    @task(trigger_rule="all_done")
    def last(run_id=None):
        assert where(run_id) == "end"

    list(steps.values()) >> red()
    list(steps.values()) >> last()


retraining()
'''
""",
    },
}
