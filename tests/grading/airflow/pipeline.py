"""What a DAG file of exercise 4 imports, in a real Airflow: `Script` of the checks, kept in a file between tasks."""
import json
import os
from contextlib import contextmanager
from pathlib import Path

from mlmon.grading.retraining_checks import Script


@contextmanager
def kept():
    """The script of the present run, taken from its file and put back."""
    path = Path(os.environ["AIRFLOW_HOME"], "script.json")
    held = json.loads(path.read_text())
    script = Script(held.pop("path"), held.pop("dies"))
    vars(script).update(held, runs=set(held["runs"]))
    try:
        yield script
    finally:
        path.write_text(json.dumps({**vars(script), "runs": sorted(script.runs)}))


def begin(path, dies):
    """A new script."""
    script = Script(path, dies)
    Path(os.environ["AIRFLOW_HOME"], "script.json").write_text(json.dumps({**vars(script), "runs": []}))


def advance(run, step):
    with kept() as script:
        return script.advance(run, step)


def where(run):
    with kept() as script:
        return script.where(run)


def clean_up(run):
    with kept() as script:
        script.clean_up(run)
