"""Prediction drift: the chapter's cases, other implementations, one budget, what each check is for, and refusals."""
import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, ks_2samp, ttest_ind

from mlmon.drift.calibration import POOL
from mlmon.drift.label import label_drift
from mlmon.drift.prediction import CHECKS, PredictionDriftDetector
from mlmon.drift.twosample import share_p
from mlmon.drift.verdict import Verdict


def draw(seed, n=500, law=lambda rng, n: rng.beta(2, 5, n)):
    return law(np.random.default_rng(seed), n)


def detect(reference, current, **options):
    return PredictionDriftDetector(reference, **options).detect(current)


def chapters_z(reference, current):
    """The chapter's mean shift: deviations of one score, not of the mean."""
    return (current.mean() - reference.mean()) / reference.std()


# --- the chapter's cases ---------------------------------------------------------

@pytest.mark.parametrize("current", [draw(1, 500, lambda rng, n: rng.beta(1, 40, n)), np.full(500, 0.02), np.zeros(500)], ids=["low", "constant", "zero"])
def test_all_users_predicted_low_risk_alarms(current):
    # From Beta(2, 5): the chapter's z cannot reach -3 even if every score is 0.
    reference = draw(0, 2000)
    report = detect(reference, current)
    assert report.drifted and {"ks", "mean"} <= set(report.drifted_checks) and report["mean"].statistic < -20
    assert -1.9 < chapters_z(reference, np.zeros(500)) <= chapters_z(reference, current)
    assert ("collapse" in report.drifted_checks) == (np.ptp(current) == 0)


def test_a_mean_from_09_to_03_alarms():
    # Whatever the spread: with wide scores the chapter's 3 is out of reach.
    reference, current = draw(1, 1000, lambda rng, n: rng.beta(0.9, 0.1, n)), draw(2, 300, lambda rng, n: rng.beta(0.3, 0.7, n))
    assert reference.mean() == pytest.approx(0.9, abs=0.02) and current.mean() == pytest.approx(0.3, abs=0.05)
    assert abs(chapters_z(reference, current)) < 3
    assert detect(reference, current)["mean"].drifted
    assert detect(np.full(1000, 0.9), np.full(1000, 0.3)).drifted


