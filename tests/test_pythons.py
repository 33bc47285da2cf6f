"""The locked set installs, and the unit tests pass, on each Python that the lock serves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What are no unit tests: stored outputs are those of 3.11, the browser and the fresh clone are not about Python, and classes are large.
LEFT_OUT = [
    "tests/browser", "tests/grading/test_class.py", "tests/grading/test_graded.py", "tests/test_docs.py", "tests/test_notebooks.py", "tests/test_pythons.py",
]


def interpreter(version):
    """An interpreter of this version on the PATH or under pyenv, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]:
        asked = candidate and subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
        )
        if asked and asked.stdout.strip() == version:
            return str(candidate)
    return None


@pytest.mark.prove
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_unit_tests_pass_on_the_other_pythons(version):
    # One lock promises 3.11 to 3.13; 3.11 runs everything, the others the unit tests.
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine, so it is not tested")
    venv = ROOT / "build" / "pythons" / version
    run = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = subprocess.run(
        ["make", "setup", f"VENV={venv}", f"PYTHON={python}"], cwd=ROOT, env=run, capture_output=True, text=True
    )
    assert made.returncode == 0, (made.stdout + made.stderr)[-3000:]
    left_out = [f"--ignore={path}" for path in LEFT_OUT]
    tests = [str(venv / "bin" / "python"), "-m", "pytest", "-q", "-m", "not prove", "-p", "no:cacheprovider", "--numprocesses", "2", *left_out]
    told = subprocess.run(tests, cwd=ROOT, env=run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert told.returncode == 0, told.stdout[-5000:]
