"""The peers: which versions, in which environment, and how a worker is run there."""

import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build"
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_NUM_THREADS"], "1")
QUIET = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Peer:
    """A library: its worker script, and what to install (nothing: it lives in our own environment)."""

    name: str
    worker: str
    requirements: tuple = ()

    @property
    def python(self):
        if not self.requirements:
            return Path(sys.executable)
        return BUILD / "peers" / self.name / "bin" / "python"

    @property
    def version(self):
        return self.requirements[0].partition("==")[2] if self.requirements else importlib.metadata.version(self.name)


# These sets import and run; others that the resolver accepts fail at import.
PEERS = {peer.name: peer for peer in (
    Peer("mlmon", "peer_mlmon.py"),
    Peer("scipy", "peer_scipy.py"),
    Peer("evidently", "peer_evidently.py"),
    Peer("frouros", "peer_frouros.py", ("frouros==0.9.0", "numpy==2.1.3", "scipy==1.14.1", "pandas==2.3.3")),
    Peer("alibi-detect", "peer_alibi.py", (
        "alibi-detect==0.13.0", "numpy==1.26.4", "pandas==2.3.3", "scikit-learn==1.9.1", "scipy==1.17.1",
        "numba==0.59.1")),
    Peer("nannyml", "peer_nannyml.py", (
        "nannyml==0.13.1", "numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1", "scipy==1.17.1",
        "statsmodels")),   # which its metadata forgets
    Peer("deepchecks", "peer_deepchecks.py", (
        "deepchecks==0.19.1", "numpy==1.26.4", "pandas==2.3.3", "scikit-learn==1.7.2", "plotly==5.24.1",
        "setuptools==80.9.0")),   # pkg_resources, which later ones no longer hold
    Peer("menelaus", "peer_menelaus.py", (
        "menelaus==0.2.0", "numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1", "scipy==1.17.1")),
    Peer("trecs", "loops_trecs.py", (      # it asks for pandas 1.0.5, which no longer builds
        "trecs==0.2.1", "numpy==1.23.5", "scipy==1.10.1", "pandas==1.5.3", "networkx==3.4.2", "tqdm", "matplotlib", "python-dateutil",
        "pytz", "six", "pyparsing", "cycler", "kiwisolver", "packaging", "pillow", "contourpy", "fonttools", "--no-deps")),
    Peer("reclab", "loops_reclab.py", (      # np.int, which later NumPys no longer have
        "reclab==0.1.2", "numpy==1.23.5", "scipy==1.10.1", "pandas==1.5.3")),
    Peer("modal-python", "loops_modal.py", (      # modAL; later scikit-learns no longer have what it calls
        "modal-python==0.4.2.1", "numpy==1.26.4", "pandas==2.3.3", "scikit-learn==1.7.2", "scipy==1.17.1")),
    Peer("otter-grader", "grade_otter.py", (
        "otter-grader==7.0.0", "ipykernel==7.4.0", "numpy==2.4.6", "pandas==3.0.6", "scipy==1.17.1", "scikit-learn==1.9.1",
        "evidently==0.7.23", "matplotlib==3.11.2")),
)}


def install(peer):
    """Make a peer's environment if it is not there; the reason if that fails, else None."""
    ready = peer.python.parents[1] / "ready"
    if not peer.requirements or (ready.exists() and ready.read_text() == str(peer.requirements)):
        return None
    uv = Path(sys.executable).with_name("uv")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, peer.python.parents[1]],
        [uv, "pip", "install", "--quiet", "--python", peer.python, *peer.requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["no message"])[-1]
    ready.write_text(str(peer.requirements))
    return None


def installed(names, say=print):
    """Those of the named peers that could be installed; a line for each that could not."""
    found = []
    for name in names:
        reason = install(PEERS[name])
        if reason is None:
            found.append(name)
        else:
            say(f"{name} is left out, its installation failed: {reason}")
    return found


def start(name, job):
    """Start a worker on a job. Its answers come line by line from stdout, its log goes to build/bench."""
    peer = PEERS[name]
    logs = BUILD / "bench" / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with open(logs / f"{name}.log", "a") as log:
        process = subprocess.Popen(
            [peer.python, HERE / "workers" / peer.worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            text=True, env=os.environ | ONE_THREAD | QUIET)
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    return process


def answers(process):
    """The answers of a worker as they come. A worker that fails is an error."""
    for line in process.stdout:
        yield json.loads(line)
    if process.wait():
        raise RuntimeError(f"{Path(process.args[1]).name} ended with code {process.returncode}; "
                           "see build/bench/logs.")
