"""What runs inside the sandbox: the warm server, a keeper for each session, and how a session's process is walled in.

Started by `sandbox`. Server and keepers are trusted and never run a stranger's code. A session's process is the first
of a process namespace of its own, so that killing it kills all that it started, whatever that did to hide.
"""

import contextlib
import gc
import importlib
import itertools
import json
import os
import random
import resource
import select
import signal
import socket
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np

from . import _kernel
from ._walls import HOME
from .sandbox import ENDED, INTERRUPT
from .wire import Channel

_LOOK = 100  # milliseconds between two looks at what a session uses


def main(control, settings):
    """Import what is to be warm, then fork a session whenever two sockets come over `control`, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave no zombies
    with tempfile.TemporaryDirectory(dir=HOME if settings["walled"] else None) as folder:
        os.environ.update(MPLCONFIGDIR=folder, IPYTHONDIR=folder, HOME=folder, TMPDIR=folder)
        control.send(json.dumps(_warm(settings)).encode())
        gc.collect()
        gc.freeze()
        for number in itertools.count():
            word, sockets, *_ = socket.recv_fds(control, 16, 2)
            if not word:
                return
            user = os.geteuid() if settings["first_uid"] is None else settings["first_uid"] + number % 256
            group = os.getegid() if settings["first_uid"] is None else user
            _fork(_keep, *sockets, {**settings, "user": user, "group": group, "folder": folder})
            for each in sockets:
                os.close(each)


def _warm(settings):
    """Import the modules; what failed, and why. A thread would not survive the fork, and may hold a lock for ever."""
    failed, server = {}, settings["serve"].split(":")[0]
    for name in [*settings["warm"], server]:
        try:
            module = importlib.import_module(name)
            if name == server and hasattr(module, "prepare"):
                module.prepare()
        except Exception as fault:
            failed[name] = f"{type(fault).__name__}: {fault}"
        if len(os.listdir("/proc/self/task")) > 1:
            sys.exit(f"{name} starts threads when it is imported: leave it out of what is warm")
    return failed


def _fork(work, *args):
    """Run `work` in a new process, which ends with what it returns; the number of that process."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        status = work(*args) or 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _keep(channel, leash, settings):
    """Start the process of one session, watch it, and tell at the end of the leash how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    _close_all_but(channel, leash)
    leash = socket.socket(fileno=leash)
    try:
        _kernel.own_processes() if settings["walled"] else _kernel.adopt_orphans()
    except OSError as fault:
        leash.send(f"{fault}".encode())
        raise
    with _place(settings) as folder:
        student = _fork(_live, channel, leash, {**settings, "folder": folder})
        os.close(channel)
        why = _watch(student, leash, settings)
    with contextlib.suppress(OSError):  # the grader is gone
        leash.send(why)
        while leash.recv(16):  # closed too early, the grader's last word would take ours with it
            pass


def _place(settings):
    """A folder for one session: an empty disk goes over it, or without walls it is deleted."""
    if settings["walled"]:
        return contextlib.nullcontext(HOME)
    return tempfile.TemporaryDirectory(dir=settings["folder"], ignore_cleanup_errors=True)


def _watch(student, leash, settings):
    """Wait for the end: its own, the one asked for, or that of a limit."""
    death = os.pidfd_open(student)
    poll = select.poll()
    poll.register(death, select.POLLIN)
    poll.register(leash, select.POLLIN)
    while True:
        ready = dict(poll.poll(_LOOK))
        if death in ready:
            return _end(student, settings)
        if leash.fileno() in ready:
            if leash.recv(16) != INTERRUPT:  # the end, or the grader is gone
                why = _end(student, settings)
                return ENDED if why == b"SIGKILL" else why  # it may have been ending by itself
            _signal(os.killpg, student, signal.SIGINT)
        elif why := _excess(student, settings["limits"]):
            _end(student, settings)
            return why


def _signal(kill, process, number):
    with contextlib.suppress(ProcessLookupError):
        kill(process, number)


def _end(student, settings):
    """Kill the session, wait until nothing is left of it, and say how its first process ended."""
    _signal(os.kill, student, signal.SIGKILL)
    _, status, used = os.wait4(student, 0)
    while not settings["walled"] and (left := _family(os.getpid())):
        for process in left:
            _signal(os.kill, process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)
    if not os.WIFSIGNALED(status):
        return f"exit {os.WEXITSTATUS(status)}".encode()
    if os.WTERMSIG(status) == signal.SIGKILL and used.ru_utime + used.ru_stime > settings["limits"]["cpu_seconds"] - 0.5:
        return b"cpu"
    return signal.Signals(os.WTERMSIG(status)).name.encode()


def _excess(student, limits):
    """The limit that all processes of the session together are over, or nothing."""
    family = {student: _status(student), **_family(student)}
    if len(family) > limits["processes"]:
        return b"processes"
    held = {process: _kilobytes(status, "RssAnon", "RssShmem") for process, status in family.items()}
    if sum(held.values()) * 1024 > limits["memory"]:  # counts what forks share as often as they do
        if sum(_own(process, most) for process, most in held.items()) * 1024 > limits["memory"]:
            return b"memory"
    return b""


def _family(root):
    """Status of all that descends from a process; orphans do, as the first of a namespace adopts them."""
    statuses = {int(name): _status(name) for name in os.listdir("/proc") if name.isdigit()}
    family, found = {}, {root}
    while found:
        found = {process for process, status in statuses.items() if int(status.get("PPid", 0)) in found}
        family |= {process: statuses[process] for process in found}
    return family


def _status(process):
    with contextlib.suppress(OSError):
        return dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return {}


def _own(process, most):
    """Kilobytes of a process, shared ones divided among those that share them; `most` where that can't be read."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
        return _kilobytes(dict(line.split(":", 1) for line in lines), "Pss_Anon", "Pss_Shmem")
    return most


