"""The student's side of grading: runs cells and answers calls, inside the sandbox.

Whatever this process says is the student's word: code of the cells can change anything in it. So the
trusted side (`mlmon.grading.execute`) takes plain data from here and nothing else, and no verdict is
made here.

`prepare` makes the shell, once and before forks; `serve` answers requests until the channel closes.
"""

import base64
import builtins
import collections
import contextlib
import io
import json
import os
import signal
import site
import subprocess
import sys
import sysconfig
import tempfile
import threading
import types
from pathlib import Path

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from .checks import _from_disk
from .wire import WireClosed, WireError

LONGEST_TEXT = 2_000  # characters of an error's message
MOST_OUTPUT = 1_000_000  # characters a cell may leave
MOST_NOTES = 50
_CUT = "\n[output cut: this cell wrote more than the {most:,} characters that are kept]\n"


def prepare():
    """Make the shell and note what the libraries look like, before any cell ran.

    Call it in the process that forks: what it imports and makes is then shared by all.
    """
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0  # no Out[n]: results would be kept for nothing
    shell = Shell.instance(config=config)
    shell.enable_matplotlib("inline")
    builtins.input = _no_input
    _warm_tracebacks(shell)
    shell.originals = _originals()


def serve(channel):
    """Answer requests on the channel until it closes.

    Parameters
    ----------
    channel : Channel

    Notes
    -----
    The working folder is the one in which files may be read back, see ``file``.
    """
    if not Shell.initialized():
        prepare()
    Student(channel, Shell.instance()).serve()


# ------------------------------------------------------------------ the shell


class Record:
    """What a cell shows: its outputs in order, up to a number of characters."""

    def __init__(self, most=MOST_OUTPUT):
        self.outputs, self.named = [], {}
        self.most = self.left = most
        self.clear_next = False

    def write(self, name, text):
        """Add printed text; what follows in the same stream joins it."""
        if self._room(len(text)):
            last = self.outputs[-1] if self.outputs else {}
            if last.get("name") != name:
                last = {"output_type": "stream", "name": name, "text": []}
                self.outputs.append(last)
            last["text"].append(text)

    def add(self, output, display_id=None, update=False):
        """Add a result, picture or error; an update replaces the output that has its name."""
        if not self._room(len(str(output))):
            return
        if update and display_id in self.named:
            self.named[display_id].update(output)
            return
        self.outputs.append(output)
        self.named[display_id] = output

    def clear(self, wait):
        """Forget what was shown, at once or with the next output."""
        self.clear_next = wait
        if not wait:
            self.outputs.clear()

    def _room(self, size):
        if self.clear_next:
            self.clear(wait=False)
        if self.left < 0:
            return False
        self.left -= size
        if self.left < 0:
            self.outputs.append({"output_type": "stream", "name": "stderr", "text": [_CUT.format(most=self.most)]})
        return self.left >= 0

    def take(self):
        """The outputs as plain data."""
        return [{**out, "text": "".join(out["text"])} if "text" in out else out for out in self.outputs]


class Stream(io.TextIOBase):
    """Standard output or error of the cells."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, shell, name):
        self.shell, self.label = shell, name

    def writable(self):
        """True: it can be written to."""
        return True

    def write(self, text):
        """Keep the text with the other outputs of the cell."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.shell.record.write(self.label, str(text))
        return len(text)


class Hook(DisplayHook):
    """Shows the value of a cell's last expression."""

    def start_displayhook(self):
        """Nothing to begin."""

    def write_output_prompt(self):
        """No prompt: notebooks draw their own."""

    def write_format_data(self, format_dict, md_dict=None):
        """Keep the result."""
        count = self.shell.execution_count
        self.shell.record.add({"output_type": "execute_result", "execution_count": count, **_bundle(format_dict, md_dict)})

    def finish_displayhook(self):
        """Nothing to end."""


class Publisher(DisplayPublisher):
    """Shows what `display` is given."""

    def publish(self, data, metadata=None, *_, transient=None, update=False, **__):
        """Keep the output."""
        name = (transient or {}).get("display_id")
        self.shell.record.add({"output_type": "display_data", **_bundle(data, metadata)}, name, update)

    def clear_output(self, wait=False):
        """Forget the cell's outputs."""
        self.shell.record.clear(wait)


