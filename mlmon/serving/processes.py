"""Start programs that outlive their parent, find them again, and end them: one pid file each.

A program writes its own pid file in the moment before it starts, so there is none
that nobody knows of, whenever the parent is killed. A pid alone says little, since
pids are used again: a program counts as ours while its command line names the
folder of its pid file.
"""
from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

# The outer shell ends at once, so that the program belongs to nobody; the inner one becomes the program.
_START = """sh -c 'echo $$ > "$0"; exec "$@"' "$@" < /dev/null > "$0" 2>&1 &"""


def start(folder, name, command):
    """Start a program in the background; its output goes to ``<name>.log``, its pid to ``<name>.pid``.

    Parameters
    ----------
    folder : path
        Absolute, and part of the command line.
    name : str
    command : sequence of str
    """
    folder = Path(folder)
    command = [str(word) for word in command]
    if not any(str(folder) in word for word in command):
        raise ValueError(f"command needs to name {folder}, got {command!r}. Else nobody could tell whose process it is.")
    log, own = folder / f"{name}.log", folder / f"{name}.pid"
    own.unlink(missing_ok=True)
    subprocess.run(["sh", "-c", _START, str(log), str(own), *command], cwd=folder, start_new_session=True, check=True)
    while not (own.exists() and own.read_text().strip()):
        time.sleep(0.002)


def pid(folder, name):
    """Process id of a program that runs, or None.

    Parameters
    ----------
    folder : path
    name : str
    """
    try:
        number = int((Path(folder) / f"{name}.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return number if str(folder) in _command(number) else None


def stop(folder, names, *, patience=10.0):
    """End programs: asked first, killed when they do not listen.

    Parameters
    ----------
    folder : path
    names : sequence of str
        All are asked at once.
    patience : float
        Seconds before they are killed.

    Returns
    -------
    list of str
        Those that had to be killed.
    """
    running = {name: number for name in names if (number := pid(folder, name)) is not None}
    for number in running.values():
        _signal(number, signal.SIGTERM)
    end = time.monotonic() + patience
    while time.monotonic() < end and any(pid(folder, name) for name in running):
        time.sleep(0.02)
    stubborn = [name for name in running if pid(folder, name)]
    for name in stubborn:
        _signal(running[name], signal.SIGKILL)
    while any(pid(folder, name) for name in stubborn):
        time.sleep(0.02)
    return stubborn


def kill(folder, name):
    """Kill a program as a crash would, without asking."""
    number = pid(folder, name)
    if number is not None:
        _signal(number, signal.SIGKILL)
        while pid(folder, name):
            time.sleep(0.02)


def tail(folder, name, lines=15):
    """Last lines that a program wrote."""
    log = Path(folder) / f"{name}.log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _signal(number, which):
    try:
        os.kill(number, which)
    except ProcessLookupError:
        pass


def _command(number):
    """Command line of a living process, or an empty text.

    It is empty for an instant while the process becomes another program, so an empty one is read again.
    """
    stat = Path(f"/proc/{number}/stat")
    if not Path("/proc/self/stat").exists():
        told = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(number)], capture_output=True, text=True).stdout
        return "" if told.strip().startswith("Z") else told
    try:
        for _ in range(100):
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return ""
            if told := stat.with_name("cmdline").read_bytes():
                return told.replace(b"\0", b" ").decode(errors="replace")
            time.sleep(0.002)
        return ""
    except (FileNotFoundError, ProcessLookupError):
        return ""
