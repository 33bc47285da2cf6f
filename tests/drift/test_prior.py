"""Shares of the classes before labels: closed forms, other solvers, honest errors, and what is refused and what is not seen."""
import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from scipy.stats import binom, chi2
from sklearn.linear_model import LogisticRegression

from mlmon.drift.prior import adjust_prior, estimate_prior
from mlmon.drift.verdict import Verdict

METHODS = pytest.mark.parametrize("method", ["bbse", "em"])
MEANS = np.array([[0, 0, 0], [1.5, -1, 0]])                  # of three features, in each class
THREE = np.array([[0, 0, 0], [1.5, 0, 0], [0, 1.5, 0.5]])


def draw(rng, n, shares, means=MEANS):
    """Features and labels: normal in each class, so that P(y|x) is logistic."""
    y = rng.choice(len(shares), n, p=shares)
    return means[y] + rng.normal(size=(n, 3)), y


def truth(X, shares, means=MEANS):
    """P(y|x) by Bayes' rule."""
    density = np.exp(X @ means.T - (means**2).sum(axis=1) / 2) * shares
    density /= density.sum(axis=1, keepdims=True)
    return density[:, 1] if len(shares) == 2 else density


def estimate(seed, n, m, before, now, *, means=MEANS, change=None, features=True, **options):
    """One estimate in this world; `change` alters today's rows."""
    rng = np.random.default_rng(seed)
    (X, y), (Z, z) = draw(rng, n, before, means), draw(rng, m, now, means)
    if change:
        Z, z = change(rng, Z, z)
    pair = (X, Z) if features else None
    return estimate_prior(truth(X, before, means), y, truth(Z, before, means), features=pair, **options), z


# --- the two methods -------------------------------------------------------------

def test_bbse_of_hard_predictions_inverts_the_confusion_matrix():
    # Lipton et al.: w = C^-1 mu, C the joint shares of prediction and label, and shares = w times the old ones.
    rng = np.random.default_rng(1)
    y, predicted, today = rng.choice(3, 900, p=[0.5, 0.3, 0.2]), None, rng.choice(3, 500, p=[0.2, 0.3, 0.5])
    predicted = np.where(rng.random(900) < 0.7, y, rng.choice(3, 900))
    C = np.array([[np.mean((predicted == i) & (y == j)) for j in range(3)] for i in range(3)])
    w = np.linalg.solve(C, np.bincount(today) / 500)
    result = estimate_prior(predicted, y, today)
    assert result.raw == pytest.approx(w * np.bincount(y) / 900)


def test_bbse_by_hand():
    # 80 % of class 1 and 20 % of class 0 are called 1; today half are: (0.5 - 0.2) / (0.8 - 0.2) = 1/2.
    y = np.repeat([0, 1], [500, 100])
    predicted = np.r_[np.repeat([0, 1], [400, 100]), np.repeat([0, 1], [20, 80])]
    result = estimate_prior(predicted, y, np.repeat([0, 1], [150, 150]))
    assert result.raw == pytest.approx((0.5, 0.5))
    # Delta method: today's error, and both rates' own.
    variance = 0.25 / 300 + 0.5**2 * (0.16 / 500 + 0.16 / 100)
    half = (result.high[1] - result.low[1]) / 2
    assert half == pytest.approx(1.96 * math.sqrt(variance) / 0.6, rel=1e-3)


def test_em_finds_the_likeliest_shares():
    # Today's likelihood, maximised by scipy instead.
    rng = np.random.default_rng(2)
    (X, y), (Z, _) = draw(rng, 800, [0.7, 0.3]), draw(rng, 600, [0.4, 0.6])
    p, q, base = truth(X, [0.7, 0.3]), truth(Z, [0.7, 0.3]), np.bincount(y) / 800

    def loss(share):
        return -np.log((1 - q) / base[0] * (1 - share) + q / base[1] * share).sum()

    best = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
    assert estimate_prior(p, y, q, method="em", calibrate=False).raw[1] == pytest.approx(best, abs=1e-6)


