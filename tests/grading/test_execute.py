"""Tests run here, the student's cells there: honest work keeps its points, and an attack gains none."""

import os
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbgrader.utils import determine_grade

from mlmon.grading import execute
from mlmon.grading.sandbox import Sandbox

WARM = ("numpy", "pandas", "scipy.stats", "matplotlib.pyplot")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(WARM) as made:
        yield made


@pytest.fixture
def grade(sandbox, kit):
    """Run an answer and a test, with what else there is; gives the notebook and the points."""

    def run(answer, test, given="", own="", files=None, points=1, **settings):
        nb = kit.make_notebook(
            kit.code_cell(given, "given", locked=True),
            kit.code_cell(own, "own"),
            kit.code_cell(answer, "answer", solution=True),
            kit.graded_cell(test, "test", points),
        )
        settings = {"given": execute.Given.of(nb), "cell_seconds": 60, **settings}
        execute.run_notebook(nb, sandbox, files=files, **settings)
        return Graded(nb, determine_grade(nb.cells[-1])[0])

    return run


class Graded:
    def __init__(self, nb, points):
        self.nb, self.points, self.mlmon = nb, points, nb.metadata["mlmon"]

    def shown(self, place=-1):
        """All text of a cell's outputs."""
        return "\n".join(
            output.get("text") or "\n".join([*output.get("traceback", ()), *output.get("data", {}).values()])
            for output in self.nb.cells[place].outputs
        )


DOUBLE = "def double(x):\n    return 2 * x"


# -- what a test sees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "test"),
    [
        ("0.5", "assert isinstance(f(), float) and f() == 0.5 and type(f()) is float"),
        ("None", "assert f() is None"),
        ("True", "assert f() is True"),
        ("[1, (2, 'a'), {3}]", "assert f() == [1, (2, 'a'), {3}]"),
        ("{(1, 2): b'x'}", "assert f() == {(1, 2): b'x'}"),
        ("np.float64(0.5)", "import numpy as np\nassert type(f()) is np.float64 and np.allclose(f(), 0.5)"),
        ("np.bool_(True)", "import numpy as np\nassert type(f()) is np.bool_"),
        ("np.arange(6).reshape(2, 3)", "assert f().shape == (2, 3) and f().sum() == 15"),
        ("pd.DataFrame({'a': [1, 2]})", "assert list(f().columns) == ['a'] and f()['a'].mean() == 1.5"),
        ("float('nan')", "assert f() != f()"),
        ("(i * i for i in range(4))", "assert list(f()) == [0, 1, 4, 9] and next(f()) == 0"),
        ("lambda x: x + 1", "assert f()(2) == 3"),
        ("plt.gca()", "assert 'Axes' in repr(f()) and f().get_xlim()[0] == 0"),
    ],
)
def test_a_value_is_what_the_student_returned(grade, returned, test):
    imports = "import numpy as np, pandas as pd, matplotlib.pyplot as plt"
    done = grade(f"{imports}\ndef f():\n    return {returned}", test)
    assert done.points == 1, done.shown()


def test_objects_of_a_class_have_attributes_items_a_length_and_methods(grade):
    model = (
        "class Model:\n    rate = 0.5\n    def __init__(self, n):\n        self.seen = [0] * n\n"
        "    def fit(self, x, *, scale=1):\n        self.seen.append(x * scale)\n        return self\n"
        "    def __len__(self):\n        return len(self.seen)\n    def __getitem__(self, i):\n        return self.seen[i]"
    )
    test = (
        "model = Model(2)\nassert model.fit(3, scale=2).rate == 0.5 and len(model) == 3 and model[2] == 6\n"
        "assert list(model) == [0, 0, 6] and model.fit(1) is model"
    )
    done = grade(model, test)
    assert done.points == 1, done.shown()


