"""Performance before labels: right where P(X) moves, blind where P(y|X) does, told of a new prior."""
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binom
from sklearn import metrics as sk

from mlmon.drift.cbpe import METRICS, CBPE

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
REALISED = {
    "auc": sk.roc_auc_score, "pr_auc": sk.average_precision_score, "brier": sk.brier_score_loss, "log_loss": sk.log_loss,
    "accuracy": lambda y, s: sk.accuracy_score(y, s >= 0.5), "precision": lambda y, s: sk.precision_score(y, s >= 0.5),
    "recall": lambda y, s: sk.recall_score(y, s >= 0.5), "f1": lambda y, s: sk.f1_score(y, s >= 0.5),
    "cost": lambda y, s: np.mean(1 * ((s >= 0.5) & (y == 0)) + 5 * ((s < 0.5) & (y == 1))),
}


def world(seed, n=5000, shift=0.0, flip=False, share=None, sharp=0.6):
    """A model that is too timid (its log-odds are `sharp` times the true ones) meets rows of this world."""
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, (4 * n if share is not None else n, 2))
    truth = expit(1.5 * x[:, 0] * (-1 if flip else 1) + x[:, 1] - 0.5)
    y = (rng.random(len(x)) < truth).astype(int)
    score = expit(sharp * (1.5 * x[:, 0] + x[:, 1] - 0.5))
    if share is not None:
        ones = round(share * n)
        rows = np.r_[np.flatnonzero(y == 1)[:ones], np.flatnonzero(y == 0)[: n - ones]]
        y, score = y[rows], score[rows]
    return y, score


def estimator(**settings):
    return CBPE(*world(1), costs=(1, 5), **settings)


# --- the numbers ---------------------------------------------------------------------------

def test_by_hand():
    # Chances 0.9, 0.8, 0.3: of three rows 0.9 + 0.8 + 0.7 are right; of two called 1.7 are hits; 2 are positive.
    plain = CBPE(*world(1), calibration="none", costs=(1, 5))
    expected = {"accuracy": 2.4 / 3, "precision": 1.7 / 2, "recall": 1.7 / 2, "f1": 1.7 / 2, "brier": (0.09 + 0.16 + 0.21) / 3, "cost": (0.3 + 5 * 0.3) / 3}
    for metric, value in expected.items():
        assert plain.estimate(metric, [0.9, 0.8, 0.3]).value == pytest.approx(value)


def test_auc_is_the_share_of_pairs_by_weight():
    # Each row is p rows of class 1 and 1 - p of class 0: the double sum over pairs, ties and a row with itself one half.
    p = np.array([0.9, 0.8, 0.3, 0.3, 0.1])
    pairs = sum(p[i] * (1 - p[j]) * (0.5 if p[i] == p[j] else p[i] > p[j]) for i, j in itertools.product(range(5), repeat=2))
    found = CBPE(*world(1), calibration="none").estimate("auc", p).value
    assert found == pytest.approx(pairs / (p.sum() * (1 - p).sum()))


@pytest.mark.parametrize("metric", METRICS)
def test_certain_scores_give_the_metric_itself(metric):
    # If every chance is 0 or 1 nothing is left to estimate: the metric of labels that the rule gives.
    y, s = world(2, 800, sharp=1)
    sure = CBPE(y, s, calibration="none", costs=(1, 5))
    value = sure._measured(metric, y[None, :].astype(float), s)[0]
    assert value == pytest.approx(REALISED[metric](y, s), rel=1e-9)


@pytest.mark.parametrize("calibration", ["isotonic", "logistic"])
def test_calibration_undoes_a_timid_model(calibration):
    # By construction the true log-odds are the score's over 0.6; with 20,000 labels either curve is within 0.05 of them.
    fitted = CBPE(*world(1, 20_000), calibration=calibration)
    scores = np.linspace(0.2, 0.8, 25)
    truth = expit(np.log(scores / (1 - scores)) / 0.6)
    assert np.abs(fitted.probability(scores) - truth).max() < 0.05
    assert np.all(np.diff(fitted.probability(scores)) >= 0)


# --- what it sees, and what not ------------------------------------------------------------------

@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0])
def test_it_follows_the_inputs(shift):
    # P(X) moves by up to two deviations, P(y|X) stays: estimated and true accuracy agree within 0.02.
    y, s = world(3, shift=shift)
    found = estimator().estimate("accuracy", s)
    assert found.value == pytest.approx(sk.accuracy_score(y, s >= 0.5), abs=0.02)
    assert abs(shift) < 1 or abs(found.value - estimator().estimate("accuracy", world(1)[1]).value) > 0.02


def test_it_cannot_see_the_concept_drift():
    # The sign of one effect turns around; the scores look as ever, and so does the estimate: off by more than 0.2.
    y, s = world(4, flip=True)
    found, true = estimator().estimate("accuracy", s), sk.accuracy_score(y, s >= 0.5)
    assert found.value - true > 0.2 and found.low > true
    assert found.value == pytest.approx(estimator().estimate("accuracy", world(5)[1]).value, abs=0.02)


