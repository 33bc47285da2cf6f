"""How the tests are dealt out to the workers of `make test`."""
import re
from pathlib import Path

# Each of these makes something dear once, such as a graded class or an import of Evidently, and asks about it in many tests: one
# worker takes the whole file, or all that it holds of one exercise.
TOGETHER = {
    "tests/browser/test_site.py",
    "tests/browser/test_student.py",
    "tests/drift/test_card.py",
    "tests/grading/test_answers.py",
    "tests/grading/test_attacks.py",
    "tests/grading/test_autograde.py",
    "tests/grading/test_class.py",
    "tests/grading/test_ex4_airflow.py",
    "tests/grading/test_gradebook.py",
    "tests/grading/test_graded.py",
    "tests/grading/test_honest.py",
    "tests/learning/test_dag.py",
    "tests/learning/test_registry.py",
    "tests/learning/test_retrain.py",
    "tests/serving/test_stack.py",
    "tests/test_docs.py",
    "tests/test_report.py",
}


def pytest_collection_modifyitems(items):
    """What takes long comes first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not (item.nodeid.split("::", 1)[0] in TOGETHER or item.get_closest_marker("slow")))


def pytest_xdist_make_scheduler(config, log):
    """A file of TOGETHER is dealt whole or by exercise, every other test by itself, in the order above."""
    from xdist.scheduler import LoadScopeScheduling

    missing = sorted(name for name in TOGETHER if not (Path(config.rootpath) / name).exists())
    assert not missing, f"tests/conftest.py needs files that are there, got {missing}. Take them off TOGETHER."

    config.option.loadscopereorder = False

    class Dealt(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::", 1)[0]
            exercise = re.search(r"[\[-](ex\d_[a-z_]+)", nodeid)
            return f"{file} {exercise[1] if exercise else ''}" if file in TOGETHER else nodeid

    return Dealt(config, log)
