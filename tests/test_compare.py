"""Comparisons and experiments, held to other implementations, to published laws and to their promised errors."""
import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from mlmon.compare import (
    SequentialTest, always_valid_half_width, always_valid_p, cuped, means, paired_bootstrap, power, ratios, sample_ratio, sample_size, two_proportions,
)
from mlmon.compare.sequential import variance_of_mean


def models(seed, lift=0.0, n=2000, prevalence=0.1):
    """Labels and two models that stumble over the same rows; B has `lift` more of the truth in it."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < prevalence
    hard = rng.normal(size=n)
    return y, *(1 / (1 + np.exp(2 - (1.8 + more) * y - hard - 0.3 * rng.normal(size=n))) for more in (0, lift))


# --- two models on the same rows --------------------------------------------------------------------------

@pytest.mark.parametrize("name, other", [
    ("auc", roc_auc_score), ("pr_auc", average_precision_score), ("brier", lambda y, s: -brier_score_loss(y, s)), ("log_loss", lambda y, s: -log_loss(y, s)),
    ("accuracy", lambda y, s: np.mean((s >= 0.5) == y)),
])
def test_the_difference_is_scikit_learns(name, other):
    # Losses are turned round.
    y, a, b = models(0, 0.3)
    found = paired_bootstrap(name, y, a, b, draws=100).difference
    assert found.value == pytest.approx(other(y, b) - other(y, a))
    assert found.low < found.value < found.high


def test_a_callable_is_a_metric():
    y, a, b = models(0, 0.3)
    ours, theirs = (paired_bootstrap(metric, y, a, b, draws=200).difference for metric in ("auc", roc_auc_score))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    # For a mean of one number a row the bootstrap is normal: 2 x 1.96 sd / sqrt(n), within 12 % (4 errors of two quantiles of 999).
    y, a, b = models(2, 0.3)
    found = paired_bootstrap(lambda y, s: -np.mean(np.abs(y - s)), y, a, b).difference
    each = np.abs(y - a) - np.abs(y - b)
    assert found.high - found.low == pytest.approx(2 * 1.96 * each.std() / np.sqrt(len(y)), rel=0.12)


def test_pairing_makes_the_interval_narrower():
    # The models share the hard rows: the sd of the difference is well below that of two models on other rows.
    y, a, b = models(1)
    paired = paired_bootstrap("auc", y, a, b).difference
    one = paired_bootstrap("auc", y, np.zeros(len(y)), b).difference       # B alone: AUC less a half
    assert paired.high - paired.low < 0.6 * np.sqrt(2) * (one.high - one.low)


def test_equal_models_are_told_apart_no_more_than_promised():
    # 80 pairs without a difference, at 5 %: within the binomial limit of 1 in a million for 7 %, the slack of 100 draws.
    told = sum(paired_bootstrap("auc", *models(seed, n=300, prevalence=0.3), draws=100, seed=seed).finding != "UNDECIDED" for seed in range(80))
    assert told <= stats.binom.isf(1e-6, 80, 0.07)


def test_a_margin_asks_whether_b_is_not_worse():
    # The same model twice is not worse by any margin; a clearly worse one is, and is WORSE; a few rows leave it open.
    y, a, b = models(3, -0.8)
    assert paired_bootstrap("auc", y, a, a, margin=0.001, draws=100).finding == "NOT_WORSE"
    assert paired_bootstrap("auc", y, a, a, draws=100).finding == "UNDECIDED"
    assert paired_bootstrap("auc", y, a, b, margin=0.01).finding == "WORSE"
    assert paired_bootstrap("auc", y, b, a, margin=0.01).finding == "BETTER"
    y, a, b = models(5, n=60, prevalence=0.3)
    assert paired_bootstrap("auc", y, a, b, margin=0.001).finding == "UNDECIDED"


def test_one_class_is_undecided():
    found = paired_bootstrap("auc", np.zeros(100), np.linspace(0, 1, 100), np.linspace(0, 1, 100))
    assert found.finding == "UNDECIDED" and found.pvalue is None and "one class only" in found.reason


# --- two arms ---------------------------------------------------------------------------------------------

def test_means_are_welchs():
    rng = np.random.default_rng(0)
    a, b = rng.exponential(1, 80), rng.exponential(1.4, 50)
    found, other = means(a, b), stats.ttest_ind(b, a, equal_var=False)
    low, high = other.confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high))
    assert found.pvalue == pytest.approx(other.pvalue, rel=1e-6)


def test_proportions_are_newcombes():
    # His own example: 56 of 70 against 48 of 80, 0.0524 to 0.3339 (method 10).
    found = two_proportions((48, 80), (56, 70)).difference
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_no_success_at_all_still_has_an_interval():
    # 0 of 10 against 0 of 20: 0, from -0.1611 to 0.2775 (Newcombe's table, method 10, turned round).
    found = two_proportions((0, 20), (0, 10))
    assert found.finding == "UNDECIDED"
    assert (round(found.difference.low, 4), round(found.difference.high, 4)) == (-0.1611, 0.2775)


def test_arms_without_a_difference_are_told_apart_as_often_as_promised():
    # 2,000 experiments of two proportions at 5 %, within 1 in a million of it.
    hits = np.random.default_rng(0).binomial(1000, 0.1, size=(2000, 2))
    told = sum(two_proportions((int(a), 1000), (int(b), 1000)).finding != "UNDECIDED" for a, b in hits)
    assert stats.binom.isf(1 - 1e-6, 2000, 0.05) <= told <= stats.binom.isf(1e-6, 2000, 0.05)


def people(seed, n=300, lift=0.0):
    """Clicks and views of people who differ in both: many views, a rate of one's own."""
    rng = np.random.default_rng(seed)
    views = 1 + rng.negative_binomial(1, 0.05, n)
    return rng.binomial(views, rng.beta(2, 8, n) * (1 + lift)), views


