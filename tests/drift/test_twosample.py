"""Tests of one feature: agreement with scipy, exact enumeration, levels, and honest refusals."""
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chi2_contingency, cramervonmises_2samp, hypergeom, kstwo, ks_2samp

from mlmon.drift import (
    Verdict, chi2_test, cvm_test, domain_classifier, ks_test, missing_test, psi, psi_test, wasserstein, wasserstein_test,
)
from mlmon.drift.twosample import chi2_of, kolmogorov_p, share_p

NUMERIC = [ks_test, cvm_test, wasserstein_test, psi_test]
numeric = pytest.mark.parametrize("test", NUMERIC, ids=lambda f: f.__name__)


def draw(seed, n=100, by=0.0):
    return np.random.default_rng(seed).normal(by, 1, n)


@pytest.mark.parametrize("n, m", [(20, 20), (30, 47), (500, 301)])
def test_ks_is_scipys_exact_test(n, m):
    # Without ties the exact law of KS does not depend on the distribution.
    a, b = draw(n, n), draw(m + 1, m, 0.3)
    ours, theirs = ks_test(a, b), ks_2samp(a, b, method="exact")
    assert ours.statistic == pytest.approx(theirs.statistic) and ours.pvalue == pytest.approx(theirs.pvalue)


def test_ks_of_many_ties_is_a_permutation_test():
    # Enumerated: of all ways to choose 8 of 16 rows, the share with so large a gap.
    a, b = np.array([0, 0, 0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1, 1, 2, 2])
    union, gaps = np.r_[a, b], []
    for rows in itertools.combinations(range(16), 8):
        chosen = np.zeros(16, bool)
        chosen[list(rows)] = True
        gaps.append(max(abs(np.mean(union[chosen] <= v) - np.mean(union[~chosen] <= v)) for v in (0, 1)))
    exact = np.mean(np.array(gaps) >= 0.5 - 1e-9)
    assert ks_test(a, b).statistic == 0.5
    assert ks_test(a, b).pvalue == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 999))


@pytest.mark.parametrize("n, m", [(101, 1000), (5000, 701), (5003, 5001)])
def test_kolmogorovs_limit_is_within_0004_of_the_exact_law(n, m):
    # Against scipy's exact p, for samples whose sizes have no common factor (no coarse steps).
    for seed, by in enumerate((2.0, 2.4, 2.8, 3.2)):
        a, b = draw(seed, n), draw(seed + 9, m, by * np.sqrt((n + m) / (n * m)))
        exact = ks_2samp(a, b, method="exact")
        if exact.pvalue < 0.2:
            assert kolmogorov_p(exact.statistic, n, m) == pytest.approx(exact.pvalue, abs=0.004)


def test_kolmogorovs_limit_agrees_with_the_one_sample_law():
    # Stephens' correction is made for it: one sample of size nm/(n+m), p under 0.2.
    for n in (20, 100, 1000):
        for gap in np.linspace(1.07, 2, 9) / np.sqrt(n):
            assert kolmogorov_p(gap, 2 * n, 2 * n) == pytest.approx(kstwo.sf(gap, n), abs=0.004)


def test_cvm_has_scipys_statistic_and_p():
    # T = n m / (n + m)^2 sum (F - G)^2; p by permutation within Monte Carlo error of the limit.
    a, b = draw(1, 200), draw(2, 150, 0.2)
    ours, theirs = cvm_test(a, b), cramervonmises_2samp(a, b)
    assert ours.statistic == pytest.approx(theirs.statistic, abs=1e-3)
    assert ours.pvalue == pytest.approx(theirs.pvalue, abs=5 * np.sqrt(theirs.pvalue / 999) + 0.002)


def test_wasserstein_test_reports_the_distance():
    # Statistic in the unit, effect in deviations of the reference.
    a, b = draw(1, 80), draw(2, 90, 1)
    result = wasserstein_test(a, b)
    assert result.statistic == pytest.approx(wasserstein(a, b)) and result.effect == pytest.approx(wasserstein(a, b) / a.std())


def test_a_long_sample_is_permuted_in_part():
    # Past 10,000 values the null is scaled from fewer rows: same level, no false certainty.
    for test in (cvm_test, wasserstein_test):
        p = np.array([test(draw(s, 8000), draw(s + 900, 6000)).pvalue for s in range(3)])
        assert p.min() > 1e-3 and p.max() > 0.05     # 1 in 300 and 1 in 8,000 at worst by chance
        assert test(draw(1, 8000), draw(2, 6000, 0.1)).drifted


def test_chi2_is_pearsons_test_of_homogeneity():
    # Both samples are samples: scipy's table without Yates' correction.
    rng = np.random.default_rng(3)
    a, b = rng.choice(list("abc"), 300, p=[0.5, 0.3, 0.2]), rng.choice(list("abc"), 200)
    table = [[np.sum(x == level) for level in "abc"] for x in (a, b)]
    theirs = chi2_contingency(table, correction=False)
    ours = chi2_test(a, b)
    assert (ours.statistic, ours.pvalue) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert chi2_of(table)[1] == pytest.approx(theirs.expected_freq)


