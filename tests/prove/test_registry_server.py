"""The registry on a real MLflow server, named by its address: `make prove`. The server's package is large, so it lives in an environment of its own."""
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from mlmon.learning import Registry

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.peers import Peer, install  # noqa: E402

pytestmark = pytest.mark.prove


@pytest.fixture
def address(tmp_path):
    """Of a server that keeps everything in a folder."""
    peer = Peer("mlflow", "", (f"mlflow=={version('mlflow-skinny')}",))
    assert (why := install(peer)) is None, f"MLflow's server could not be installed: {why}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    kept = ["--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}", "--artifacts-destination", tmp_path / "artifacts"]
    quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    command = [peer.python.with_name("mlflow"), "server", *kept, "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(command, env=quiet, stdout=log, stderr=log, start_new_session=True)      # with its workers
    where = f"http://127.0.0.1:{port}"
    try:
        while not answers(f"{where}/health"):
            assert server.poll() is None, (tmp_path / "log").read_text()[-3000:]
        yield where
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)


def answers(url):
    """Whether somebody does, within a second."""
    try:
        return urllib.request.urlopen(url, timeout=1).status == 200
    except OSError:
        return False


def test_a_server_by_its_address_holds_what_sqlite_holds(address):
    # The same moves give the same aliases, trail and models, seen from a second client as well.
    ours, other = Registry("fraud", address), Registry("fraud", address)
    for k in (1, 2, 3):
        model = DummyClassifier(strategy="prior").fit(np.zeros((10, 1)), np.arange(10) < k)
        for _ in range(2):
            ours.promote(ours.register(model, run=f"r{k}"), run=f"r{k}")
    assert ours.roll_back(run="night") == "2"
    assert other.aliases == {"champion": "2", "previous_champion": "1"}
    assert [event.action for event in other.trail()] == ["register", "promote", "promoted"] * 3 + ["roll_back", "rolled_back"]
    assert other.load("2").predict_proba([[0]])[0, 1] == pytest.approx(0.2)
