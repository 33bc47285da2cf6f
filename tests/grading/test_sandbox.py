"""What a stranger's code can't do, tried; every attack is followed by an honest session that works.

Attacks aim at canaries that the test made, and are bounded by limits a good deal smaller than a class gets.
"""

import os
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from time import monotonic, sleep

import pytest

from mlmon.grading import sandbox as sandboxes
from mlmon.grading.sandbox import MB, Limits, Sandbox, SandboxError
from mlmon.grading.wire import WireClosed, WireTimeout

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIMITS = Limits(memory=300 * MB, processes=16, disk=16 * MB, file_size=12 * MB, cpu_seconds=60)


def make(**choices):
    """A sandbox that serves `probe`, quick to start."""
    choices = {"warm": (), "limits": LIMITS, "readable": [HERE], **choices}
    return Sandbox(serve="probe:serve", **choices)


def send(session, source):
    session.channel.send(textwrap.dedent(source))


def run(session, source, seconds=30):
    """The `answer` of a source, or its error."""
    send(session, source)
    return session.channel.receive(deadline=monotonic() + seconds)


def tried(sandbox, source):
    """The `answer` of a source in a session of its own."""
    with sandbox.open() as session:
        return run(session, source)


def ending(sandbox, source):
    """How a session ends that a source brings down."""
    with sandbox.open() as session:
        send(session, source)
        with pytest.raises(WireClosed):
            session.channel.receive(deadline=monotonic() + 30)
        assert eventually(lambda: not session.alive)
        return session.end()