def test_em_calibrates_first():
    # Distorted probabilities give what their calibration by logistic regression gives.
    rng = np.random.default_rng(3)
    (X, y), (Z, _) = draw(rng, 3000, [0.7, 0.3]), draw(rng, 2000, [0.4, 0.6])
    p, q = (expit(logit(truth(A, [0.7, 0.3])) / 2 + 1) for A in (X, Z))
    model = LogisticRegression(C=1e12, tol=1e-10).fit(logit(p)[:, None], y)
    mended = (model.predict_proba(logit(x)[:, None])[:, 1] for x in (p, q))
    by_hand = estimate_prior(next(mended), y, next(mended), method="em", calibrate=False)
    ours, raw = (estimate_prior(p, y, q, method="em", calibrate=c) for c in (True, False))
    assert ours.raw[1] == pytest.approx(by_hand.raw[1], abs=1e-4)
    assert abs(ours.raw[1] - 0.6) < 0.06 < abs(raw.raw[1] - 0.6)


@METHODS
@pytest.mark.parametrize("now", [0.1, 0.3, 0.6])
def test_new_shares_are_found(method, now):
    # 5,000 rows each: the audit's standard deviations of one estimate, four of them.
    sd = {"bbse": {0.1: 0.009, 0.3: 0.012, 0.6: 0.015}, "em": {0.1: 0.006, 0.3: 0.008, 0.6: 0.011}}[method][now]
    errors = [estimate([s, 5], 5000, 5000, [0.7, 0.3], [1 - now, now], features=False, method=method)[0].raw[1] - now for s in range(6)]
    assert np.abs(errors).max() < 4 * max(sd, 0.0125)       # this world's classes overlap more
    assert abs(np.mean(errors)) < 4 * max(sd, 0.0125) / math.sqrt(6)


@METHODS
def test_three_classes_as_well(method):
    # Within four of its own standard errors, which the intervals carry.
    result, _ = estimate(4, 4000, 3000, [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], means=THREE, method=method)
    assert result.drifted and sum(result.prior) == pytest.approx(1)
    for share, low, high, true in zip(result.prior, result.low, result.high, (0.2, 0.3, 0.5)):
        assert abs(share - true) < (high - low) / 2 * 4 / 2.39


@METHODS
def test_the_stated_error_is_the_error(method):
    # 80 estimates, most of their error from the reference: the squared z follow chi-squared, and 95 % of the intervals cover.
    found = [estimate([s, 6], 500, 2000, [0.8, 0.2], [0.6, 0.4], features=False, method=method)[0] for s in range(80)]
    z = [(r.raw[1] - 0.4) / ((r.high[1] - r.low[1]) / 3.92) for r in found if r.prior]
    assert chi2.ppf(1e-4, len(z)) < np.sum(np.square(z)) < chi2.isf(1e-4, len(z))
    assert np.sum(np.abs(z) > 1.96) <= binom.isf(1e-5, len(z), 0.05)


@METHODS
def test_the_reference_is_a_sample_too(method):
    # However many rows today: the error of 300 labelled ones stays.
    result, _ = estimate(1, 300, 30_000, [0.7, 0.3], [0.7, 0.3], features=False, method=method)
    assert result.high[1] - result.low[1] > 0.05


def test_a_class_that_is_gone_gets_the_share_zero():
    # The equations may say less than nothing; the share is clipped, `raw` is not, and it is no misfit.
    found = [estimate([s, 7], 2000, 1000, [0.7, 0.3], [1, 0])[0] for s in range(12)]
    below = [r for r in found if r.raw[1] < 0 and r.prior]
    assert below and all(r.prior == (1, 0) and r.low[1] == 0 and r.drifted for r in below)
    assert sum(r.prior is None for r in found) <= binom.isf(1e-6, 12, 0.05)


@pytest.mark.parametrize("now, drifted", [(0.3, False), (0.5, True)])
def test_the_verdict_is_on_the_shares(now, drifted):
    # No change: alarms within a binomial's reach; 20 points with 1,000 rows: always.
    found = [estimate([s, 8], 1000, 1000, [0.7, 0.3], [1 - now, now], features=False)[0] for s in range(30)]
    alarms = sum(r.drifted for r in found)
    assert alarms == sum(r.prior is not None for r in found) if drifted else alarms <= binom.isf(1e-6, 30, 0.05)


