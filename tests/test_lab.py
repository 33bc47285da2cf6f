"""`mlmon lab` starts JupyterLab in a configuration of its own that asks no other machine."""

import json
import re
from pathlib import Path

import pytest

from mlmon import lab

ROOT = Path(__file__).parents[1]


def test_make_and_lab_silence_the_same_libraries():
    # `make test` and `mlmon lab` are two doors into one silent house.
    exported = dict(re.findall(r"^export (\w+) = (\S+)$", (ROOT / "Makefile").read_text(), re.M))
    assert lab.SILENCE.items() <= exported.items()


def test_the_news_pop_up_is_answered_beforehand(tmp_path):
    # JupyterLab reads this file for the defaults of its settings.
    home = Path(lab.environment(tmp_path)["JUPYTER_CONFIG_DIR"])
    settings = json.loads((home / "labconfig" / "default_setting_overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"] == {"fetchNews": "false", "checkForUpdates": False}


def test_nothing_is_written_outside_build(tmp_path):
    # The student's own Jupyter settings stay as they were.
    paths = [value for name, value in lab.environment(tmp_path).items() if name.endswith("DIR")]
    assert len(paths) == 4
    assert all(Path(path).is_relative_to(tmp_path / "build" / "jupyter") for path in paths)


def test_a_port_that_was_asked_for_is_not_changed():
    # PORT=9001 means 9001 or an error; without it the next free port will do.
    assert "--ServerApp.port_retries=0" in lab.arguments(ROOT, port=9001)
    assert "--ServerApp.port_retries=50" in lab.arguments(ROOT)


@pytest.mark.parametrize("screen, opens", [({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "w"}, True)])
def test_linux_without_a_screen_opens_no_browser(monkeypatch, screen, opens):
    # X11 and Wayland each name their screen in a variable.
    monkeypatch.setattr(lab.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in screen.items():
        monkeypatch.setenv(name, value)
    assert lab.display() is opens


def test_a_folder_without_the_course_is_named(tmp_path, capsys):
    # Started in the wrong folder, it says where it looked and what to do.
    assert lab.main(["--dir", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "course/00_orientation.ipynb" in told and str(tmp_path) in told


def test_a_kernel_has_one_thread_a_library_unless_the_user_says_otherwise(tmp_path, monkeypatch):
    # Two on a machine that is busy wait for each other.
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    told = lab.environment(tmp_path)
    assert (told["OMP_NUM_THREADS"], told["OPENBLAS_NUM_THREADS"]) == ("1", "4")
