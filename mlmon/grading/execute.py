"""Run one notebook: the student's cells in a sandbox, the tests here. The one place where a score is admitted.

The preprocessors plug into nbgrader by its configuration, so `nbgrader autograde` and `mlmon grade` score alike.
"""

import ast
import atexit
import builtins
import contextlib
import functools
import importlib
import io
import json
import math
import os
import re
import signal
import sys
import tempfile
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import nbformat
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Integer, default

from . import checks, mend
from .proxy import Link, Lost, Proxy, TimeUp
from .sandbox import Sandbox

WARM = ("numpy", "pandas", "scipy.stats", "matplotlib.pyplot", "mlmon.plot", "mlmon.data.tables", "mlmon.data.inject")
MOST_OUTPUT = 1_000_000  # characters of output that one cell may leave
_TOO_LONG = "the cell ran longer than allowed"
_REASONS = {
    "CellTimeoutError": f"{_TOO_LONG} and could not be stopped",
    "KernelDied": "the cell ended the Python process (memory, os._exit or a crash)",
}


# ------------------------------------------------------------------ what the release gives


@dataclass(frozen=True)
class Given:
    """What tests may take for granted in a notebook, read from its release and never from a student.

    Attributes
    ----------
    answers : frozenset of str
        Functions and classes that the answer cells ask for: the student's, whatever they are called.
    imports : tuple of (str, str, str)
        Name, module and attribute of what the given cells import: a test gets the library's own.
    """

    answers: frozenset = frozenset()
    imports: tuple = ()

    @classmethod
    def of(cls, release):
        """Read a released notebook.

        Parameters
        ----------
        release : NotebookNode
        """
        answers, imports = set(), {}
        for cell in release.cells:
            if cell.cell_type != "code" or is_test(cell):
                continue
            body = _tree(cell.source)
            if utils.is_solution(cell):
                answers |= {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
            else:
                imports.update((name, (name, *where)) for name, *where in _imports(body))
        return cls(frozenset(answers), tuple(imports.values()))

    @property
    def modules(self):
        """The modules that the given cells import, for a sandbox to have them warm."""
        return tuple(dict.fromkeys(module for _, module, _ in self.imports))


@functools.lru_cache(maxsize=1000)
def _tree(source):
    """A cell's statements; magics, which are none, are left out."""
    lines = [line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))]
    try:
        return ast.parse("\n".join(lines)).body
    except SyntaxError:
        return []


def _imports(body):
    """Name, module and attribute of each import, also inside `if`, `try` and `with`."""
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Import):
            for item in node.names:
                yield item.asname or item.name.split(".")[0], item.name, "" if item.asname else "."
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for item in node.names:
                yield item.asname or item.name, node.module, item.name


def _import(module, attribute):
    """What an import statement binds; "." stands for a package whose module is imported by its full name."""
    found = importlib.import_module(module)
    if attribute == ".":
        return sys.modules[module.split(".")[0]]
    if not attribute:
        return found
    try:
        return getattr(found, attribute)
    except AttributeError:
        return importlib.import_module(f"{module}.{attribute}")


class Names(dict):
    """The names that a test sees: its own and those of earlier tests, then the student's answers, then ours.

    What the release's cells import is imported here. Any other name is looked up in the student's notebook.
    """

    def __init__(self, link, given):
        ours = {name: value for name, value in vars(builtins).items() if name not in given.answers}
        super().__init__({**ours, "__name__": "__main__", "__builtins__": builtins})
        self._link, self._given = link, given
        self._imports = {name: where for name, *where in given.imports}

    def __missing__(self, name):
        if name in self._given.answers:
            return self._students(name)
        if name in self._imports:
            self[name] = _import(*self._imports[name])
            return self[name]
        if name == "get_ipython":
            raise NameError("a test is plain Python: it has no magics and no get_ipython")
        return self._students(name)

    def __contains__(self, name):
        """Whether there is such a name, so that `"mean" in globals()` tells."""
        with contextlib.suppress(NameError, KeyError):
            return super().__contains__(name) or self[name] is not None
        return False

    def _students(self, name):
        try:
            value = self._link.name(name)
        except KeyError:
            raise NameError(f"name {name!r} is not defined", name=name) from None
        if isinstance(value, Proxy) and value._mlmon.kind == "module":
            raise NameError(f"the module {name!r} is the student's: import it in the test, or in a given cell", name=name)
        return value


# ------------------------------------------------------------------ a notebook