# --- the check -------------------------------------------------------------------

@METHODS
@pytest.mark.parametrize("n, m, before, now", [(500, 400, (0.7, 0.3), (0.4, 0.6)), (1500, 500, (0.95, 0.05), (0.85, 0.15))])
def test_pure_label_shift_is_seldom_refused(method, n, m, before, now):
    # At alpha, whatever the shift: 40 shifts within a binomial's reach.
    found = [estimate([s, 9], n, m, before, now, method=method)[0] for s in range(40)]
    assert sum(r.prior is None for r in found) <= binom.isf(1e-6, 40, 0.05)
    assert all(r.consistency is not None for r in found)


def covariate(rng, X, y):
    """P(y|x) is kept and the first feature moves up by a deviation."""
    X = X + [1, 0, 0]
    return X, (rng.random(len(X)) < truth(X, [0.7, 0.3])).astype(int)


def camouflage(rng, X, y):
    """Class 1 learns to look like class 0, in one feature."""
    return X - 0.8 * y[:, None] * [1, 0, 0], y


def newcomers(rng, X, y):
    """A tenth of the rows are of a class that the reference has not."""
    some = rng.random(len(X)) < 0.1
    return np.where(some[:, None], rng.normal([3, 3, 0], 0.5, X.shape), X), y


@METHODS
@pytest.mark.parametrize("change", [covariate, camouflage, newcomers])
def test_other_shifts_are_refused(method, change):
    # The mixture does not fit, and says in what. The first two would be off by more than four points, six standard errors.
    for seed in range(3):
        result, z = estimate(seed, 4000, 4000, [0.7, 0.3], [0.7, 0.3], change=change, method=method)
        assert result.prior is None and result.verdict is Verdict.UNDECIDED and not result.drifted
        assert abs(result.raw[1] - z.mean()) > 0.04 or change is newcomers
        assert result.consistency <= 0.05 and result.misfits and "no mixture" in result.reason
        with pytest.raises(ValueError, match="prior needs an estimate"):
            result.correct([0.5])


def test_features_show_what_scores_hide():
    # A feature that the model does not use moves by a fifth of a deviation: scores stay as they are.
    def change(rng, X, y):
        return X + [0, 0, 0.2], y

    with_features, without = (estimate(1, 3000, 3000, [0.7, 0.3], [0.7, 0.3], change=change, features=f)[0] for f in (True, False))
    assert with_features.misfits == ("x2",) and without.prior is not None


def test_concept_drift_that_keeps_the_rows_cannot_be_seen():
    # A fifth of the labels turn around, no row changes: nothing in unlabelled data says so, and the share is wrong.
    def flip(rng, X, y):
        turned = rng.random(len(y)) < 0.2
        return X, np.where(turned, 1 - y, y)

    wrong = [(r, z) for r, z in (estimate([s, 10], 3000, 3000, [0.7, 0.3], [0.7, 0.3], change=flip) for s in range(8))]
    assert sum(r.prior is None for r, _ in wrong) <= binom.isf(1e-6, 8, 0.05)
    assert all(abs(r.raw[1] - z.mean()) > 0.04 for r, z in wrong)


@METHODS
def test_predictions_that_do_not_tell_classes_apart_are_refused(method):
    # A coin, a constant, and two of three classes alike: their equations are singular, or as good as.
    rng = np.random.default_rng(1)
    y, coin = rng.choice(3, 1000), rng.dirichlet([1, 1, 1], 1000)
    two = rng.dirichlet([1, 1, 1], 1000)
    two[y == 0] = rng.dirichlet([6, 1, 1], (y == 0).sum())
    for p in (coin, np.full((1000, 3), 1 / 3), two):
        result = estimate_prior(p, y, p[:500], method=method)
        assert result.prior is result.raw is None and "do not tell the classes apart" in result.reason
    assert estimate_prior([0.3] * 100, [0, 1] * 50, [0.3] * 100, method=method).verdict is Verdict.UNDECIDED


