"""The promise of `mlmon.drift`, counted: `make prove` (about forty minutes on two cores).

Writes the tables of tests/benchmarks/README.md. Error rates of each check stand there.
"""

import sys
from pathlib import Path

import pytest
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks import calibration, peers  # noqa: E402

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
    assert count["errors"] == 0
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


@pytest.mark.parametrize("drift", calibration.AIMS)
def test_no_peer_that_keeps_the_rate_sees_more(counts, drift):
    # A peer whose clean alarms are beyond 7 % (once in 1,000 times by chance) cries rather than sees.
    # A peer that sees just as much as we do fails this once in 1,000 times.
    ours = counts["mlmon", ("drift", drift)]
    for name in calibration.RIVALS:
        none, theirs = counts.get((name, ("drift", "none"))), counts.get((name, ("drift", drift)))
        if not none or not theirs or none["alarms"] > calibration.limits(none["pairs"], 1e-3)[1]:
            continue
        assert theirs["alarms"] <= binom.isf(1e-3, theirs["pairs"], ours["alarms"] / ours["pairs"]), name


def test_evidently_decides_in_its_report_as_by_its_stat_tests():
    # The counts above call the stat tests; the Report, twenty times slower, gives the same on the same pairs.
    cells = [{"drift": drift, "n": 500, "seeds": [0, 5]} for drift in ("none", "mean .25", "frequencies", "missing")]
    direct, report = (
        [(answer["alarms"], answer["hits"]) for answer in peers.answers(peers.start(
            "evidently", {"do": "decide", "cells": cells, "options": {"direct": direct}}))]
        for direct in (True, False))
    assert direct == report and sum(hits for _, hits in direct) > 0