def test_a_test_hands_over_functions_and_objects_of_the_students(grade):
    answer = "def apply(f, x):\n    return f(x) + 1\ndef square(x):\n    return x * x\ndef safe(f):\n    try:\n        f()\n    except KeyError:\n        return 'caught'"
    test = (
        "seen = []\ndef log(x):\n    seen.append(x)\n    return square(x)\n"  # from there to here to there
        "assert apply(log, 3) == 10 and seen == [3] and apply(square, 3) == 10\n"
        "def fail():\n    raise KeyError('k')\nassert safe(fail) == 'caught'"
    )
    done = grade(answer, test)
    assert done.points == 1, done.shown()


def test_what_is_done_to_an_argument_in_place_is_seen_by_the_check_that_asks(grade):
    # A function gets a copy of the test's list, so the list itself never tells.
    answer = "def rank(x, sign):\n    x.sort()\n    return [sign * v for v in x]\ndef kind(x, sign):\n    return [sign * v for v in sorted(x)]"
    test = "from mlmon.grading import checks\nx = [2, 1]\nassert checks.untouched('f(x, sign)', {0}, x, -1) == [-1, -2] and x == [2, 1]"
    done = grade(answer, test.format("kind"))
    assert done.points == 1, done.shown()
    done = grade(answer, test.format("rank"))
    assert done.points == 0 and "f(x, sign) should leave x = [2, 1] as it is, yours gives [1, 2]." in done.shown()


def test_what_is_not_plain_cannot_be_handed_over_and_the_error_says_so(grade):
    done = grade(DOUBLE, "import threading\ndouble(threading.Lock())")
    assert done.points == 0 and "plain data" in done.shown() and "lock" in done.shown()


def test_names_of_tests_come_before_the_students_and_answers_before_builtins(grade):
    # The stub of the release asks for a function called `sum`: in the test it is the student's.
    done = grade("def sum(x):\n    return 'mine'\nbase = 1", "base = 5\nassert sum([1]) == 'mine' and base == 5 and max([1]) == 1")
    assert done.points == 1, done.shown()


def test_what_the_release_imports_is_imported_here(grade):
    # The student's `np` is a text, the test's is numpy; a star of the student's own is not asked.
    done = grade("np = 'x'\nstats = 3", "assert np.isclose(0.1 + 0.2, 0.3) and stats.norm.cdf(0) == 0.5",
                 given="import numpy as np\nfrom scipy import stats")
    assert done.points == 1, done.shown()


def test_a_module_of_the_students_is_no_judge(grade):
    done = grade("import math\n" + DOUBLE, "assert math.isclose(double(1), 2)")
    assert done.points == 0 and "import it in the test" in done.shown()


def test_a_missing_name_reads_as_in_a_notebook(grade):
    done = grade("", "assert mean([1]) == 1")
    assert done.nb.cells[-1].outputs[0].evalue == "name 'mean' is not defined"
    assert grade(DOUBLE, "assert 'double' in globals() and 'mean' not in globals()").points == 1


@pytest.mark.parametrize(
    ("raised", "caught"),
    [
        ("KeyError('k')", "KeyError"),
        ("type('Mine', (ValueError,), {})('m')", "ValueError"),
        ("UnicodeDecodeError('utf-8', b'', 0, 1, 'r')", "UnicodeError"),
        ("SystemExit(3)", "RuntimeError"),
        ("StopIteration()", "Exception"),
        ("ZeroDivisionError", "ArithmeticError"),
        ("NotImplementedError()", "NotImplementedError"),
    ],
)
def test_an_error_has_the_nearest_class_that_python_knows(grade, raised, caught):
    test = f"try:\n    f()\n    right = False\nexcept {caught} as error:\n    right = type(error).__module__ == 'builtins' and not isinstance(error, StopIteration)\nassert right"
    assert grade(f"def f():\n    raise {raised}", test).points == 1