def is_test(cell):
    """Whether a code cell is one of nbgrader's tests."""
    return bool(utils.is_grade(cell) and not utils.is_solution(cell))


def run_notebook(
    nb, sandbox, *, files=None, given=Given(), cell_seconds=60, notebook_seconds=600, most_output=MOST_OUTPUT
):
    """Run the cells of one notebook, whatever they do.

    A cell that runs too long is interrupted. One that ends its process, or that nothing can stop, is marked,
    and the notebook runs again without it.

    Parameters
    ----------
    nb : NotebookNode
        As `mend` gives it back, with its hidden tests; it is filled with outputs.
    sandbox : Sandbox
    files : dict of str to bytes, optional
        The exercise's data files by path.
    given : Given
        What the release gives; without it, tests import all that they use.
    cell_seconds, notebook_seconds : float
    most_output : int
        Characters that a cell may leave.

    Returns
    -------
    NotebookNode
        The same, with ``metadata["mlmon"]``: the cells that "timed out" or "crashed", "notes" on odd scores,
        "tampering", and the "sandbox". Test cells show the scores that are due.

    Notes
    -----
    One at a time in a process: tests have the working folder, standard output and the alarm for themselves.
    """
    _import_for_tests(nb, given)
    run = _Run(nb, sandbox, files or {}, given, cell_seconds, notebook_seconds, most_output)
    while not run.attempt():
        pass
    nb.metadata["mlmon"] = {
        "timed out": [run.name(index) for index in sorted(run.late)],
        "crashed": [run.name(index) for index in sorted(set(run.lost) - run.late)],
        "notes": _make_honest(nb),
        "tampering": run.tampering,
        "sandbox": sandbox.kind,
    }
    return nb


def _import_for_tests(nb, given):
    """Load what the tests use, so that the first student of a class does not pay for it with the time of a cell."""
    body = [node for cell in nb.cells if cell.cell_type == "code" and is_test(cell) for node in _tree(cell.source)]
    used = {node.id for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)}
    wanted = [module for _, module, _ in _imports(body)]
    wanted += [module for name, module, _ in given.imports if name in used]
    for module in ("pandas", *wanted):  # frames may come with any answer
        with contextlib.suppress(Exception):  # the test itself will say what is wrong
            importlib.import_module(module)


class _Run:
    def __init__(self, nb, sandbox, files, given, cell_seconds, notebook_seconds, most_output):
        self.nb, self.sandbox, self.files, self.given = nb, sandbox, files, given
        self.cell_seconds, self.notebook_seconds, self.most_output = cell_seconds, notebook_seconds, most_output
        self.ends = monotonic() + notebook_seconds
        self.lost, self.late, self.tampering = {}, set(), []

    def attempt(self):
        """Run all cells but the lost ones; whether the process lived to the end."""
        with self.sandbox.open(self.files) as session:
            self.link, self.count = Link(session), 0
            self.names = Names(self.link, self.given)
            try:
                whole = all(self.cell(index, cell) for index, cell in enumerate(self.nb.cells) if cell.cell_type == "code")
            finally:
                self.take_notes()
            return whole

    def cell(self, index, cell):
        """Run one cell, or mark why it is not run; False when its process is gone."""
        cell.outputs, cell.execution_count = [], None
        if index in self.lost:
            _failed(cell, self.lost[index], _REASONS[self.lost[index]])
        elif not cell.source.strip():
            pass
        elif self.left() <= 0:
            self.late.add(index)
            _failed(cell, "OutOfTime", f"the notebook had used up its {self.notebook_seconds:.0f} seconds")
        else:
            return self.run(index, cell)
        return True

    def run(self, index, cell):
        """Run one cell and fill in its outputs."""
        self.count += 1
        cell.execution_count = self.count
        self.link.deadline = monotonic() + self.seconds()
        try:
            self.test(cell) if is_test(cell) else self.answer(cell)
        except TimeUp:
            self.late.add(index)
            stopped, found = self.link.stop()
            if not stopped:
                self.lost[index] = "CellTimeoutError"
                return False
            if not is_test(cell):
                shown = outputs(found, self.count, self.most_output)
                cell.outputs = [output for output in shown if output.output_type != "error"]
            _add_error(cell, "CellTimeoutError", _TOO_LONG)
        except Lost:
            self.lost[index] = "KernelDied"
            return False
        except Exception as error:  # what came is no answer
            _failed(cell, type(error).__name__, str(error))
        return True

    def answer(self, cell):
        """Run one of the student's cells over there."""
        shown = self.link.request("run", cell.source, self.count, self.most_output)
        cell.outputs = outputs(shown, self.count, self.most_output)

    def test(self, cell):
        """Run a test here."""
        self.link.named.clear()
        printed, error, value = run_test(cell.source, self.names, self.link)
        shown = outputs(self.link.request("shown"), self.count, self.most_output)
        cell.outputs = [] if "BEGIN HIDDEN TESTS" in cell.source else shown
        if printed:
            cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=_clean(printed[: self.most_output])))
        if error is not None:
            told = getattr(error, "student_error", None)
            _add_error(cell, told["ename"] if told else type(error).__name__, str(error), self.frames(told))
        elif value is not None:
            text = {"text/plain": _clean(repr(value)[:10_000])}
            cell.outputs.append(nbformat.v4.new_output("execute_result", text, execution_count=self.count))

    def frames(self, told):
        """The student's own frames of an error; a test's are not shown."""
        frames = self.link.request("traceback", told["number"]) if told else []
        return [_clean(frame) for frame in frames if type(frame) is str] if type(frames) is list else []

    def take_notes(self):
        """What the student's process did that a notebook has no need to do."""
        found = []
        if not self.link.failed:
            self.link.deadline = monotonic() + 2
            with contextlib.suppress(TimeUp, Lost, Exception):
                found = self.link.request("tampering")
        for text in [*self.link.notes, *(found if type(found) is list else [])][:100]:
            if type(text) is str and _clean(text)[:300] not in self.tampering:
                self.tampering.append(_clean(text)[:300])

    def seconds(self):
        """Time for a cell: after one that took too long, those that follow get a quarter."""
        return max(1, min(self.cell_seconds / 4 if self.late else self.cell_seconds, self.left()))

    def left(self):
        return self.ends - monotonic()

    def name(self, index):
        """What the instructor calls a cell."""
        return self.nb.cells[index].metadata.get("nbgrader", {}).get("grade_id") or f"cell {index + 1}"