@pytest.mark.parametrize("share", [0.15, 0.8])
def test_a_new_prior_misleads_it_until_it_is_told(share):
    # Each class looks as ever, its share changes from 0.42: without the new share the error is large, with it within 0.015.
    y, s = world(6, share=share)
    true = sk.accuracy_score(y, s >= 0.5)
    untold, told = estimator().estimate("accuracy", s), estimator().estimate("accuracy", s, prior=share)
    assert abs(untold.value - true) > 0.025 and abs(told.value - true) < 0.015


def test_the_same_prior_changes_nothing():
    fitted = estimator()
    assert fitted.probability([0.2, 0.7], prior=fitted.prior) == pytest.approx(fitted.probability([0.2, 0.7]))


@pytest.mark.parametrize("calibration, learned, n", [("logistic", 400, 2000), ("isotonic", 2000, 400)])
def test_the_intervals_hold_what_comes_true(calibration, learned, n):
    # The curve's error and the labels' chance both count: 95 % of the realised metrics lie inside, held to 90 %.
    runs, missed = 20, dict.fromkeys(REALISED, 0)
    for run in range(runs):
        y, s = world([run, 7], n)
        table = CBPE(*world([run, 8], learned), costs=(1, 5), calibration=calibration).table(s)
        for name, metric in REALISED.items():
            missed[name] += not table.loc[name, "low"] <= metric(y, s) <= table.loc[name, "high"]
    assert max(missed.values()) <= binom.isf(1e-6, runs, 0.1), missed


def test_an_interval_is_as_wide_as_labels_vary():
    # Accuracy of known chances is a mean of n coins: its standard error is sqrt(sum p (1 - p)) / n, ends within 12 %.
    p = np.random.default_rng(0).random(900)
    found = CBPE(*world(1), calibration="none").estimate("accuracy", p)
    assert found.high - found.low == pytest.approx(2 * 1.96 * math.sqrt(np.sum(p * (1 - p))) / 900, rel=0.12)


# --- at the door -----------------------------------------------------------------------------------

def test_the_table_has_every_metric():
    table = estimator().table(world(9, 300)[1])
    assert list(table.index) == list(METRICS) and ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    assert "cost" not in CBPE(*world(1)).table(world(9, 300)[1]).index


@pytest.mark.parametrize("metric, score, words", [
    ("accuracy", [], "no predictions"), ("precision", [0.1] * 20, "no value: a class is not expected, or not foretold"), ("auc", [0.0] * 20, "no value"),
], ids=["empty", "none called", "none expected"])
def test_what_has_no_value_says_why(metric, score, words):
    # Never nan.
    found = CBPE(*world(1), calibration="none").estimate(metric, score)
    assert found.value is None and words in found.reason


@pytest.mark.parametrize("call, words", [
    (lambda: CBPE([0] * 50, [0.5] * 50), "y_true needs at least 20 labels of each class, got 0"), (lambda: CBPE([], []), "y_true needs at least 20 labels"),
    (lambda: CBPE([0, 1] * 30, np.arange(60)), "score needs probabilities"), (lambda: CBPE([0, 2] * 30, [0.5] * 60), "y_true needs labels 0 and 1"),
    (lambda: CBPE([0, 1] * 30, [0.5] * 60, calibration="beta"), "calibration needs one of"), (lambda: CBPE([0, 1] * 30, [0.5] * 60, threshold=50), "threshold needs"),
    (lambda: estimator().estimate("mcc", [0.5]), "metric needs one of"), (lambda: estimator().estimate("auc", [1.5]), "score needs probabilities"),
    (lambda: estimator().estimate("auc", [math.nan]), "score needs finite"), (lambda: CBPE(*world(1)).estimate("cost", [0.5]), "costs needs"),
    (lambda: estimator().estimate("auc", [0.5], prior=3), "prior needs"), (lambda: estimator().estimate("auc", [0.5], confidence=2), "confidence needs"),
])
def test_bad_input_is_refused_in_the_callers_words(call, words):
    with pytest.raises(ValueError, match=f"^{words}") as told:
        call()
    assert ", got " in str(told.value) and str(told.value).endswith(".")


FITTED = CBPE(*world(1, 500), calibration="logistic", costs=(1, 5))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(score=st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5])), max_size=30), metric=st.sampled_from(METRICS),
       prior=st.one_of(st.none(), st.sampled_from([0.0, 0.01, 0.5, 1.0])))
def test_every_batch_gets_an_estimate_or_a_reason(score, metric, prior):
    found = FITTED.estimate(metric, score, prior=prior)
    if found.value is None:
        assert found.reason
    else:
        assert all(type(v) is float and math.isfinite(v) for v in (found.value, found.low, found.high)) and found.low <= found.value <= found.high
