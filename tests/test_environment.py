"""pyproject.toml, requirements.lock and environment.yml agree, and what they name can be imported."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, KEPT_OUT = PYPROJECT["project"], PYPROJECT["tool"]["uv"]["exclude-dependencies"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())

# What a student on conda does without: the site and the tests are built from a clone with `make`.
NOT_ON_CONDA = {"site", "test"}

# Markers of the machines that the one lock serves.
MACHINES = [
    {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system, "platform_system": name}
    for python in ("3.11", "3.12", "3.13")
    for system, name in (("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows"))
]

# Where the name of the module is not the name of the package.
MODULES = {
    "apache-airflow": "airflow",
    "grafana-foundation-sdk": "grafana_foundation_sdk",
    "jupyter-repo2docker": "repo2docker",
    "mlflow-skinny": "mlflow",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry.sdk",
    "py-rattler": "rattler",
    "pytest-xdist": "xdist",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}


def requirements(*groups):
    """Requirements of the named extras, or of all and the core."""
    chosen = groups or EXTRAS
    lines = [] if groups else list(PROJECT["dependencies"])
    return [Requirement(line) for extra in chosen for line in EXTRAS[extra]] + [Requirement(line) for line in lines]


def lock():
    """Entries of the lock: (requirement, number of hashes)."""
    entries = re.findall(r"^(\S+==[^\\\n]+?) \\\n((?:    --hash=\S+(?: \\)?\n?)+)", (ROOT / "requirements.lock").read_text(), re.M)
    return [(Requirement(pin), hashes.count("--hash=sha256:")) for pin, hashes in entries]


def holds(requirement, machine):
    return requirement.marker is None or requirement.marker.evaluate({"extra": "", **machine})


def test_the_lock_pins_each_direct_dependency_once_on_every_machine():
    # One lock serves Python 3.11 to 3.13: for each of them exactly one pin applies, and it is in range.
    pins = [pin for pin, _ in lock()]
    for machine in MACHINES:
        for wanted in (r for r in requirements() if holds(r, machine)):
            found = [p for p in pins if canonicalize_name(p.name) == canonicalize_name(wanted.name) and holds(p, machine)]
            assert len(found) == 1, f"{wanted} on {machine}: {found}"
            version = str(found[0].specifier).removeprefix("==")
            assert wanted.specifier.contains(version), f"{wanted} is locked at {version}: run `make lock`"


def test_every_line_of_the_lock_has_a_hash_and_none_has_a_host():
    # A hash fixes the file wherever it comes from; a host would fix where it comes from.
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text and "--index-url" not in text
    assert all(hashes for _, hashes in lock())
    assert len(lock()) == len(re.findall(r"^\S", text, re.M))


def closure(name, extras=()):
    """Names of everything that an installed package needs on this machine, but what pyproject.toml keeps out on purpose."""
    seen, waiting = set(), [(name, frozenset(extras))]
    while waiting:
        package, wanted = waiting.pop()
        for line in metadata.requires(package) or ():
            need = Requirement(line)
            applies = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in {"", *wanted})
            step = (canonicalize_name(need.name), frozenset(need.extras))
            if applies and step not in seen and step[0] not in KEPT_OUT:
                seen.add(step)
                waiting.append(step)
    return {package for package, _ in seen}


def test_the_lock_holds_what_pyproject_needs_and_nothing_else():
    # Walking the installed packages from pyproject.toml meets each pin, and meets nothing unpinned.
    pinned = {canonicalize_name(pin.name) for pin, _ in lock() if holds(pin, {})}
    assert closure("mlmon", EXTRAS) - {"mlmon"} == pinned


def test_what_is_installed_is_what_the_lock_says():
    # `make setup` installs the lock, so versions differ only where someone changed them by hand.
    pinned = {pin.name: str(pin.specifier).removeprefix("==") for pin, _ in lock() if holds(pin, {})}
    assert {name: metadata.version(name) for name in pinned} == pinned


def test_environment_yml_repeats_pyproject_name_by_name():
    # conda users get the same ranges, in the order that a reader finds in pyproject.toml.
    pip = next(item["pip"] for item in CONDA["dependencies"] if isinstance(item, dict))
    groups = [extra for extra in EXTRAS if extra not in NOT_ON_CONDA]
    wanted = [Requirement(line) for line in PROJECT["dependencies"]] + requirements(*groups)
    assert pip[-1] == "--editable ."
    assert [Requirement(line) for line in pip[:-1]] == wanted


def test_conda_reads_each_line_of_environment_yml():
    # py-rattler is conda's own grammar, strict.
    rattler = pytest.importorskip("rattler", reason="py-rattler is installed on Linux only")
    for spec in (item for item in CONDA["dependencies"] if isinstance(item, str)):
        rattler.MatchSpec(spec, strict=True)
    python = next(item for item in CONDA["dependencies"] if str(item).startswith("python="))
    assert python.removeprefix("python=") + ".0" in Requirement(f"python{PROJECT['requires-python']}").specifier


def test_binder_would_build_environment_yml(tmp_path):
    # repo2docker's dry run prints the image: the files come in before conda installs mlmon from them.
    pytest.importorskip("repo2docker", reason="repo2docker is installed on Linux only")
    for name in ("environment.yml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    dry = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(tmp_path)]
    told = subprocess.run(dry, capture_output=True, text=True)
    image = told.stdout + told.stderr
    assert told.returncode == 0, image[-2000:]
    assert 0 < image.index("COPY --chown=0:0 src/") < image.index('--file "environment.yml"')


def test_every_direct_dependency_can_be_imported(tmp_path):
    # The default resolution once gave pandas 3.1, with which Evidently does not import.
    here = [r for r in requirements() if holds(r, {})]
    modules = [MODULES.get(r.name, r.name.replace("-", "_")) for r in here]
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import " + ", ".join(modules)],
        capture_output=True, text=True, cwd=tmp_path,
        env={"AIRFLOW_HOME": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "DO_NOT_TRACK": "true"},
    )
    assert run.returncode == 0, run.stderr[-2000:]
