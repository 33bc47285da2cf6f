"""The student's side shows what a kernel would show, and answers with plain data."""

import nbformat
import pytest

from mlmon.grading import execute
from mlmon.grading.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(("numpy", "pandas", "matplotlib.pyplot", "ipywidgets")) as made:
        yield made


@pytest.fixture
def run(sandbox):
    """Run cells; gives the outputs of each."""

    def run(*sources, **settings):
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        execute.run_notebook(nb, sandbox, cell_seconds=10, **settings)
        nbformat.validate(nb)
        run.tampering = nb.metadata["mlmon"]["tampering"]
        return [cell.outputs for cell in nb.cells]

    return run


def texts(outputs):
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def test_a_cell_shows_prints_and_its_last_value_in_order(run):
    (shown,) = run("import sys\nprint('a')\nprint('b')\nprint('c', file=sys.stderr)\nprint('d')\n{'e': 1}")
    assert [(one.output_type, one.get("name"), one.get("text")) for one in shown] == [
        ("stream", "stdout", "a\nb\n"), ("stream", "stderr", "c\n"), ("stream", "stdout", "d\n"), ("execute_result", None, None)]  # fmt: skip
    assert shown[-1].data == {"text/plain": "{'e': 1}"} and shown[-1].execution_count == 1


def test_names_live_from_cell_to_cell_and_counts_go_on(run):
    shown = run("x = 1", "x + 1", "1 / 0", "x + 2;")
    assert texts(shown[1]) == "2" and shown[1][0].execution_count == 2 and shown[3] == []
    assert "Cell In[3], line 1" in shown[2][0].traceback[2] and shown[2][0].ename == "ZeroDivisionError"


@pytest.mark.parametrize(
    "source",
    ["plt.plot([1, 2]);", "fig, ax = plt.subplots()\nax.plot([1])\nplt.show()", "%matplotlib inline\nplt.plot([1]);",
     "def draw():\n    plt.plot([1])\ndraw()"],
)  # fmt: skip
def test_a_picture_is_shown_as_png(run, source):
    (_, shown) = run("import matplotlib.pyplot as plt", source)
    (picture,) = [output for output in shown if output.output_type == "display_data"]
    assert picture.data["image/png"].startswith("iVBOR")  # base64 of a PNG's first bytes


def test_rich_results_keep_their_forms(run):
    frame, html, latex, updated = run(
        "import pandas as pd\npd.DataFrame({'a': [1]})",
        "from IPython.display import HTML, Latex, display\ndisplay(HTML('<b>x</b>'))",
        "Latex('$x$')",
        "handle = display(1, display_id=True)\nhandle.update(2)",
    )
    assert "<table" in frame[0].data["text/html"] and html[0].data["text/html"] == "<b>x</b>"
    assert latex[0].data["text/latex"] == "$x$" and texts(updated) == "2"


def test_a_slider_is_no_error_without_a_kernel(run):
    _, shown = run("from ipywidgets import interact", "interact(lambda x: print('now', x), x=(0, 10));")
    assert not [output for output in shown if output.output_type == "error"]
    assert "now 5" in texts(shown) and "application/vnd.jupyter.widget-view+json" in shown[-1].data


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("%%time\nx = 1", "CPU times"),
        ("!echo hello", "hello"),
        ("x = !echo hello\nx[0]", "hello"),
        ("%%bash\necho hello", "hello"),
        ("import asyncio\nawait asyncio.sleep(0)\n'slept'", "slept"),
        ("%%writefile part.py\nx = 5", "Writing part.py"),
        ("from IPython import get_ipython\ntype(get_ipython()).__name__", "Shell"),
    ],
)
def test_magics_commands_and_await_work(run, source, text):
    (shown,) = run(source)
    assert text in texts(shown)


def test_a_file_beside_the_notebook_can_be_imported(run):
    assert texts(run("%%writefile part.py\nx = 5", "import part\npart.x")[1]) == "5"


@pytest.mark.parametrize("ending", ["quit()", "exit()", "import sys; sys.exit()", "raise SystemExit", "exit"])
def test_leaving_ends_the_cell_only(run, ending):
    assert texts(run(ending, "1 + 1")[1]) == "2"


def test_a_question_to_nobody_is_an_error_that_says_what_to_do(run):
    (shown,) = run("input('Your name?')")
    assert "Set the value in the code" in shown[0].evalue


@pytest.mark.parametrize(
    "source",
    [
        "class E(Exception):\n    def __str__(self):\n        raise SystemExit\n    __repr__ = __str__\nraise E",
        "class M(type):\n    def __getattribute__(c, n):\n        raise ValueError(n)\nclass E(Exception, metaclass=M):\n    pass\nraise E",
        "class E(Exception):\n    __str__ = None\nraise E",
        "raise ValueError('\\ud800')",
        "def :",
        "class R:\n    def __repr__(self):\n        raise KeyError\nR()",
    ],
)
def test_an_error_is_shown_however_odd_and_the_next_cell_runs(run, source):
    first, second = run(source, "1 + 1")
    assert "error" in [output.output_type for output in first] and texts(second) == "2"


@pytest.mark.parametrize(
    "source",
    [
        "print = len = open = str = None",
        "import sys\nsys.stdout = sys.stderr = None",
        "get_ipython = None\ndel In, Out",
        "import os\nos.fork()",
        "import os\nos.mkdir('below')\nos.chdir('below')",
        "%reset -f",
        "import gc, threading\nthreading.Thread(target=print, args=('late',)).start()",
    ],
)
def test_what_a_cell_breaks_for_itself_does_not_stop_the_next(run, source):
    assert texts(run(source, "1 + 1")[1]).endswith("2")


def test_a_changed_function_is_named_and_an_own_one_is_not(run):
    run("import numpy as np\nnp.isclose = lambda *a: True\nnp.mine = 1\nnp.mean.__wrapped__.__code__ = (lambda *a: 1).__code__")
    assert "numpy.isclose was replaced" in run.tampering and len(run.tampering) <= 2
    run("import numpy as np\ndef isclose(*a):\n    return True\nsum = max")
    assert run.tampering == []


def test_each_cell_may_leave_so_much_output(run):
    first, second = run("print('x' * 500)\nprint('y' * 5_000)\nprint('z')", "print('x' * 500)", most_output=1_000)
    assert "output cut" in texts(first) and "z" not in texts(first) and texts(second) == "x" * 500 + "\n"
