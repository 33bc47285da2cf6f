"""A student opens JupyterLab in a real browser: the welcome notebook, exercise 2, Validate."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from mlmon import doctor, progress
from mlmon.lab import WELCOME

ROOT = Path(__file__).parents[2]
WITNESS = Path(__file__).parent / "witness"
CHROMIUM = doctor.program("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=doctor.lack("chromium")),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(condition, seconds, message):
    """Ask until the answer is true."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, message() if callable(message) else message
        time.sleep(0.2)
    return answer


def watched(folder):
    """Environment in which every Python notes the outside addresses it asks for."""
    return {**os.environ, "PYTHONPATH": str(WITNESS), "WITNESS": str(folder / "witness.txt")}


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """A student's copy of the course, without any output."""
    folder = tmp_path_factory.mktemp("student")
    for name in ("course", "exercises", "datasets"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    welcome = nbformat.read(folder / WELCOME, as_version=4)
    for cell in code_cells(welcome):
        cell.outputs, cell.execution_count = [], None
    nbformat.write(welcome, folder / WELCOME)
    return folder


@pytest.fixture(scope="module")
def lab(classroom):
    """JupyterLab as `mlmon lab` starts it; its address."""
    log = classroom / "lab.log"
    command = [sys.executable, "-m", "mlmon.lab", "--dir", str(classroom), "--port", str(free_port()), "--no-browser"]
    with log.open("w") as lines:
        server = subprocess.Popen(command, stdout=lines, stderr=lines, env=watched(classroom), cwd=ROOT)
    try:
        address = wait(lambda: re.search(r"http://127\S+token=\w+", log.read_text()), 90, log.read_text).group()
        wait(lambda: urllib.request.urlopen(address).status == 200, 30, log.read_text)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:  # JupyterLab may wait for a kernel that is gone
            server.kill()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright().start()
    quiet = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=quiet)
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture
def page(browser):
    """A fresh student's window that remembers every address it asks for, and every error that a script of it ends with."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.asked, page.complaints = [], []
    context.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda channel: page.asked.append(channel.url))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.set_default_timeout(60_000)
    yield page
    context.close()


def visit(page, lab, notebook):
    """Open a notebook alone and wait until its kernel is idle; before that, Run All is lost."""
    parts = urlsplit(lab)
    page.goto(f"{parts.scheme}://{parts.netloc}/lab/tree/{notebook}?reset&{parts.query}")
    page.locator(".jp-Notebook").first.wait_for()
    page.get_by_text("| Idle").first.wait_for()


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def assert_nothing_left_the_machine(page, classroom):
    elsewhere = [url for url in page.asked if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:", url)]
    assert elsewhere == []
    notes = classroom / "witness.txt"
    assert not notes.exists() or notes.read_text() == ""


def test_the_witness_sees_a_request(tmp_path):
    # A witness that noted nothing would prove nothing; 192.0.2.1 is reserved and answers nobody.
    ask = "import socket; s = socket.socket(); s.settimeout(0.01); s.connect_ex(('192.0.2.1', 9))"
    subprocess.run([sys.executable, "-c", ask], env=watched(tmp_path), check=True)
    assert "192.0.2.1" in (tmp_path / "witness.txt").read_text()


def test_the_welcome_notebook_opens_and_runs(page, lab, classroom):
    # The address that `make course` prints leads to the welcome notebook; Run All leaves no error.
    page.goto(lab)
    page.locator(".jp-Notebook").first.wait_for()
    page.get_by_text("| Idle").first.wait_for()
    assert Path(WELCOME).name in page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel").all_inner_texts()

    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Run All Cells")).click()

    def ran():
        page.keyboard.press("Control+S")
        try:
            cells = code_cells(nbformat.read(classroom / WELCOME, as_version=4))
        except nbformat.reader.NotJSONError:  # read while it was being written
            return False
        return all(cell.execution_count for cell in cells) and cells

    cells = wait(ran, 180, "the welcome notebook did not finish")
    assert [output for cell in cells for output in cell.outputs if output.output_type == "error"] == []
    # `mlmon progress` reads what JupyterLab has written: this notebook is done, the next is not begun.
    first, second, *_ = progress.read(classroom).steps
    assert first.share == 1 and second.done == 0

    before = slider_and_picture(page)
    page.keyboard.press("ArrowRight")
    wait(lambda: slider_and_picture(page) != before, 60, "the figure did not follow the slider")
    assert page.complaints == []
    assert_nothing_left_the_machine(page, classroom)


def slider_and_picture(page):
    """Scroll to the slider of the welcome notebook and take hold of it; its figure as text."""
    handle = page.locator(".noUi-handle").last
    for _ in range(60):
        if handle.count() and handle.is_visible():
            break
        page.locator(".jp-WindowedPanel-outer").hover()
        page.mouse.wheel(0, 1200)
        page.wait_for_timeout(100)
    handle.focus()
    return page.locator(".jp-Cell", has=handle).locator("img").first.get_attribute("src")


def test_no_pop_up_greets_the_student(page, lab, classroom):
    # JupyterLab's news and update notices come as toasts or dialogs within seconds of the start.
    visit(page, lab, WELCOME)
    page.wait_for_timeout(5000)
    assert page.locator(".jp-Dialog, .Toastify__toast, .jp-toast").count() == 0
    assert_nothing_left_the_machine(page, classroom)


def test_validate_says_what_is_missing_in_exercise_2(page, lab, classroom):
    # The release has no answers yet, so Validate names the first check that fails.
    first = sorted((classroom / "exercises" / "ex2_drift").glob("*.ipynb"))[0]
    visit(page, lab, first.relative_to(classroom))
    page.get_by_role("button", name="Validate").click()
    told = page.locator(".jp-Dialog")
    told.wait_for(timeout=120_000)
    assert "failed" in told.inner_text().lower()
    assert "NotImplementedError" in told.inner_text()
    assert_nothing_left_the_machine(page, classroom)
