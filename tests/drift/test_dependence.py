"""Pairs of features that go together otherwise, and nothing else."""
import numpy as np
import pytest
from scipy.stats import binom, poisson

from mlmon.drift.dependence import pair_p, skewed_p


def numeric(a, b):
    return ("numeric", a), ("numeric", b)


def flipped(n, m, seed, rho=0.5):
    rng = np.random.default_rng(seed)

    def draw(size, r):
        x = rng.normal(size=(size, 4))
        x[:, 1] = r * x[:, 0] + np.sqrt(1 - r**2) * x[:, 1]
        return x
    a, b = draw(n, rho), draw(m, -rho)
    return [numeric(a[:, i], b[:, i]) for i in range(4)]


@pytest.mark.parametrize("n, m", [(100, 100), (400, 300), (800, 900), (20_000, 600)])
def test_a_flipped_correlation_is_found_and_named(n, m):
    # Marginals are as before, the pair 0 and 1 is not; both the permuted and the limit's route see it.
    pairs = pair_p(flipped(n, m, 0), seed=0)
    assert pairs[0][:2] == (0, 1) and pairs[0][2] < 1e-2
    assert [p for *_, p in pairs] == sorted(p for *_, p in pairs)


def test_a_category_that_goes_with_a_number_is_found():
    # Which level goes with large values changes; neither feature changes by itself.
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=600), rng.normal(size=600)
    pairs = pair_p([numeric(x, y), (("categorical", (x > 0).astype(int)), ("categorical", (y < 0).astype(int)))], 0)
    assert pairs[0][:2] == (0, 1) and pairs[0][2] < 1e-6


def test_a_change_of_one_feature_alone_moves_nothing():
    # Each feature is ranked within its own sample: rising maps change no product.
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(300, 3)), rng.normal(size=(300, 3))
    before = pair_p([numeric(a[:, i], b[:, i]) for i in range(3)], 0)
    assert pair_p([numeric(a[:, i], np.exp(5 * b[:, i]) + 99) for i in range(3)], 0) == before


@pytest.mark.parametrize("features", [[], [numeric(np.arange(20.0), np.arange(20.0))],
                                      [numeric(np.arange(20.0), np.arange(20.0)), numeric(np.ones(20), np.ones(20))],
                                      [numeric(np.arange(20.0), np.arange(20.0)), numeric(np.full(20, np.nan), np.full(20, np.nan))]],
                         ids=["none", "one", "a constant", "all missing"])
def test_fewer_than_two_features_that_vary_have_no_pair(features):
    assert pair_p(features, 0) == []


def clean_p(draw, n, m, k, reps):
    for seed in range(reps):
        rng = np.random.default_rng([seed, n, m])
        a, b = draw(rng, (n, k)), draw(rng, (m, k))
        found = pair_p([numeric(a[:, i], b[:, i]) for i in range(k)], seed)
        yield min((p for *_, p in found), default=1.0)


@pytest.mark.parametrize("n, m", [(60, 60), (700, 700), (6000, 550)])
@pytest.mark.parametrize("law", ["normal", "one in fifty"])
def test_independent_features_keep_the_level(law, n, m):
    # At 5 % no more than a binomial's share of clean pairs; two rare levels meet in a few rows only.
    draw = {"normal": lambda rng, size: rng.normal(size=size), "one in fifty": lambda rng, size: rng.binomial(1, 0.02, size).astype(float)}[law]
    alarms = sum(p <= 0.05 for p in clean_p(draw, n, m, 8, 60))
    assert alarms <= binom.isf(1e-6, 60, 0.05)


def test_a_skewed_p_is_close_to_the_counts_own():
    # A Poisson count has skewness 1 / sqrt(mean): its tail, within a factor of three where the normal errs by thousands.
    for mean, count in ((0.2, 2), (0.2, 3), (1, 5), (5, 14)):
        p = float(skewed_p(np.array((count - mean) / mean**0.5), np.array(mean**-0.5)))
        exact = 2 * poisson.sf(count - 1, mean)
        assert exact / 3 < p < exact * 3
    assert float(skewed_p(np.array(2.0), np.array(0.0))) == pytest.approx(0.0455, abs=1e-3)
    assert float(skewed_p(np.array(-2.0), np.array(3.0))) == pytest.approx(0.0455, abs=1e-3)