def test_a_ratio_of_sums_keeps_its_promise_where_events_would_not():
    # Views of one person go together: as if independent they cry wolf; by people they err in 5 %.
    pairs = [(people([seed, 0]), people([seed, 1])) for seed in range(600)]
    by_people = sum(ratios(a, b).finding != "UNDECIDED" for a, b in pairs)
    by_views = sum(two_proportions(*((int(c.sum()), int(v.sum())) for c, v in pair)).finding != "UNDECIDED" for pair in pairs)
    assert by_people <= stats.binom.isf(1e-6, 600, 0.055) and by_views > 150


def test_a_ratio_is_the_ratio_of_sums():
    a, b = people(0), people(1, lift=0.5)
    assert ratios(a, b).difference.value == pytest.approx(b[0].sum() / b[1].sum() - a[0].sum() / a[1].sum())


# --- before the answer counts -----------------------------------------------------------------------------

@pytest.mark.parametrize("n, share, p", [(10_000, 0.51, 0.0455), (10_000, 0.52, 6.33e-5), (100_000, 0.51, 2.54e-10)])
def test_sample_ratio_is_a_normal_tail(n, share, p):
    # Two arms: chi-squared with one degree is z squared, z = (2 share - 1) sqrt(n), here 2, 4 and 6.3.
    found = sample_ratio([n * share, n * (1 - share)])
    assert found.pvalue == pytest.approx(2 * stats.norm.sf((2 * share - 1) * np.sqrt(n)), rel=1e-6)
    assert found.pvalue == pytest.approx(p, rel=0.01) and found.mismatch == (p < 0.001)


def test_sample_ratio_of_three_arms_is_scipys():
    counts, shares = [810, 95, 95], [0.8, 0.1, 0.1]
    assert sample_ratio(counts, shares).pvalue == pytest.approx(stats.chisquare(counts, [800, 100, 100]).pvalue)


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7, 0.9])
def test_cuped_leaves_one_less_the_squared_correlation(rho):
    # The law of Deng et al.: 0.91, 0.75, 0.51, 0.19. Sample correlation makes it exact.
    rng = np.random.default_rng(0)
    x = rng.normal(size=50_000)
    y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=50_000)
    ratio = cuped(y, x).var() / y.var()
    assert ratio == pytest.approx(1 - np.corrcoef(x, y)[0, 1] ** 2) == pytest.approx(1 - rho**2, abs=0.01)


def test_cuped_keeps_the_mean_and_does_nothing_without_a_past():
    y = np.random.default_rng(0).normal(size=100)
    assert cuped(y, np.arange(100)).mean() == pytest.approx(y.mean())
    assert cuped(y, np.ones(100)).tolist() == y.tolist()