def _failed(cell, name, reason):
    cell.outputs = []
    _add_error(cell, name, reason)


def _add_error(cell, name, reason, frames=()):
    name, reason = _clean(name[:100]), _clean(reason)
    trace = [*frames, f"{name}: {reason}"]
    cell.outputs.append(nbformat.v4.new_output("error", ename=name, evalue=reason, traceback=trace))


# ------------------------------------------------------------------ what the student's cells showed


def outputs(found, count, most=MOST_OUTPUT):
    """Outputs of a cell from what the student's process says of it; what is no output is left out.

    Parameters
    ----------
    found : object
        Anything.
    count : int
        The number of the cell.
    most : int
        Characters that the process was to keep; twice as many are taken.

    Returns
    -------
    list of NotebookNode

    Examples
    --------
    >>> outputs([{"output_type": "stream", "name": "stdout", "text": "a"}, {"output_type": "odd"}, 7], 1)
    [{'output_type': 'stream', 'name': 'stdout', 'text': 'a'}]
    """
    kept, left = [], 2 * most + 1000  # a hostile process keeps no limit of its own
    for output in found if type(found) is list else []:
        try:
            made = _output(output, count)
        except (KeyError, TypeError, ValueError):
            continue
        left -= len(str(made))
        if left < 0:
            break
        kept.append(made)
    return kept


def _output(output, count):
    kind = output["output_type"]
    if kind == "stream":
        return nbformat.v4.new_output(
            kind, name="stderr" if output["name"] == "stderr" else "stdout", text=_clean(output["text"])
        )
    if kind == "error":
        trace = [_clean(line) for line in output["traceback"]]
        return nbformat.v4.new_output(kind, ename=_clean(output["ename"]), evalue=_clean(output["evalue"]), traceback=trace)
    if kind not in ("display_data", "execute_result"):
        raise ValueError(kind)
    number = {"execution_count": count} if kind == "execute_result" else {}
    return nbformat.v4.new_output(kind, data=_json(dict(output["data"])), metadata=_json(dict(output["metadata"])), **number)


def _json(value):
    return json.loads(json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))


def _clean(text):
    """Text that a notebook can store."""
    if type(text) is not str:
        raise TypeError(type(text).__name__)
    return text.encode("utf-8", "replace").decode()


# ------------------------------------------------------------------ a test