def test_chi2_of_small_counts_is_drawn_exactly():
    # A 2 x 2 table with fixed margins has one free cell: the exact p is a hypergeometric sum.
    a, b = ["x"] * 9 + ["y"], ["x"] * 5 + ["y"] * 5
    support = np.arange(0, 7)
    chi = np.array([chi2_of([[10 - k, k], [4 + k, 6 - k]])[0] for k in support])
    exact = hypergeom(20, 6, 10).pmf(support)[chi >= chi2_of([[9, 1], [5, 5]])[0] - 1e-9].sum()
    assert chi2_test(a, b).pvalue == pytest.approx(exact, abs=5 * np.sqrt(exact / 9999))


def test_chi2_sees_an_unseen_level():
    # A level that the reference lacks is a level like others.
    result = chi2_test(["a"] * 100 + ["b"] * 100, ["a"] * 95 + ["b"] * 95 + ["c"] * 10)
    assert result.drifted and result.effect == pytest.approx(0.05)


def test_identifiers_cannot_be_compared():
    # Every value is its own level: all tables with these margins look alike.
    for test in (chi2_test, psi_test):
        result = test([f"r{i}" for i in range(300)], [f"c{i}" for i in range(300)])
        assert result.verdict is Verdict.UNDECIDED and "rare" in result.reason


@pytest.mark.parametrize("n, m", [(50, 50), (300, 60)])
def test_psis_threshold_is_the_quantile_of_its_null(n, m):
    # Cells between reference quantiles have Dirichlet shares whatever the law: simulated PSI passes at alpha.
    threshold = np.mean([psi_test(draw(1, n), draw(2, m), seed=s).threshold for s in range(10)])
    simulated = np.array([psi(draw([3, s], n), draw([4, s], m)) for s in range(1500)])
    # The 95 % quantile of 1,500 draws is known to about 3 %.
    assert threshold == pytest.approx(np.quantile(simulated, 0.95), rel=0.1)


@pytest.mark.parametrize("law", ["exponential", "counts", "rounded", "missing", "levels"])
def test_psi_test_keeps_its_level(law):
    # Whatever ties, gaps and levels: alarms within a binomial's reach of 5 %.
    laws = {
        "exponential": lambda rng: rng.exponential(size=80), "counts": lambda rng: rng.poisson(2, 80),
        "rounded": lambda rng: rng.normal(size=80).round(1), "levels": lambda rng: rng.choice(list("abcd"), 80),
        "missing": lambda rng: np.where(rng.random(80) < 0.2, np.nan, rng.normal(size=80)),
    }
    rngs = (np.random.default_rng([len(law), s]) for s in range(150))
    assert sum(psi_test(laws[law](rng), laws[law](rng)).drifted for rng in rngs) <= binom.isf(1e-6, 60, 0.05)


@pytest.mark.parametrize("k, n, j, m", [(3, 20, 9, 25), (0, 50, 4, 40), (1, 8, 8, 8), (5, 400, 12, 30)])
def test_share_p_is_the_two_sided_mid_p(k, n, j, m):
    # Lancaster: the chances of all less likely tables, and half of the equally likely ones, added up.
    law = hypergeom(n + m, k + j, m)
    chance = law.pmf(np.arange(0, k + j + 1))
    here = law.pmf(j)
    less, same = chance < here * (1 - 1e-7), np.isclose(chance, here, rtol=1e-7, atol=0)
    assert share_p(k, n, j, m) == pytest.approx(chance[less].sum() + chance[same].sum() / 2)
    assert share_p(k, n, j, m) == pytest.approx(share_p(j, m, k, n))
    assert share_p(k, n, j, m) == pytest.approx(share_p(n - k, n, m - j, m))


def test_share_p_of_many_is_normal():
    # The exact sum and the limit meet where one takes over from the other.
    exact, limit = share_p(1000, 50_000, 1080, 50_000 - 1), share_p(1010, 50_000, 1091, 50_000 - 1)
    assert exact == pytest.approx(limit, abs=0.01)
    assert share_p(0, 50, 0, 60) == share_p(50, 50, 60, 60) == 1


@pytest.mark.parametrize("values", [list(range(95)) + [None] * 5, pd.date_range("2020", periods=95).tolist() + [pd.NaT] * 5,
                                    [{1}] * 95 + [None] * 5, [math.inf] * 95 + [math.nan] * 5], ids=["numbers", "dates", "sets", "infinite"])
def test_missing_test_takes_any_column(values):
    # Whether a value is there can be asked of anything: 5 % against 25 %.
    current = values[:75] + values[-5:] * 5
    result = missing_test(values, current)
    assert result.statistic == pytest.approx(0.2) and result.drifted
    assert not missing_test(values, values).drifted


@numeric
def test_a_shift_is_found_and_a_clean_pair_is_not(test):
    # Half a deviation with 400 rows is far beyond chance; 40 clean pairs alarm at 5 %.
    assert test(draw(1, 400), draw(2, 400, 0.6)).drifted
    alarms = sum(test(draw([s, 1], 40), draw([s, 2], 60)).drifted for s in range(40))
    assert alarms <= binom.isf(1e-6, 40, 0.05)


