"""Metrics and their intervals against the literature, other implementations and counted coverage."""
import itertools
import math
import pickle

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom, kendalltau, norm
from sklearn import metrics as sk

from mlmon.drift.metric import NAMES, Estimate, delong, difference, evaluate, mann_kendall

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
COSTS = {"costs": (1, 5)}


def draw(seed, n=400, share=0.3, auc=0.8, decimals=9):
    """Labels and calibrated scores of a model with this AUC; rounding makes ties."""
    rng = np.random.default_rng(seed)
    mu = math.sqrt(2) * norm.ppf(auc)
    y = (rng.random(n) < share).astype(int)
    x = rng.normal(mu * y, 1)
    return y, expit(logit(share) + mu * x - mu * mu / 2).round(decimals)


def right_and_wrong(right, n):
    """Labels of both classes and scores by which `right` of them are foretold."""
    y = np.arange(n) % 2
    return y, np.where(np.arange(n) < right, y, 1 - y).astype(float)


# --- AUC ------------------------------------------------------------------------

def test_delong_by_hand():
    # Scores 1, 3 of class 0 and 2, 4 of class 1: placements (1/2, 1) on both sides, each of variance 1/8 over 2.
    assert delong(np.array([0, 0, 1, 1]), np.array([1, 3, 2, 4])) == (0.75, 0.125)


def test_delong_of_hanley_and_mcneils_scans():
    # 58 normal and 51 abnormal scans in five ratings: area 0.8932, 95 % from 0.83295 to 0.95339 (the manuals of Stata).
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    ratings = np.repeat(np.tile(np.arange(5), 2), normal + abnormal)
    auc, variance = delong(np.repeat([0, 1], [58, 51]), ratings)
    half = norm.isf(0.025) * math.sqrt(variance)
    assert (auc, auc - half, auc + half) == pytest.approx((0.8932, 0.83295, 0.95339), abs=5e-5)


@pytest.mark.parametrize("decimals", [9, 1])
def test_delong_is_the_double_sum(decimals):
    # By definition: every positive against every negative, a tie being one half.
    y, s = draw(1, 150, decimals=decimals)
    wins = (s[y == 1][:, None] > s[y == 0]) + 0.5 * (s[y == 1][:, None] == s[y == 0])
    slow = wins.mean(), wins.mean(1).var(ddof=1) / y.sum() + wins.mean(0).var(ddof=1) / (1 - y).sum()
    assert delong(y, s) == pytest.approx(slow, rel=1e-12)


def test_delong_is_what_the_bootstrap_estimates():
    # Drawing each class anew estimates the same variance; 3,000 draws do so within 8 % (three errors of 1/sqrt(6000), and bias).
    y, s = draw(2, 300)
    rng, ones, zeros = np.random.default_rng(0), s[y == 1], s[y == 0]
    drawn = [delong(np.repeat([1, 0], [len(ones), len(zeros)]), np.r_[rng.choice(ones, len(ones)), rng.choice(zeros, len(zeros))])[0] for _ in range(3000)]
    assert np.var(drawn) == pytest.approx(delong(y, s)[1], rel=0.08)


@pytest.mark.parametrize("positives, negatives, auc", [(10, 990, 0.89), (10, 190, 0.89), (40, 60, 0.7), (8, 8, 0.97)])
def test_the_interval_of_auc_covers(positives, negatives, auc):
    # Each end errs in at most 6 % where 5 % are meant, few positives or not; the upper one, which decides, in 3 % at least.
    rng, mu, y = np.random.default_rng(3), math.sqrt(2) * norm.ppf(auc), np.repeat([1, 0], [positives, negatives])
    found = [evaluate("auc", y, rng.normal(mu * y, 1), confidence=0.90) for _ in range(500)]
    below, above = sum(e.high < auc for e in found), sum(e.low > auc for e in found)
    assert max(below, above) <= binom.isf(1e-6, 500, 0.06)
    assert below >= binom.isf(1 - 1e-6, 500, 0.03)