def test_a_test_without_an_error_shows_the_students_own_frames_and_message(grade):
    done = grade("def f(x):\n    return x[5]", "### BEGIN HIDDEN TESTS\nsecret = [1]\nf(secret)\n### END HIDDEN TESTS")
    error = done.nb.cells[-1].outputs[-1]
    assert (error.ename, error.evalue, done.points) == ("IndexError", "list index out of range", 0)
    assert "Cell In[1], line 2" in done.shown() and "secret" not in done.shown()
    assert error.traceback[-1] == "IndexError: list index out of range"


def test_prints_are_kept_unless_the_test_is_hidden(grade):
    answer = "def f(x):\n    print('got', x)\n    return x"
    assert "got 7" in grade(answer, "assert f(7)").shown()
    hidden = grade(answer, "### BEGIN HIDDEN TESTS\nassert f(7)\n### END HIDDEN TESTS")
    assert hidden.points == 1 and hidden.shown() == ""


@pytest.mark.parametrize(
    ("last", "points"),
    [("1.5", 1.5), ("double(0.75)", 1.5), ("1.5;", 2), ("x = 1.5", 2), ("None", 2), ("False", 0), ("float('nan')", 0), ("7", 2)],
)
def test_the_last_value_of_a_test_is_its_score(grade, last, points):
    assert grade(DOUBLE, f"assert True\n{last}", points=2).points == points


def test_warnings_and_stderr_cost_nothing(grade):
    done = grade("import sys, warnings\ndef f():\n    warnings.warn('old')\n    print('!', file=sys.stderr)\n    return 1",
                 "import warnings\nwarnings.warn('here')\nassert f() == 1")
    assert done.points == 1 and "old" in done.shown()


def test_a_test_reads_the_file_that_the_student_wrote_and_no_other(grade):
    answer = (
        "import os\ndef write(name):\n    os.makedirs(os.path.dirname(name) or '.', exist_ok=True)\n"
        "    open(name, 'w').write('drift')\n    return name\ndef link():\n    os.symlink(os.__file__, 'l')\n    return 'l'"
    )
    read = "from mlmon.grading import checks\nassert checks.read_text({}, 'write()') == 'drift'"
    assert grade(answer, read.format("write('a/b.html')")).points == 1
    assert "below the working folder" in grade(answer, read.format("link()")).shown()
    assert "no file at 'none'" in grade(answer, read.format("'none'")).shown()


def test_data_files_lie_beside_the_notebook(grade):
    done = grade("def rows():\n    return open('data/a.csv').read()", "assert rows() == 'x,y'", files={"data/a.csv": b"x,y"})
    assert done.points == 1, done.shown()


def test_a_test_leaves_the_graders_folder_and_warnings_as_they_were(grade):
    before = os.getcwd()
    grade(DOUBLE, "import warnings, os\nwarnings.simplefilter('error')\nopen('left', 'w').write('x')\nos.chdir('/')")
    assert os.getcwd() == before and not Path("left").exists()


def test_code_that_is_no_python_is_an_error_of_its_cell_only(grade):
    done = grade(DOUBLE, "assert double(1) == 2", own="def broken(:\n")
    assert done.points == 1 and "SyntaxError" in done.shown(1)


# -- trouble ---------------------------------------------------------------------------------------------------------


def test_an_endless_function_costs_its_test_and_the_rest_goes_on(grade):
    done = grade("def f():\n    while True:\n        pass", "f()", cell_seconds=1)
    assert done.points == 0 and done.mlmon["timed out"] == ["test"] and "longer than allowed" in done.shown()


def test_an_endless_test_ends_too(grade):
    done = grade(DOUBLE, "while True:\n    pass", cell_seconds=1)
    assert done.points == 0 and done.mlmon["timed out"] == ["test"]


def test_a_test_cannot_swallow_the_end_of_its_time(grade):
    # `except:` of a test would make a timeout a pass.
    done = grade("import time\ndef f():\n    time.sleep(60)", "try:\n    f()\nexcept:\n    pass", cell_seconds=1)
    assert done.points == 0 and done.mlmon["timed out"] == ["test"]


