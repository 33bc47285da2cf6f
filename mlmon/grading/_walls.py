"""The words of bubblewrap, and the few variables that a session is given."""

import os
import secrets
import shutil
import sys
from pathlib import Path

HOME = "/session"  # where the private disk of each session is
HOSTS = b"127.0.0.1 localhost\n::1 localhost\n"

# What Python and its libraries read of /etc; never all of it.
_ETC = ("ld.so.cache", "localtime", "alternatives", "fonts", "ssl/certs", "ssl/openssl.cnf", "mime.types")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class SandboxError(Exception):
    """A sandbox that can't be made, or that broke."""


def command(readable, hosts):
    """The words of bubblewrap: a read-only system, Python, mlmon, `readable`, an empty disk, and nothing else.

    Parameters
    ----------
    readable : list of str
    hosts : int
        An open file that becomes /etc/hosts.
    """
    walls = [shutil.which("bwrap"), "--die-with-parent", "--new-session", "--cap-add", "ALL", "--hostname", "sandbox"]
    walls += [f"--unshare-{what}" for what in ("net", "pid", "ipc", "uts")]
    walls += ["--unshare-user"] if os.geteuid() else []
    walls += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", HOME, "--perms", "1777", "--dir", "/tmp"]
    for path in _SYSTEM:
        walls += ["--symlink", os.readlink(path), path] if os.path.islink(path) else ["--ro-bind-try", path, path]
    for path in [*(f"/etc/{name}" for name in _ETC), *_libraries(), *readable]:
        for parent in [*reversed(Path(path).parents)][1:]:  # bubblewrap itself would close them to others
            walls += ["--perms", "0755", "--dir", str(parent)]
        walls += ["--ro-bind-try", path, path]
    walls += ["--perms", "0444", "--ro-bind-data", str(hosts), "/etc/hosts"]
    return [*walls, "--remount-ro", "/dev", "--remount-ro", "/"]


def environment(readable):
    """Variables of every session; none of the instructor's."""
    return {
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *readable]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "USER": "student",
        "LOGNAME": "student",
        "DO_NOT_TRACK": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **dict.fromkeys(_THREADS, "1"),
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow would start a thread when it is imported
    }


def first_uid():
    """A number from which 256 users, one for each session, are nobody else's on this machine."""
    *_, last = Path("/proc/self/uid_map").read_text().splitlines()
    mapped = min(int(last.split()[0]) + int(last.split()[2]), 1 << 31)
    if mapped < 10_000:
        raise SandboxError("root needs other users to become, and has none in this container. Grade as another user.")
    return mapped // 2 + secrets.randbelow(mapped // 2 - 256)


def _libraries():
    """Where this Python, its packages and mlmon are; of mlmon the package only, not the course around it."""
    named = [sys.base_prefix, sys.prefix, str(Path(__file__).parents[1])]
    return list(dict.fromkeys([*named, *map(os.path.realpath, named)]))
