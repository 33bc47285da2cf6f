"""The cycle of `mlmon.learning.retrain` as an Airflow DAG: each task is one step of it, and decides nothing itself.

Set ``MLMON_PIPELINE`` to ``package.module:function``, a function that takes the run's conf and gives a `ContinuousLearningPipeline`, and let Airflow's
DAGs folder be this one. The state is in the pipeline's file, so a task that is retried, or a run after one that died, goes on where it stopped.
"""
import os
from datetime import datetime, timedelta
from importlib import import_module

from airflow.sdk import PokeReturnValue, TriggerRule, dag, task

NEXT = {      # the step that comes next, and the task that does it
    "train": "retrain_model", "skip": "skip_retraining", "restore": "restore_previous", "validate": "validate_candidate", "deploy": "deploy_canary",
    "watch": "deploy_canary", "reject": "reject_candidate", "promote": "promote_to_production", "roll_back": "roll_back_canary",
    "end": [],
}


def pipeline(conf):
    """The pipeline that the environment names."""
    address = os.environ.get("MLMON_PIPELINE", "")
    if address.count(":") != 1:
        raise ValueError(f"MLMON_PIPELINE needs package.module:function, got {address!r}. Set it where Airflow runs.")
    module, name = address.split(":")
    return getattr(import_module(module), name)(conf)


def done(name, dag_run):
    """Do one step, if it is the next; where the run stands then."""
    state = pipeline(dag_run.conf or {}).step(name)
    if state.outcome == "CRASHED":
        raise RuntimeError(f"run needs to get past its steps, and was given up: {state.reasons[-1]}. The next run begins anew.")
    return state


@dag(
    schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1, tags=["mlmon"],
    default_args={"owner": "ml-platform", "retries": 1, "retry_delay": timedelta(minutes=5)},
)
def continuous_learning():
    """Decide, train, validate, canary; then promote, reject or roll back."""

    @task.branch
    def check_should_retrain(dag_run=None):
        pipeline(dag_run.conf or {}).begin(dag_run.run_id)
        state = done("decide", dag_run)
        return NEXT[state.step] if state.step in ("skip", "restore", "end") else "retrain_model"      # also when a run is taken up later on

    @task
    def retrain_model(dag_run=None):
        return done("train", dag_run).version           # the version, never the model: XCom is for small things

    @task.branch
    def validate_candidate(dag_run=None):
        state = done("validate", dag_run)
        return NEXT[state.step] if state.since is None else "deploy_canary"

    @task
    def deploy_canary(dag_run=None):
        done("deploy", dag_run)

    @task.sensor(poke_interval=60, timeout=14 * 86_400, mode="reschedule")
    def watch_canary(dag_run=None):
        return PokeReturnValue(is_done=done("watch", dag_run).step != "watch")

    @task.branch
    def judge_canary(dag_run=None):
        return NEXT[pipeline(dag_run.conf or {}).state.step]

    @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def promote_to_production(dag_run=None):
        done("promote", dag_run)

    @task
    def reject_candidate(dag_run=None):
        done("reject", dag_run)

    @task
    def roll_back_canary(dag_run=None):
        done("roll_back", dag_run)

    @task
    def restore_previous(dag_run=None):
        done("restore", dag_run)
        done("skip", dag_run)                           # where the version before is no better

    @task
    def skip_retraining(dag_run=None):
        done("skip", dag_run)

    @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
    def clean_up(dag_run=None):
        pipeline(dag_run.conf or {}).pause()            # the candidate off the traffic, until the next run takes this one up

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def close_run(dag_run=None):
        """The leaf that gives the run its colour: green only if an end was reached, by a task that ran."""
        state = pipeline(dag_run.conf or {}).state
        if state is None or not state.outcome or state.outcome == "CRASHED":
            raise RuntimeError(f"run needs to reach an end, and stands before {state and state.step}. The next one takes it up; the log of the failed task says why.")
        return state.outcome

    decided, trained, validated = check_should_retrain(), retrain_model(), validate_candidate()
    deployed, watched, judged = deploy_canary(), watch_canary(), judge_canary()
    promoted, rejected, rolled_back, restored, skipped = promote_to_production(), reject_candidate(), roll_back_canary(), restore_previous(), skip_retraining()
    decided >> [trained, skipped, restored]
    trained >> validated >> [deployed, rejected, promoted]
    deployed >> watched >> judged >> [promoted, rolled_back]
    every = [decided, trained, validated, deployed, watched, judged, promoted, rejected, rolled_back, restored, skipped]
    every >> clean_up() >> close_run()


continuous_learning()