def test_a_cell_that_cannot_be_stopped_is_left_out_and_the_notebook_runs_again(grade):
    stubborn = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
    done = grade(DOUBLE, "assert double(1) == 2", own=stubborn, cell_seconds=1)
    assert done.points == 1 and done.mlmon["timed out"] == ["cell 2"] and "could not be stopped" in done.shown(1)


def test_a_process_that_ends_costs_its_cell_only(grade):
    done = grade(DOUBLE, "assert double(1) == 2", own="import os\nos._exit(0)")
    assert done.points == 1 and done.mlmon["crashed"] == ["cell 2"]
    done = grade("import os, signal\ndef f():\n    os.kill(os.getpid(), signal.SIGKILL)\n    os._exit(1)", "f()")
    assert done.points == 0 and done.mlmon["crashed"] == ["test"]


def test_memory_without_end_costs_its_cell_only(grade):
    done = grade(DOUBLE, "assert double(1) == 2", own="hog = []\nwhile True:\n    hog.append(bytearray(50_000_000))")
    assert done.points == 1


def test_a_notebook_has_a_budget(grade):
    begin = time.monotonic()
    done = grade("import time\ntime.sleep(60)", "assert True", notebook_seconds=2)
    assert done.points == 0 and time.monotonic() - begin < 20
    assert done.mlmon["timed out"] == ["answer", "test"]


def test_output_without_end_is_cut(grade):
    done = grade("for i in range(300_000):\n    print('x' * 100)", "assert True", most_output=20_000)
    assert len(done.shown(2)) < 25_000 and "output cut" in done.shown(2)


# -- attacks ---------------------------------------------------------------------------------------------------------

CHECK = "import numpy as np\nassert np.isclose(double(3), 6), 'wrong'\nassert double(4) == 8"
GIVEN = "import numpy as np"
ALWAYS = (
    "class Always:\n    def yes(self, *a, **k):\n        return True\n"
    "    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __bool__ = __contains__ = __call__ = yes\n"
    "    __float__ = lambda self: 6.0\n    __array__ = lambda self, *a, **k: np.array(6.0)\n    __hash__ = None\n"
    "    __getattr__ = lambda self, n: self\n    __class__ = float\n"
    "    __array_interface__ = {'shape': (), 'typestr': '<f8', 'data': (1, False), 'version': 3}\n"
    "double = lambda x: Always()"
)
WRONG = "def double(x):\n    return 0"
STRIP = (
    "import ast\nclass Strip(ast.NodeTransformer):\n    def visit_Assert(self, node):\n        return None\n"
    "get_ipython().ast_transformers.append(Strip())\n" + WRONG
)
BLANK = "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n" + WRONG
FORGE = (  # frames of one's own in place of honest replies, to every socket that is open
    "import os, struct, socket, stat\nfrom mlmon.grading import wire\n" + WRONG + "\n"
    "def forge(message):\n    data = wire.pack(message)\n"
    "    for fd in range(3, 64):\n        try:\n"
    "            if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
    "                os.write(fd, struct.pack('<Q', len(data)) + data)\n"
    "        except OSError:\n            pass\n"
)


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        (ALWAYS, ""),
        (WRONG + "\nimport numpy as np\nnp.isclose = lambda *a, **k: True\nnp.mean = lambda *a: 6", "numpy.isclose was replaced"),
        (STRIP, "ast_transformers"),
        (BLANK, "input_transformers"),
        (WRONG + "\nimport builtins\nbuiltins.all = lambda *a: True", "builtins.all was replaced"),
        (WRONG + "\ndef isinstance(*a):\n    return True\ndef AssertionError(*a):\n    return None\nassert_ = print = len = open = None", ""),
        (WRONG + "\nget_ipython().run_cell = lambda *a, **k: None", "IPython itself"),
        (WRONG + "\nget_ipython().showtraceback = lambda *a, **k: None", "IPython itself"),
        (WRONG + "\nimport sys\nsys.excepthook = sys.exit\nsys.exit(0)", ""),
        (WRONG + "\nclass Base(BaseException):\n    pass\ndef double(x):\n    raise Base", ""),
        ("def double(x):\n    raise StopIteration", ""),
        ("class Odd(type):\n    def __instancecheck__(c, x):\n        return True\n    mro = lambda c: [c, float, object]\n"
         "class E(Exception):\n    def __str__(self):\n        raise SystemExit\n    __repr__ = __str__\n"
         "def double(x):\n    raise E", ""),
        (FORGE + "for i in range(200):\n    forge([i, 'value', 6])", "nobody asked for"),
        (FORGE + "forge(['callback', 0, (), {}])", ""),
        (FORGE + "forge(['note', 'the dog ate it'])", "the dog ate it"),
        (FORGE + "forge([{'cell': None}])\nforge(7)", "nobody asked for"),
    ],
)  # fmt: skip
def test_an_attack_earns_nothing_and_the_next_student_keeps_full_marks(grade, attack, told):
    done = grade(attack, CHECK, given=GIVEN)
    assert done.points == 0, done.shown()
    assert told in "; ".join(done.mlmon["tampering"])
    honest = grade(DOUBLE, CHECK, given=GIVEN)
    assert honest.points == 1 and honest.mlmon["tampering"] == [], honest.shown()


