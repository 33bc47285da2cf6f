"""The promise of `mlmon.drift`, counted: `make prove` (about forty minutes on two cores).

Writes the tables of tests/benchmarks/README.md. Error rates of each check stand there.
"""

import sys
from pathlib import Path

import pytest
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks import calibration, pairs, peers  # noqa: E402

pytestmark = pytest.mark.prove
CELLS = [calibration.key(cell) for cell, _ in calibration.grid()]


@pytest.fixture(scope="module")
def counts():
    names = peers.installed(calibration.RIVALS)
    counts = calibration.measure(names)
    calibration.write(counts, names)
    return counts


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "{}, {} x {} against {}".format(*cell))
def test_clean_data_alarm_as_often_as_promised(counts, cell):
    # A true rate of 3 to 7 % leaves these limits less than once in 100,000 times on each side.
    count = counts["mlmon", cell]
    low, high = calibration.limits(count["pairs"], calibration.ALONE)
    assert count["alarms"] <= high
    assert count["alarms"] >= low or calibration.coarse(cell)


@pytest.mark.parametrize("features", [1, 20, 100])
@pytest.mark.parametrize("rows", calibration.ROWS)
def test_all_kinds_of_clean_data_together_alarm_as_often_as_promised(counts, features, rows):
    # Their sum varies no more than a binomial of the mean rate; once in 1,000 times on each side.
    count, alarms = calibration.together(counts, features, rows)
    low, high = calibration.limits(count, calibration.TOGETHER)
    assert low <= alarms <= high


@pytest.mark.parametrize("drift", calibration.AIMS)
def test_drift_of_one_feature_in_ten_is_seen_as_often_as_aimed_for(counts, drift):
    # A power just at the aim gives fewer alarms less than once in 1,000 times.
    count = counts["mlmon", ("drift", drift)]
    assert count["alarms"] >= binom.ppf(1e-3, count["pairs"], calibration.AIMS[drift])


@pytest.mark.parametrize("drift", [drift for drift in pairs.DRIFTS if drift != "none"])
def test_no_peer_that_keeps_the_rate_sees_more(counts, drift):
    # Of the peers only those count whose alarms on clean data are 3 to 7 %, give or take chance.
    ours = counts["mlmon", ("drift", drift)]
    for name in calibration.RIVALS:
        none, theirs = counts.get((name, ("drift", "none"))), counts.get((name, ("drift", drift)))
        if not none or not theirs:
            continue
        low, high = calibration.limits(none["pairs"], 0.05)
        if low <= none["alarms"] <= high:
            rate = ours["alarms"] / ours["pairs"]
            assert theirs["alarms"] <= binom.isf(1e-4, theirs["pairs"], min(rate + 0.01, 1)), name