def run_test(source, names, link):
    """Run a test cell in this process.

    Parameters
    ----------
    source : str
    names : Names
        Its globals.
    link : Link
        Its deadline is the test's.

    Returns
    -------
    printed : str
    error : Exception or None
    value : object
        Of the last expression.

    Raises
    ------
    TimeUp, Lost
        Also when the test itself caught them.
    """
    printed = io.StringIO()
    try:
        body, last = _split(source)
        with _place_of_its_own(link, printed):
            exec(body, names)
            value, error = last and eval(last, names), None
    except KeyboardInterrupt:
        raise
    except (TimeUp, Lost):
        raise
    except BaseException as caught:
        value, error = None, caught
    if link.failed:
        raise link.failed
    return printed.getvalue(), error, value


@functools.lru_cache(maxsize=1000)
def _split(source):
    """A cell's code up to its last expression, and that; None where it has none or a semicolon mutes it."""
    body, last = ast.parse(source).body, None
    if body and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        last = compile(ast.Expression(body.pop().value), "<test>", "eval", dont_inherit=True)
    return compile(ast.Module(body, []), "<test>", "exec", dont_inherit=True), last


@contextlib.contextmanager
def _place_of_its_own(link, printed):
    """An empty working folder, outputs caught, files read from the student's folder, an alarm."""
    before = os.getcwd()
    reader = checks._file.set(lambda path: _students_file(link, path))
    with tempfile.TemporaryDirectory(prefix="mlmon-") as folder, warnings.catch_warnings():
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _alarm(link.deadline):
                yield
        finally:
            os.chdir(before)
            checks._file.reset(reader)


def _students_file(link, path):
    match link.request("file", path):
        case ["", bytes(content)]:
            return "", content
        case [("missing" | "outside" | "large") as problem, (None | int()) as size]:
            return problem, size
    return "missing", None


@contextlib.contextmanager
def _alarm(deadline):
    """End what runs here a moment after the deadline; in the main thread, where alarms are heard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_):
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, deadline - monotonic() + 0.3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ------------------------------------------------------------------ scores


def _make_honest(nb):
    """Go through the test cells; notes on odd scores."""
    notes = []
    for cell in nb.cells:
        if cell.cell_type == "code" and is_test(cell):
            note = _honest(cell, float(cell.metadata.nbgrader["points"]))
            notes += [f"{cell.metadata.nbgrader['grade_id']}: {note}"] if note else []
    return notes


def _honest(cell, most):
    """Make one test cell's outputs plain; a note when its score was odd."""
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            output.name = "stdout"
    if any(output.output_type == "error" for output in cell.outputs):
        return ""
    if cell.source.strip() and cell.execution_count is None:
        _failed(cell, "NotRun", "the cell was not run")
        return "was not run"
    results = [output for output in cell.outputs if output.output_type == "execute_result"]
    score, note = most, ""
    if results and _ends_in_value(cell.source):
        score, note = admit(results[-1].data.get("text/plain", ""), most)
    cell.outputs = [output for output in cell.outputs if output not in results]
    if results:
        text = {"text/plain": repr(score)}
        cell.outputs.append(nbformat.v4.new_output("execute_result", text, execution_count=cell.execution_count))
    return note


