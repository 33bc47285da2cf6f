"""The reference's tail, and values farther out than it reaches."""
import numpy as np
import pytest
from scipy.stats import binom, genpareto

from mlmon.drift.tail import MOST, fit_tail, tail_p


def ordered(law, n, seed):
    return np.sort(law(np.random.default_rng(seed), n))


def exponential(rng, n):
    return rng.exponential(size=n)


def normal(rng, n):
    return rng.normal(size=n)


def test_survival_starts_at_the_share_of_the_tail():
    # At its start a tenth of the reference lies beyond (200 values at most).
    for n, share in ((500, 0.1), (1000, 0.1), (10_000, MOST / 10_000)):
        tail = fit_tail(ordered(normal, n, 0))
        assert tail.share == pytest.approx(share) and tail.survival(tail.start) == pytest.approx(share)


@pytest.mark.parametrize("shape", [0.0, 0.3])
def test_the_fit_recovers_a_pareto_tail_and_errs_to_the_heavy_side(shape):
    # Excesses of a generalised Pareto law are one again: scale + shape * start. The shape is padded on purpose.
    fits = [fit_tail(np.sort(genpareto.rvs(shape, size=2000, random_state=seed))) for seed in range(60)]
    scale = np.array([fit.scale / (1 + shape * fit.start) for fit in fits])
    assert np.mean(scale) == pytest.approx(1, abs=0.1)
    assert np.mean([fit.shape > shape for fit in fits]) > 0.9


@pytest.mark.parametrize("law", [normal, exponential, lambda rng, n: rng.standard_t(3, n), lambda rng, n: rng.random(n)],
                         ids=["normal", "exponential", "t(3)", "uniform"])
def test_the_promised_tail_is_not_thinner_than_the_true_one(law):
    # A null p is at most alpha in no more than alpha of the pairs.
    pairs = (np.split(law(np.random.default_rng([9, seed]), 1000), 2) for seed in range(400))
    fits = ((fit_tail(np.sort(a)), b) for a, b in pairs)
    ps = np.array([tail_p(tail, b) if tail else 1.0 for tail, b in fits])
    assert np.sum(ps <= 0.05) <= binom.isf(1e-6, 400, 0.05)


def test_values_far_out_are_found():
    # Two per cent of the values at 20 deviations: no normal tail throws them.
    tail = fit_tail(ordered(normal, 500, 1))
    current = np.r_[np.random.default_rng(2).normal(size=490), np.full(10, 20.0)]
    assert tail_p(tail, current) < 1e-4


def test_a_few_values_beyond_the_last_say_nothing():
    # One new record is what chance gives half the time: ranks must first give odds of 1 in 100.
    tail = fit_tail(ordered(normal, 500, 1))
    assert tail_p(tail, np.r_[np.zeros(499), 1e6]) == 1
    assert tail_p(tail, np.zeros(500)) == 1


def test_farther_out_is_never_likelier():
    # A survival function falls.
    tail = fit_tail(ordered(normal, 500, 1))
    ps = [tail_p(tail, np.r_[np.zeros(480), np.full(20, tail.last + by)]) for by in (0.01, 0.5, 1, 3, 30)]
    assert ps == sorted(ps, reverse=True) and ps[-1] < ps[0]


def test_more_rows_add_no_certainty_about_the_tail():
    # The reference's tail is known by its own values: a hundred times the batch is not a hundred times the proof.
    tail = fit_tail(ordered(normal, 500, 3))
    ps = [tail_p(tail, np.tile(np.r_[np.zeros(480), np.full(20, tail.last + 1)], k)) for k in (1, 100)]
    assert ps[1] >= ps[0] / 100


def test_the_unit_does_not_matter():
    # Another unit stretches start, scale and values alike.
    x, y = ordered(normal, 500, 4), np.r_[np.zeros(480), np.linspace(3, 9, 20)]
    assert tail_p(fit_tail(x), y) == pytest.approx(tail_p(fit_tail(100 * x + 7), 100 * y + 7))


def test_ties_and_short_references_have_no_tail():
    # A continuation needs values that differ, and enough of them.
    assert fit_tail(np.sort(np.random.default_rng(0).poisson(2, 500).astype(float))) is None
    assert fit_tail(np.full(500, 3.0)) is None
    assert fit_tail(np.arange(15.0)) is None


def test_of_a_tail_without_a_variance_nothing_is_said():
    # A Cauchy's largest values double from batch to batch: fifty such features must not make every batch drift.
    fits = [fit_tail(np.sort(np.random.default_rng(seed).standard_cauchy(2000))) for seed in range(40)]
    assert sum(fit is None for fit in fits) >= 38


def test_among_many_features_more_values_are_needed():
    # Seven values beyond the last of 500 have odds of 1 in 128, enough for one feature, not for one of a hundred.
    tail = fit_tail(ordered(normal, 500, 1))
    current = np.r_[np.zeros(493), np.full(7, tail.last + 3)]
    assert tail_p(tail, current) < 1e-3 and tail_p(tail, current, features=100) == 1