@numeric
def test_order_means_nothing_and_missing_values_are_left_out(test):
    # Statistics see the sets of values.
    a, b = draw(1, 60), draw(2, 70)
    assert test(a[::-1], np.sort(b)).statistic == pytest.approx(test(a, b).statistic)
    if test is not psi_test:
        assert test(np.r_[a, np.nan], b).statistic == pytest.approx(test(a, b).statistic)


@pytest.mark.parametrize("test", [ks_test, psi_test], ids=lambda f: f.__name__)
def test_ks_and_psi_only_see_order(test):
    # A rising map of both samples changes neither statistic nor verdict (PSI: up to a cut between two values).
    a, b = draw(1, 101), draw(2, 90, 0.3)
    mapped, plain = test(np.exp(a), np.exp(b)), test(a, b)
    assert mapped.statistic == pytest.approx(plain.statistic, rel=1e-9) and mapped.verdict == plain.verdict


@pytest.mark.parametrize("test", [*NUMERIC, chi2_test], ids=lambda f: f.__name__)
def test_what_cannot_be_decided_is_undecided(test):
    # Too few values, all missing, or one value only: never STABLE.
    for a, b in (([1, 2, 3], draw(1)), (draw(1), []), ([np.nan] * 50, draw(1)), ([0.1] * 50, [0.1] * 50)):
        result = test(a, b)
        assert result.verdict is Verdict.UNDECIDED and result.reason and not result.drifted and result.severity == "unknown"


@numeric
def test_a_constant_reference_still_sees_a_change(test):
    # From one value to many is drift, whatever the spread was.
    result = test([0.1] * 50, draw(1))
    assert result.drifted and np.isfinite(result.effect)


@pytest.mark.parametrize("test", [*NUMERIC, chi2_test, missing_test], ids=lambda f: f.__name__)
@pytest.mark.parametrize("alpha", [5, -0.1, "a", None, math.nan])
def test_alpha_is_a_share(test, alpha):
    with pytest.raises(ValueError, match="alpha needs a share"):
        test(draw(1), draw(2, 3), alpha=alpha)


@pytest.mark.parametrize("test", [ks_test, cvm_test, wasserstein_test], ids=lambda f: f.__name__)
def test_numbers_are_asked_for(test):
    with pytest.raises(ValueError, match="reference needs numbers, got categories. Use chi2_test"):
        test(list("ab") * 20, list("ab") * 20)


def test_alpha_is_the_level():
    # The verdict is p against alpha and nothing else.
    p = ks_test(draw(1), draw(2, by=0.3)).pvalue
    assert ks_test(draw(1), draw(2, by=0.3), alpha=p).drifted
    assert not ks_test(draw(1), draw(2, by=0.3), alpha=p * 0.99).drifted


def frames(seed, n=300, flip=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = (-x if flip else x) + rng.normal(size=n) / 2
    return pd.DataFrame({"x": x, "y": y, "c": pd.Categorical(rng.choice(list("ab"), n))})


def test_the_classifier_sees_a_flip_and_keeps_its_level():
    # Same marginals, other dependence; and clean pairs at 5 %.
    assert domain_classifier(frames(1), frames(2, flip=True)).drifted
    assert sum(domain_classifier(frames([s, 1], 80), frames([s, 2], 80)).drifted for s in range(12)) <= binom.isf(1e-6, 12, 0.05)


def test_the_classifier_takes_nullable_columns_and_levels_in_any_order():
    # The same rows in other types are the same rows.
    a, b = frames(1), frames(2, flip=True)
    typed = b.assign(x=b["x"].astype("Float64"), c=b["c"].astype("string"))
    assert domain_classifier(a, typed).statistic == pytest.approx(domain_classifier(a, b).statistic)


@pytest.mark.parametrize("a, b, words", [
    (np.zeros((50, 2)), frames(1), "needs a DataFrame"), (frames(1), frames(1)[["x"]], "needs the columns"),
    (pd.DataFrame(np.zeros((50, 2)), columns=["a", "a"]),) * 2 + ("one column of each name",),
    (pd.DataFrame({"d": pd.date_range("2020", periods=50)}),) * 2 + ("dates",),
    (pd.DataFrame({"l": [[1]] * 50}),) * 2 + ("a list",), (pd.DataFrame({"i": [np.inf] * 50}),) * 2 + ("finite",),
], ids=["array", "columns", "doubled", "dates", "lists", "infinite"])
def test_the_classifier_refuses_what_it_cannot_read(a, b, words):
    with pytest.raises(ValueError, match=words):
        domain_classifier(a, b)


def test_the_classifier_without_a_column_that_varies_is_undecided():
    for frame in (pd.DataFrame(index=range(50)), pd.DataFrame({"a": np.ones(50), "b": np.full(50, np.nan)})):
        assert domain_classifier(frame, frame).verdict is Verdict.UNDECIDED
