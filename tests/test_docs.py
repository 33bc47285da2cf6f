"""The pages tell the truth: each command of README and guides runs, each link leads somewhere."""

import ast
import contextlib
import csv
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

from mlmon import __version__, doctor
from mlmon.grading import release, template
from mlmon.grading.course import Course

ROOT = Path(__file__).parents[1]
GUIDE = "course/instructor_guide.md"
COMMANDED = ["README.md", GUIDE, "CONTRIBUTING.md"]
PAGES = [*COMMANDED, "ARCHITECTURE.md", "CHANGELOG.md", "datasets/README.md"]
ADA = "Ada Lovelace_12345"
ROSTERS = {
    "canvas.csv": "Student,ID,SIS Login ID,Section,Drift detection (777)\n    Points Possible,,,,{points}\n\"Lovelace, Ada\",12345,ada,One,\n",
    "moodle.csv": "Identifier,Full name,Status,Grade,Maximum grade,Last modified (grade)\nParticipant 12345,Ada Lovelace,,,{points},-\n",
}


def commands(text):
    """Commands of the fenced ``sh`` blocks, continued lines joined, comments left out."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    bare = (line.split("  #")[0].removeprefix("$ ").strip() for line in lines)
    return [" ".join(line.split()) for line in bare if line and not line.startswith("#")]


def runs(clone, command):
    """The command ends well."""
    answer = subprocess.run(shlex.split(command), cwd=clone, env=shell(clone), capture_output=True, text=True)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-2000:]


def opens(clone, command):
    """The command serves the welcome notebook, to who has the token, until it is stopped."""
    log, port = clone / "build" / "course.log", free_port()
    with log.open("w") as lines:
        server = subprocess.Popen(
            [*shlex.split(command), f"PORT={port}"],
            cwd=clone, env=shell(clone), stdout=lines, stderr=lines, start_new_session=True,
        )
    try:
        address = first_address(log, server)
        assert f":{port}/lab/tree/course/00_orientation.ipynb?" in address
        assert log.read_text().startswith("JupyterLab starts")  # a silent minute looks like a fault
        api = f"http://127.0.0.1:{port}/api/contents/course/00_orientation.ipynb?content=0"
        assert json.load(as_soon_as_it_listens(f"{api}&{address.split('?')[1]}"))["type"] == "notebook"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(api)
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        with pytest.raises(urllib.error.URLError):
            get(api)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


def grades(clone, command):
    """The command grades a class, here of one student who has handed in the release as it is, through Moodle.

    The zip is the same each time: the first command runs code, and the one after the ledger was put aside.
    """
    if missing := doctor.lack("bubblewrap"):
        pytest.skip(missing)
    shutil.copytree(clone / "exercises" / "ex2_drift", clone / "class" / f"{ADA}_assignsubmission_file", dirs_exist_ok=True)
    shutil.make_archive(str(clone / "class"), "zip", clone / "class")
    runs(clone, command)
    assert [(row["student"], float(row["score"]), row["status"]) for row in table(clone)] == [(ADA, 0.0, "graded")]


def table(clone):
    return list(csv.DictReader((clone / "build" / "grades.csv").open()))


def exports(clone, command):
    """The command gives the roster back with the one grade in it."""
    if missing := doctor.lack("bubblewrap"):
        pytest.skip(missing)
    row, name = table(clone)[0], shlex.split(command)[shlex.split(command).index("--roster") + 1]
    roster = ROSTERS[name].format(points=float(row["max_score"]) + float(row["written_max_score"]))
    (clone / name).write_text(roster)
    runs(clone, command)
    written = clone / "build" / f"{Path(name).stem}-ex2_drift.csv"
    assert [line for line in csv.reader(written.open()) if "12345" in "".join(line)][0].count("0") == 1


def keeps(clone, command):
    """The command leaves the notebook that it names, here its first cells, as it was: the cells, their ids and how many outputs they have."""
    path = clone / command.partition("NB=")[2]
    book = nbformat.read(path, as_version=4)
    book.cells = book.cells[:4]
    nbformat.write(book, path)
    before = shape(path)
    runs(clone, command)
    assert shape(path) == before


def shape(path):
    return [(cell.id, cell.source, len(cell.get("outputs", []))) for cell in nbformat.read(path, as_version=4).cells]


def stands(clone, command):
    """The command is what runs this test, or needs what this machine lacks; another test stands for it."""


# How each command of the pages is tried, in a fresh copy of the repository.
TRIED = {
    "make": runs,
    "make setup": runs,
    "make course": opens,
    "python -m pip install .": stands,  # test_the_package_alone_is_enough_for_a_model_of_ones_own
    "make test": stands,  # it runs this file
    "make prove": stands,  # hours
    "mlmon doctor": runs,
    "mlmon progress": runs,
    "make site": stands,  # tests/browser/test_site.py builds it and reads it
    "mlmon release --archive": runs,
    "mlmon release ex2_drift": runs,
    "mlmon grade ex2_drift --submissions class.zip": grades,
    "mlmon grade ex2_drift --submissions class.zip --workers 4 --cell-seconds 120 --notebook-seconds 1200": grades,
    'mlmon export canvas ex2_drift --roster canvas.csv --column "Drift detection"': exports,
    "mlmon export moodle ex2_drift --roster moodle.csv": exports,
    "mv build/ledger.sqlite build/ledger-before.sqlite": runs,
    **dict.fromkeys(["mlmon stack up", "mlmon stack inject latency", "mlmon stack status", "mlmon stack down"], stands),  # tests/serving/test_stack.py
    "conda env create --file environment.yml": stands,  # test_environment.py reads it with conda's grammar
    "conda run --no-capture-output --name mlmon mlmon lab": stands,  # tests/browser starts `mlmon lab`
    "mlmon new exercise ex5_mine": runs,
    "mlmon release ex5_mine": runs,
    "python -m pytest tests/test_check.py": stands,  # this run is one
    "python -m mlmon.architecture": runs,
    "make datasets": stands,  # tests/data/test_datasets.py
    **dict.fromkeys([f"make {target} NB=course/00_orientation.ipynb" for target in ("text", "untext", "store")], keeps),
    **dict.fromkeys(["make lock", "make upgrade"], stands),  # they ask a registry; test_environment.py holds what came out
    "python -m hatchling build -t wheel": runs,
    "git tag v0.2.0": stands,
}


def shell(clone):
    """A student's shell in the clone, its .venv active."""
    return {**outside_make(), "VIRTUAL_ENV": str(clone / ".venv"), "PATH": f"{clone / '.venv' / 'bin'}:{os.environ['PATH']}"}