def below(root):
    """Command lines of all processes that descend from one."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
    found, new = {}, {root}
    while new:
        new = {process for process, parent in parents.items() if parent in new}
        found |= {process: Path(f"/proc/{process}/cmdline") for process in new}
    return found


def eventually(truth, seconds=10):
    """Whether something comes true in time."""
    end = monotonic() + seconds
    while not truth() and monotonic() < end:
        sleep(0.02)
    return truth()


@pytest.fixture(scope="module")
def started():
    with make() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started):
    """A running sandbox; afterwards an honest session must work, and the server must stand alone."""
    yield started
    assert tried(started, "answer = sum(range(10))") == 45
    assert eventually(lambda: len(below(started._server._process.pid)) == 2), "bubblewrap's own and the server"


# What can be seen and changed


def test_of_the_course_only_the_package_is_seen(sandbox):
    # The folder around the package holds solutions, releases and the gradebook. Python's packages may be there too.
    python = {Path(sys.prefix).relative_to(ROOT).parts[0]} if Path(sys.prefix).is_relative_to(ROOT) else set()
    assert tried(sandbox, f"import os; answer = sorted(os.listdir({str(ROOT)!r}))") == sorted({"mlmon", "tests"} | python)
    assert tried(sandbox, f"import os; answer = os.listdir({str(ROOT / 'tests')!r})") == ["grading"]


def test_a_file_of_the_instructor_is_not_there(sandbox, tmp_path):
    # Readable for everybody on this machine, and yet not in there.
    canary = tmp_path / "gradebook.db"
    canary.write_text("canary")
    canary.chmod(0o644)
    assert tried(sandbox, f"answer = open({str(canary)!r}).read()").startswith("FileNotFoundError")
    assert tried(sandbox, f"import os; answer = os.listdir({str(tmp_path)!r})").startswith("FileNotFoundError")


def test_root_s_own_files_stay_closed_where_they_are_shown(tmp_path):
    # A session of root runs as a user of its own; one of another instructor is that user, and sees no more than is shown.
    tmp_path.chmod(0o755)
    canary = tmp_path / "secret"
    canary.write_text("canary")
    canary.chmod(0o600)
    with make(readable=[HERE, tmp_path]) as sandbox:
        answer = tried(sandbox, f"answer = open({str(canary)!r}).read()")
    assert answer.split(":")[0] == ("PermissionError" if os.geteuid() == 0 else "canary")


def test_no_variable_of_the_instructor_is_seen(monkeypatch):
    # Neither in the process itself nor in what the kernel tells of any other.
    monkeypatch.setenv("MLMON_TEST_CANARY", "canary")
    source = """
        import os, pathlib
        seen = [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/environ")]
        answer = "canary" in str(os.environ), any(b"canary" in each for each in seen), len(seen)
    """
    with make() as sandbox:
        assert tried(sandbox, source) == (False, False, 1)


def test_the_system_is_read_only(sandbox):
    # The outer folders are tried, those of Python and a kernel's setting; the session's own places are what is left.
    source = """
        import glob, os, mlmon, numpy
        answer = set()
        for folder in ["/", *glob.glob("/*/"), *glob.glob("/*/*/"), *mlmon.__path__, *numpy.__path__, os.path.dirname(os.__file__)]:
            try:
                open(f"{folder}/canary", "w").close()
                answer.add(folder.rstrip("/"))
            except OSError:
                pass
        try:
            open("/proc/sys/kernel/hostname", "w").write("canary")
            answer.add("hostname")
        except OSError:
            pass
    """
    assert tried(sandbox, source) == {"/session", "/session/home", "/session/tmp", "/session/work", "/tmp", "/dev/shm"}


def test_it_has_no_powers(sandbox):
    # As the kernel says it: no capability, none to come, a filter of system calls.
    source = "answer = dict(line.split(':\\t') for line in open('/proc/self/status').read().splitlines())"
    status = tried(sandbox, source)
    assert {status[f"Cap{kind}"].strip("0") for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {""}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert "0" not in status["Uid"].split()


def test_the_kernel_s_dangerous_calls_are_refused(sandbox):
    # A new user namespace, say, would allow disks without a limit. The answer is "not implemented".
    source = """
        import ctypes, errno
        libc = ctypes.CDLL(None, use_errno=True)
        attempts = {
            "unshare": (0x10000000,), "mount": (b"none", b"/tmp", b"tmpfs", 0, None), "ptrace": (0, 0, 0, 0),
            "memfd_create": (b"canary", 0), "shmget": (0, 4096, 0o1600), "setns": (0, 0),
        }
        answer = {}
        for name, args in attempts.items():
            ctypes.set_errno(0)
            answer[name] = getattr(libc, name)(*args), errno.errorcode.get(ctypes.get_errno())
        number = {"x86_64": 56, "aarch64": 220}[__import__("os").uname().machine]
        answer["clone"] = libc.syscall(number, 0x10000000 | 17, 0, 0, 0, 0), errno.errorcode.get(ctypes.get_errno())
    """
    assert set(tried(sandbox, source).values()) == {(-1, "ENOSYS")}


def test_no_file_is_open_but_its_channel(sandbox):
    # The server's control socket, the keeper's leash and other sessions' channels are not among them.
    source = """
        import os, subprocess
        mine = {int(name): os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if
            os.path.exists(f"/proc/self/fd/{name}") or not name.isdigit() or int(name) < 3}
        child = subprocess.check_output(["ls", "/proc/self/fd"], stderr=subprocess.DEVNULL).split()
        sockets = [os.readlink(f"/proc/self/fd/{n}") for n in range(3, 256) if os.path.islink(f"/proc/self/fd/{n}")]
        answer = [mine[n] for n in range(3)], len([each for each in sockets if "socket" in each]), len(sockets), len(child)
    """
    with sandbox.open():  # a neighbour
        standard, sockets, opened, child = tried(sandbox, source)
    assert standard == ["/dev/null"] * 3
    assert (sockets, opened) == (1, 1)
    assert child == 4  # the standard three, and the folder that it lists


def test_there_is_no_network_but_its_own(sandbox):
    # A server of this machine can't be reached, by port or by abstract name; one of its own can.
    name = f"\0mlmon-test-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(name)
        abstract.listen()
        source = f"""
            import socket
            def reach(family, address):
                try:
                    socket.socket(family).connect(address)
                    return "reached"
                except OSError as error:
                    return type(error).__name__
            own = socket.create_server(("localhost", 0))
            answer = [
                reach(socket.AF_INET, ("127.0.0.1", {server.getsockname()[1]})),
                reach(socket.AF_UNIX, {name!r}),
                reach(socket.AF_INET, ("192.0.2.1", 80)),
                reach(socket.AF_INET, own.getsockname()),
            ]
        """
        assert tried(sandbox, source) == ["ConnectionRefusedError", "ConnectionRefusedError", "OSError", "reached"]


# Sessions among themselves


def test_files_come_with_the_session_and_stay_in_it(sandbox):
    # Each has its own copy, in the folder where it starts.
    source = "answer = open('data/x.csv').read(); open('data/x.csv', 'w').write('changed')"
    files = {"data/x.csv": b"a,b", "large.bin": bytes(9 * MB)}
    for _ in range(2):
        with sandbox.open(files) as session:
            assert run(session, source) == "a,b"


@pytest.mark.parametrize("name", ["../x", "/session/x", "a/../../x"])
def test_a_file_goes_nowhere_else(sandbox, name):
    # Without walls such a name would reach the instructor's own folders.
    with pytest.raises(SandboxError, match="below the folder where it works"):
        sandbox.open({name: b""})


def test_nothing_is_left_for_the_next(sandbox):
    # Files, shared memory, changed modules and the environment go with the session.
    source = """
        import json, os
        places = ["/tmp/canary", "/dev/shm/canary", "/session/canary", "/session/home/canary", "canary"]
        answer = [os.path.exists(place) for place in places], hasattr(json, "canary"), "CANARY" in os.environ
        for place in places:
            open(place, "w").close()
        json.canary, os.environ["CANARY"] = True, "1"
    """
    with sandbox.open() as first, sandbox.open() as second:
        answers = [run(first, source), run(second, source), tried(sandbox, source)]
    assert answers == [([False] * 5, False, False)] * 3


def test_sessions_do_not_see_or_signal_each_other(sandbox):
    # Each is the first process of a world of its own, as a user of its own where the grader is root.
    source = """
        import os, signal
        for number in range(2, 200):
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.kill(-1, signal.SIGKILL) if os.getpid() != 1 else None
        answer = os.getpid(), [name for name in os.listdir("/proc") if name.isdigit()], os.getuid()
    """
    with sandbox.open() as first, sandbox.open() as second:
        one, two = run(first, source), run(second, source)
        assert one[:2] == two[:2] == (1, ["1"])
        assert (one[2] != two[2]) == (os.geteuid() == 0)
        assert first.alive and second.alive


def test_sessions_do_not_reach_each_other_s_servers(sandbox):
    # Each has a network of its own, in which the same port and abstract name are free.
    source = """
        import builtins, socket
        builtins.held = socket.create_server(("127.0.0.1", 4321)), socket.socket(socket.AF_UNIX)
        builtins.held[1].bind("\\0canary")
        answer = "bound"
    """
    with sandbox.open() as first, sandbox.open() as second:
        assert run(first, source) == run(second, source) == "bound"


def test_each_session_draws_its_own_numbers(sandbox):
    # Forks of one process would all draw the same.
    source = "import random, numpy; answer = random.random(), numpy.random.random()"
    assert len({number for _ in range(3) for number in tried(sandbox, source)}) == 6


# Limits


def test_a_fork_bomb_is_bounded(sandbox):
    # Every process of it tries for ever; a neighbour still starts a program.
    with sandbox.open() as session, sandbox.open() as neighbour:
        send(session, "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
        assert eventually(lambda: len(below(sandbox._server._process.pid)) >= LIMITS.processes)
        sleep(0.5)
        assert len(below(sandbox._server._process.pid)) <= LIMITS.processes + 6  # the server's, keepers, the neighbour
        assert run(neighbour, "import subprocess; answer = subprocess.getoutput('echo well')") == "well"


def test_memory_of_one_process_is_bounded(sandbox):
    # An array of ten times the limit is an error in the cell, not the end of the session.
    with sandbox.open() as session:
        assert run(session, f"answer = len(bytearray({10 * LIMITS.memory}))").startswith("MemoryError")
        assert run(session, "answer = 1") == 1


HOG = """
    import ctypes, mmap, os, time
    for _ in range(8):
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, b"x\\nPPid:\\t1", 0, 0, 0)  # a name that looks like another parent
            os.setsid()
            held = {held}
            time.sleep(60)
            os._exit(0)
    time.sleep(60)
