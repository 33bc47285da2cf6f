"""What is installed, what is missing, and what each missing piece costs.

`mlmon doctor` prints one line a piece. With ``--json`` it prints the same as
JSON, and with ``--install`` it installs the missing system programs where it
may: on Debian or Ubuntu, as root or with a sudo that asks no password.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

PYTHONS = ((3, 11), (3, 13))

# What does not work without each extra of pyproject.toml.
COSTS = {
    "core": "nothing of mlmon works",
    "course": "no notebook opens, runs or draws",
    "report": "no Evidently report: notebook 12 and the last part of exercise 2",
    "grading": "no release, no grading, no Validate button",
    "serving": "no HTTP service around a model, no alert rules, no dashboards",
    "registry": "no model registry",
    "airflow": "the retraining pipeline runs as plain functions only",
    "scale": "no data larger than memory, no grading over machines",
    "fairness": "no fairness measures in the hiring loop",
    "site": "`make site` cannot build the web site",
    "test": "`make test` and `make prove` cannot run",
}


@dataclass(frozen=True)
class Program:
    """A program of the system: its names, its package, what is untested without it, and the service that it must not become."""

    name: str
    names: tuple[str, ...]
    package: str
    ubuntu: str
    cost: str
    service: str = ""


PROGRAMS = (
    Program(
        name="chromium",
        names=("chromium", "chromium-browser", "google-chrome"),
        package="chromium",
        ubuntu="chromium-browser",
        cost="not tested: the student's side in a real browser (tests/browser)",
    ),
    Program(
        name="bubblewrap",
        names=("bwrap",),
        package="bubblewrap",
        ubuntu="bubblewrap",
        cost="not tested: the sandbox; strangers' code is graded with --unsafe only",
    ),
    Program(
        name="prometheus",
        names=("prometheus",),
        package="prometheus",
        ubuntu="prometheus",
        cost="not tested: rules and dashboards with the real server; no checks of exercise 1; `mlmon stack` does not start",
        service="prometheus",
    ),
    Program(
        name="alertmanager",
        names=("prometheus-alertmanager", "alertmanager"),
        package="prometheus-alertmanager",
        ubuntu="prometheus-alertmanager",
        cost="not tested: whom alerts reach, with the real server; no checks of exercise 1's routes; `mlmon stack` does not start",
        service="prometheus-alertmanager",
    ),
)

# While this file exists and says 101, Debian's packages start no service. Ours are started by hand, on ports of their own.
POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Piece:
    """One piece of the set-up.

    `state` is "ok", "missing" or "wrong" (there, in a version that does not
    fit). `cost` says what does not work without it, `mend` what to type.
    """

    name: str
    kind: str
    state: str
    found: str
    cost: str
    mend: str


def examine():
    """Look at Python, at each extra and at each system program.

    Returns
    -------
    list of Piece

    Examples
    --------
    >>> [piece.name for piece in examine()][:2]
    ['python', 'core']
    """
    try:
        extras = [_extra(name) for name in COSTS]
    except ImportError as fault:  # mlmon itself or packaging is not installed
        extras = [Piece("core", "extra", "missing", f"no {fault.name}", COSTS["core"], _pip("core"))]
    return [_python(), *extras, *map(_program, PROGRAMS)]


def program(name):
    """Path of a system program that runs, or None.

    Parameters
    ----------
    name : str
        A name of `PROGRAMS`, such as "chromium".

    Examples
    --------
    >>> path = program("chromium")  # "/usr/bin/chromium", or None where it is missing
    """
    wanted = next(known for known in PROGRAMS if known.name == name)
    return next((path for path, _ in _running(wanted)), None)


def lack(name):
    """What to say where a system program is missing: what that costs, and what to type. Empty where it is there.

    Parameters
    ----------
    name : str
        A name of `PROGRAMS`.

    Examples
    --------
    >>> lack("prometheus").startswith("prometheus is missing; ") or program("prometheus") is not None
    True
    """
    wanted = next(known for known in PROGRAMS if known.name == name)
    piece = _program(wanted)
    return "" if piece.state == "ok" else f"{name} is missing; {wanted.cost}. To mend it: {piece.mend}"


def main(argv=None):
    """Run `mlmon doctor`; 0 when Python and the core fit, else 1."""
    options = _parser().parse_args(argv)
    pieces = examine()
    if options.install:
        return _install(pieces)
    print(json.dumps([asdict(piece) for piece in pieces], indent=2) if options.json else _table(pieces))
    return int(any(piece.state != "ok" for piece in pieces if piece.name in ("python", "core")))


def _parser():
    parser = argparse.ArgumentParser(prog="mlmon doctor", description=__doc__.splitlines()[0])
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--install", action="store_true", help="install missing system programs where it may")
    return parser


def _python():
    fits = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    return Piece(
        name="python",
        kind="python",
        state="ok" if fits else "wrong",
        found=platform.python_version(),
        cost="nothing of mlmon is tested on this Python",
        mend="install Python 3.11, then `make setup`",
    )


def _extra(extra):
    faults = [fault for fault in map(_fault, _requirements(extra)) if fault]
    packages = len(_requirements(extra))
    missing = all(fault.startswith("no ") for fault in faults)
    return Piece(
        name=extra,
        kind="extra",
        state="ok" if not faults else "missing" if missing else "wrong",
        found=", ".join(faults) or f"{packages} package{'s' * (packages != 1)}",
        cost=COSTS[extra],
        mend=_pip(extra),
    )


def _requirements(extra):
    """Requirements of one extra on this machine; "core" names those of no extra."""
    from packaging.requirements import Requirement

    found = []
    for line in metadata.requires("mlmon") or ():
        requirement = Requirement(line)
        named = re.search(r"extra == ['\"]([^'\"]+)", str(requirement.marker or ""))
        mine = named.group(1) == extra if named else extra == "core"
        if mine and (requirement.marker is None or requirement.marker.evaluate({"extra": extra})):
            found.append(requirement)
    return found


def _fault(requirement):
    """What is wrong with one requirement, or an empty string."""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"no {requirement.name}"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} {version} does not fit {requirement.specifier}"


def _pip(extra):
    if Path("Makefile").exists() and Path("requirements.lock").exists() and os.name != "nt":
        return "make setup"
    command = "python -m pip install --editable " + ("." if extra == "core" else f'".[{extra}]"')
    return command if Path("pyproject.toml").exists() else f"in the folder of mlmon's clone, {command}"


def _program(wanted):
    path, version = next(_running(wanted), ("", ""))
    return Piece(
        name=wanted.name,
        kind="program",
        state="ok" if path else "missing",
        found=version or path or f"no {' or '.join(wanted.names)}",
        cost=wanted.cost,
        mend=f"sudo apt-get install {_package(wanted)}" if shutil.which("apt-get") else f"install {wanted.name}",
    )


def _running(wanted):
    """Paths and versions of the program; one that only asks to be installed does not count."""
    for path in filter(None, map(shutil.which, wanted.names)):
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
        if answer.returncode == 0:
            yield path, answer.stdout.strip().splitlines()[0]


def _package(wanted):
    system = platform.freedesktop_os_release().get("ID") if Path("/etc/os-release").exists() else ""
    return wanted.ubuntu if system == "ubuntu" else wanted.package


def _install(pieces):
    """Install what is missing of the system, or say in one line what that costs; never an error."""
    wanted = [known for known in PROGRAMS if any(p.name == known.name and p.state != "ok" for p in pieces)]
    packages = [_package(known) for known in wanted]
    if not wanted:
        return 0
    if _may_install():
        _apt("update")
        with _no_service_starts():
            _apt("install", "--yes", "--no-install-recommends", *packages)
        _never_at_boot([known.service for known in wanted if known.service])
    for known in wanted:
        if told := lack(known.name):
            print(told)
    return 0


def _root():
    return [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]


def _may_install():
    if shutil.which("apt-get") is None:
        return False
    if os.geteuid() == 0:
        return True
    return bool(shutil.which("sudo")) and subprocess.run([*_root(), "true"], capture_output=True).returncode == 0


def _apt(*words):
    command = [*_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", *words]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode


@contextlib.contextmanager
def _no_service_starts():
    """While it lasts, a package that is installed does not start its service."""
    if POLICY.exists():
        yield
        return
    _as_root("sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}")
    try:
        yield
    finally:
        _as_root("rm", "-f", str(POLICY))


def _never_at_boot(services):
    if services and shutil.which("systemctl"):
        _as_root("systemctl", "disable", *services)


def _as_root(*words):
    return subprocess.run([*_root(), *words], capture_output=True, stdin=subprocess.DEVNULL).returncode


def _table(pieces):
    lines = [f"{piece.state:8} {piece.name:12} {piece.found}" for piece in pieces]
    broken = [piece for piece in pieces if piece.state != "ok"]
    lines += [f"\nWithout {piece.name}: {piece.cost}.\n    To mend it: {piece.mend}" for piece in broken]
    return "\n".join(lines if broken else [*lines, "\nNothing is missing."])


if __name__ == "__main__":
    sys.exit(main())
