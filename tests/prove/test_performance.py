"""The promises of `mlmon.drift.performance` and `cbpe`, counted: `make prove` (about five minutes on two cores)."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[2]))
from mlmon.drift.cbpe import CBPE  # noqa: E402
from mlmon.drift.metric import NAMES, evaluate  # noqa: E402
from mlmon.drift.performance import ConceptDriftDetector  # noqa: E402
from tests.benchmarks import peers, tables  # noqa: E402

pytestmark = pytest.mark.prove
RUNS, LEARNED = 900, 30        # windows, and how many baselines they share
WINDOWS = [(1000, 0.01), (200, 0.05), (10_000, 0.001), (1000, 0.2)]
DROPS = [(0.03, 1000), (0.03, 5000), (0.05, 1000), (0.05, 5000)]
PLAN = {"pr_auc": [(1000, 0.01, 300), (200, 0.05, 300), (1000, 0.2, 300)]}      # 333 redrawn windows each


def draw(seed, n, share, auc=0.89):
    """Labels and calibrated scores of a model with this AUC."""
    rng, mu = np.random.default_rng(seed), math.sqrt(2) * norm.ppf(auc)
    y = (rng.random(n) < share).astype(int)
    x = rng.normal(mu * y, 1)
    return y, expit(logit(share) + mu * x - mu * mu / 2)


def alarms(metric, n, share, runs):
    """Windows that were judged, and those that drifted."""
    judged = found = 0
    for run in range(runs):
        if run % (runs // LEARNED) == 0:
            base = draw([run, 1], max(5000, int((200 if metric == "pr_auc" else 300) / share)), share)
            detector = ConceptDriftDetector(base, metric=metric, costs=(1, 1 / share), threshold=0.5 if metric == "accuracy" else share)
        verdict = detector.detect(*draw([run, 2], n, share)).verdict
        judged, found = judged + (verdict != "UNDECIDED"), found + (verdict == "DRIFTED")
    return judged, found


def limits(runs):
    """Once in a million times beyond either: a rate of 3 to 7 %."""
    return binom.ppf(1e-6, runs, 0.03), binom.isf(1e-6, runs, 0.07)


@pytest.fixture(scope="module")
def clean():
    plan = {metric: PLAN.get(metric, [(*window, RUNS) for window in WINDOWS]) for metric in NAMES}
    return {(metric, n, share): alarms(metric, n, share, runs) for metric in NAMES for n, share, runs in plan[metric]}


@pytest.fixture(scope="module")
def power():
    detector = ConceptDriftDetector(draw(0, 20_000, 0.1))
    found = {}
    for drop, n in DROPS:
        windows = [draw([3, run], n, 0.1, 0.89 - drop) for run in range(300)]
        theirs = sum(roc_auc_score(*window) < 0.84 for window in windows)
        found[drop, n] = sum(detector.detect(*window).drifted for window in windows) / 300, theirs / 300
    return found


@pytest.mark.parametrize("metric", NAMES)
def test_clean_windows_alarm_as_often_as_promised(clean, metric):
    # Calibration's slope and the losses may be timid with ten positives; nothing may cry.
    for (name, n, share), (judged, found) in clean.items():
        if name == metric:
            low, high = limits(judged)
            assert found <= high, (n, share)
            assert found >= low or n * share < 50, (n, share)


def test_twenty_windows_keep_one_budget():
    # Ten positives a window and an error of 0.25 % each: the call as a whole alarms in at most 7 %.
    runs, found = 300, 0
    for run in range(runs):
        detector = ConceptDriftDetector(draw([run, 4], 100_000, 0.01), window=1000)
        found += detector.detect(*draw([run, 5], 20_000, 0.01)).drifted
    assert found <= binom.isf(1e-6, runs, 0.07)


def test_a_drop_is_seen_more_often_than_by_the_chapters_rule(power):
    for (drop, n), (ours, theirs) in power.items():
        assert ours > theirs, (drop, n)
    assert power[0.03, 5000][0] > 0.85 and power[0.03, 5000][1] < 0.1


@pytest.mark.parametrize("positives, negatives", [(6, 194), (10, 990), (20, 200), (50, 450)])
@pytest.mark.parametrize("auc", [0.75, 0.89, 0.97])
@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_both_ends_of_an_auc_err_as_seldom_as_they_say(kind, auc, positives, negatives):
    # As the docstring of the interval says, at three errors; beyond once in a million times by chance.
    rng, y, runs = np.random.default_rng(1), np.repeat([1, 0], [positives, negatives]), 1500
    missed = {tail: [0, 0] for tail in (0.05, 0.01, 0.0025)}
    for _ in range(runs):
        s = rng.normal(math.sqrt(2) * norm.ppf(auc) * y, 1) if kind == "normal" else rng.exponential(np.where(y == 1, auc / (1 - auc), 1.0))
        found = evaluate("auc", y, s)
        for tail, count in missed.items():
            low, high = found.interval(1 - 2 * tail)
            count[0], count[1] = count[0] + (low > auc), count[1] + (high < auc)
    for tail, most in ((0.05, 0.065), (0.01, 0.016), (0.0025, 0.006)):
        assert max(missed[tail]) <= binom.isf(1e-6, runs, most), (tail, missed)


@pytest.fixture(scope="module")
def employment(tmp_path_factory):
    """NannyML's estimates, and the data they are of."""
    if not peers.installed(["nannyml"]):
        pytest.skip("nannyml could not be installed")
    path = tmp_path_factory.mktemp("cbpe") / "data.npz"
    worker = peers.HERE / "workers" / "cbpe_nannyml.py"
    done = subprocess.run([peers.PEERS["nannyml"].python, worker, path], capture_output=True, text=True, check=True,
                          env=os.environ | peers.ONE_THREAD | peers.QUIET)
    with np.load(path) as data:
        return json.loads(done.stdout.splitlines()[-1]), dict(data)


