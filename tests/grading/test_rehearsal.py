"""The stand-in for Airflow: its rules by a table of Airflow's documentation, and what it refuses. test_ex4_airflow holds it to the real one."""

import sys

import pytest

from mlmon.grading import rehearsal

HEAD = "from airflow.sdk import DAG, PokeReturnValue, TriggerRule, chain, dag, task\nimport pipeline\n"


def states(body, head="@dag(schedule=None)", **functions):
    """States of a DAG whose function has this body."""
    lines = "\n".join(f"    {line}" for line in body.strip().split("\n"))
    return rehearsal.rehearse(f"{HEAD}{head}\ndef small():\n{lines}\nsmall()\n", "r", **functions)


# Above: one task that ends well, one that fails, one that a branch skips.
ABOVE = """
@task
def good(): pass
@task
def bad(): raise ValueError
@task.branch
def choose(): return "taken"
@task
def taken(): pass
@task
def left(): pass
@task(trigger_rule=RULE)
def below(): pass
made = {"good": good(), "bad": bad(), "left": left()}
choose() >> [taken(), made["left"]]
[made[name] for name in UP] >> below()
"""


@pytest.mark.parametrize("rule, up, want", [
    # core-concepts/dags, "Trigger Rules"
    ("all_success", ["good"], "success"), ("all_success", ["good", "left"], "skipped"), ("all_success", ["good", "bad"], "upstream_failed"),
    ("all_failed", ["bad"], "success"), ("all_failed", ["bad", "good"], "skipped"), ("all_done", ["good", "bad", "left"], "success"),
    ("one_failed", ["good", "bad"], "success"), ("one_failed", ["good", "left"], "skipped"), ("one_success", ["good", "bad"], "success"),
    ("one_success", ["left"], "skipped"), ("none_failed", ["good", "left"], "success"), ("none_failed", ["good", "bad"], "upstream_failed"),
    ("none_failed_min_one_success", ["good", "left"], "success"), ("none_failed_min_one_success", ["left"], "skipped"),
    ("none_failed_min_one_success", ["good", "bad"], "upstream_failed"), ("none_skipped", ["good", "bad"], "success"), ("none_skipped", ["left"], "skipped"),
])  # fmt: skip
def test_a_trigger_rule_does_what_airflow_documents(rule, up, want):
    assert states(ABOVE.replace("RULE", repr(rule)).replace("UP", repr(up)))["states"]["below"] == want


def test_a_task_is_tried_again_and_gets_its_runs_id():
    seen = []

    def work(run):
        seen.append(run)
        if len(seen) < 3:
            raise OSError("no space")

    got = states("@task(retries=2)\ndef one(run_id=None): pipeline.work(run_id)\none()", work=work)
    assert got["states"] == {"one": "success"} and seen == ["r", "r", "r"]


def test_a_sensor_is_asked_until_it_is_done_and_fails_when_it_never_is():
    looks = iter([False, False, True])
    body = "@task.sensor\ndef wait(): return PokeReturnValue(is_done=pipeline.look())\nwait()"
    assert states(body, look=lambda: next(looks))["states"] == {"wait": "success"}
    assert states(body, look=lambda: False)["states"] == {"wait": "failed"}


def test_what_a_branch_leaves_out_is_skipped_unless_it_lies_below_what_it_chose():
    body = """
@task.branch
def choose(): return "one"
@task
def one(): pass
@task
def other(): pass
@task(trigger_rule="none_failed_min_one_success")
def join(): pass
first, second, last = one(), other(), join()
choose() >> [first, second, last]
[first, second] >> last
"""
    assert states(body)["states"] == {"choose": "success", "one": "success", "other": "skipped", "join": "success"}


def test_a_run_has_the_colour_of_its_leaves():
    body = "@task\ndef one(): raise ValueError\n@task(trigger_rule=TriggerRule.ALL_DONE)\ndef tidy(): pass\none() >> tidy()"
    assert (states(body)["run"], states(body.replace("one() >> tidy()", "one()"))["run"]) == ("success", "failed")


@pytest.mark.parametrize("text, error, words", [
    ("@dag(schedule_interval='@daily')\ndef small(): pass\nsmall()", TypeError, "schedule_interval"),
    ("@dag()\ndef small(): pass", ValueError, "one DAG"),
    ("@dag()\ndef small():\n    @task\n    def one(): pass\n    a, b = one(), one()\nsmall()", ValueError, "two tasks"),
    ("@dag()\ndef small():\n    @task(trigger_rule='sometimes')\n    def one(): pass\n    one()\nsmall()", ValueError, "trigger rule"),
    ("with DAG('a') as made:\n    @task\n    def one(): pass\n    @task\n    def two(): pass\n    a, b = one(), two()\n    chain(a, b, a)", ValueError, "circle"),
    ("from airflow.operators.python import PythonOperator", ImportError, "airflow.operators"),
])  # fmt: skip
def test_a_file_that_airflow_would_not_take_is_refused(text, error, words):
    with pytest.raises(error, match=words):
        rehearsal.rehearse(HEAD + text + "\n", "r")


def test_calls_while_the_file_is_read_are_counted():
    assert states("pipeline.work()\n@task\ndef one(): pipeline.work()\none()", work=lambda: None)["early"] == 1


def test_nothing_of_the_stand_in_is_left():
    before = dict(sys.modules)
    with pytest.raises(ZeroDivisionError):
        rehearsal.rehearse(HEAD + "1 / 0", "r")
    assert dict(sys.modules) == before


@pytest.mark.parametrize("told, want", [
    ("far", {"choose": "success", "mid": "skipped", "far": "skipped", "other": "skipped"}),
    ("choose", {"choose": "success", "mid": "success", "far": "success", "other": "success"}),
    ("nowhere", {"choose": "failed", "mid": "upstream_failed", "far": "upstream_failed", "other": "upstream_failed"}),
])
def test_a_branch_may_name_any_task_of_the_dag_and_no_other(told, want):
    # A task farther down, or one above: skipped is what lies right below the branch and not below the one that was named.
    body = f"""
@task.branch
def choose(): return "{told}"
@task
def mid(): pass
@task
def far(): pass
@task
def other(): pass
middle = mid()
choose() >> [middle, other()]
middle >> far()
"""
    assert states(body)["states"] == want