class Shell(InteractiveShell):
    """IPython as in a kernel, without a kernel: outputs go to a record."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)

    def __init__(self, *args, **kwargs):
        self.record = Record()
        super().__init__(*args, **kwargs)

    def ask_exit(self):
        """`quit()` ends nothing: the cells that follow are run as well."""

    exit = ask_exit

    def enable_gui(self, gui=None):
        """There is no screen."""

    def _showtraceback(self, etype, evalue, stb):
        self.record.add({"output_type": "error", **_named(etype, evalue), "traceback": list(map(str, stb))})

    def system(self, cmd):
        """Run a command of the shell and show what it printed."""
        with tempfile.TemporaryFile() as file:
            cmd = self.var_expand(cmd, depth=1)
            done = subprocess.run(cmd, shell=True, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
            file.seek(0)
            self.record.write("stdout", file.read(4 * MOST_OUTPUT).decode("utf-8", "replace"))
        self.user_ns["_exit_code"] = done.returncode

    system_piped = system_raw = system

    def tracebacks(self, error):
        """The frames of an error as a notebook shows them, without those of this file and the last line."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        return [str(line) for line in self.InteractiveTB.structured_traceback(type(error), error, trace)][:-1]


def _bundle(data, metadata):
    return {
        "data": {str(kind): _shown(value) for kind, value in data.items()},
        "metadata": json.loads(json.dumps(metadata or {}, default=str)),
    }


def _shown(value):
    """An output's data as a notebook stores it: text, base64 for bytes, or JSON."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, str) else json.loads(json.dumps(value, default=str))


def _named(etype, evalue):
    return {"ename": _type_name(etype), "evalue": _text(evalue)}


def _type_name(cls):
    """A class's own name, whatever its metaclass says."""
    return str(type.__dict__["__name__"].__get__(cls))


def _text(value):
    """What an object says of itself, if it says anything."""
    try:
        return str.__str__(str(value))[:LONGEST_TEXT]
    except BaseException:
        return "<its text could not be made>"


def _no_input(prompt=""):
    raise StdinNotImplementedError(
        "input() asks a person, and nobody is there when a notebook is graded. Set the value in the code."
    )


def _warm_tracebacks(shell):
    """Load what formats errors; it is slow the first time."""
    try:
        exec(compile("1 / 0", __file__, "exec"))
    except ZeroDivisionError as error:
        shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)


# ------------------------------------------------------------------ requests


class Callback:
    """A function of the test: calling it asks the trusted side."""

    def __init__(self, student, id):
        self._student, self._id = student, id

    def __call__(self, *args, **kwargs):
        """Call it with plain data."""
        return self._student.ask(["callback", self._id, args, kwargs])


