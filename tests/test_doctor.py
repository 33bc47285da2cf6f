"""`mlmon doctor` names each piece, what it costs to miss it, and how to mend it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mlmon import doctor

ROOT = Path(__file__).parents[1]


@pytest.fixture
def no_programs(monkeypatch):
    """A machine on which no program is found."""
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)


def test_every_extra_has_its_cost():
    # pyproject.toml is the one source of extras; the doctor adds what each is worth.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(doctor.COSTS) == {"core", *project["optional-dependencies"]}


def test_python_and_core_are_well_here():
    # These tests run on the Python and the core that it examines.
    states = {piece.name: piece.state for piece in doctor.examine()}
    assert (states["python"], states["core"]) == ("ok", "ok")


def test_a_missing_program_is_told_with_cost_and_cure(no_programs, capsys):
    # Who lacks a program reads its name, what that costs, and what to type.
    assert doctor.main([]) == 0
    told = capsys.readouterr().out
    assert "missing  chromium" in told
    assert "Without chromium: not tested: the student's side in a real browser" in told
    assert "To mend it: install chromium" in told


def test_without_bubblewrap_a_stranger_is_not_graded(no_programs, capsys):
    # The sandbox is made by bubblewrap, whose program is called bwrap.
    doctor.main([])
    told = capsys.readouterr().out
    assert "missing  bubblewrap   no bwrap" in told
    assert "Without bubblewrap: not tested: the sandbox; strangers' code is graded with --unsafe only" in told


def test_json_says_the_same_as_the_table(capsys):
    # One examination, two forms.
    doctor.main(["--json"])
    pieces = json.loads(capsys.readouterr().out)
    assert [piece["name"] for piece in pieces] == [piece.name for piece in doctor.examine()]
    assert all(piece["cost"] and piece["mend"] for piece in pieces)


def test_a_version_out_of_range_is_wrong_not_missing(monkeypatch):
    # Evidently 0.7 does not import with pandas 3.1, so the range ends there.
    real = doctor.metadata.version
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "3.1.1" if name == "pandas" else real(name))
    core = next(piece for piece in doctor.examine() if piece.name == "core")
    assert core.state == "wrong"
    assert core.found.startswith("pandas 3.1.1 does not fit ")


def test_a_missing_package_makes_its_extra_missing(monkeypatch):
    # The extra "report" is Evidently alone.
    def version(name, real=doctor.metadata.version):
        if name == "evidently":
            raise doctor.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    report = next(piece for piece in doctor.examine() if piece.name == "report")
    assert (report.state, report.found) == ("missing", "no evidently")


def test_an_uninstalled_mlmon_is_an_answer_not_a_traceback(monkeypatch, capsys):
    # Run from a bare clone there is no metadata to read.
    def requires(name):
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "requires", requires)
    assert doctor.main([]) == 1
    assert "missing  core" in capsys.readouterr().out


def test_a_program_that_does_not_run_does_not_count(monkeypatch, tmp_path):
    # Ubuntu ships a chromium-browser that only says where to get the real one.
    fake = tmp_path / "chromium-browser"
    fake.write_text("#!/bin/sh\necho install the snap >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.program("chromium") is None


def test_install_without_rights_is_one_line_and_no_failure(no_programs, capsys):
    # `make test` goes on without what it may not install, and says what is not tested.
    assert doctor.main(["--install"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.PROGRAMS)
    assert lines[0].startswith("chromium is missing; not tested: ")


def test_install_asks_apt_for_the_missing_packages_only(monkeypatch, tmp_path):
    # A root of Debian with an apt-get and a systemctl that note what they are asked.
    notes, policy = tmp_path / "notes", tmp_path / "policy-rc.d"
    for name in ("apt-get", "systemctl"):
        fake = tmp_path / name
        fake.write_text(f'#!/bin/sh\necho "$@" $(test -x {policy} && echo "no service starts") >> {notes}\n')
        fake.chmod(0o755)
    monkeypatch.setattr(doctor, "POLICY", policy)
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0)
    monkeypatch.setattr(doctor, "_package", lambda wanted: wanted.package)
    monkeypatch.setattr(doctor, "_running", lambda wanted: iter(()))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    doctor.main(["--install"])
    packages = " ".join(known.package for known in doctor.PROGRAMS)
    assert notes.read_text().splitlines() == [
        "--quiet update",
        f"--quiet install --yes --no-install-recommends {packages} no service starts",
        "disable prometheus prometheus-alertmanager",
    ]
    assert not policy.exists()


def test_the_doctor_runs_as_a_command():
    # `python -m mlmon.doctor` is what `make test` calls first.
    told = subprocess.run([sys.executable, "-m", "mlmon.doctor"], capture_output=True, text=True, cwd=ROOT)
    assert told.returncode == 0
    assert "python" in told.stdout