"""


@pytest.mark.parametrize("held", ["bytearray(os.urandom(1 << 20)) * 80", "mmap.mmap(-1, 80 << 20); held.write(bytes(80 << 20))"])
def test_memory_of_all_processes_together_is_bounded(sandbox, held):
    # Eight times 80 MB, private or shared; each alone would be allowed. What they share with the server is not theirs.
    assert ending(sandbox, HOG.format(held=held)) == "memory"


def test_programs_of_many_small_parts_are_no_hog(sandbox):
    # Ten forks hold together what the server holds once.
    source = """
        import os, time
        children = [os.fork() for _ in range(3) if os.getpid() == 1]
        if os.getpid() != 1:
            time.sleep(60)
        held = bytearray(os.urandom(1 << 20)) * 150
        time.sleep(0.5)
        answer = len(children)
    """
    assert tried(sandbox, source) == 3


@pytest.mark.parametrize("place", ["/tmp", "/session/home", "/dev/shm"])
def test_the_disk_is_small(sandbox, place):
    # It is memory, in bytes and in names. A quarter more is in /dev/shm.
    source = f"""
        import os
        full = []
        try:
            for number in range(40):
                with open(f"{place}/{{number}}", "wb") as file:
                    file.write(bytes(1 << 20))
        except OSError as error:
            full.append((number, error.strerror))
        for name in os.listdir({place!r}):
            os.unlink(f"{place}/{{name}}") if name.isdigit() else None
        try:
            for number in range(100_000):
                open(f"{place}/{{number}}", "w").close()
        except OSError as error:
            full.append((number < 3_000, error.strerror))
        answer = full
    """
    room = 4 if place == "/dev/shm" else 16
    assert tried(sandbox, source) == [(room, "No space left on device"), (True, "No space left on device")]


def test_a_file_has_a_largest_size(sandbox):
    # Python hears of it as of any error of a file.
    source = f"with open('/tmp/x', 'wb') as file: file.write(bytes({LIMITS.file_size + 1}))"
    assert tried(sandbox, source).startswith("OSError: [Errno 27]")


def test_a_gigabyte_of_output_goes_nowhere(sandbox):
    # Standard output is not the way to the grader.
    assert tried(sandbox, "import os; answer = sum(os.write(1, bytes(1 << 20)) for _ in range(1024))") == 1 << 30


def test_open_files_are_bounded(sandbox):
    # The next one is an error in the cell.
    assert tried(sandbox, "held = [open('/dev/null') for _ in range(300)]").startswith("OSError: [Errno 24]")


def test_no_core_is_dumped_and_new_files_are_one_s_own(sandbox):
    source = """
        import os, resource
        open("x", "w").close()
        answer = resource.getrlimit(resource.RLIMIT_CORE), os.stat("x").st_mode & 0o777
    """
    assert tried(sandbox, source) == ((0, 0), 0o600)


def test_processor_time_is_bounded():
    # A process that no clock outside stops ends by itself.
    with make(limits=Limits(cpu_seconds=1)) as sandbox:
        assert ending(sandbox, "while True: pass") == "cpu"


# Ends


def test_an_interrupt_is_a_keyboardinterrupt(sandbox):
    # It reaches the program in the foreground as well, as Ctrl-C does.
    with sandbox.open() as session:
        send(session, "import subprocess; subprocess.run(['sleep', '60'])")
        sleep(0.5)
        session.interrupt()
        assert session.channel.receive(deadline=monotonic() + 10).startswith("KeyboardInterrupt")


def test_who_ignores_signals_is_ended_all_the_same(sandbox):
    # An interrupt does not help here; the end does, at once.
    source = """
        import signal
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True: pass
    """
    session = sandbox.open()
    send(session, source)
    sleep(0.3)
    session.interrupt()
    with pytest.raises(WireTimeout):
        session.channel.receive(deadline=monotonic() + 0.5)
    begun = monotonic()
    assert session.alive and session.end() == "" and not session.alive
    assert monotonic() - begun < 5


def test_daemons_and_zombies_end_with_the_session(sandbox):
    # Orphans in sessions of their own, and children that nobody waited for; the fixture counts what is left.
    source = """
        import os, signal, time
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for kind in range(8):
            if os.fork() == 0:
                os.setsid()
                if kind % 2 and os.fork() == 0:
                    time.sleep(600)
                os._exit(0)
        time.sleep(0.3)
        answer = len([name for name in os.listdir("/proc") if name.isdigit()])
    """
    assert tried(sandbox, source) > 5


def test_killing_everything_in_reach_reaches_nothing_else(sandbox):
    # The first process of a session is safe from within, and so are the keeper and the server.
    source = """
        import os, signal, time
        for target in (1, -1, 0):
            if os.fork() == 0:
                os.kill(target, signal.SIGKILL)
                os._exit(0)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
        os.kill(-1, signal.SIGKILL)
        answer = "alive"
    """
    with sandbox.open() as session, sandbox.open() as neighbour:
        assert run(session, source) == "alive"
        assert run(neighbour, "answer = 1") == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", ["exit 3"]),
        ("import os; os.abort()", ["SIGABRT", "SIGSEGV"]),
        ("import ctypes; ctypes.string_at(0)", ["SIGSEGV"]),
        ("import itertools; x = iter([1])\nfor _ in range(1_000_000): x = itertools.chain(x)\nnext(x)", ["SIGSEGV"]),
        ("import os; os.closerange(3, 256); import time; time.sleep(60)", [""]),
    ],
)
def test_how_it_ended_is_told(sandbox, source, words):
    # A crash is the student's own; the last one has only closed its channel, and is ended by the grader.
    with sandbox.open() as session:
        send(session, source)
        with pytest.raises(WireClosed):
            session.channel.receive(deadline=monotonic() + 30)
        assert session.end() in words
        assert session.end() in words  # asked again, it says the same


# Server and grader


def test_a_server_that_died_is_told_and_the_next_one_starts():
    # Somebody killed it, or the machine ran out of memory.
    with make() as sandbox:
        session = sandbox.open()
        sandbox._server._process.kill()
        with pytest.raises(WireClosed):
            session.channel.receive(deadline=monotonic() + 10)
        assert session.end() == "server"
        assert eventually(lambda: not sandbox._server.alive)
        assert tried(sandbox, "answer = 1") == 1


def test_the_thread_that_opened_the_first_session_may_end():
    # bubblewrap ends with the thread that started it.
    with make() as sandbox:
        opened = []
        thread = threading.Thread(target=lambda: opened.append(sandbox.open()))
        thread.start()
        thread.join()
        sleep(0.3)
        assert run(opened[0], "answer = 1") == 1


@pytest.mark.parametrize("unsafe", [False, True])
def test_nothing_survives_a_grader_that_is_killed(unsafe):
    # Neither the server nor what a session left in the background.
    source = f"""
        import sys, time
        from mlmon.grading.sandbox import Sandbox
        sandbox = Sandbox(warm=(), serve="probe:serve", readable=[{str(HERE)!r}], unsafe={unsafe})
        session = sandbox.open()
        session.channel.send("import os; os.fork() or os.setsid(); answer = 1")
        print(session.channel.receive(), flush=True)
        time.sleep(600)
    """
    grader = subprocess.Popen([sys.executable, "-c", textwrap.dedent(source)], stdout=subprocess.PIPE, cwd=ROOT)
    assert grader.stdout.readline() == b"1\n"
    processes = {process: path.read_bytes() for process, path in below(grader.pid).items()}
    assert len(processes) >= 4
    grader.kill()
    grader.wait()
    grader.stdout.close()
    assert eventually(lambda: not any(alive(process, words) for process, words in processes.items()))


def alive(process, words):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() == words
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_closed_sandbox_leaves_nothing():
    # Its open sessions end as well.
    before = below(os.getpid())
    sandbox = make()
    session = sandbox.open()
    assert len(below(os.getpid())) == len(before) + 5  # bubblewrap twice, server, keeper, session
    sandbox.close()
    assert not session.alive
    assert eventually(lambda: len(below(os.getpid())) <= len(before))


def test_what_fails_to_import_is_told():
    # The rest is warm all the same.
    with make(warm=("no_such_module", "json")) as sandbox:
        assert tried(sandbox, "import sys; answer = 'json' in sys.modules")
        assert sandbox.failed == {"no_such_module": "ModuleNotFoundError: No module named 'no_such_module'"}


def test_a_warm_module_may_not_start_threads(tmp_path):
    # A fork would lose them, and what they had locked would stay locked.
    tmp_path.chmod(0o755)
    (tmp_path / "threads_at_once.py").write_text("import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()")
    with make(warm=("threads_at_once",), readable=[HERE, tmp_path]) as sandbox:
        with pytest.raises(SandboxError, match="threads_at_once starts threads"):
            sandbox.open()


# Where there is no bubblewrap


@pytest.fixture
def no_bubblewrap(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def test_without_bubblewrap_it_refuses(no_bubblewrap):
    # It says what to install, and how to go on without.
    with make() as sandbox, pytest.raises(SandboxError, match="apt-get install bubblewrap.*--unsafe"):
        sandbox.open()
    assert "bubblewrap is needed" in sandboxes.missing()


def test_here_nothing_is_missing():
    # Where these tests run, a sandbox can be made.
    assert sandboxes.missing() == ""


@pytest.fixture
def unsafe(no_bubblewrap):
    with make(unsafe=True) as sandbox:
        yield sandbox
        assert tried(sandbox, "answer = sum(range(10))") == 45
        assert eventually(lambda: not below(sandbox._server._process.pid))


def test_unsafe_sandboxes_say_so(unsafe):
    # The grades name it.
    assert (unsafe.kind, make().kind) == ("none", "bubblewrap")


def test_unsafe_sessions_have_limits(unsafe):
    # Memory of one, memory of all, number of processes.
    assert tried(unsafe, f"answer = len(bytearray({10 * LIMITS.memory}))").startswith("MemoryError")
    assert ending(unsafe, HOG.format(held="bytearray(os.urandom(1 << 20)) * 80")) == "memory"
    assert ending(unsafe, "import os, time\nfor _ in range(40): os.fork() or time.sleep(60)\ntime.sleep(60)") == "processes"


def test_unsafe_sessions_end_with_their_daemons_and_files(unsafe):
    # Orphans are found as well: the keeper adopts them.
    source = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            os.fork() or time.sleep(600)
            os._exit(0)
        os.wait()
        answer = os.getcwd()
    """
    with unsafe.open({"x": b"1"}) as session:
        folder = run(session, source)
        assert os.listdir(folder) == ["x"]
    assert eventually(lambda: not os.path.exists(folder))


# Root or not


@pytest.mark.slow
def test_all_of_it_holds_without_root():
    # The same tests as another user, where we are root. Folders of root's that are closed to others are shown to it.
    if os.geteuid() != 0:
        return  # then it was tried already
    view = ["bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/", "--perms", "0755", "--tmpfs", "/root"]
    for path in (sys.base_prefix, sys.prefix, str(ROOT)):
        for parent in [*reversed(Path(path).parents)][1:]:
            view += ["--perms", "0755", "--dir", str(parent)]
        view += ["--ro-bind", path, path]
    user = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "env", "HOME=/nowhere"]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__)), "-k", "not without_root"]
    told = subprocess.run([*view, *user, *tests], capture_output=True, text=True, cwd=ROOT)
    assert told.returncode == 0, told.stdout[-5000:] + told.stderr[-1000:]