def _ends_in_value(source):
    """Whether a cell's last statement is an expression, whose value is its score."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # magics and the like
        return True
    return bool(body) and isinstance(body[-1], ast.Expr)


_NUMBER = re.compile(
    r"""(?:[\w.]+\()?\[?['"]?(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf(?:inity)?|-?s?nan)['"]?\]?"""
    r"""(?:,\s*dtype=[\w.']+)?\)?""",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"False|np\.False_|<NA>|NaT|None|(?:[\w.]+)?\(?[-+\w.]*[\d.nf]j\)?")  # the last: a complex number


def admit(text, most):
    """Read the value of a test cell as a score: the one place where points are let in.

    Parameters
    ----------
    text : str
        The value as Python prints it.
    most : float
        The points of the cell.

    Returns
    -------
    score : float
        Finite, from 0 to `most`. A value that is no number means that all checks passed.
    note : str
        What was odd, or nothing.

    Examples
    --------
    >>> admit("np.float64(1.5)", 3.0)
    (1.5, '')
    >>> admit("nan", 3.0)
    (0.0, 'the score was nan, 0 given; please look')
    >>> admit("4.0", 3.0)
    (3.0, 'the score was 4.0, the maximum 3 given; please look')
    >>> admit("<Axes: title='drift'>", 3.0)
    (3.0, '')
    """
    text = text.strip()
    fraction = re.fullmatch(r"Fraction\((-?\d+), (\d+)\)", text)
    number = _NUMBER.fullmatch(text)
    if _NOTHING.fullmatch(text):
        return 0.0, f"the score was {text[:60]}, 0 given; please look"
    if not fraction and not number:
        return float(most), ""
    score = float(fraction[1]) / float(fraction[2]) if fraction else float(number["number"].lower().replace("snan", "nan"))
    if not math.isfinite(score) or score < 0:
        return 0.0, f"the score was {text[:60]}, 0 given; please look"
    if score > most:
        return float(most), f"the score was {text[:60]}, the maximum {most:g} given; please look"
    return score, ""


# ------------------------------------------------------------------ nbgrader's steps


class MendSubmission(NbGraderPreprocessor):
    """Mend a submitted notebook from its release before nbgrader trusts its metadata."""

    def preprocess(self, nb, resources):
        """Give back the notebook with the release's cells, kinds and metadata."""
        where = resources["nbgrader"]
        path = released(self, where) / f"{where['notebook']}.ipynb"
        if not path.exists():
            return nb, resources
        mended, notes = mend.mend(mend.cells(nb), nbformat.read(path, as_version=4))
        for note in notes:
            self.log.warning("%s %s: %s", where["student"], where["notebook"], note)
        return mended, resources


class RunSubmission(NbGraderPreprocessor):
    """Run a submitted notebook in a sandbox and its tests here, in place of nbgrader's Execute."""

    timeout = Integer(help="Seconds that one cell may take; Execute's, where none are set.").tag(config=True)
    budget = Float(600, help="Seconds that one notebook may take.").tag(config=True)
    max_output = Integer(MOST_OUTPUT, help="Characters of output that one cell may leave.").tag(config=True)
    unsafe = Bool(False, help="Whether to run without a sandbox: only code that you trust.").tag(config=True)

    @default("timeout")
    def _timeout_of_execute(self):
        seconds = self.config.Execute.timeout
        return seconds if isinstance(seconds, int) else 60

    def preprocess(self, nb, resources):
        """Execute the notebook; cells that could not run carry an error that says why."""
        folder = released(self, resources["nbgrader"])
        books = {path.stem: Given.of(nbformat.read(path, as_version=4)) for path in sorted(folder.glob("*.ipynb"))}
        warm = (*WARM, *(module for given in books.values() for module in given.modules))
        run_notebook(
            nb,
            _sandbox(tuple(dict.fromkeys(warm)), self.unsafe),
            files=data_files(Path(resources["metadata"]["path"])),
            given=books.get(resources["nbgrader"]["notebook"], Given()),
            cell_seconds=self.timeout,
            notebook_seconds=self.budget,
            most_output=self.max_output,
        )
        return nb, resources


def released(step, where):
    """Folder of the released notebooks of the assignment that an nbgrader step works on."""
    folders = step.parent.parent.coursedir
    return Path(folders.format_path(folders.release_directory, ".", where["assignment"]))


@functools.cache
def _sandbox(warm, unsafe):
    """This process's sandbox for an exercise, warm from one notebook to the next."""
    sandbox = Sandbox(warm, unsafe=unsafe)
    atexit.register(sandbox.close)
    return sandbox


def data_files(folder):
    """The exercise's data files; links and notebooks, which hold hidden tests, stay behind.

    Parameters
    ----------
    folder : path

    Returns
    -------
    dict of str to bytes
        By path below the folder.
    """
    found = [path for path in sorted(Path(folder).rglob("*")) if path.is_file() and not path.is_symlink()]
    found = [path for path in found if path.suffix != ".ipynb" and path.name != "timestamp.txt"]
    inside = Path(folder).resolve()
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in found if path.resolve().is_relative_to(inside)
    }


class HonestScores(NbGraderPreprocessor):
    """Rewrite the outputs of test cells so that nbgrader reads the score that is due.

    Warnings cost nothing; a cell that never ran earns nothing; a score is a finite number from 0 to the maximum.
    """

    def preprocess(self, nb, resources):
        """Go through the test cells and keep notes in the notebook's metadata."""
        known = nb.metadata.setdefault("mlmon", {})
        known["notes"] = [*known.get("notes", []), *_make_honest(nb)]
        return nb, resources