class Student:
    """The process of one submission: a shell, a table of objects that the other side knows by number, a channel."""

    def __init__(self, channel, shell):
        self.channel, self.shell, self.home = channel, shell, Path.cwd().resolve()
        self.streams = Stream(shell, "stdout"), Stream(shell, "stderr")
        self.objects, self.numbers = {}, {}
        self.errors = collections.deque(maxlen=20)
        self.busy, self.pid, self.lock = False, os.getpid(), threading.Lock()
        self.notes = collections.deque()

    def serve(self):
        """Answer until the channel closes."""
        if sys.path[0] != "":
            sys.path.insert(0, "")  # as in a kernel: a file beside the notebook can be imported
        signal.signal(signal.SIGINT, self._interrupt)
        sys.stdout, sys.stderr = self.streams
        sys.addaudithook(Watch(self.home, self.note).hook)
        while True:
            try:
                self.reply(self.receive())
            except WireClosed:
                return
            except KeyboardInterrupt:
                continue

    def reply(self, request):
        """Answer one request."""
        answer = self._answer(request)
        if os.getpid() != self.pid:  # a process that a cell forked has come back here
            os._exit(0)
        try:
            self.send([request[0], *answer])
        except WireClosed:
            raise
        except WireError as error:
            self.send([request[0], *self._failure(TypeError(str(error)))])

    def _answer(self, request):
        try:
            with self._busy():
                return getattr(self, "do_" + request[1])(*request[2:])
        except BaseException as error:  # whatever the student's code raises
            return self._failure(error)

    def receive(self):
        """Wait for a message."""
        return self.channel.receive(handle=self.own, callback=lambda number, _: Callback(self, number))

    def send(self, message):
        """Send a message and the notes that wait."""
        with self.lock:
            self._send_notes()
            self.channel.send(message, keep=self.keep)

    def ask(self, question):
        """Ask the trusted side something in the midst of a request, answering what it asks meanwhile."""
        self.send(question)
        while (message := self.receive())[0] not in ("value", "error"):
            self.reply(message)
        if message[0] == "error":
            raise _exception(message[1])
        return message[1]

    def note(self, text):
        """Tell the trusted side something at once, or with the next message where one is being sent."""
        self.notes.append(text)
        if os.getpid() == self.pid and self.lock.acquire(blocking=False):
            try:
                self._send_notes()
            finally:
                self.lock.release()

    def _send_notes(self):
        while self.notes:
            self.channel.send(["note", self.notes.popleft()])

    def keep(self, value):
        """Number an object that is no plain data, so that the other side can name it."""
        number = self.numbers.setdefault(id(value), len(self.objects))
        self.objects[number] = value
        return number, _type_name(type(value))

    def own(self, number, _):
        """The object with that number."""
        return self.objects[number]

    def do_run(self, source, count, most):
        """Run a cell as the notebook's number `count`."""
        self.shell.record = record = Record(most)
        self.shell.execution_count = count
        sys.stdout, sys.stderr = self.streams
        try:
            error = self.shell.run_cell(source, store_history=True).error_in_exec
        except BaseException as broken:  # errors that break what shows errors
            error = broken
        if error is not None and not any(output["output_type"] == "error" for output in record.outputs):
            record.add({"output_type": "error", **_named(type(error), error), "traceback": []})
        self.shell.record = Record()
        return "value", record.take()

    def do_shown(self):
        """What was printed and drawn since the last cell."""
        self.shell.events.trigger("post_execute")
        record, self.shell.record = self.shell.record, Record()
        return "value", record.take()

    def do_get(self, name):
        """The value of a name of the notebook."""
        names = self.shell.user_ns
        return ("value", names[name]) if name in names else ("missing",)

    def do_call(self, target, args, kwargs={}):
        """Call an object."""
        return "value", self._find(target)(*args, **kwargs)

    def do_call_and_look(self, target, args):
        """Call an object; what it gives, and what has become of its first argument."""
        return "value", (self._find(target)(*args), args[0])

    def do_attr(self, target, name):
        """An attribute of an object."""
        return "value", getattr(self._find(target), name)

    def do_item(self, target, key):
        """An item of an object."""
        return "value", self._find(target)[key]

    def do_len(self, target):
        """The length of an object."""
        return "value", len(self._find(target))

    def do_iter(self, target):
        """An iterator over an object, by its number."""
        return "value", self.keep(iter(self._find(target)))[0]

    def do_next(self, target):
        """The next item of an iterator."""
        for value in self.objects[target]:
            return "value", value
        return ("missing",)

    def do_file(self, path):
        """The bytes of a regular file below the working folder, or why there are none."""
        return "value", list(_from_disk(path))

    def do_traceback(self, number):
        """The frames of a recent error."""
        for known, error in self.errors:
            if known == number:
                return "value", self.shell.tracebacks(error)
        return "value", []

    def do_tampering(self):
        """What was changed that a notebook has no need to change."""
        return "value", _changes(self.shell)

    def _find(self, target):
        return self.shell.user_ns[target] if isinstance(target, str) else self.objects[target]

    def _failure(self, error):
        number = self.errors[-1][0] + 1 if self.errors else 0
        self.errors.append((number, error))
        bases = [cls.__name__ for cls in type.mro(type(error)) if cls.__module__ == "builtins"]
        return "error", {**_named(type(error), error), "mro": bases, "number": number}

    @contextlib.contextmanager
    def _busy(self):
        before, self.busy = self.busy, True
        try:
            yield
        finally:
            self.busy = before

    def _interrupt(self, *_):
        """Ctrl-C stops the student's code, never this file's."""
        if self.busy:
            raise KeyboardInterrupt


def _exception(error):
    """The error of a test's function as an exception here."""
    kind = getattr(builtins, error["ename"], RuntimeError)
    return kind(error["evalue"]) if isinstance(kind, type) and issubclass(kind, Exception) else RuntimeError(error["evalue"])


# ------------------------------------------------------------------ tampering

_WATCHED = ("builtins", "json", "math", "statistics", "random", "numpy", "numpy.random", "numpy.testing", "pandas",
            "pandas.testing", "scipy.stats", "scipy.special")  # fmt: skip


def _originals():
    """For each function of the watched modules, what it is now."""
    return {(module, name): _identity(value) for module in _modules() for name, value in _functions(module)}


def _modules():
    ours = [name for name in sys.modules if name.split(".")[0] == "mlmon" and not name.startswith("mlmon.grading")]
    return [name for name in (*_WATCHED, *ours) if name in sys.modules]


def _functions(module):
    return [(name, value) for name, value in vars(sys.modules[module]).copy().items() if callable(value)]


