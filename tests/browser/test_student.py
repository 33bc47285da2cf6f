"""JupyterLab in a real browser: a student's welcome notebook, exercise 2 and Validate; an instructor's formgrader."""

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
from mlmon.grading import autograde, release
from mlmon.grading.course import Course
from mlmon.lab import WELCOME
from tests.grading import conftest as kit

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
    """A fresh window that remembers every address it asks for, and every error of its scripts and its console."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.asked, page.complaints = [], []
    context.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda channel: page.asked.append(channel.url))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
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


def saved(path):
    """The code cells of a notebook that JupyterLab may be writing just now."""
    while True:
        try:
            return code_cells(nbformat.read(path, as_version=4))
        except nbformat.reader.NotJSONError:
            time.sleep(0.1)


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
        cells = saved(classroom / WELCOME)
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


def scroll_to(page, wanted):
    """Turn the wheel until a part of the notebook is there: JupyterLab draws only what is near the window."""
    for _ in range(60):
        if wanted.count() and wanted.is_visible():
            break
        page.locator(".jp-WindowedPanel-outer").hover()
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(100)
    wanted.scroll_into_view_if_needed()


def slider_and_picture(page):
    """Take hold of the last slider of the welcome notebook; its figure as text."""
    handle = page.locator(".noUi-handle").last
    scroll_to(page, handle)
    handle.focus()
    return page.locator(".jp-Cell", has=handle).locator("img").first.get_attribute("src")


def test_no_pop_up_greets_the_student(page, lab, classroom):
    # JupyterLab's news and update notices come as toasts or dialogs within seconds of the start.
    visit(page, lab, WELCOME)
    page.wait_for_timeout(5000)
    assert page.locator(".jp-Dialog, .Toastify__toast, .jp-toast").count() == 0
    assert_nothing_left_the_machine(page, classroom)


def validate(page):
    """Press Validate, close its window, and give what it said."""
    page.get_by_role("button", name="Validate").click()
    told = page.locator(".jp-Dialog")
    told.wait_for(timeout=120_000)
    text = told.inner_text()
    told.get_by_role("button").last.click()
    told.wait_for(state="detached")
    return text


def test_validate_says_what_is_missing_in_exercise_2_and_is_content_with_right_answers(page, lab, classroom):
    # The release has no answers yet, so Validate names the first check that fails; with all four it finds none.
    exercise = classroom / "exercises" / "ex2_drift" / "1_ks.ipynb"
    visit(page, lab, exercise.relative_to(classroom))
    told = validate(page)
    assert "failed" in told.lower() and "NotImplementedError" in told

    typed = """points = np.concatenate([reference, current])
shares = [np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (reference, current)]
return float(np.abs(shares[0] - shares[1]).max())"""
    for name, source in kit.reference_cells("ex2_drift", "1_ks").items():
        cell = page.locator(".jp-CodeCell", has_text=f"def {name}(")
        scroll_to(page, cell)
        if name == "ks_statistic":  # key by key, in the place of the last line
            cell.locator(".cm-line", has_text="raise NotImplementedError").click()
            page.keyboard.press("Home")
            page.keyboard.press("Shift+End")
            page.keyboard.type(typed)
        else:  # pasted over the whole
            cell.locator(".cm-line").last.click()
            page.keyboard.press("Control+A")
            page.keyboard.insert_text(source)
    page.keyboard.press("Control+S")
    wait(lambda: not any("NotImplementedError" in cell.source for cell in saved(exercise)), 60, "the answers were not saved")
    told = validate(page)
    assert "Success" in told, told
    assert page.complaints == []
    assert_nothing_left_the_machine(page, classroom)


@pytest.fixture(scope="module")
def graded(classroom):
    """A small class, graded by `mlmon grade` in the course that JupyterLab shows: ada is right, ben forgot the zero, cleo's file is broken."""
    if missing := doctor.lack("bubblewrap"):
        pytest.skip(missing)
    notebooks = {"mean": kit.toy_notebooks()["mean"]}
    course = Course.at(classroom)
    course.solution("toy").mkdir(parents=True)
    nbformat.write(notebooks["mean"], course.solution("toy") / "mean.ipynb")
    release.release(course, "toy")
    slip = {**kit.RIGHT["mean"], "signs": "def signs(x):\n    return [1 if v > 0 else -1 for v in x]"}
    for student, answers in {"ada": kit.RIGHT["mean"], "ben": slip, "cleo": {}}.items():
        kit.hand_in(classroom / "class", student, kit.answer(course.release("toy"), {"mean": answers}))
    (classroom / "class" / "cleo" / "mean.ipynb").write_text("{broken")
    autograde.grade(course, "toy", classroom / "class", workers=1, check=False, progress=False)
    return course


def row(formgrader, text):
    """Wait for a row of the formgrader's table that reads so."""
    formgrader.locator("tbody tr").filter(has_text=re.compile(text)).wait_for()


def points_by_hand(course, student):
    with course.gradebook() as gradebook:
        return gradebook.find_submission_notebook("mean", "toy", student).written_score


def test_formgrader_shows_a_graded_class_and_takes_points_by_hand(page, lab, classroom, graded):
    # mean is worth 2, signs 4 of which ben's slip costs one; 3 more for the essay, which waits for a person.
    visit(page, lab, WELCOME)
    page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
    page.get_by_role("menuitem", name="Formgrader").click()
    formgrader = page.frame_locator("iframe")
    row(formgrader, r"toy.*draft\s*2")  # what can be read: cleo stands in grades.csv alone
    for page_of in ("gradebook", "gradebook/toy", "gradebook/toy/mean"):  # by address: the first page has a link "toy" too, which leads elsewhere
        formgrader.locator(f"a[href$='/formgrader/{page_of}']").click()
    row(formgrader, r"ada\s*6 / 9\s*6 / 6\s*0 / 3")
    row(formgrader, r"ben\s*5 / 9\s*5 / 6\s*0 / 3")
    formgrader.get_by_role("button", name="Show All Names").click()

    formgrader.get_by_role("link", name="ada").click()
    formgrader.locator("input.score[placeholder='4']").wait_for()  # the grader's points for signs
    formgrader.locator(".tabbable:focus").wait_for()  # the page goes to the first box by itself
    essay = formgrader.locator("input.score").last
    essay.fill("2")
    essay.press("Tab")
    wait(lambda: points_by_hand(graded, "ada") == 2, 30, "the points were not saved")
    assert page.complaints == []
    assert_nothing_left_the_machine(page, classroom)