def test_cuped_is_unbiased_for_the_effect():
    # Arms by lot, effect 0.2: the mean over 300 experiments within 4.5 standard errors.
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        before, arm = rng.normal(size=400), rng.random(400) < 0.5
        adjusted = cuped(before + rng.normal(size=400) + 0.2 * arm, before)
        found.append(adjusted[arm].mean() - adjusted[~arm].mean())
    assert abs(np.mean(found) - 0.2) < 4.5 * np.std(found) / np.sqrt(300)


def test_sample_size_is_the_textbooks():
    # 2 sigma^2 (1.96 + 0.8416)^2 / delta^2 = 15.7 sigma^2 / delta^2 in each arm.
    n = 2 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2
    assert sample_size(0.1, 1.0) == (int(np.ceil(100 * n)),) * 2


def test_sample_size_of_a_small_canary():
    # A tenth of the traffic, 0.90 against 0.87, one-sided 5 %, power 95 %: 14,802 requests in all.
    a, b = sample_size(0.03, (np.sqrt(0.9 * 0.1), np.sqrt(0.87 * 0.13)), power=0.95, share=0.1, two_sided=False)
    assert abs(a + b - 14_802) <= 2 and b == pytest.approx(1480, abs=1)


def test_power_is_what_a_sample_size_gives():
    assert power(0.05, (0.3, 0.5), sample_size(0.05, (0.3, 0.5), share=0.3, power=0.9)) == pytest.approx(0.9, abs=0.001)


def test_power_comes_true():
    # 3,000 experiments at power 0.8: within 1 in a million.
    n = sample_size(0.3, 1.0)[0]
    rng = np.random.default_rng(0)
    z = (rng.normal(0.3, 1 / np.sqrt(n), 3000) - rng.normal(0, 1 / np.sqrt(n), 3000)) / np.sqrt(2 / n)
    found = np.sum(z > stats.norm.ppf(0.975))
    assert stats.binom.isf(1 - 1e-6, 3000, 0.8) <= found <= stats.binom.isf(1e-6, 3000, 0.8)


# --- looking at any time ----------------------------------------------------------------------------------

def looks(effect, runs, seed=0, every=200, times=50, rate=0.1):
    """Differences and their variances at 50 looks of many experiments."""
    rng = np.random.default_rng(seed)
    n = every * np.arange(1, times + 1)
    a, b = (rng.binomial(every, r, size=(runs, times)).cumsum(axis=1) / n for r in (rate, rate + effect))
    return b - a, (a * (1 - a) + b * (1 - b)) / n


def test_looking_fifty_times_costs_nothing_here_and_much_elsewhere():
    # No effect: at most 5 % of 2,000 experiments ever decide, 1 in a million granted; the fixed test decides in a third.
    difference, variance = looks(0.0, 2000)
    ever = np.mean((always_valid_p(difference, variance, 0.02) < 0.05).any(axis=1))
    naive = np.mean((2 * stats.norm.sf(np.abs(difference) / np.sqrt(variance)) < 0.05).any(axis=1))
    assert ever <= stats.binom.isf(1e-6, 2000, 0.05) / 2000 and naive > 0.25


def test_what_is_there_is_found():
    # An effect of 0.03 at a rate of 0.1: nearly every experiment decides within its 10,000 rows an arm.
    difference, variance = looks(0.03, 500)
    assert np.mean((always_valid_p(difference, variance, 0.02) < 0.05).any(axis=1)) > 0.99


def test_interval_and_p_agree():
    # 0 lies on the end of the 1 - p interval.
    difference, variance = looks(0.02, 20)
    p = always_valid_p(difference, variance, 0.02)
    inside = p < 1
    assert always_valid_half_width(variance, 0.02, p)[inside] == pytest.approx(np.abs(difference)[inside])


def test_the_mixture_is_the_integral_over_effects():
    # The likelihood ratio of N(theta, V) against N(0, V), averaged over theta ~ N(0, tau^2).
    d, v, tau = 0.04, 2e-4, 0.03
    theta = np.linspace(-0.3, 0.3, 60_001)
    ratio = np.trapezoid(stats.norm.pdf(d, theta, np.sqrt(v)) / stats.norm.pdf(d, 0, np.sqrt(v)) * stats.norm.pdf(theta, 0, tau), theta)
    assert always_valid_p(d, v, tau) == pytest.approx(1 / ratio)