def test_predicted_classes_leave_nothing_to_check_by():
    # As many equations as unknowns: the estimate is there, and undecided; features can check it.
    rng = np.random.default_rng(5)
    (X, y), (Z, z) = draw(rng, 2000, [0.7, 0.3]), draw(rng, 2000, [0.4, 0.6])
    hard = [np.where(truth(A, [0.7, 0.3]) > 0.5, "bad", "good") for A in (X, Z)]
    names = np.array(["good", "bad"])[y]
    alone, checked = (estimate_prior(hard[0], names, hard[1], features=f) for f in (None, (X, Z)))
    assert alone.verdict is Verdict.UNDECIDED and alone.consistency is None and "nothing is left" in alone.reason
    assert alone.prior == checked.prior and checked.drifted and checked.classes == ("bad", "good")
    assert checked.prior[0] == pytest.approx(0.6, abs=0.08)


@METHODS
def test_a_share_beyond_its_limits_is_a_misfit(method):
    # All scores above those of class 1: no mixture has such a mean.
    rng = np.random.default_rng(6)
    y = rng.choice(2, 2000)
    result = estimate_prior(np.clip(rng.normal(0.3 + 0.3 * y, 0.1), 0.01, 0.99), y, np.clip(rng.normal(0.8, 0.1, 1000), 0.01, 0.99), method=method)
    assert result.prior is None and "predictions" in result.misfits and ("range" in result.misfits or method == "em")


def test_categories_and_gaps_are_checked_too():
    # A channel that nobody came by before, and a feature that is suddenly missing.
    rng = np.random.default_rng(7)
    (X, y), (Z, _) = draw(rng, 1500, [0.7, 0.3]), draw(rng, 1000, [0.5, 0.5])
    before = pd.DataFrame({"c": rng.choice(list("ab"), 1500), "g": np.where(rng.random(1500) < 0.1, np.nan, X[:, 2])})
    now = pd.DataFrame({"c": rng.choice(list("ab"), 1000), "g": np.where(rng.random(1000) < 0.1, np.nan, Z[:, 2])})
    p, q = truth(X, [0.7, 0.3]), truth(Z, [0.7, 0.3])
    assert estimate_prior(p, y, q, features=(before, now)).drifted
    new = now.assign(c=np.where(rng.random(1000) < 0.1, "new", now["c"]))
    gone = now.assign(g=now["g"].where(rng.random(1000) < 0.8))
    assert estimate_prior(p, y, q, features=(before, new)).misfits == ("c",)
    assert estimate_prior(p, y, q, features=(before, gone)).misfits == ("g",)


# --- what is done with it ----------------------------------------------------------

def test_adjusted_probabilities_are_bayes_rule():
    # N(0,1) against N(2,1): the posterior under the new shares, in closed form.
    x = np.linspace(-3, 5, 50)
    posterior = [expit(2 * x - 2 + logit(share)) for share in (0.1, 0.4)]
    assert adjust_prior(posterior[0], [0.9, 0.1], [0.6, 0.4]) == pytest.approx(posterior[1])
    both = adjust_prior(np.column_stack([1 - posterior[0], posterior[0]]), [0.9, 0.1], [0.6, 0.4])
    assert both[:, 1] == pytest.approx(posterior[1]) and both.sum(axis=1) == pytest.approx(1)
    assert adjust_prior(posterior[0], [0.9, 0.1], [0.9, 0.1]) == pytest.approx(posterior[0])


def test_an_estimate_corrects_the_probabilities():
    # Their mean becomes the share that was found, as the true ones' does.
    rng = np.random.default_rng(8)
    (X, y), (Z, z) = draw(rng, 5000, [0.9, 0.1]), draw(rng, 5000, [0.6, 0.4])
    p, q = truth(X, [0.9, 0.1]), truth(Z, [0.9, 0.1])
    result = estimate_prior(p, y, q, method="em")
    assert abs(q.mean() - z.mean()) > 0.1
    assert abs(result.correct(q).mean() - z.mean()) < 0.04


@pytest.mark.parametrize("p, before, after, words", [
    ([0.5], [0.5, 0.6], [0.5, 0.5], "before needs shares that sum to 1"), ([1.5], [0.5, 0.5], [0.5, 0.5], "numbers from 0 to 1"),
    ([[0.2, 0.3, 0.5]], [0.5, 0.5], [0.5, 0.5], "a column for each share"), ([0.5], [0, 1], [0.5, 0.5], "shares above 0"), ([np.nan], [0.5, 0.5], [0.5, 0.5], "finite")])