def low(seed, n, frauds):
    """Scores at a low prevalence: nearly all near 0, some few high."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < frauds, rng.beta(6, 3, n), rng.beta(0.3, 30, n))


@pytest.mark.parametrize("current, check", [(low(2, 2000, 0.01), "above"), (np.zeros(300), "collapse"), (low(3, 2000, 0.0) / 3, "ks")],
                         ids=["tenfold frauds", "collapse", "all low"])
def test_a_low_prevalence_baseline_is_watched_as_well(current, check):
    # 0.1 % of frauds before: the mean is 0.01 and the deviation larger than the mean.
    reference = low(1, 5000, 0.001)
    assert check in detect(reference, current).drifted_checks and abs(chapters_z(reference, current)) < 3


def test_a_collapse_onto_the_mean_is_seen():
    # The mean is as ever; the spread is gone.
    reference = draw(0)
    report = detect(reference, np.full(300, reference.mean()))
    assert set(report.drifted_checks) == {"ks", "spread", "collapse", "above"}
    assert report["collapse"].current == 1 and report["collapse"].reference == 0 and report["spread"].current == 0


# --- each check is what it says -------------------------------------------------

def test_the_checks_are_scipys():
    # KS, Welch's t, and the mid-p of two counts; a p by a limit law is within 0.01 of scipy's.
    a, b = draw(1, 400), draw(2, 300) + 0.03
    report, welch = detect(a, b), ttest_ind(b, a, equal_var=False)
    ks = ks_2samp(a, b, method="exact")
    assert report["ks"].statistic == pytest.approx(ks.statistic) and report["ks"].pvalue == pytest.approx(ks.pvalue, abs=0.004)
    assert report["mean"].statistic == pytest.approx(welch.statistic) and report["mean"].pvalue == pytest.approx(welch.pvalue, abs=0.01)
    assert (report["mean"].reference, report["mean"].current) == pytest.approx((a.mean(), b.mean()))
    assert (report["spread"].reference, report["spread"].current) == pytest.approx((a.std(ddof=1), b.std(ddof=1)))
    assert report["above"].pvalue == pytest.approx(share_p(int((a > 0.5).sum()), 400, int((b > 0.5).sum()), 300))


@pytest.mark.parametrize("law", [lambda rng, n: rng.beta(0.4, 4, n), lambda rng, n: rng.lognormal(0, 0.7, n), lambda rng, n: rng.normal(size=n)], ids=["beta", "lognormal", "normal"])
def test_the_spreads_error_is_its_own(law):
    # Its z is standard normal without normality, where the F test's is too wide by the root of (kurtosis - 1) / 2.
    z = np.array([detect(draw([s, 1], 400, law), draw([s, 2], 300, law))["spread"].statistic for s in range(40)])
    assert 0.55 < z.std() < 1.45          # 40 draws know a deviation within 11 %: four of them


BLIND = {
    "mean": lambda rng, n: rng.beta(2, 5, n) + 0.04,
    "spread": lambda rng, n: (rng.beta(2, 5, n) - 2 / 7) * 1.35 + 2 / 7,
    "collapse": lambda rng, n: np.where(rng.random(n) < 0.05, 2 / 7, rng.beta(2, 5, n)),
    "above": lambda rng, n: np.where(rng.random(n) < 0.08, rng.uniform(0.5, 0.75, n), rng.beta(2, 5, n)),
}


@pytest.mark.parametrize("check", BLIND)
def test_each_check_sees_what_it_is_for(check):
    # A shift, a wider spread, a lump, more decisions: named by their own check.
    assert check in detect(draw(1, 1500), draw(2, 1000, BLIND[check])).drifted_checks


def test_a_lump_is_invisible_to_the_chapters_tests():
    # Five in a hundred scores are one default value: KS and the mean hardly move.
    a, b = draw(1, 1500), draw(7, 1000, BLIND["collapse"])
    report = detect(a, b)
    assert report.drifted_checks == ("collapse",) and ks_2samp(a, b).pvalue > 0.05
    assert "one value has" in report.reason and report["collapse"].current == pytest.approx(0.05, abs=0.03)


# --- one budget -------------------------------------------------------------------

LAWS = {
    "Beta(2, 5)": lambda rng, n: rng.beta(2, 5, n), "low prevalence": lambda rng, n: rng.beta(0.2, 15, n), "rounded": lambda rng, n: rng.beta(2, 5, n).round(2),
    "U": lambda rng, n: rng.beta(0.3, 0.3, n), "0 or 1": lambda rng, n: (rng.random(n) < 0.1) * 1.0, "mostly 0": lambda rng, n: rng.beta(1, 20, n) * (rng.random(n) < 0.3),
    "missing": lambda rng, n: np.where(rng.random(n) < 0.1, np.nan, rng.beta(2, 5, n)),
}


@pytest.mark.parametrize("law", LAWS)
def test_all_checks_together_keep_the_rate(law):
    # 40 clean pairs: five checks, one budget; a binomial passes this limit once in a million times.
    alarms = sum(detect(draw([s, 1], 150, LAWS[law]), draw([s, 2], 100, LAWS[law])).drifted for s in range(40))
    assert alarms <= binom.isf(1e-6, 40, 0.05)


def test_the_budget_is_shared_not_spent_five_times():
    # The smallest own p is corrected upwards, by less than five times, since the checks overlap.
    ratios = []
    for s in range(20):
        report = detect(draw([s, 1], 300), draw([s, 2], 200) + 0.03)
        own = min(row.pvalue for row in report.checks)
        if report.pvalue > 0.02:
            ratios.append(report.pvalue / own)
    assert len(ratios) >= 5 and 1.2 < np.median(ratios) < 5


def test_many_rows_take_the_null_from_the_reference():
    # Past the pool the null is drawn once, from the reference; the verdict is as before.
    detector = PredictionDriftDetector(draw(1, POOL))
    found = [detector.detect(draw([s, 2], 2000)).drifted for s in range(6)]
    assert sum(found) <= binom.isf(1e-4, 6, 0.05) and len(detector._nulls) == 1
    assert detector.detect(draw(3, 2000) + 0.02).drifted
    assert PredictionDriftDetector(draw(1, 300)).detect(draw(4, POOL) + 0.05).drifted
    clean = [PredictionDriftDetector(draw([s, 6], 300)).detect(draw([s, 7], POOL)).drifted for s in range(5)]
    assert sum(clean) <= binom.isf(1e-4, 5, 0.05)


def test_min_effect_asks_for_size():
    # 0.05 deviations with 20,000 rows are beyond chance, and small.
    a, b = draw(1, 10_000), draw(2, 10_000) + 0.008
    report, spared = detect(a, b), detect(a, b, min_effect=0.1)
    assert report.drifted and report.effect == pytest.approx(0.05, abs=0.02)
    assert spared.verdict is Verdict.STABLE and "asked for" in spared.reason and spared.pvalue < 0.05


# --- what comes in ------------------------------------------------------------------

def test_order_and_unit_mean_nothing():
    # Scores, odds in per cent, any order: the same p.
    a, b = draw(1, 200), draw(2, 150) + 0.03
    plain, other = detect(a, b), detect(pd.Series(np.sort(a) * 100), list(b[::-1] * 100), threshold=50)
    for row in CHECKS:
        assert other[row].pvalue == pytest.approx(plain[row].pvalue, rel=1e-6)


def test_missing_predictions_are_a_check_of_their_own():
    # 1 % to 10 % missing alarms; all of them missing is an alarm and not an error.
    a, b = draw(1), draw(2)
    a[:5], b[:50] = np.nan, np.nan
    assert detect(a, b).drifted_checks == ("missing",)
    gone = detect(a, np.full(300, np.nan))
    assert gone.drifted and gone.drifted_checks == ("missing",) and gone["ks"].verdict is Verdict.UNDECIDED


def test_predicted_classes_are_compared_by_their_shares():
    # The same answer as label drift gives.
    a, b = np.repeat(["low", "mid", "high"], [400, 80, 20]), np.repeat(["low", "mid", "high"], [200, 60, 40])
    report = detect(a, b)
    assert report["classes"].pvalue == pytest.approx(label_drift(a, b).pvalue) and report.drifted and "class high" in report.reason
    assert detect(pd.Categorical(a), pd.Categorical(a[::2])).verdict is Verdict.STABLE
    assert detect(["low"] * 90, ["low"] * 90).verdict is Verdict.UNDECIDED
    with pytest.raises(ValueError, match="current needs categories as the reference has"):
        detect(a, [0.5] * 20)


@pytest.mark.parametrize("a, b, words", [
    (draw(1), draw(2, 7), "at least 8"), ([0.3] * 50, [0.3] * 60, "constant"), ([np.nan] * 20, [np.nan] * 20, "at least 8"), ([0.3] * 50, [0.3] * 59 + [0.4], "constant")],
    ids=["short", "constant", "missing", "nearly constant"])
def test_what_cannot_be_decided_is_undecided(a, b, words):
    report = detect(a, b)
    assert report.verdict is Verdict.UNDECIDED and words in report.reason and report["ks"].severity == "unknown"


def test_a_threshold_nobody_passes_is_no_check():
    # The row says so, and the others decide.
    report = detect(draw(1) / 3, draw(2) / 3)
    assert report["above"].verdict is Verdict.UNDECIDED and "no score of either sample lies above 0.5" in report["above"].reason
    assert report.verdict is Verdict.STABLE and "above" not in [row.check for row in detect(draw(1), draw(2), threshold=None).checks]


@pytest.mark.parametrize("a, b, options, words", [
    ([], [0.5], {}, "reference needs at least 1 prediction"), ([0.5] * 9, [], {}, "current needs at least 1 prediction"),
    (np.full((9, 3), 1 / 3), [0.5], {}, "one detector a class"), ([0.5] * 9, np.full((9, 2), 0.5), {}, "current needs one dimension"),
    ([math.inf] * 9, [0.5] * 9, {}, "reference needs finite"), ([0.5] * 9, [math.inf] * 9, {}, "current needs finite"), ([0.5] * 9, [0.5] * 9, {"alpha": 5}, "alpha needs"),
    ([0.5] * 9, [0.5] * 9, {"threshold": "high"}, "threshold needs"), ([0.5] * 9, [0.5] * 9, {"min_effect": -1}, "min_effect needs"), ([0.5] * 9, [0.5] * 9, {"seed": -1}, "seed needs"),
])
def test_bad_input_is_refused(a, b, options, words):
    with pytest.raises(ValueError, match=words):
        detect(a, b, **options)


@pytest.mark.parametrize("reference, current", [
    (draw(1, 300), draw(2, 200) + 0.05), ([*draw(1, 300), np.nan], draw(2, 200)), (np.repeat(["a", "b", None], [80, 30, 5]), ["a", "b"] * 40), ([True, False] * 50, [True] * 60)],
    ids=["scores", "missing", "classes", "booleans"])
def test_a_saved_detector_gives_the_same_report(reference, current, tmp_path):
    detector = PredictionDriftDetector(reference, threshold=0.4, alpha=0.01, min_effect=0.02, seed=3)
    detector.save(tmp_path / "scores.npz")
    again = PredictionDriftDetector.load(tmp_path / "scores.npz")
    assert again.detect(current) == detector.detect(current) and repr(again) == repr(detector)


def test_a_reference_is_learned_once():
    # Whatever becomes of the caller's array.
    a = draw(1)
    detector = PredictionDriftDetector(a)
    before = detector.detect(draw(2))
    a[:] = 0
    assert detector.detect(draw(2)) == before


def test_a_report_is_plain_data():
    report = detect(draw(1), np.zeros(200))
    assert json.loads(report.to_json())["verdict"] == "DRIFTED" and len(report.to_frame()) == len(report.checks) == 5
    with pytest.raises(KeyError, match="no check 'z'"):
        report["z"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.alpha = 0.5


# --- no input passes in silence --------------------------------------------------

number = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, math.nan, 1e-300, -1e140, 5e-324, math.inf]), st.integers(-2, 2))
column = st.one_of(
    st.lists(st.floats(0, 1), max_size=30), st.lists(number, max_size=30), st.lists(st.sampled_from(["a", "b", None]), max_size=30), st.lists(st.booleans(), max_size=30),
    st.lists(st.one_of(st.floats(0, 1), st.none()), min_size=8, max_size=30), st.tuples(st.sampled_from([0.0, 0.3, 1e-200, "a", None, math.nan]), st.integers(0, 30)).map(lambda t: [t[0]] * t[1]),
    st.lists(st.floats(0, 1), min_size=8, max_size=12).map(lambda v: v * 3), st.just([[0.5, 0.5]] * 9),
)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@settings(derandomize=True, deadline=None, max_examples=80, suppress_health_check=list(HealthCheck), database=None)
@given(a=column, b=column, threshold=st.sampled_from([0.5, None, 0.0, 1.0]))
def test_a_detector_answers_or_refuses(a, b, threshold):
    # A verdict with its reason and finite plain numbers, or an error in the house's words; a dead column is never STABLE.
    try:
        report = detect(a, b, threshold=threshold)
    except ValueError as error:
        assert "need" in str(error) and "got" in str(error), str(error)
        return
    json.loads(report.to_json(), parse_constant=lambda text: pytest.fail(text))
    assert report.reason and report.drifted == bool(report.drifted_checks) and (report.pvalue is None or 0 <= report.pvalue <= 1)
    present = [pd.Series(list(x), dtype=object).dropna() for x in (a, b)]
    if min(map(len, present)) < 8 or len(set(present[0])) < 2 and set(present[0]) == set(present[1]):
        assert report.verdict is not Verdict.STABLE
    for row in report.checks:
        assert row.reason and (row.verdict is Verdict.UNDECIDED) == (row.corrected_pvalue is None)
