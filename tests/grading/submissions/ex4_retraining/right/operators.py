"""Operators and a with-block in place of decorators."""
answers = {
    "5_dag_tests_page": {
        "dag_file": """
def dag_file():
    return '''
from datetime import datetime, timedelta

from airflow.providers.standard.operators.python import BranchPythonOperator, PythonOperator
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.sdk import DAG, chain

import pipeline


def work(step, run_id):
    return pipeline.advance(run_id, step)


def looked(run_id):
    return pipeline.advance(run_id, "watch") != "watch"


def ended(run_id):
    if pipeline.where(run_id) != "end":
        raise ValueError("not at its end")


with DAG("retraining", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1,
         default_args={"retries": 2, "retry_delay": timedelta(minutes=1)}) as made:
    def step(kind, name, **more):
        return kind(task_id=name, python_callable=work, op_kwargs={"step": name}, **more)

    decide, validate = (step(BranchPythonOperator, name) for name in ("decide", "validate"))
    train, deploy, reject, roll_back, skip = (step(PythonOperator, name) for name in ("train", "deploy", "reject", "roll_back", "skip"))
    promote = step(PythonOperator, "promote", trigger_rule="none_failed_min_one_success")
    watch = PythonSensor(task_id="watch", python_callable=looked, mode="reschedule", timeout=600_000)
    choose = BranchPythonOperator(task_id="choose", python_callable=lambda run_id: pipeline.where(run_id))
    tidy = PythonOperator(task_id="tidy", python_callable=lambda run_id: pipeline.clean_up(run_id), trigger_rule="one_failed")
    last = PythonOperator(task_id="last", python_callable=ended, trigger_rule="all_done", retries=0)

    decide >> [train, skip]
    chain(train, validate, deploy, watch, choose, promote)
    validate >> [reject, promote]
    choose >> roll_back
    for task in (decide, validate, train, deploy, reject, roll_back, skip, promote, watch, choose):
        task >> tidy
        task >> last
    tidy >> last
'''
""",
    },
}