def _identity(value):
    return id(value), id(getattr(value, "__code__", None)) if isinstance(value, types.FunctionType) else 0


def _changes(shell):
    """Sentences about what a cell changed in IPython and the libraries."""
    found = []
    if shell.ast_transformers:
        found.append("cells are rewritten before they run (ast_transformers)")
    plain = type(shell.input_transformer_manager)()
    for kind in ("cleanup_transforms", "line_transforms", "token_transformers"):
        if len(getattr(shell.input_transformer_manager, kind)) > len(getattr(plain, kind)):
            found.append(f"cells are rewritten before they run (input_transformers: {kind})")
    if shell.input_transformers_post:
        found.append("cells are rewritten before they run (input_transformers_post)")
    if type(shell) is not Shell or set(vars(shell)) & {"run_cell", "showtraceback", "_showtraceback", "transform_cell"}:
        found.append("IPython itself was changed")
    for (module, name), known in shell.originals.items():
        value = getattr(sys.modules.get(module), name, None)
        if _identity(value) != known:
            found.append(f"{module}.{name} was replaced")
    return found[:MOST_NOTES]


class Watch:
    """An audit hook that tells of suspicious acts before they happen; a hint, since a cell can blind it.

    Parameters
    ----------
    home : Path
        Where the notebook may do as it likes.
    tell : callable
        Takes a short text; each text is told once.
    """

    def __init__(self, home, tell):
        libraries = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *site.getsitepackages()}
        libraries |= {str(Path(__file__).parents[1]), *(path for path in sys.path if os.path.isabs(path))}
        system = ("/usr", "/lib", "/lib64", "/bin", "/etc/", "/dev", "/sys", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
                  "/proc/stat", "/proc/mounts", "/proc/sys", "/proc/filesystems")  # fmt: skip
        self.own = tuple({str(home), os.path.realpath(tempfile.gettempdir()), os.path.realpath(os.path.expanduser("~"))})
        self.readable = (*self.own, *map(os.path.realpath, libraries), *system)
        self.writable = (*self.own, "/dev")
        self.tell, self.told, self.inside = tell, set(), False
        self.events = {
            "open": self._open, "os.listdir": self._list, "os.scandir": self._list, "socket.connect": self._connect,
            "os.kill": self._kill, "ctypes.dlopen": self._ctypes, "sys.settrace": self._trace,
        }  # fmt: skip

    def hook(self, event, args):
        """Look at an event, unless it is one of our own."""
        check = self.events.get(event)
        if check is None or self.inside:
            return
        self.inside = True
        try:
            text = check(*args)
            if text and text not in self.told and len(self.told) < MOST_NOTES:
                self.told.add(text)
                self.tell(text[:300])
        except Exception:  # odd arguments: the act itself will fail or not
            pass
        finally:
            self.inside = False

    def _open(self, path, mode, flags):
        if not isinstance(path, (str, bytes)):
            return ""
        writes = bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        return self._place(path, self.writable if writes else self.readable, "write to" if writes else "read")

    def _list(self, path=None):
        return "" if path is None or isinstance(path, int) else self._place(path, self.readable, "list")

    def _place(self, path, allowed, act):
        place = os.path.realpath(os.fsdecode(path))
        open_to_all = any(place == root or place.startswith(root.rstrip("/") + "/") for root in allowed)
        if open_to_all and place not in ("/etc/shadow", "/etc/gshadow"):
            return ""
        return f"tried to {act} {os.fsdecode(path)}"

    def _connect(self, _, address):
        host = address[0] if isinstance(address, tuple) else "localhost"
        return "" if host in ("localhost", "::1") or str(host).startswith("127.") else f"tried to connect to {host}"

    def _kill(self, pid, number):
        return "" if pid == os.getpid() or _is_child(pid) else f"tried to send signal {number} to process {pid}"

    def _ctypes(self, *_):
        return "used ctypes" if _called_by_cell() else ""

    def _trace(self, *_):
        return "set a trace function" if _called_by_cell() else ""


def _is_child(pid):
    try:
        return Path(f"/proc/{int(pid)}/stat").read_text().rsplit(")", 1)[1].split()[1] == str(os.getpid())
    except (OSError, IndexError):
        return False


def _called_by_cell():
    """Whether the nearest frame outside of the standard library is one of a cell."""
    library, frame = sysconfig.get_path("stdlib"), sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name != __file__ and not name.startswith((library + "/", "<frozen")) or "site-packages" in name:
            return name.startswith("<ipython-input")
        frame = frame.f_back
    return False
