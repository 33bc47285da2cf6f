"""A small world with a real registry: customers over a hundred days, a model on some of what matters, a better one on all of it."""
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from mlmon.learning import Registry

DAY = 86_400.0


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory):
    """A folder with MLflow's tables and nothing in them: making those takes longer than all that is done with them."""
    folder = tmp_path_factory.mktemp("template")
    Registry("template", folder).aliases
    return folder / "registry.db"


@pytest.fixture
def home(empty_registry, tmp_path):
    """A folder for one registry."""
    (tmp_path / "registry").mkdir()
    shutil.copy(empty_registry, tmp_path / "registry" / "registry.db")
    return tmp_path
