"""Drift that nobody injected, in data that come with installed packages, and shifts of real images."""
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ks_2samp

from mlmon.drift import DataDriftDetector, ks_test
from mlmon.drift.card import report_card
from mlmon.drift.stream import CUSUM

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks import digits  # noqa: E402


# --- the Nile at Aswan, 1871 to 1970: statsmodels ------------------------------------

@pytest.fixture(scope="module")
def nile():
    from statsmodels.datasets import nile

    return nile.load_pandas().data.set_index("year")["volume"].rename(int)


def test_the_nile_fell_in_1899(nile):
    # Cobb (1978) and all since: the flow fell by a quarter between 1898 and 1899, and was steady before and after.
    before, after = nile.loc[:1898], nile.loc[1899:]
    assert ks_test(before, after).drifted and after.mean() < 0.85 * before.mean()
    assert not ks_test(before.loc[:1884], before.loc[1885:]).drifted
    assert not ks_test(after.loc[:1934], after.loc[1935:]).drifted


def test_a_stream_notices_within_five_years(nile):
    # Set by the first twenty years alone, to one false alarm in 500: silent until 1898, and awake by 1904.
    first = nile.loc[:1890]
    detector = CUSUM.for_arl(500, mean=first.mean(), sd=first.std())
    alarms = detector.update_many(nile.loc[1891:].to_numpy())
    assert 1899 <= nile.loc[1891:].index[alarms[0]] <= 1904


# --- a runner's pace, whose changes people marked: river ------------------------------

CHANGES = (60, 96, 114, 174, 204, 240, 258, 317)     # marked by four of five people (one of them puts 174 at 177)


@pytest.fixture(scope="module")
def pace():
    from river.drift.datasets import RunLog

    log = RunLog()
    marked = [set(places) for places in log.annotations.values() if places]
    assert all(sum(any(abs(place - change) <= 3 for place in places) for places in marked) >= 4 for change in CHANGES)
    return pd.DataFrame(row | numbers for row, numbers in log)["Pace"].to_numpy()


def test_each_change_that_people_see_is_seen(pace):
    # Walking and running by turns: the eight marked changes are seen, each without a doubt.
    parts = np.split(pace, CHANGES)
    results = [ks_test(a, b, alpha=0.001) for a, b in zip(parts, parts[1:])]
    assert all(result.drifted for result in results)
    theirs = [ks_2samp(a, b).statistic for a, b in zip(parts, parts[1:])]
    assert [result.statistic for result in results] == pytest.approx(theirs)


def test_within_a_part_nothing_is_seen(pace):
    # Each part split by lot: no more alarms than 5 % allow.
    rng = np.random.default_rng(0)
    halves = [np.array_split(rng.permutation(part), 2) for part in np.split(pace, CHANGES) for _ in range(10)]
    assert sum(ks_test(a, b).drifted for a, b in halves) <= binom.isf(1e-6, len(halves), 0.05)


# --- opinion polls by time, and pages without an order: river ---------------------------

def frame_of(dataset):
    return pd.DataFrame(x for x, _ in dataset)


def test_polls_drift_from_year_to_year_and_rows_by_lot_do_not():
    # Approval of a president moves over a thousand days; the same days dealt out by lot are alike.
    from river.datasets import TrumpApproval

    polls = frame_of(TrumpApproval()).drop(columns="ordinal_date")
    assert set(DataDriftDetector(polls[:500]).detect(polls[500:]).drifted_features) == set(polls)
    dealt = [polls.sample(frac=1, random_state=seed) for seed in range(15)]
    alarms = sum(DataDriftDetector(one[:500]).detect(one[500:]).drifted for one in dealt)
    assert alarms <= binom.isf(1e-6, len(dealt), 0.07)


def test_categories_dealt_out_by_lot_are_alike():
    # Web pages of river's phishing data have no order in time: ten tied features of two or three values.
    from river.datasets import Phishing

    pages = frame_of(Phishing())
    dealt = [pages.sample(frac=1, random_state=seed) for seed in range(15)]
    alarms = sum(DataDriftDetector(one[:625]).detect(one[625:]).drifted for one in dealt)
    assert alarms <= binom.isf(1e-6, len(dealt), 0.07)


# --- handwritten digits: scikit-learn ---------------------------------------------------

def test_shifted_images_are_seen_and_clean_ones_are_not():
    # Strong noise and a turn are seen in every one of five draws of 100 images, through components or a classifier's outputs.
    shifts = [(digits.noise, 0.8), (digits.turn, 30)]
    scenarios = [digits.scenario(shift, size, 100, seed) for shift, size in shifts for seed in range(5)]
    card = report_card({name: digits.WATCHERS[name] for name in ("components", "outputs")}, scenarios, 1)
    assert (card.power == 1).all(axis=None)
    for row in card.rows:
        assert round(row.false_alarms * row.clean_days) <= binom.isf(1e-4, row.clean_days, 0.07)