def _kilobytes(table, *names):
    return sum(int(table.get(name, "0").split()[0]) for name in names)


def _live(channel, leash, settings):
    """Be the process of a session: wall oneself in, take the files, and serve."""
    try:
        work = _settle(settings)
        os.set_inheritable(channel, False)
        channel = Channel(socket.socket(fileno=channel), settings["limits"]["output"])
        while (file := channel.receive()) is not None:
            path = work / file[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file[1])
        module, function = settings["serve"].split(":")
        serve = getattr(importlib.import_module(module), function)
    except BaseException as fault:
        leash.send(f"{type(fault).__name__}: {fault}".encode())
        raise
    leash.close()
    channel.send("ready")
    serve(channel)


def _settle(settings):
    """Give up all that a stranger shall not have, and go to the folder to work in; that folder."""
    limits, folder, user, group = (settings[name] for name in ("limits", "folder", "user", "group"))
    os.setsid()
    Path("/proc/self/oom_score_adj").write_text("1000")  # where memory ends, the kernel starts here
    warm = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.close(nothing)
    if settings["walled"]:
        _kernel.own_disk(folder, limits["disk"], limits["disk"] // 4, user, group)
        _limit(resource.RLIMIT_NPROC, limits["processes"])
    _limit(resource.RLIMIT_AS, warm + limits["memory"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_FSIZE, limits["file_size"])
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"])
    _limit(resource.RLIMIT_STACK, 8 << 20)
    _limit(resource.RLIMIT_CORE, 0)
    if settings["walled"]:
        _kernel.give_up_powers(user, group)
    _kernel.die_with_parent()
    os.umask(0o077)
    work = _home(Path(folder))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()
    np.random.seed()
    if settings["walled"]:
        _kernel.refuse_calls()
    return work


def _limit(kind, most):
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _home(folder):
    """Make and name the places of a session; the one to work in."""
    for name in ("home", "tmp", "work"):
        (folder / name).mkdir(exist_ok=True)
    home = str(folder / "home")
    os.environ.update(HOME=home, TMPDIR=str(folder / "tmp"), MPLCONFIGDIR=home, IPYTHONDIR=f"{home}/.ipython")
    tempfile.tempdir = None  # found anew
    os.chdir(folder / "work")
    return folder / "work"


def _close_all_but(*kept):
    edges = [2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for low, high in itertools.pairwise(edges):
        os.closerange(low + 1, high)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
