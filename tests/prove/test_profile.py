"""Chunks keep the promise of frames: false alarms, verdicts, the interval of KS, and memory (a quarter of an hour)."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, fisher_exact, ks_2samp

sys.path.insert(0, str(Path(__file__).parents[2]))
from mlmon.drift import DataDriftDetector  # noqa: E402
from tests.benchmarks import calibration, pairs, profile  # noqa: E402

pytestmark = pytest.mark.prove
PAIRS, ROWS = 300, 12_000       # more rows than a profile keeps, so that counts decide


def chunks(frame, size=2_500):
    return (frame[i:i + size] for i in range(0, len(frame), size))


@pytest.mark.parametrize("reference_rows", [500, 4_000, 8_000])
@pytest.mark.parametrize("kind", ["normal", "heavy", "tied", "categorical", "missing", "mixed"])
def test_clean_chunks_alarm_as_often_as_promised(kind, reference_rows):
    # A true rate of 3 to 7 % leaves these limits less than once in 100,000 times on each side.
    alarms = 0
    for seed in range(PAIRS):
        pair = pairs.clean(kind, ROWS, 6, seed, reference_rows)
        alarms += DataDriftDetector(pair.reference, seed=seed).detect(chunks(pair.current)).drifted
    low, high = calibration.limits(PAIRS, calibration.ALONE)
    assert low <= alarms <= high


@pytest.mark.parametrize("drift", ["none", "mean .25", "var x1.5", "tail 2.5 %", "missing", "new level", "correlation"])
def test_chunks_see_what_frames_see(drift):
    # Drift in a quarter of the rows, where verdicts waver: the null is drawn at random, so another seed gives another verdict now and then.
    # Chunks differ from frames no more often than frames under another seed do (Fisher), and as often one way as the other (sign test).
    said = []
    for seed in range(PAIRS):
        pair, clean = pairs.drifted(drift, ROWS, seed), pairs.drifted("none", ROWS, seed)
        some = pd.concat([pair.current[: ROWS // 4], clean.current[ROWS // 4:]], ignore_index=True)
        one, other = (DataDriftDetector(pair.reference[::12], seed=seed + far) for far in (0, 1_000_000))
        said.append((one.detect(some).drifted, one.detect(chunks(some)).drifted, other.detect(some).drifted))
    frame, chunked, again = np.array(said).T
    table = [[found.sum(), PAIRS - found.sum()] for found in (frame != chunked, frame != again)]
    assert fisher_exact(table, alternative="greater").pvalue > 1e-6
    more, fewer = (chunked & ~frame).sum(), (frame & ~chunked).sum()
    assert more + fewer == 0 or binomtest(more, more + fewer).pvalue > 1e-6


@pytest.mark.parametrize("law", pairs.FAMILIES)
def test_the_interval_holds_scipys_ks(law):
    # Of every kind of number, at every length of the reference, moved and not.
    if "level" in law:
        return
    for n in (30, 300, 3_000, 30_000):
        for seed in range(20):
            pair = pairs.clean(law, ROWS, 1, seed, n)
            a, b = np.asarray(pair.reference["x0"], dtype=float), np.asarray(pair.current["x0"], dtype=float)
            b = b + seed % 4 * 0.02
            row = DataDriftDetector(a).detect(iter([b[:5_000], b[5_000:]])).features[0]
            ks = ks_2samp(a[~np.isnan(a)], b[~np.isnan(b)], method="asymp").statistic
            assert row.statistic - row.bound - 1e-12 <= ks <= row.statistic + row.bound + 1e-12


def test_a_hundred_million_rows_fit_into_a_gibibyte():
    [answer] = profile.measure([(name, job) for name, job in profile.JOBS if job["rows"] == 100_000_000][:1])
    assert answer["peak_mb"] <= profile.LIMIT