@pytest.mark.parametrize(
    "frame",
    [
        "struct.pack('<Q', 2**62)",
        "struct.pack('<Q', 60_000_000) + b'x' * 1000",
        "struct.pack('<Q', 40) + os.urandom(40)",
        "b'\\xff' * 64",
        "struct.pack('<Q', 0)",
    ],
)
def test_broken_frames_cost_only_the_one_who_sends_them(grade, frame):
    attack = FORGE.replace("struct.pack('<Q', len(data)) + data", frame)
    done = grade(attack + "\nforge(0)", CHECK, given=GIVEN, cell_seconds=1)
    assert done.points in (0, None)
    assert grade(DOUBLE, CHECK, given=GIVEN).points == 1


def test_a_process_that_never_replies_is_given_up(grade):
    mute = "import mlmon.grading.wire as wire, time\nwire.Channel.send = lambda *a, **k: time.sleep(60)"
    begin = time.monotonic()
    done = grade(WRONG, CHECK, own=mute, cell_seconds=1)
    assert done.points == 0 and time.monotonic() - begin < 30


def test_a_list_without_end_does_not_fill_the_grader(grade, monkeypatch):
    monkeypatch.setattr("mlmon.grading.proxy.MOST_ITEMS", 50)
    done = grade("import itertools\ndef f():\n    return itertools.count()", "list(f())")
    assert done.points == 0 and "more than 50 items" in done.shown()


def test_a_proxy_is_equal_to_itself_alone_and_shows_no_memory(grade):
    test = (
        "import numpy as np\nx = double(3)\nassert x == x and not x == 6 and x != 6\n"
        "for name in ('__array_interface__', '__array__', '__float__', '__dict__x'):\n    assert not hasattr(x, name)\n"
        "assert repr(double) == '<your double, a function>'"
    )
    done = grade("import numpy as np\n" + ALWAYS, test)
    assert done.points == 1, done.shown()