def outside_make():
    """The environment without what `make test` hands down to a make inside it. What is imported is compiled then: all of it takes half a minute."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONDONTWRITEBYTECODE")}
    return {**kept, "UV_COMPILE_BYTECODE": "0"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    return urllib.request.urlopen(url, timeout=10)


def as_soon_as_it_listens(url):
    """Jupyter prints its address an instant before it listens there."""
    end = time.monotonic() + 60
    while True:
        try:
            return get(url)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > end:
                raise
        time.sleep(0.1)


def first_address(log, server):
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        if found := re.search(r"http://127\S+token=\w+", log.read_text()):
            return found.group()
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What `git clone` gives, with the work of this tree, set up by `make`. A small exercise stands for the second, since grading asks for time."""
    folder = tmp_path_factory.mktemp("fresh") / "mlmon"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("solutions/ex2_drift/", "exercises/ex2_drift/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    made = subprocess.run(["make", "setup"], cwd=folder, env=outside_make(), capture_output=True, text=True)
    assert made.returncode == 0, (made.stdout + made.stderr)[-2000:]
    template.new_exercise(Course.at(folder), "ex2_drift")
    release.release(Course.at(folder), "ex2_drift")
    return folder


@pytest.mark.parametrize("command", dict.fromkeys(commands("".join((ROOT / page).read_text() for page in COMMANDED))))
def test_a_command_of_the_pages_does_what_it_says(command, request):
    # Whoever copies a line gets what the page promises; the guide's come in their order.
    assert command in TRIED, f"say in TRIED how `{command}` is tried"
    how = TRIED[command]
    how(None if how is stands else request.getfixturevalue("clone"), command)


def test_the_reader_of_commands_reads_what_a_person_would():
    # Comments go, prompts go, continued lines are one command, other fences are not commands.
    page = "```sh\n# a note\n$ make test  # all\nmlmon grade ex2 \\\n    --submissions dir\n```\n```text\nok\n```\n"
    assert commands(page) == ["make test", "mlmon grade ex2 --submissions dir"]


def python_of(title):
    """The Python lines of a section of the README."""
    section = re.search(rf"^## {title}\n(.*?)^## ", (ROOT / "README.md").read_text(), re.M | re.S).group(1)
    return re.search(r"^```python\n(.*?)^```", section, re.M | re.S).group(1)


def shown_and_said(lines, python, folder):
    """What each line that only names values shows in this Python, and what the comment behind it says; then what else was printed."""
    tree, said = ast.parse(lines), []
    for node in tree.body:
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            said.append(lines.splitlines()[node.end_lineno - 1].split("  # ")[1])
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            node.value = ast.Call(ast.Name("print", ast.Load()), values, [ast.keyword("sep", ast.Constant(", "))])
    script = ast.unparse(ast.fix_missing_locations(tree))
    told = subprocess.run([python, "-I", "-c", script], cwd=folder, env=outside_make(), capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-2000:]
    shown = told.stdout.splitlines()
    return shown[:len(said)], said, shown[len(said):]


def monitor(python, folder):
    """The README's lines of a model of one's own, on a free port, and what Prometheus would get of them."""
    port = free_port()
    ask = f"import urllib.request\nprint(urllib.request.urlopen('http://localhost:{port}/metrics').read().decode())"
    return shown_and_said(python_of("Monitor a model of your own").replace("8000", str(port)) + ask, python, folder)


def test_the_package_in_a_minute_shows_what_it_says(tmp_path):
    # Income alone was moved.
    shown, said, _ = shown_and_said(python_of("The package in a minute"), sys.executable, tmp_path)
    assert shown == said == ["DRIFTED, ('income',)"]


def test_a_model_of_ones_own_is_monitored_by_twenty_lines(tmp_path):
    # 1000 rows are asked for twice, all get their label once; then income alone moves.
    assert sum(bool(line.strip()) for line in python_of("Monitor a model of your own").splitlines()) <= 20
    shown, said, metrics = monitor(sys.executable, tmp_path)
    assert shown == said == ["STABLE, 1000", "DRIFTED, ('income',)"]
    assert {'mlmon_feature_drifted{feature="income",model="churn",version="1"} 1.0',
            'mlmon_feature_drifted{feature="age",model="churn",version="1"} 0.0',
            'mlmon_predictions_total{model="churn",source="model",version="1"} 2000.0',
            'mlmon_labels_total{model="churn",result="joined",version="1"} 1000.0'} <= set(metrics)


@pytest.mark.prove
def test_the_package_alone_is_enough_for_a_model_of_ones_own(tmp_path):
    # `pip install .` brings no extra; scikit-learn is the engineer's own.
    install = [sys.executable, "-m", "uv"]
    python = tmp_path / "venv" / "bin" / "python"
    for command in (["venv", tmp_path / "venv", "--python", sys.executable], ["pip", "install", "--python", python, ROOT, "scikit-learn"]):
        told = subprocess.run([*install, *command], env=outside_make(), capture_output=True, text=True)
        assert told.returncode == 0, told.stderr[-2000:]
    shown, said, metrics = monitor(python, tmp_path)
    assert shown == said and metrics
    refused = subprocess.run([python, "-m", "mlmon.cli", "release"], cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 2 and "`mlmon doctor` says how to install it" in refused.stderr, refused.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if (ROOT / page).exists()])
def test_each_link_to_a_file_leads_to_it(page):
    # A link is relative to its page; addresses of other machines are not followed.
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.M | re.S)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text)]
    targets = [(one or other).split("#")[0] for one, other in links if "://" not in (one or other)]
    missing = [target for target in filter(None, targets) if not ((ROOT / page).parent / target).exists()]
    assert missing == []


def test_make_alone_lists_each_target_in_one_line():
    # Every public target has its line, and every line a target.
    listed = subprocess.run(["make"], cwd=ROOT, env=outside_make(), capture_output=True, text=True, check=True).stdout.splitlines()
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    assert sorted(line.split()[0] for line in listed) == sorted(phony)


def test_ci_calls_the_readmes_test_command():
    # CI has no way of its own: what passes there passes for whoever types the command.
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()
    assert "pytest" not in script.read_text()


def test_the_version_is_the_same_wherever_it_stands():
    # Whoever releases one changes both.
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
