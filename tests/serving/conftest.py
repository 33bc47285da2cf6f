"""The real Prometheus and Alertmanager, started once for all tests that ask for them."""

import shutil
import subprocess

import pytest

from mlmon import doctor
from mlmon.serving import stack

# What a fixture or a file of examples needs of the system, and who brings it.
NEEDS = {"running": ("prometheus", "alertmanager"), "promtool": ("prometheus",), "amtool": ("alertmanager",)}
EXAMPLES = {name: ("prometheus", "alertmanager") for name in ("brief.py", "dryrun.py", "monitoring_checks.py", "scrape_checks.py")}


def pytest_collection_modifyitems(items):
    """Where a server is missing, each test that needs it says so in the doctor's words."""
    missing = {}
    for item in items:
        needs = {name for fixture in getattr(item, "fixturenames", ()) for name in NEEDS.get(fixture, ())}
        needs |= set(EXAMPLES.get(item.path.name, ()))
        for name in sorted(needs):
            if name not in missing:
                missing[name] = doctor.lack(name)
            if missing[name]:
                item.add_marker(pytest.mark.skip(reason=missing[name]))


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """The stack, a thousand times as fast as in earnest."""
    settings = stack.Settings(rate=40, speed=1000, scrape=0.4, refresh=2.0, window=200, cohort=8.0)
    with stack.up(tmp_path_factory.mktemp("stack") / "run", settings, patience=180) as found:
        yield found


def _tool(name):
    """A function that runs a checking tool and gives its return code and words."""

    def run(*words):
        done = subprocess.run([shutil.which(name), *map(str, words)], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def promtool():
    return _tool("promtool")


@pytest.fixture(scope="session")
def amtool():
    return _tool("amtool")
