"""Empty databases of MLflow and of Airflow, made once and copied: making their tables takes longer than all that is done with them."""
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from mlmon.learning import Registry

BUILD = Path(__file__).parents[2] / "build" / "templates"


def template(name, package, make, tmp_path_factory):
    """A file of `build/` that is made when it is missing, anew for another version of its package."""
    kept = BUILD / f"{name}-{version(package)}.db"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        made = make(tmp_path_factory.mktemp(name))
        fresh = kept.with_suffix(f".{os.getpid()}")
        shutil.copy(made, fresh)
        os.replace(fresh, kept)      # whole or not at all, whoever else makes it at the same time
    return kept


def tables_of_mlflow(folder):
    Registry("template", folder).aliases
    return folder / "registry.db"


def tables_of_airflow(folder):
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=airflow_at(folder), check=True, capture_output=True)
    return folder / "airflow.db"


def airflow_at(folder, **more):
    """The environment of an Airflow whose home is this folder."""
    settings = {"HOME": folder, "CORE__LOAD_EXAMPLES": False, "USAGE_DATA_COLLECTION__ENABLED": False, "LOGGING__LOGGING_LEVEL": "ERROR"}
    names = {f"AIRFLOW_{'' if key == 'HOME' else '_'}{key}": str(value) for key, value in settings.items()}
    return {**os.environ, **names, **{key: str(value) for key, value in more.items()}}


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory):
    """MLflow's tables with nothing in them."""
    return template("mlflow", "mlflow-skinny", tables_of_mlflow, tmp_path_factory)


@pytest.fixture(scope="session")
def empty_airflow(tmp_path_factory):
    """Airflow's."""
    return template("airflow", "apache-airflow", tables_of_airflow, tmp_path_factory)


@pytest.fixture
def home(empty_registry, tmp_path):
    """A folder with an empty registry."""
    (tmp_path / "registry").mkdir()
    shutil.copy(empty_registry, tmp_path / "registry" / "registry.db")
    return tmp_path