def streamed(effect, rows=6000, every=100, **switches):
    rng, test = np.random.default_rng(1), SequentialTest(0.05, **switches)
    return test, [test.update(rng.random(every) < 0.3, rng.random(every) < 0.3 + effect) for _ in range(rows // every)]


def test_a_decision_stays():
    # What was decided once is not taken back, and p never rises.
    _, found = streamed(0.08)
    first = [f.finding for f in found].index("BETTER")
    assert {f.finding for f in found[first:]} == {"BETTER"}
    p = [f.pvalue for f in found]
    assert p == sorted(p, reverse=True)


def test_the_stream_is_the_formula():
    # After each update the running minimum of the function on the sums so far, of values without ends.
    rng, test, a, b = np.random.default_rng(2), SequentialTest(0.05), [], []
    smallest = 1.0
    for _ in range(10):
        new = rng.normal(0.3, 0.5, 80), rng.normal(0.35, 0.5, 60)
        a.extend(new[0]), b.extend(new[1])
        test.update(*new)
        smallest = min(smallest, always_valid_p(np.mean(b) - np.mean(a), np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b), 0.05)) if len(b) >= 50 else smallest
    assert test.pvalue == pytest.approx(smallest)


def test_a_sequential_margin():
    # Alike within 0.1: not worse, and soon; worse by 0.2: WORSE.
    assert streamed(0.0, margin=0.1)[1][-1].finding == "NOT_WORSE"
    assert streamed(-0.2, margin=0.1)[1][-1].finding == "WORSE"


def test_few_rows_wait():
    test = SequentialTest(0.05)
    found = test.update([1] * 49, [0] * 500)
    assert found.finding == "UNDECIDED" and "50 rows of each arm, got 49 and 500" in found.reason


# --- arms that hardly vary --------------------------------------------------------------------------------

def test_arms_of_one_answer_each_are_told_apart():
    # 50 times yes against 50 times no: one law gives that with a chance of 2 ** -99 at most.
    assert SequentialTest(0.05).update([1] * 50, [0] * 50).finding == "WORSE"
    assert SequentialTest(0.05).update([False] * 50, [True] * 300).finding == "BETTER"


def test_arms_of_the_same_answer_are_not_apart_and_in_time_not_worse():
    # Nothing tells them apart, ever; and rows that are all alike bound what the others may be, as in the rule of three.
    test = SequentialTest(0.03, margin=0.02)
    found = [test.update([1] * 50, [1] * 50).finding for _ in range(20)]
    assert found[0] == "UNDECIDED" and found[-1] == "NOT_WORSE" and test.pvalue == 1.0
    never = SequentialTest(0.03)
    assert {never.update([0] * 500, [0] * 500).finding for _ in range(20)} == {"UNDECIDED"}


def test_without_ends_nothing_is_known_of_values_that_never_vary():
    # 3 and 4 euros: the next one may be a million. With ends of 0 and 10 it may not.
    assert "pass ends" in SequentialTest(0.05).update([3.0] * 200, [4.0] * 200).reason
    assert SequentialTest(0.05, ends=(0, 10)).update([3.0] * 200, [4.0] * 200).finding == "BETTER"
    with pytest.raises(ValueError, match="b needs values from 0 to 10, got 3 to 11"):
        SequentialTest(0.05, ends=(0, 10)).update([3.0], [3.0, 11.0])
    with pytest.raises(ValueError, match="smallest and the largest"):
        SequentialTest(0.05, ends=(1, 0))


@pytest.mark.parametrize("alpha", [0.2, 0.05, 1e-3, 1e-6])
@pytest.mark.parametrize("values", [(0.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.3, 1.0)])
def test_an_interval_about_two_constant_arms_errs_by_alpha_at_most(alpha, values):
    # Where the means are s and r away, so many rows are alike with a chance of (1 - s)**(n - 1) (1 - r)**(m - 1) at most, a share of the
    # range towards its far end; the interval excludes that from s + r = its half width on. Once excluded is once alike: no look adds to it.
    for n, m, tau in itertools.product((50, 400, 10_000), (50, 3000), (0.001, 0.03, 0.5)):
        half = always_valid_half_width(sum(variance_of_mean(k, k * y, k * y**2, alpha, (0, 1)) for k, y in zip((n, m), values)), tau, alpha)
        s = np.linspace(0, min(half, 1), 1001)
        reach = [max(y, 1 - y) for y in values]
        chance = np.clip(1 - s / reach[0], 0, 1) ** (n - 1) * np.clip(1 - (half - s) / reach[1], 0, 1) ** (m - 1)
        assert chance.max() <= alpha


def test_known_ends_never_make_an_arm_steadier():
    # A mixture with the law of greatest spread on the range has at least the spread of the other part.
    rng = np.random.default_rng(0)
    for values in (rng.random(60), rng.random(60) < 0.5, rng.random(60) < 0.02, np.r_[[0.0] * 30, [1.0] * 30]):
        sums = len(values), np.sum(values), np.sum(values**2 if values.dtype == float else values)
        assert variance_of_mean(*sums, 0.05, (0, 1)) >= variance_of_mean(*sums, 0.05) - 1e-15


def chance_of_error(rates, wrong, alpha, *, ratio=1, every=50, looks=60, most=40, **ends):
    """The exact chance that an interval is wrong at one look or another: over all counts of yes in both arms, the second `ratio` times as large."""
    k = np.arange(most + 1)
    sizes = every, every * ratio
    steps = [stats.binom.pmf(k[None, :] - k[:, None], size, rate) for size, rate in zip(sizes, rates)]
    at, error = np.zeros((most + 1, most + 1)), 0.0
    at[0, 0] = 1.0
    for look in range(1, looks + 1):
        at = steps[0].T @ at @ steps[1]
        n, m = (size * look for size in sizes)
        variance = variance_of_mean(n, k[:, None], k[:, None], alpha, **ends) + variance_of_mean(m, k[None, :], k[None, :], alpha, **ends)
        half = np.where(variance > 0, always_valid_half_width(np.maximum(variance, 1e-300), 0.03, alpha), np.inf)
        value = k[None, :] / m - k[:, None] / n
        bad = wrong(value - half, value + half)
        error += at[bad].sum()
        at[bad] = 0
    assert at.sum() + error > 1 - 1e-6       # no count was beyond the table
    return error


@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_rare_events_keep_the_error(alpha):
    # One thing in a thousand happens, to both arms alike, one of which is ten times as large; and only to one arm, which may not be called harmless.
    decides, excludes = lambda low, high: (low > 0) | (high < 0), lambda low, high: high < 0.004
    alike = [chance_of_error((rate, rate), decides, alpha, ratio=10, ends=(0, 1)) for rate in (1e-4, 4e-4)]
    apart = chance_of_error((0.0, 0.004), excludes, alpha, ends=(0, 1))
    assert max(alike) <= alpha and 0 < apart <= alpha
    # By the spread of the rows alone, the same counts break the promise.
    assert chance_of_error((0.0, 0.004), excludes, alpha) > alpha


@pytest.mark.parametrize("call, match", [
    (lambda: paired_bootstrap("f2", [0, 1] * 10, [0.1] * 20, [0.2] * 20), "metric needs one of"),
    (lambda: paired_bootstrap("auc", [0, 2] * 10, [0.1] * 20, [0.2] * 20), "labels 0 and 1"),
    (lambda: paired_bootstrap("auc", [0, 1] * 10, [0.1] * 20, [0.2] * 19), "20 and 19 scores"),
    (lambda: paired_bootstrap("auc", [0, 1] * 10, [0.1] * 20, [0.2] * 20, margin=-1), "above 0"),
    (lambda: two_proportions((5, 4), (1, 10)), "got 5 of 4"), (lambda: means([1.0], [1.0, 2.0]), "at least 2"),
    (lambda: ratios(([1, 2], [0, 0]), ([1, 2], [1, 2])), "denominators"), (lambda: sample_ratio([5, 5], [0.5, 0.6]), "sum to 1"),
    (lambda: cuped([1, 2, 3], [1, 2]), "at least 3"), (lambda: cuped([1, 2, 3], [1, 2, 3, 4]), "each of the 3"),
    (lambda: sample_size(0, 1), "above 0"), (lambda: SequentialTest(0), "above 0"),
])
def test_bad_input_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_arms_that_never_vary_are_undecided():
    assert "alike" in means([1.0] * 5, [1.0] * 5).reason
