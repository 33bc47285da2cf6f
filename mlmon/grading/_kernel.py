"""What Linux offers to wall a process in, as far as Python has no words for it. The caller has one thread."""

import ctypes
import fcntl
import os
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
_NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 2, 4, 8, 0x1000, 0x4000, 0x40000
_PDEATHSIG, _DUMPABLE, _SECCOMP, _CAPBSET_DROP, _SUBREAPER, _NO_NEW_PRIVS = 1, 4, 22, 24, 36, 38
_SIGKILL = 9

# Numbers of system calls on x86_64 and aarch64. Refused, as they are of no use to a notebook: what makes namespaces
# (which would bring new disks and powers), looks into other processes, holds memory that nobody counts, or is
# known for the kernel's own holes. clone3 hides its flags, and libraries fall back on clone.
_REFUSED = {
    "unshare": (272, 97), "setns": (308, 268), "clone3": (435, 435), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
}  # fmt: skip
_CLONE = (56, 220)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def own_processes():
    """The next child is the first process of a new namespace: it sees and signals what descends from it alone."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _call("unshare", _NEWPID)
        return
    _call("unshare", _NEWUSER | _NEWPID)  # counts of processes, too, are each namespace's own
    for name, text in ("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1"):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def adopt_orphans():
    """Descendants whose parent ends become children of this process."""
    _call("prctl", _SUBREAPER, 1, 0, 0, 0)


def own_disk(folder, size, shared, user, group):
    """Mounts, network and shared memory that nobody else has: an empty disk, /tmp, /dev/shm, /dev/pts, /proc, lo.

    Parameters
    ----------
    folder : str
        Where the empty disk goes; its folder ``tmp`` is also /tmp, unless something readable is below that.
    size, shared : int
        Bytes of the disk and of /dev/shm.
    user, group : int
        Whose they are.
    """
    _call("unshare", _NEWNS | _NEWIPC | _NEWNET | _NEWUTS)
    _call("mount", b"none", b"/", None, _REC | _PRIVATE, None)
    for path, room in (folder, size), ("/dev/shm", shared):
        options = f"size={room},nr_inodes={room // 8192},mode=0700,uid={user},gid={group}"
        _mount("tmpfs", path, options, _NOSUID | _NODEV)
    os.mkdir(f"{folder}/tmp")
    os.chown(f"{folder}/tmp", user, group)
    if not os.listdir("/tmp"):
        _call("mount", f"{folder}/tmp".encode(), b"/tmp", None, _BIND, None)
    _mount("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620", _NOSUID | _NOEXEC)
    try:
        _mount("proc", "/proc", "", _NOSUID | _NODEV | _NOEXEC)
    except OSError:  # refused inside some containers
        _mount("tmpfs", "/proc", "size=4k,mode=0555", _NOSUID | _NODEV | _NOEXEC)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lo:
        fcntl.ioctl(lo, 0x8914, struct.pack("16sH14x", b"lo", 1 | 0x40))  # SIOCSIFFLAGS: up, running


def give_up_powers(user, group):
    """Become `user` for good, without capabilities; what is run later gains none."""
    for capability in range(64):
        _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)  # fails for numbers that this kernel does not have
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    _call("capset", struct.pack("Ii", 0x20080522, 0), bytes(24))
    _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("prctl", _DUMPABLE, 1, 0, 0, 0)  # or its own /proc/self would be closed to it


def die_with_parent():
    """End when the process that forked this one ends."""
    _call("prctl", _PDEATHSIG, _SIGKILL, 0, 0, 0)


def refuse_calls():
    """Make the kernel answer "not implemented" to system calls that a notebook has no use for."""
    column, architecture = _MACHINES[os.uname().machine]
    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    refuse, allow = (answer, 0, 0, 0x50000 | 38), (answer, 0, 0, 0x7FFF0000)
    rules = [(load, 0, 0, 4), (equal, 1, 0, architecture), refuse, (load, 0, 0, 0), (at_least, 0, 1, 1 << 30), refuse]
    for numbers in _REFUSED.values():
        rules += [(equal, 0, 1, numbers[column]), refuse]
    rules += [(equal, 0, 3, _CLONE[column]), (load, 0, 0, 16), (any_bit, 0, 1, _NEWUSER), refuse, allow]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    _call("prctl", _SECCOMP, 2, struct.pack("HP", len(rules), ctypes.addressof(program)), 0, 0)


def _mount(kind, path, options, flags):
    _call("mount", kind.encode(), path.encode(), kind.encode(), flags, options.encode())


def _call(name, *args):
    words = [ctypes.c_ulong(arg) if isinstance(arg, int) else arg for arg in args]
    if getattr(_libc, name)(*words):
        number = ctypes.get_errno()
        shown = next((arg.decode(errors="replace") for arg in args if isinstance(arg, bytes) and name == "mount"), "")
        raise OSError(number, f"{name} {shown}: {os.strerror(number)}")
