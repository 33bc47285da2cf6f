"""Injected drift is found: every shipped detector on every scenario, counted by the report card (`make prove`, half an hour)."""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mlmon.drift.card import report_card, share_interval

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks import card as shipped  # noqa: E402

pytestmark = pytest.mark.prove
SEEDS = range(1000, 1060)     # no other test draws from these
TABLES = ("customers", "applicants", "transactions")
MUST = [(scenario, name) for scenario, (must, _, _) in shipped.SEES.items() for name in must]
CANNOT = [(scenario, name) for scenario, (_, cannot, _) in shipped.SEES.items() for name in cannot]
CLEAN = [(table, name) for table in TABLES for name in shipped.detectors(table)]


@pytest.fixture(scope="module")
def cards():
    # One clean day and one drifted a run: the days of different runs are independent, and counts are binomial.
    for table, rows in (("customers", 500), ("applicants", 500), ("transactions", 2000)):
        for kind in shipped.streams(table):
            shipped.calibrated(kind, table, rows)     # before the processes part, which inherit them
    with ProcessPoolExecutor(2) as executor:
        cards = {
            table: report_card(shipped.detectors(table), [name for name in shipped.SEES if name.startswith(table)], SEEDS,
                               days=2, executor=executor)
            for table in TABLES
        }
    shipped.write(cards, len(SEEDS))
    return cards


@pytest.mark.parametrize("scenario, detector", MUST)
def test_injected_drift_is_found(cards, scenario, detector):
    # More alarms than a blind detector has once in a million, and no fewer than a power of 3/4 gives but once in a million.
    card = cards[scenario.partition("-")[0]]
    found, days = shipped.alarms(card, detector, scenario)
    assert card[detector, scenario].errors == 0 and days == len(SEEDS)
    assert found >= shipped.least_alarms(detector, days)


@pytest.mark.parametrize("scenario, detector", CANNOT)
def test_who_cannot_see_it_does_not_pretend_to(cards, scenario, detector):
    # What a detector is shown has not changed: its alarms are false ones, no more than its rate allows.
    card = cards[scenario.partition("-")[0]]
    found, days = shipped.alarms(card, detector, scenario)
    if detector in shipped.UNEVEN:
        assert shipped.as_when_clean(card, detector, scenario)
    else:
        assert found <= shipped.most_alarms(detector, days)


@pytest.mark.parametrize("table, detector", CLEAN)
def test_clean_days_alarm_no_more_than_the_rate_allows(cards, table, detector):
    # First days of different runs are independent. No day raises.
    runs = [run for run in cards[table].runs if run.detector == detector and run.scenario == f"{table}-none"]
    first = [run.said[0] for run in runs]
    assert len(runs) == len(SEEDS) and None not in first
    assert sum(said == "DRIFTED" for said in first) <= shipped.most_alarms(detector, len(first))


def test_the_intervals_hold_what_they_promise():
    # Days of a run go together (beta-binomial); the rate lies in the interval in 95 % of 4,000 draws, give or take a
    # standard error of 0.0034. With ten runs of a rare event it is 90 %: the README says so.
    for rate, correlation, runs, days, least in ((0.05, 0.05, 20, 20, 0.94), (0.05, 0.2, 40, 10, 0.935), (0.5, 0.3, 20, 10, 0.94)):
        rng = np.random.default_rng(runs)
        shape = (1 - correlation) / correlation
        hits = rng.binomial(days, rng.beta(rate * shape, (1 - rate) * shape, size=(4000, runs)))
        bounds = [share_interval(row, [days] * runs)[1:] for row in hits]
        assert np.mean([low <= rate <= high for low, high in bounds]) >= least


def test_a_cluster_gives_the_same_card():
    # dask's executor spreads the same runs over its workers.
    from distributed import Client

    detectors = {"KS": shipped.detectors("customers")["ks_test"]}
    here = report_card(detectors, ["customers-sudden-mean"], 3, days=2, n=60)
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        assert report_card(detectors, ["customers-sudden-mean"], 3, days=2, n=60, executor=client.get_executor()) == here