@pytest.fixture(scope="module")
def estimated(employment):
    """Ours on the same chunks: (value, low, high) a metric and chunk."""
    theirs, data = employment
    assert np.array_equal(data["foretold"], data["s"] >= 0.5)
    estimator = CBPE(data["y0"], data["s0"], calibration="isotonic" if theirs["calibrated"] else "none")
    chunks = [data["s"][start:end + 1] for start, end in theirs["chunks"]]
    return {metric: np.array([[e.value, e.low, e.high] for e in (estimator.estimate(metric, chunk) for chunk in chunks)]) for metric in theirs["values"]}


@pytest.mark.parametrize("metric", ["auc", "accuracy", "precision", "recall", "f1"])
def test_cbpe_is_nannymls_number_for_number(employment, estimated, metric):
    # Their AUC rounds counts to five digits, of thousands of rows.
    theirs = employment[0]["values"][metric]
    assert estimated[metric][:, 0] == pytest.approx(theirs, rel=0, abs=1e-8 if metric == "auc" else 1e-12)


def test_the_table_is_written(clean, power, employment, estimated):
    rows = [[metric] + [share_of(clean.get((metric, *window))) for window in WINDOWS] for metric in NAMES]
    chapter = [tables.share(sum(roc_auc_score(*draw([run, 2], n, share)) < 0.84 for run in range(RUNS) if draw([run, 2], n, share)[0].any()) / RUNS)
               for n, share in WINDOWS]
    heads = [f"n = {n:,}, {share:.3g} positive" for n, share in WINDOWS]
    text = tables.table(["no change", *heads], [*rows, ["the chapter's rule", *chapter]])
    text += "\n\n" + tables.table(["AUC from 0.89, a tenth positive", "ConceptDriftDetector", "the chapter's rule"], [
        [f"down {drop:g}, n = {n:,}", *(tables.share(rate) for rate in power[drop, n])] for drop, n in DROPS])
    theirs, data = employment
    lines = []
    for metric, found in estimated.items():
        true = np.array([truth(metric, data["y"][a:b + 1], data["s"][a:b + 1]) for a, b in theirs["chunks"]])
        apart = np.abs(found[:, 0] - theirs["values"][metric]).max()
        inside = np.mean((found[:, 1] <= true) & (true <= found[:, 2]))
        lines.append([metric, f"{found[:, 0].mean():.4f}", f"{true.mean():.4f}", f"{np.abs(found[:, 0] - true).mean():.4f}", f"{inside:.0%}", f"{apart:.0e}"])
    text += "\n\n" + tables.table(
        [f"CBPE on {len(data['s']):,} rows", "estimated", "came true", "mean error", "inside its interval", "apart from NannyML's"], lines)
    tables.write("performance", text)


def share_of(count):
    return "" if count is None else tables.share(count[1] / count[0])


def truth(metric, y, s):
    """The metric with labels, by other code than CBPE's."""
    import sklearn.metrics as sk

    scorer = {"auc": sk.roc_auc_score, "accuracy": sk.accuracy_score, "precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}[metric]
    return scorer(y, s if metric == "auc" else s >= 0.5)