def test_adjusting_checks_what_comes(p, before, after, words):
    with pytest.raises(ValueError, match=words):
        adjust_prior(p, before, after)


# --- no input passes in silence -----------------------------------------------------

Y, P = np.tile([0, 0, 1], 60), np.tile([0.2, 0.4, 0.7], 60)


@pytest.mark.parametrize("arguments, options, words", [
    ((P, Y, P), {"method": "magic"}, "method needs one of"), ((P, Y[:-1], P), {}, "labels needs one for each row"),
    ((P, [None, *Y[1:]], P), {}, "labels needs a class for each row, got 1 missing"), ((P, Y, [np.nan, *P]), {}, "current needs a prediction"),
    ((P * 9, Y, P), {"method": "em"}, "probabilities from 0 to 1"), ((np.c_[P, P, P], Y, P), {}, "a column for each of the 2 classes"),
    ((Y.astype(str), Y.astype(str), ["7"] * 50), {}, "predicted classes among 0, 1, got"), ((P, Y, P), {"features": P}, "features needs a pair"),
    ((P, Y, P), {"features": (P[:5], P)}, "a row for each prediction"), ((P, Y, P), {"alpha": 2}, "alpha needs"),
])
def test_bad_input_is_refused(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        estimate_prior(*arguments, **options)


@METHODS
@pytest.mark.parametrize("arguments, words", [
    ((P, Y * 0, P), "two classes"), ((P[:30], Y[:30], P), "at least 20 rows of each class, got 10 of class 1"), ((P, Y, P[:5]), "current sample needs at least 20 rows"),
])
def test_too_little_is_undecided(method, arguments, words):
    result = estimate_prior(*arguments, method=method)
    assert result.verdict is Verdict.UNDECIDED and words in result.reason and result.prior is None


def test_perfect_predictions_cannot_be_calibrated():
    # The likeliest slope is infinite; bbse needs no calibration.
    p = np.where(Y == 1, 0.9, 0.1)
    assert "without an error" in estimate_prior(p, Y, p, method="em").reason
    assert estimate_prior(p, Y, p).raw[1] == pytest.approx(1 / 3)


checked = settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck), database=None)
score = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, math.nan]))
scores = st.one_of(
    st.lists(score, max_size=8), st.lists(st.floats(-5, 5), max_size=8), st.lists(st.integers(0, 2), max_size=8), st.lists(st.sampled_from("ab"), max_size=8),
    st.lists(st.one_of(st.booleans(), st.none()), max_size=8), st.just([math.inf] * 4), st.just([[0.2, 0.8]] * 4))
known = st.one_of(st.lists(st.integers(0, 2), max_size=8), st.lists(st.sampled_from("ab"), max_size=8), st.lists(st.one_of(st.booleans(), st.none()), max_size=8))


@METHODS
@pytest.mark.filterwarnings("error::RuntimeWarning")
@checked
@given(p=scores, y=known, q=scores, n=st.sampled_from([0, 5, 90]), m=st.sampled_from([0, 5, 60]), f=st.booleans())
def test_an_estimate_answers_or_refuses(method, p, y, q, n, m, f):
    # Shares that sum to 1 within their limits, or none, with a reason, or an error in the house's words.
    p, y, q = ((list(values) * size)[:size] for values, size in ((p, n), (y, n), (q, m)))
    try:
        result = estimate_prior(p, y, q, method=method, features=(np.sin(np.arange(n)), np.cos(np.arange(m))) if f and n and m else None)
    except ValueError as error:
        assert "need" in str(error) and "got" in str(error), str(error)
        return
    json.dumps(dataclasses.asdict(result), allow_nan=False)
    assert result.reason and (result.verdict is Verdict.UNDECIDED or result.consistency is not None)
    if result.prior is None:
        assert result.verdict is Verdict.UNDECIDED and result.pvalue is None
    else:
        assert sum(result.prior) == pytest.approx(1) and all(0 <= low <= high <= 1 for low, high in zip(result.low, result.high))