def test_a_perfect_area_has_an_interval():
    # Without a single inversion DeLong's variance is 0; ten positives do not prove perfection.
    y = np.repeat([0, 1], [50, 10])
    perfect = evaluate("auc", y, np.arange(60))
    assert perfect.value == perfect.high == 1 and 0.7 < perfect.low < 0.9
    assert evaluate("auc", y, -np.arange(60)).high == pytest.approx(1 - perfect.low)
    assert evaluate("auc", y, np.zeros(60)).value == 0.5


# --- shares and their differences -------------------------------------------------

@pytest.mark.parametrize("right, n, low, high", [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_accuracy_has_wilsons_interval(right, n, low, high):
    # Newcombe (1998), Stat. Med. 17, 857-872, table I, method 3.
    found = evaluate("accuracy", *right_and_wrong(right, n))
    assert (found.value, found.low, found.high) == pytest.approx((right / n, low, high), abs=5e-5)


@pytest.mark.parametrize("a, n, b, m, low, high", [(56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (5, 56, 0, 29, -0.0381, 0.1926)])
def test_differences_have_newcombes_interval(a, n, b, m, low, high):
    # Newcombe (1998), Stat. Med. 17, 873-890, table II, method 10.
    found = difference(evaluate("accuracy", *right_and_wrong(a, n)), evaluate("accuracy", *right_and_wrong(b, m)))
    assert (found.value, found.low, found.high) == pytest.approx((a / n - b / m, low, high), abs=5e-5)


def test_normal_differences_add_their_variances():
    # 3 and 4 make 5.
    found = difference(Estimate.given(1, 3), Estimate.given(0, 4), confidence=0.90)
    assert found.high - 1 == pytest.approx(5 * norm.isf(0.05)) == 1 - found.low


# --- values against scikit-learn and statsmodels ----------------------------------

ORACLES = {
    "auc": sk.roc_auc_score, "pr_auc": sk.average_precision_score, "brier": sk.brier_score_loss, "log_loss": sk.log_loss,
    "accuracy": lambda y, s: sk.accuracy_score(y, s >= 0.5),
}


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("decimals", [9, 1])
def test_values_are_scikit_learns(name, decimals):
    y, s = draw(4, decimals=decimals)
    assert evaluate(name, y, s).value == pytest.approx(ORACLES[name](y, s), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_calibration_is_the_logistic_fit(seed):
    # Cox's slope and intercept with their errors, as statsmodels fits them.
    y, s = draw(seed)
    s = expit(0.4 + 1.5 * logit(s))
    slope = sm.GLM(y, sm.add_constant(logit(s)), family=sm.families.Binomial()).fit(tol=1e-12)
    level = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=logit(s)).fit(tol=1e-12)
    for name, fit in (("calibration_slope", slope), ("calibration_intercept", level)):
        found, (low, high) = evaluate(name, y, s), fit.conf_int()[-1]
        assert (found.value, found.low, found.high) == pytest.approx((fit.params[-1], low, high), rel=1e-6)


def test_scores_twice_too_sure_have_slope_one_half():
    # logit P = 1/2 logit(score), by construction.
    y, s = draw(5, 20_000)
    found = evaluate("calibration_slope", y, expit(2 * logit(s)), confidence=1 - 1e-6)
    assert found.low < 0.5 < found.high < 0.6


def test_cost_by_hand():
    # Two false positives at 1 and one miss at 5, of ten rows.
    y = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert evaluate("cost", y, [0.9, 0.9, 0, 0, 0, 0, 1, 1, 1, 1], **COSTS).value == pytest.approx(0.7)
    assert evaluate("cost", y, [0.9, 0.9, 0, 0, 0, 0, 1, 1, 1, 1], threshold=0.95, **COSTS).value == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["brier", "log_loss", "cost"])
def test_ends_of_a_loss_are_where_the_error_grown_with_the_mean_reaches(name):
    # (mean - end)^2 = z^2 variance end / mean: what defines a score interval.
    y, s = draw(6, 200, 0.1)
    losses = {"brier": (s - y) ** 2, "log_loss": -np.log(np.where(y == 1, s, 1 - s)), "cost": 1.0 * ((s >= 0.5) & (y == 0)) + 5 * ((s < 0.5) & (y == 1))}[name]
    found = evaluate(name, y, s, **COSTS)
    for end in (found.low, found.high):
        assert (losses.mean() - end) ** 2 == pytest.approx(norm.isf(0.025) ** 2 * losses.var(ddof=1) / len(y) * end / losses.mean())


def test_no_loss_at_all_is_not_known_to_be_none():
    # Thirty rows without a mistake: by the score interval the mean may be as high as z^2 / 30.
    y = np.arange(30) % 2
    found = evaluate("brier", y, y.astype(float))
    assert (found.value, found.low) == (0, 0) and found.high == pytest.approx(norm.isf(0.025) ** 2 / 30)


# --- any metric ---------------------------------------------------------------------

def test_any_metric_gets_the_interval_of_its_redrawn_rows():
    # For a mean, the bootstrap finds the normal interval (999 draws: ends within 12 % of the width).
    y, s = draw(7, 500)
    found = evaluate(lambda y, s: float(np.mean(y * s)), y, s)
    half = norm.isf(0.025) * (y * s).std() / math.sqrt(500)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.24 * half)
    assert found == evaluate(lambda y, s: float(np.mean(y * s)), y, s, seed=0)


def test_far_tails_go_on_as_a_normal_does():
    # Beyond the draws, ends keep to the normal's: at an error of one in a million, 4.75 deviations.
    y, s = draw(8, 500)
    low, high = evaluate(lambda y, s: float(np.mean(s)), y, s).interval(1 - 2e-6)
    sd = s.std() / math.sqrt(500)
    assert (low, high) == pytest.approx((s.mean() - norm.isf(1e-6) * sd, s.mean() + norm.isf(1e-6) * sd), abs=1.2 * sd)


def test_scores_of_several_classes_go_to_the_metric_whole():
    # A column a class: of 90 rows all have their own class on top but for 9.
    y = np.arange(90) % 3
    p = np.eye(3)[np.where(np.arange(90) < 9, (y + 1) % 3, y)]
    found = evaluate(lambda y, p: np.mean(p.argmax(axis=1) == y), y, p)
    assert found.value == pytest.approx(0.9) and 0.8 < found.low < 0.9 < found.high < 1


def test_a_metric_without_a_number_has_a_reason():
    # scikit-learn's nan with a warning, or its ValueError, are no value.
    y = np.zeros(20)
    assert evaluate(sk.roc_auc_score, y, np.arange(20)).reason == "the metric gives nan"
    assert evaluate(sk.log_loss, y, np.full(20, 0.3)).reason.startswith("the metric says: ")
    assert "most bootstrap samples" in evaluate(lambda y, s: np.nan if len(set(s)) < len(s) else 1, y, np.arange(20)).reason


# --- what holds for all ----------------------------------------------------------------

@pytest.mark.parametrize("name", [*NAMES, lambda y, s: float(np.mean(y * s))])
def test_tail_and_interval_are_inverse(name):
    # At the error that `tail` says, the end is the limit.
    y, s = draw(9)
    found = evaluate(name, y, s, **({} if callable(name) else COSTS))
    for limit in (found.low, found.high):
        assert found.tail(limit) == pytest.approx(0.025, rel=0.01 if not callable(name) else 0.2)
    assert found.low < found.value < found.high and found.tail(found.value) == 0.5
    wide = found.interval(0.999)
    assert wide[0] <= found.low and wide[1] >= found.high


@pytest.mark.parametrize("name", NAMES)
def test_order_of_rows_does_not_matter(name):
    y, s = draw(10, decimals=2)
    turned = np.random.default_rng(0).permutation(len(y))
    a, b = evaluate(name, y, s, **COSTS), evaluate(name, y[turned], s[turned], **COSTS)
    assert a.value == pytest.approx(b.value, rel=1e-9) and a.low == pytest.approx(b.low, rel=0.05)


def test_an_estimate_can_be_sent_to_another_process():
    found = difference(evaluate("auc", *draw(1)), evaluate("auc", *draw(2)))
    assert pickle.loads(pickle.dumps(found)).interval(0.9) == found.interval(0.9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("y, words", [
    ([], "at least 8 labels, got 0"), ([0, 1, 1], "at least 8 labels, got 3"), ([0] * 20, "one class only: all 20 labels are 0"),
    ([1] * 20, "one class only: all 20 labels are 1"),
], ids=["empty", "three", "zeros", "ones"])
def test_too_little_is_no_value_with_a_reason(name, y, words):
    # Never nan, never a number that means nothing.
    found = evaluate(name, y, np.linspace(0.1, 0.9, len(y)), **COSTS)
    assert found.value is None and words in found.reason and found.interval(0.9) == (None, None) and found.tail(0) is None
    assert difference(found, Estimate.given(0, 1)).reason == f"current: {found.reason}"


@pytest.mark.parametrize("name, reason", [("auc", "at least 5 rows of each class"), ("pr_auc", "at least 5"), ("calibration_slope", "at least 5"), ("brier", "")])
def test_four_positives_are_too_few_for_ranks(name, reason):
    found = evaluate(name, [1] * 4 + [0] * 40, np.linspace(0, 1, 44))
    assert (found.value is None) == bool(reason) and reason in found.reason


@pytest.mark.parametrize("score, words", [(np.repeat([0.1, 0.9], 10), "separate the classes"), (np.full(20, 0.3), "all scores are the same")])
def test_a_slope_without_end_is_no_value(score, words):
    # Classes that the score parts fully have an infinite slope, a constant score none.
    assert words in evaluate("calibration_slope", np.repeat([0, 1], 10), score).reason


@pytest.mark.parametrize("metric, y, score, options, words", [
    ("f1", [0, 1], [0, 1], {}, "metric needs one of"), ("auc", [0, 2] * 9, np.ones(18), {}, "y_true needs labels 0 and 1, got 2"),
    ("auc", [0, None] * 9, np.ones(18), {}, "y_true needs finite"), ("auc", ["a", "b"] * 9, np.ones(18), {}, "y_true needs numbers"),
    ("auc", [0, 1] * 9, np.full(18, np.nan), {}, "score needs finite"), ("brier", [0, 1] * 9, np.arange(18), {}, "score needs probabilities"),
    ("auc", [0, 1] * 9, np.ones(17), {}, "score needs one row for each label, got 17 for 18"), ("cost", [0, 1] * 9, np.ones(18), {}, "costs needs"),
    ("cost", [0, 1] * 9, np.ones(18), {"costs": (1, -1)}, "costs needs"), ("auc", [0, 1] * 9, np.ones(18), {"confidence": 95}, "confidence needs"),
    ("auc", [0, 1] * 9, np.ones(18), {"confidence": 1}, "confidence needs"), (sk.f1_score, [0, 1] * 9, np.ones(4), {}, "score needs one row"),
])
def test_bad_input_is_refused_in_the_callers_words(metric, y, score, options, words):
    with pytest.raises(ValueError, match=f"^{words}") as told:
        evaluate(metric, y, score, **options)
    assert ", got " in str(told.value) and str(told.value).endswith(".")


label = st.sampled_from([0, 1, 0.0, 1.0, True, False])
odd = st.one_of(label, st.sampled_from([2, -1, math.nan, math.inf, None, "a"]))
point = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 5e-324, 1 - 1e-16]))
rough = st.one_of(point, st.floats(), st.sampled_from([None, "b", 1e308, -1e308]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(rows=st.one_of(st.lists(st.tuples(label, point), max_size=60), st.lists(st.tuples(label, st.just(0.3)), min_size=8, max_size=30),
                      st.lists(st.tuples(odd, rough), max_size=20)))
def test_every_metric_answers_or_refuses(name, rows):
    # A value inside finite plain ends, or a reason, or an error in the house's words.
    y, s = [r[0] for r in rows], [r[1] for r in rows]
    try:
        found = evaluate(name, y, s, **COSTS)
    except ValueError as error:
        assert " needs " in str(error) and ", got " in str(error)
        return
    if found.value is None:
        assert found.reason
    else:
        assert all(type(v) is float and math.isfinite(v) for v in (found.value, found.low, found.high))
        assert found.low <= found.value <= found.high and not found.reason and 0 < sum(y) < len(y)


# --- trend -------------------------------------------------------------------------------

@pytest.mark.parametrize("values", [[1, 2, 3, 4, 6, 5], [3, 1, 2, 5, 4, 6], [6, 5, 4, 3, 1, 2]])
def test_the_trend_without_ties_is_exact(values):
    # All 720 orders counted one by one.
    def s(v):
        return sum(np.sign(b - a) for a, b in itertools.combinations(v, 2))

    counted = np.mean([abs(s(v)) >= abs(s(values)) for v in itertools.permutations(values)])
    assert mann_kendall(values).pvalue == pytest.approx(counted)
    assert mann_kendall(values).tau == pytest.approx(kendalltau(range(6), values).statistic)


def test_the_exact_trend_is_scipys():
    values = np.random.default_rng(0).normal(size=30)
    assert mann_kendall(values).pvalue == pytest.approx(kendalltau(range(30), values, method="exact").pvalue, rel=1e-9)


def test_ties_reduce_the_variance():
    # p is near that of 20,000 drawn orders; without the correction it would be 0.05 to 0.1 larger.
    values = np.repeat([1, 2, 3, 4], [7, 2, 2, 1])
    rng, (i, j) = np.random.default_rng(0), np.triu_indices(12, 1)
    drawn = np.array([np.sign(v[j] - v[i]).sum() for v in (rng.permutation(values) for _ in range(20_000))])
    for order in (values, rng.permutation(values)):
        s = np.sign(order[j] - order[i]).sum()
        assert mann_kendall(order).pvalue == pytest.approx(np.mean(np.abs(drawn) >= abs(s)), abs=0.015)


def test_sens_slope_does_not_follow_one_wild_value():
    # A line with slope -0.01, one of ten windows gone wrong: the median of the 45 slopes is that of the line.
    line = 0.9 - 0.01 * np.arange(10)
    wild = np.where(np.arange(10) == 4, 0.1, line)
    assert mann_kendall(line).slope == pytest.approx(-0.01) == pytest.approx(mann_kendall(wild).slope)
    assert mann_kendall(line).tau == -1 and mann_kendall(line).low == pytest.approx(-0.01)


def test_a_gap_keeps_its_place():
    # Missing windows count as time: the slope is a step, not a value.
    assert mann_kendall([10, None, 8, None, 6, None, 4, 3, 2]).slope == pytest.approx(-1)


def test_noise_seldom_has_a_trend():
    # Seven values of noise: p is below 0.05 in at most 5 %. First against last "declines" in half of them.
    series = np.random.default_rng(1).normal(size=(600, 7))
    assert sum(mann_kendall(row).pvalue < 0.05 for row in series) <= binom.isf(1e-6, 600, 0.05)
    assert sum(series[:, -1] < series[:, 0]) >= binom.isf(1 - 1e-6, 600, 0.5)


def test_sens_interval_covers():
    # Normal noise on a slope of 0.3: 95 % of the intervals hold it, at least 93 % at twelve values.
    rng = np.random.default_rng(2)
    found = [mann_kendall(0.3 * np.arange(12) + rng.normal(size=12)) for _ in range(500)]
    assert sum(not t.low <= 0.3 <= t.high for t in found) <= binom.isf(1e-6, 500, 0.07)


@pytest.mark.parametrize("values, reason", [([], "got 0"), ([1, 2, 3, 4], "got 4"), ([None] * 9, "got 0")])
def test_a_short_series_has_no_trend_and_says_so(values, reason):
    trend = mann_kendall(values)
    assert trend.pvalue is None and trend.slope is None and reason in trend.reason


def test_a_constant_series_does_not_move():
    assert mann_kendall([2.0] * 8) == mann_kendall([3.0] * 8) and mann_kendall([2.0] * 8).pvalue == 1


@pytest.mark.parametrize("values, words", [([1, 2, math.inf], "finite"), (["a"], "numbers"), ([[1, 2]], "one dimension")], ids=str)
def test_a_series_that_is_none_is_refused(values, words):
    with pytest.raises(ValueError, match=f"^values needs .*{words}"):
        mann_kendall(values)
