"""A place where a stranger's cells run: no network, no view of the course, and limits on all that they use.

One warm server for each `Sandbox` imports the heavy libraries once, inside bubblewrap, and forks for each
session. What runs in there is `_inside`; here is the side of the grader.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from . import _walls
from ._walls import SandboxError
from .wire import Channel, WireError

INTERRUPT, END, ENDED = b"interrupt", b"end", b"ended"  # between a session and its keeper

GB, MB = 1 << 30, 1 << 20

_START, _OPEN, _END = 300, 60, 30  # seconds that a server, a session and its end may take; far more than they do


@dataclass(frozen=True)
class Limits:
    """What one session may use.

    Attributes
    ----------
    memory : int
        Bytes that each process may add to what the warm server holds, and that all processes of the session may
        hold together. Files on the session's own disk come on top, up to `disk` and a quarter.
    processes : int
        Processes and threads.
    open_files : int
        Open files of each process.
    disk : int
        Bytes of the private disk, which is memory; ``/dev/shm`` has a quarter more.
    file_size : int
        Bytes of one file.
    cpu_seconds : int
        Processor time of each process.
    output : int
        Bytes of one message to the grader.
    """

    memory: int = 2 * GB
    processes: int = 64
    open_files: int = 256
    disk: int = 256 * MB
    file_size: int = 256 * MB
    cpu_seconds: int = 900
    output: int = 64 * MB


def missing():
    """Why no sandbox can be made here, or an empty string where it can.

    Examples
    --------
    >>> reason = missing()  # "bubblewrap is needed ..." where it is not installed
    """
    try:
        with Sandbox(warm=(), serve="time:time") as sandbox:
            sandbox.open().end()
    except SandboxError as error:
        return str(error)
    return ""


class Sandbox:
    """Makes sessions, each of them a process of its own behind walls of its own.

    Starts when the first session opens. Close it, or use it as a context manager; a grader that is killed
    takes everything inside with it.

    Parameters
    ----------
    warm : sequence of str
        Modules that are imported once, before the first session. What fails to import is in `failed`.
    limits : Limits
    unsafe : bool
        Whether to do without walls: no protection of files or network, limits and clean end only.
    serve : str
        ``"module:function"`` that is called with the session's channel, inside. The module is imported among the
        warm ones, and its ``prepare()`` called if it has one.
    readable : sequence of path
        Further folders that sessions may read and import from.

    Attributes
    ----------
    failed : dict of str to str
        Warm modules that could not be imported, and why; filled when the first session opens.

    Examples
    --------
    >>> with Sandbox(warm=(), unsafe=missing() != "") as sandbox:  # only for this example: code that we trust
    ...     with sandbox.open({"data.csv": b"a,b"}) as session:
    ...         session.channel.send([1, "run", "open('data.csv').read()", 1, 1000])
    ...         answer = session.channel.receive()
    >>> answer[2][0]["data"]["text/plain"]
    "'a,b'"
    """

    def __init__(
        self,
        warm=("numpy", "pandas", "scipy.stats", "matplotlib.pyplot"),
        limits=Limits(),
        *,
        unsafe=False,
        serve="mlmon.grading.student:serve",
        readable=(),
    ):
        self.limits, self.failed = limits, {}
        self._warm, self._unsafe, self._serve = tuple(warm), unsafe, serve
        self._readable = [str(Path(path).resolve()) for path in readable]
        self._lock = threading.RLock()
        self._server, self._sessions = None, weakref.WeakSet()

    @property
    def kind(self):
        """``"bubblewrap"``, or ``"none"`` when it is unsafe."""
        return "none" if self._unsafe else "bubblewrap"

    def open(self, files=None):
        """Start a session with its own copy of some files.

        Parameters
        ----------
        files : dict of str to bytes, optional
            Contents by path, relative to the folder in which the session works.

        Returns
        -------
        Session

        Raises
        ------
        SandboxError
            If no sandbox can be made here, or the server ended; the next call starts a new one.
        """
        files = files or {}
        if stray := [name for name in files if {"/", ".."} & set(Path(name).parts)]:
            raise SandboxError(f"a session takes files below the folder where it works, got {stray[0]!r}.")
        with self._lock:
            if self._server is None or not self._server.alive:
                self.close()
                self._server = self._start()
            session = Session(self._server, self.limits)
            self._sessions.add(session)
        try:
            session._begin(files)
        except (WireError, OSError) as fault:
            why = session.end() or fault
            raise SandboxError(f"a session needs a sandbox that can be set up, and this one broke: {why}") from fault
        return session

    def close(self):
        """End all sessions and the server."""
        with self._lock:
            for session in list(self._sessions):
                session.end()
            if self._server:
                self._server.stop()
            self._server = None

    def _start(self):
        if sys.platform != "linux":
            raise SandboxError(f"running a stranger's code needs Linux, and this is {sys.platform}.")
        if not self._unsafe and not shutil.which("bwrap"):
            raise SandboxError(
                "bubblewrap is needed to run a stranger's code, and there is no `bwrap` here. Install it (on Debian or "
                "Ubuntu: sudo apt-get install bubblewrap), or grade with --unsafe code that you trust."
            )
        server = _Server(self._settings(), self._readable)
        self.failed = server.failed
        return server

    def _settings(self):
        return {
            "warm": self._warm,
            "serve": self._serve,
            "limits": asdict(self.limits),
            "walled": not self._unsafe,
            "first_uid": _walls.first_uid() if os.geteuid() == 0 and not self._unsafe else None,
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Session:
    """One stranger's processes, from `Sandbox.open` to `end`.

    Attributes
    ----------
    channel : Channel
        To the function that serves the session. When it raises `WireClosed`, `end` says why.
    """

    def __init__(self, server, limits):
        mine, theirs = socket.socketpair()
        self._leash, keeper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel, self._server, self._ended = Channel(mine, limits.output), server, None
        with theirs, keeper:
            server.hand_over(theirs, keeper)

    def _begin(self, files):
        deadline = monotonic() + _OPEN
        for name, content in files.items():
            self.channel.send([name, content], deadline=deadline)
        self.channel.send(None, deadline=deadline)
        self.channel.receive(deadline=deadline)

    @property
    def alive(self):
        """Whether its first process still runs."""
        if self._ended is not None:
            return False
        try:
            self._leash.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:  # the keeper has nothing to tell yet
            return True
        except OSError:
            pass
        return False

    def interrupt(self):
        """Send SIGINT, as Ctrl-C would, to what runs in the foreground."""
        self._tell(INTERRUPT)

    def end(self):
        """Kill all that is left of the session, and wait until it is gone.

        Returns
        -------
        str
            Empty, or why it had ended before: ``"memory"``, ``"processes"`` or ``"cpu"`` for a limit, ``"exit 3"``,
            ``"SIGSEGV"``, or ``"server"`` when all of the sandbox broke.
        """
        if self._ended is None:
            self._tell(END)
            self._leash.settimeout(_END)
            try:
                why = self._leash.recv(4096).decode()
            except OSError:  # it took too long, so nothing in there can be trusted to end
                self._server.stop()
                why = ""
            self._ended = {ENDED.decode(): "", "": "server"}.get(why, why)
            self._leash.close()
            self.channel.close()
        return self._ended

    def _tell(self, word):
        with contextlib.suppress(OSError):  # it has ended
            self._leash.send(word)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class _Server:
    """The warm process that forks sessions, started at once."""

    def __init__(self, settings, readable):
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = tempfile.TemporaryFile()
        # bubblewrap dies with the thread that started it, so that thread does nothing else.
        self._thread = threading.Thread(target=self._run, args=(theirs, settings, readable), daemon=True)
        self._thread.start()
        self._control.settimeout(_START)
        try:
            self.failed = json.loads(self._control.recv(1 << 16))
        except (OSError, ValueError):
            self.stop()
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()[-2000:]
            raise SandboxError(f"the sandbox did not start: {said or 'it said nothing'}") from None

    def _run(self, theirs, settings, readable):
        with theirs, tempfile.TemporaryFile() as hosts:
            hosts.write(_walls.HOSTS)
            hosts.seek(0)
            walls = _walls.command(readable, hosts.fileno()) if settings["walled"] else []
            python = [sys.executable, "-P", "-s", "-m", "mlmon.grading._inside", str(theirs.fileno()), json.dumps(settings)]
            self._process = subprocess.Popen(
                [*walls, *python],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                env=_walls.environment(readable),
                cwd="/",
                pass_fds=[theirs.fileno(), hosts.fileno()],
                start_new_session=True,
            )
        self._process.wait()

    @property
    def alive(self):
        return self._thread.is_alive()

    def hand_over(self, *sockets):
        """Have a session forked that holds these sockets."""
        with contextlib.suppress(OSError):  # it has ended: so will the session
            socket.send_fds(self._control, [b"open"], [each.fileno() for each in sockets])

    def stop(self):
        """End the server, and with it what it forked."""
        self._control.close()
        self._thread.join(_END)
        if self.alive:
            self._process.kill()
            self._thread.join(_END)