def test_hidden_tests_are_not_in_the_students_process(grade):
    # It looks through all objects and frames that it has for what only the test holds.
    spy = (
        "import gc, sys\ndef double(x):\n    words = ('CANARY' + '-4711',)\n"
        "    found = [o for o in gc.get_objects() if isinstance(o, (list, dict)) and words[0] in str(o)[:100_000]]\n"
        "    inputs = str(get_ipython().user_ns.get('In')) + str(sys._getframe(1).f_locals)\n"
        "    return 'seen' if words[0] in inputs or len(found) > 0 else 2 * x"
    )
    done = grade(spy, "### BEGIN HIDDEN TESTS\ncanary = 'CANARY-4711'\nassert double(2) == 4\n### END HIDDEN TESTS")
    assert done.points == 1, done.shown()


def test_suspicious_acts_are_told_also_when_the_sandbox_refuses_them(grade, tmp_path):
    canary = tmp_path / "solutions"
    canary.write_text("canary")
    own = (
        f"import os, socket\nfor act in (lambda: open({str(canary)!r}), lambda: os.listdir({str(tmp_path)!r}),\n"
        "            lambda: socket.create_connection(('192.0.2.1', 9), 0.1), lambda: open('/usr/x', 'w')):\n"
        "    try:\n        print('LOOT', act())\n    except OSError:\n        pass"
    )
    done = grade(DOUBLE, CHECK, given=GIVEN, own=own)
    told = "; ".join(done.mlmon["tampering"])
    assert done.points == 1 and "LOOT" not in done.shown(1)
    for part in (f"read {canary}", f"list {tmp_path}", "connect to 192.0.2.1", "write to /usr/x"):
        assert part in told


def test_honest_use_of_libraries_is_not_called_tampering(grade):
    own = (
        "%matplotlib inline\nimport os, tempfile, json, random, subprocess, warnings\nimport matplotlib.pyplot as plt\nimport pandas as pd\n"
        "warnings.filterwarnings('ignore')\nrandom.seed(1)\nnp.random.seed(1)\nplt.plot([1, 2])\nplt.savefig('a.png')\n"
        "pd.DataFrame({'a': [1]}).to_csv('a.csv')\npd.read_csv('a.csv')\nos.listdir('.')\ntempfile.mkdtemp()\n"
        "!ls\n%time 1 + 1\nfrom scipy import optimize, cluster\nimport sklearn.linear_model"
    )
    done = grade(DOUBLE, CHECK, given=GIVEN, own=own)
    assert done.points == 1 and done.mlmon["tampering"] == [], done.shown(1)


# -- what is read from a release ---------------------------------------------------------------------------------------


def test_a_release_tells_what_is_the_students_and_what_is_ours(kit):
    nb = kit.make_notebook(
        kit.code_cell("%matplotlib inline\nimport os.path, numpy as np\nfrom mlmon import plot as p\ntry:\n    import json\nexcept ImportError:\n    pass", "a"),
        kit.code_cell("def sum(x):\n    raise NotImplementedError()\nimport own", "b", solution=True),
        kit.graded_cell("import tests_only", "c", 1),
    )
    given = execute.Given.of(nb)
    assert given.answers == {"sum"}
    assert {name for name, *_ in given.imports} == {"os", "np", "p", "json"}
    assert set(given.modules) == {"os.path", "numpy", "mlmon", "json"}


def test_outputs_of_a_stranger_are_made_storable():
    odd = [None, {"output_type": "x"}, {"output_type": "stream", "name": 3, "text": 5}, {"output_type": "display_data"},
           {"output_type": "stream", "name": "no", "text": "a\ud800"}, {"output_type": "display_data", "data": {"a": np.nan}, "metadata": {}}]
    (kept,) = execute.outputs(odd, 1)
    assert (kept.name, kept.text) == ("stdout", "a?")
    nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[kept])]))


def test_links_and_notebooks_stay_behind(tmp_path):
    (tmp_path / "in" / "data").mkdir(parents=True)
    (tmp_path / "in" / "data" / "a.csv").write_text("a")
    (tmp_path / "in" / "other.ipynb").write_text("{}")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "canary").write_text("c")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out" / "canary")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    assert execute.data_files(tmp_path / "in") == {"data/a.csv": b"a"}
