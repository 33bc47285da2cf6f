"""The measured model: the answers of the one inside, nothing lost in the counts, and no verdict where none can be given."""
import os
import subprocess
import sys
import threading
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from sklearn.svm import LinearSVC

from mlmon.data import scenarios
from mlmon.drift import Verdict
from mlmon.drift.metric import wilson
from mlmon.serving.fallback import CachedScore, Default, FallbackWarning, SimplerModel
from mlmon.serving.metrics import LABELS, Metrics
from mlmon.serving.model import MonitoredModel
from mlmon.serving.predictions import Cohort, PredictionLog
from mlmon.serving.quality import calibration_error, judge
from mlmon.serving.scorecard import Scorecard

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
Y = (X[:, 0] + RNG.normal(size=400) > 0).astype(int)
INNER = LogisticRegression().fit(X, Y)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


class Stub:
    """A model that gives, or raises, what it holds."""

    classes_ = np.array([0, 1])

    def __init__(self, given=None):
        self.given = given

    def predict_proba(self, X):
        if isinstance(self.given, BaseException):
            raise self.given
        scores = np.full(len(X), 0.7) if self.given is None else np.asarray(self.given, dtype=float)
        return np.column_stack([1 - scores, scores])


def watch(model=INNER, **settings):
    return MonitoredModel(model, **({"name": "m", "version": "1"} | settings))


def value(model, name, **labels):
    return model.metrics.value(name, model="m", version=labels.pop("of", "1"), **labels)


# --- the answers of the model ------------------------------------------------------

@pytest.mark.parametrize("inner, method", [
    (INNER, "predict"), (INNER, "predict_proba"), (LinearSVC().fit(X, Y), "predict"), (LinearRegression().fit(X, X[:, 1]), "predict"),
    (LogisticRegression().fit(X, np.digitize(X[:, 0], [-0.5, 0.5])), "predict_proba"),
    (LogisticRegression().fit(X, np.where(Y == 1, "yes", "no")), "predict"),
], ids=["classes", "probabilities", "no probabilities", "regressor", "three classes", "text"])
def test_the_answer_is_the_model_s_own(inner, method):
    # The wrapper adds nothing to the answer, for one row, many rows and a list.
    model = watch(inner)
    for rows in (X[:1], X, X[:5].tolist()):
        got, own = getattr(model, method)(rows), getattr(inner, method)(rows)
        assert got.dtype == own.dtype and (got == own).all()
    assert value(model, "mlmon_predictions_total", source="model") == 406
    assert value(model, "mlmon_requests_total", outcome="ok") == 3


def test_a_frame_goes_through_as_a_frame():
    # scikit-learn warns of missing names if it gets an array; a warning is an error here.
    frame = pd.DataFrame(X, columns=list("abc"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch(LogisticRegression().fit(frame, Y), reference=frame).predict_proba(frame)


def test_ask_gives_scores_decisions_and_ids():
    # The threshold is inclusive: 0.3 is decided for at 0.3.
    answer = watch(Stub([0.3, 0.29]), threshold=0.3).ask(X[:2], ids=["a", "b"])
    assert (answer.ids, answer.scores.tolist(), answer.decisions, answer.source) == (("a", "b"), [0.3, 0.29], (1, 0), "model")


def test_a_regressor_fitted_on_a_column_is_scored_all_the_same():
    # scikit-learn then answers in one column; that is still one number a row.
    inner = LinearRegression().fit(X, X[:, [1]])
    model = watch(inner)
    assert model.predict(X).shape == (400, 1) and np.allclose(model.ask(X).scores, X[:, 1])


def test_the_positive_class_can_be_the_first():
    answer = watch(Stub([0.3]), positive=0, threshold=0.6).ask(X[:1])
    assert answer.scores.tolist() == [0.7] and answer.decisions == (0,)


def test_many_classes_are_scored_by_their_own_probability():
    inner = LogisticRegression().fit(X, np.digitize(X[:, 0], [-0.5, 0.5]))
    answer = watch(inner).ask(X)
    assert answer.decisions == tuple(inner.predict(X).tolist()) and (answer.scores == inner.predict_proba(X).max(axis=1)).all()


# --- counts ------------------------------------------------------------------------

def test_scores_are_a_histogram_not_the_last_mean():
    # The chapter's gauge shows 0.9 after batches of 0.2 and 0.9; a histogram still holds both.
    inner = Stub()
    model = watch(inner)
    for inner.given in ([0.2] * 10, [0.9] * 10):
        model.predict_proba(X[:10])
    assert value(model, "mlmon_prediction_score_sum") == pytest.approx(11)
    assert value(model, "mlmon_prediction_score_bucket", le="0.5") == 10


def test_a_failed_call_is_counted_timed_and_raised_as_it_is():
    # The chapter's wrapper loses failures from its latency and raises NameError in place of the model's error.
    error = KeyError("age")
    ticks = iter([0.0, 0.2])
    model = watch(Stub(error), timer=lambda: next(ticks))
    with pytest.raises(KeyError) as caught:
        model.predict_proba(X[:1])
    assert caught.value is error and caught.value.__cause__ is None and caught.value.__context__ is None
    assert value(model, "mlmon_requests_total", outcome="error") == 1 and value(model, "mlmon_errors_total", error="KeyError") == 1
    assert value(model, "mlmon_prediction_latency_seconds_sum", size="one") == pytest.approx(0.2)
    assert value(model, "mlmon_requests_in_progress") == 0


def test_an_interrupted_call_is_counted_too():
    model = watch(Stub(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        model.ask(X[:1])
    assert value(model, "mlmon_requests_total", outcome="error") == 1 and value(model, "mlmon_requests_in_progress") == 0


def test_a_call_under_way_is_in_progress():
    model = watch(Stub())
    model.model.predict_proba = lambda rows: np.full((1, 2), value(model, "mlmon_requests_in_progress"))
    assert model.predict_proba(X[:1])[0, 0] == 1


def test_one_row_and_batches_have_latencies_of_their_own():
    model = watch()
    model.predict(X[:1]), model.predict(X[:2])
    assert [value(model, "mlmon_prediction_latency_seconds_count", size=size) for size in ("one", "batch")] == [1, 1]


def test_versions_are_told_apart():
    # One registry, two versions: a canary is compared by label.
    metrics = Metrics()
    for version, calls in (("1", 3), ("2", 1)):
        model = watch(version=version, metrics=metrics)
        for _ in range(calls):
            model.predict(X[:1])
    assert [value(model, "mlmon_requests_total", of=v, outcome="ok") for v in "12"] == [3, 1]


@pytest.mark.parametrize("scores, lost, outcome", [([0.2, np.nan], 1, "nonfinite"), ([np.inf, np.nan], 2, "nonfinite"), ([0.2, 0.3], 0, "ok")])
def test_a_score_that_is_no_number_is_counted_apart(scores, lost, outcome):
    # It neither enters the histogram nor becomes a decision, and no nan is exported.
    model = watch(Stub(scores))
    assert model.ask(X[:2]).decisions.count(None) == lost
    assert value(model, "mlmon_nonfinite_scores_total") == lost and value(model, "mlmon_requests_total", outcome=outcome) == 1
    assert value(model, "mlmon_prediction_score_count") == 2 - lost
    assert "nan" not in model.metrics.text()[0].lower()


def test_no_rows_are_what_the_model_makes_of_them():
    # scikit-learn refuses them; a model that does not gives nothing, counted as nothing. The chapter exports nan.
    model = watch()
    with pytest.raises(ValueError, match="0 sample"):
        model.predict_proba(X[:0])
    other = watch(Stub())
    assert len(other.ask(X[:0]).scores) == 0 and value(other, "mlmon_predictions_total", source="model") == 0
    assert all("nan" not in each.metrics.text()[0].lower() for each in (model, other))


def test_an_answer_of_the_wrong_shape_is_an_error():
    # The chapter reads column 1 of whatever comes.
    inner = Stub()
    inner.predict_proba = lambda rows: np.ones((len(rows), 3))
    with pytest.raises(ValueError, match=r"^model needs to give an answer of shape \(2, 2\) for 2 rows, got \(2, 3\)"):
        watch(inner).ask(X[:2])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=20))
def test_every_row_is_in_the_histogram_or_counted_as_lost(scores):
    model = watch(Stub(scores))
    model.ask(np.zeros((len(scores), 3)))
    assert value(model, "mlmon_prediction_score_count") + value(model, "mlmon_nonfinite_scores_total") == len(scores)
    assert value(model, "mlmon_predictions_total", source="model") == len(scores) == len(model.log)


# --- fallbacks ---------------------------------------------------------------------

def test_the_chain_is_asked_in_turn_and_counted_by_kind():
    # The cache has not seen the row, so the simpler model answers; what the model answered once, the cache knows.
    inner = Stub(OSError("down"))
    model = watch(inner, fallbacks=[CachedScore(seconds=60), SimplerModel(DummyClassifier(strategy="prior").fit(X, Y))])
    assert model.ask(X[:1]).fallback == "model"
    inner.given = None
    model.ask(X[:1])
    inner.given = OSError("down again")
    answer = model.ask(X[:1])
    assert (answer.source, answer.fallback, answer.scores.tolist()) == ("fallback", "cache", [0.7])
    assert [value(model, "mlmon_fallbacks_total", fallback=kind) for kind in ("model", "cache")] == [1, 1]
    assert [value(model, "mlmon_requests_total", outcome=o) for o in ("ok", "fallback", "error")] == [1, 2, 0]
    assert value(model, "mlmon_errors_total", error="OSError") == 2


def test_an_old_answer_is_not_served():
    clock = Clock()
    cache = CachedScore(seconds=60, clock=clock)
    cache.remember("predict", [[1.0, np.nan]], [0.5])
    clock.now += 60
    assert cache.answer("predict", [[1.0, np.nan]], None).tolist() == [0.5]
    clock.now += 1
    with pytest.raises(LookupError, match="^cache needs every row"):
        cache.answer("predict", [[1.0, np.nan]], None)


def test_a_cache_forgets_the_oldest_and_never_mixes_methods():
    cache = CachedScore(size=2)
    for row in range(3):
        cache.remember("predict", [[row]], [row])
    assert cache.answer("predict", [[1], [2]], None).tolist() == [1, 2]
    for rows, method in (([[0]], "predict"), ([[0], [1]], "predict"), ([[1]], "predict_proba"), ([], "predict")):
        with pytest.raises(LookupError):
            cache.answer(method, rows, None)


@pytest.mark.parametrize("inner, method, default, expected", [
    (Stub(), "predict_proba", 0.1, [[0.9, 0.1]]), (INNER, "predict", 0.9, [1]), (DummyRegressor().fit(X, Y), "predict", 4.5, [4.5]),
])
def test_a_default_answers_with_a_warning(inner, method, default, expected, monkeypatch):
    monkeypatch.setattr(inner, method, lambda rows: 1 / 0)
    model = watch(inner, fallbacks=[Default(default)])
    with pytest.warns(FallbackWarning, match="served in place of a prediction"):
        assert np.allclose(getattr(model, method)(X[:1]), expected)
    assert value(model, "mlmon_predictions_total", source="fallback") == 1


def test_when_nothing_answers_the_model_s_own_error_is_raised():
    error = OSError("down")
    model = watch(Stub(error), fallbacks=[CachedScore(), SimplerModel(Stub(ValueError("also down")))])
    with pytest.raises(OSError) as caught:
        model.ask(X[:1])
    assert caught.value is error and "also down" in "".join(error.__notes__)
    assert value(model, "mlmon_requests_total", outcome="error") == 1


# --- the log and its labels ----------------------------------------------------------

def test_a_late_label_finds_its_prediction():
    # Decided 1 at 0.7, true 0: a false positive, a day late, at its cost, under the version that answered.
    clock, log, metrics = Clock(), PredictionLog(), Metrics()
    old = watch(Stub(), log=log, metrics=metrics, clock=clock)
    old.ask(X[:1], ids=["a"])
    clock.now += 86400
    new = watch(Stub(), log=log, metrics=metrics, clock=clock, version="2", costs={"false_positive": 5})
    assert new.feedback("a", 0, value=3) == "joined"
    assert value(new, "mlmon_labelled_predictions_total", cell="false_positive") == 1
    assert value(new, "mlmon_mistake_cost_euros_total", mistake="false_positive") == 5 and value(new, "mlmon_revenue_euros_total") == 3
    assert value(new, "mlmon_label_delay_seconds_sum") == 86400
    assert (log.find("a").score, log.find("a").version, log.find("a").time) == (pytest.approx(0.7), "1", 1000)


def test_labels_are_counted_by_what_became_of_them():
    # Twice the same is one label, another one corrects it; money is counted once.
    model = watch(Stub())
    model.ask(X[:1], ids=["a"])
    assert [model.feedback("a", y, value=1) for y in (1, 1, 0)] == ["joined", "duplicate", "corrected"]
    assert model.feedback("b", 1) == "unknown" and model.log.find("a").label == "0"
    with pytest.raises(ValueError, match="^label needs one of 0, 1, got 2"):
        model.feedback("a", 2)
    assert [value(model, "mlmon_labels_total", result=r) for r in LABELS["result"]] == [1, 1, 1, 1, 1]
    assert value(model, "mlmon_revenue_euros_total") == 1


@pytest.mark.parametrize("label", [1, "1", 1.0, True, np.int64(1)])
def test_a_label_may_come_as_number_or_text(label):
    model = watch(Stub())
    model.ask(X[:1], ids=["a"])
    assert model.feedback("a", label) == "joined" and model.log.find("a").label == "1"


@pytest.mark.parametrize("label", [float("nan"), "7", None])
def test_a_regressor_s_label_is_a_finite_number(label):
    with pytest.raises(ValueError, match="^label needs a finite number"):
        watch(DummyRegressor().fit(X, Y)).feedback("a", label)


@pytest.mark.parametrize("money", [-1, float("inf"), "2", True])
def test_a_value_is_an_amount(money):
    with pytest.raises(ValueError, match="^value needs"):
        watch().feedback("a", 1, value=money)


def test_a_repeated_request_keeps_the_first_prediction():
    # What was decided first has happened; a retry does not change it.
    inner = Stub([0.9])
    model = watch(inner)
    model.ask(X[:1], ids=["a"])
    inner.given = [0.1]
    model.ask(X[:1], ids=["a"])
    assert model.log.find("a").score == pytest.approx(0.9) and len(model.log) == 1


def test_an_id_that_the_log_cannot_hold_is_refused():
    # Half a character would take the rows that wait beside it down with it.
    model = watch(Stub())
    model.ask(X[:1], ids=["a"])
    with pytest.raises(ValueError, match="^ids needs printable text"):
        model.ask(X[:1], ids=["\ud800"])
    assert model.log.find("a")


@pytest.mark.parametrize("ids", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_ids_that_do_not_fit_never_reach_the_model(ids):
    model = watch(Stub())
    with pytest.raises(ValueError, match="^ids needs one of its own for each of 2 rows"):
        model.ask(X[:2], ids=ids)
    assert value(model, "mlmon_requests_total", outcome="invalid") == 1 and value(model, "mlmon_requests_total", outcome="error") == 0


def test_the_log_outlives_its_process(tmp_path):
    first = PredictionLog(tmp_path / "log")
    first.add(["a"], 5.0, "1", [0.5], ["1"])
    second = PredictionLog(tmp_path / "log")      # while the first is open, as another worker's would be
    assert second.label("a", "1", 6.0)[0] == "joined" and first.label("a", "1", 7.0)[0] == "duplicate"


def test_old_predictions_are_dropped():
    log = PredictionLog(keep=10)
    for time in (0.0, 5.0):
        log.add([str(time)], time, "1", [0.5], ["1"])
    assert log.prune(12.0) == 1 and log.find("0.0") is None and log.find("5.0")


def test_a_monitor_that_fails_costs_nobody_the_answer(tmp_path):
    # A disk that is gone is the monitor's trouble: the caller gets the answer, and the trouble is counted.
    model = watch(Stub(), log=PredictionLog(tmp_path / "log"))
    model.log.close()
    assert model.ask(X[:1]).decisions == (1,)
    health = model.refresh()
    assert health.quality.undecided and "failed" in health.quality.reason
    assert [value(model, "mlmon_monitoring_errors_total", stage=stage) for stage in ("log", "quality")] == [1, 1]
    assert value(model, "mlmon_requests_total", outcome="ok") == 1 and value(model, "mlmon_quality_undecided") == 1


def test_rows_that_wait_are_found_and_none_waits_too_long():
    # In memory rows wait for somebody to ask, but never more than ten thousand and one call.
    log = PredictionLog()
    for part in range(3):
        log.add([f"{part}-{i}" for i in range(6000)], 0.0, "1", np.full(6000, 0.5), ("1",) * 6000)
        assert log._rows <= 10_000
    assert len(log) == 18_000 and log.find("0-5").score == 0.5


# --- quality -------------------------------------------------------------------------

def test_quality_is_what_scikit_learn_says():
    # Over a cohort with labels for two of three.
    scores = RNG.uniform(size=300).round(1)      # ties, as scores of a coarse model have them
    truth = (RNG.uniform(size=300) < scores).astype(int)
    labels = tuple(None if i % 3 == 0 else str(y) for i, y in enumerate(truth))
    found = judge(Cohort(scores, tuple(str(int(s >= 0.5)) for s in scores), labels), positive="1")
    known = np.array([label is not None for label in labels])
    y, s, d = truth[known], scores[known], (scores[known] >= 0.5).astype(int)
    assert (found.labels, found.coverage) == (200, pytest.approx(2 / 3))
    assert found.accuracy == pytest.approx(accuracy_score(y, d)) and found.auc == pytest.approx(roc_auc_score(y, s))
    assert found.precision == pytest.approx(precision_score(y, d)) and found.recall == pytest.approx(recall_score(y, d))
    assert found.f1 == pytest.approx(f1_score(y, d))


def test_wilson_holds_the_share_and_solves_its_equation():
    # The ends are where |share - p| is z standard errors of p: that is how Wilson defines them.
    for hits, n in ((0, 5), (5, 5), (3, 10), (970, 1000)):
        for p in wilson(hits / n, n, 1.959963984540054):
            if 0 < p < 1:
                assert abs(hits / n - p) == pytest.approx(1.959963984540054 * np.sqrt(p * (1 - p) / n))


def test_calibration_of_a_known_gap():
    # Score 0.8 everywhere, six of ten true: the gap is 0.2.
    assert calibration_error([True] * 6 + [False] * 4, [0.8] * 10) == pytest.approx(0.2)


@pytest.mark.parametrize("decisions, labels, says", [
    ("01" * 10, [None] * 20, "0 labels and needs"), ("01" * 20, ["0"] * 40, "of one class"), ("", [], "0 labels"),
])
def test_quality_that_cannot_be_known_is_undecided(decisions, labels, says):
    found = judge(Cohort(np.full(len(labels), 0.5), tuple(decisions), tuple(labels)), positive="1")
    assert found.undecided and says in found.reason and found.accuracy is None


def test_the_cohort_is_the_mature_one_of_this_version():
    # Labels take a day. Of predictions every hour for three days, those of the second day count.
    clock = Clock(0.0)
    model = watch(Stub(), clock=clock, maturity=86400, cohort_seconds=86400, least_labels=2)
    for hour in range(72):
        clock.now = 3600.0 * hour
        model.ask(X[:1], ids=[str(hour)])
        model.feedback(str(hour), int(24 <= hour < 36))
    clock.now = 72 * 3600.0
    found = model.refresh().quality
    assert (found.labels, found.accuracy) == (24, 0.5)      # all decided 1, half of that day was
    assert value(model, "mlmon_quality_ratio", measure="accuracy") == 0.5
    lower, upper = (value(model, "mlmon_quality_bound_ratio", measure="accuracy", bound=b) for b in ("lower", "upper"))
    assert lower < 0.5 < upper
    assert value(model, "mlmon_quality_undecided") == 0 and value(model, "mlmon_label_coverage_ratio") == 1


def test_quality_gauges_go_when_labels_stop():
    # A stale number would pass for health.
    clock = Clock(0.0)
    model = watch(Stub(), clock=clock, cohort_seconds=100, least_labels=4)
    for i in range(4):
        model.ask(X[:1], ids=[str(i)]), model.feedback(str(i), i % 2)
    clock.now = 50.0
    assert not model.refresh().quality.undecided and value(model, "mlmon_quality_ratio", measure="accuracy") == 0.5
    clock.now = 500.0
    assert model.refresh().quality.undecided and value(model, "mlmon_quality_ratio", measure="accuracy") is None
    assert value(model, "mlmon_quality_undecided") == 1 and value(model, "mlmon_quality_last_run_timestamp_seconds") == 500
    assert value(model, "mlmon_label_coverage_ratio") is None


def test_a_regressor_is_judged_by_its_error():
    model = watch(DummyRegressor(strategy="constant", constant=10).fit(X, Y), least_labels=2, cohort_seconds=1e6, clock=Clock(5.0))
    model.ask(X[:2], ids=["a", "b"])
    model.feedback("a", 13), model.feedback("b", 9)
    model.clock.now = 6.0
    assert model.refresh().quality.mean_absolute_error == 2 == value(model, "mlmon_mean_absolute_error")
    assert value(model, "mlmon_prediction_value_sum") == 20


# --- drift ---------------------------------------------------------------------------

CUSTOMERS = scenarios.make("customers-sudden-mean", days=4)
FEATURES = list(CUSTOMERS.table.features)
CARD = Scorecard(CUSTOMERS.table.numeric, CUSTOMERS.table.categorical).fit(CUSTOMERS.reference, CUSTOMERS.reference["churned"])


def serve_days(*days, **settings):
    """A model that has served these days of the scenario."""
    model = watch(CARD, reference=CUSTOMERS.reference[FEATURES], clock=Clock(), **settings)
    for day in days:
        for start in range(0, 500, 100):
            model.predict_proba(CUSTOMERS.batches[day][FEATURES].iloc[start:start + 100])
    return model


@pytest.fixture(scope="module")
def drifted():
    model = serve_days(2, 3)
    return model, model.refresh()


def test_drift_of_the_window_is_found_and_shown(drifted):
    # The scenario's truth: income moves from day 2 on. The text that is scraped says so.
    model, health = drifted
    assert health.drift.drifted and health.drift.report.drifted_features == ("income",)
    assert [value(model, "mlmon_drift_verdict", verdict=v) for v in ("stable", "drifted", "undecided")] == [0, 1, 0]
    assert value(model, "mlmon_feature_drifted", feature="income") == 1 and value(model, "mlmon_feature_drifted", feature="age") == 0
    assert value(model, "mlmon_feature_psi", feature="income") == pytest.approx(health.drift.report["income"].psi)
    assert value(model, "mlmon_feature_missing_ratio", feature="age") == 0
    assert value(model, "mlmon_drift_window_rows") == 1000 and value(model, "mlmon_drift_last_run_timestamp_seconds") == 1000


def test_gauges_of_features_go_when_traffic_stops(drifted):
    # An empty window is UNDECIDED: yesterday's drift is not shown as today's, nor as its end.
    model, _ = drifted
    model.clock.now += 3601
    drift = model.refresh().drift
    assert drift.verdict is Verdict.UNDECIDED and "0 rows and needs 200" in drift.reason
    assert value(model, "mlmon_drift_verdict", verdict="undecided") == 1 and value(model, "mlmon_feature_psi", feature="income") is None
    assert value(model, "mlmon_prediction_psi") is None and value(model, "mlmon_drift_last_run_timestamp_seconds") == 4601


def test_a_quiet_day_is_stable():
    # alpha 1e-6: a false alarm here would be chance of one in a million.
    model = serve_days(0, 1, alpha=1e-6)
    assert model.refresh().drift.verdict is Verdict.STABLE
    assert value(model, "mlmon_prediction_drifted") == 0 and value(model, "mlmon_prediction_psi") < 0.1


def test_scores_that_drift_alone_are_drift():
    # The features are as ever; the model inside was swapped for one that scores half as high.
    class Halved:
        classes_ = CARD.classes_

        def predict_proba(self, frame):
            one = CARD.predict_proba(frame)[:, 1] / 2
            return np.column_stack([1 - one, one])

    model = serve_days(0, alpha=1e-6)
    past = CARD.predict_proba(CUSTOMERS.reference[FEATURES])[:, 1]
    swapped = watch(Halved(), reference=CUSTOMERS.reference[FEATURES], reference_scores=past, clock=model.clock, alpha=1e-6)
    swapped.ask(CUSTOMERS.batches[0][FEATURES])
    drift = swapped.refresh().drift
    assert drift.drifted and drift.report.verdict is Verdict.STABLE and drift.reason.startswith("scores")
    assert value(swapped, "mlmon_prediction_drifted") == 1


@pytest.mark.parametrize("rows, settings, says", [
    (X[:10], {"reference": X}, "10 rows and needs 200"), (np.ones((400, 1)), {"reference": np.ones((400, 1))}, "constant"), (X, {}, "no reference"), (X[:, :2], {"reference": X}, "400 others have not the reference's columns"),
])
def test_drift_that_cannot_be_judged_is_undecided(rows, settings, says):
    model = watch(Stub(), **settings)
    model.ask(rows)
    drift = model.refresh().drift
    assert drift.verdict is Verdict.UNDECIDED and says in drift.reason
    assert value(model, "mlmon_drift_verdict", verdict="undecided") == 1 and value(model, "mlmon_drift_verdict", verdict="stable") == 0


def test_scores_that_are_no_numbers_leave_the_verdict_undecided():
    # The features are fine, nothing is known of the scores: that is not stable.
    model = watch(Stub(np.full(400, np.nan)), reference=X, reference_scores=RNG.uniform(size=400), alpha=1e-6)
    model.ask(X)
    assert model.refresh().drift.verdict is Verdict.UNDECIDED and value(model, "mlmon_prediction_drifted") is None


def test_rows_that_the_model_fails_on_are_looked_at():
    # A unit change makes the model raise on every row; the drift job still sees the rows.
    model = watch(Stub(OverflowError("too large")), reference=X, reference_scores=RNG.uniform(size=400))
    with pytest.raises(OverflowError):
        model.ask(1000 * X)
    assert model.refresh().drift.drifted


def test_a_model_without_probabilities_is_watched_by_its_decisions():
    inner = LinearSVC().fit(X, Y)
    model = watch(inner, reference=X, alpha=1e-6)
    model.ask(X)
    assert model.refresh().drift.verdict is Verdict.STABLE
    assert value(model, "mlmon_prediction_psi") == pytest.approx(0, abs=0.01) and value(model, "mlmon_requests_total", outcome="ok") == 1


def test_the_caller_may_change_the_rows_afterwards():
    # The window keeps its own: overwriting the caller's array or frame is no drift.
    for rows in (X.copy(), pd.DataFrame(X, columns=list("abc"))):
        reference = rows.copy()
        model = watch(Stub(RNG.uniform(size=400)), reference=reference, reference_scores=RNG.uniform(size=400), alpha=1e-6)
        model.ask(rows)
        rows[:] = 99.0
        assert model.refresh().drift.verdict is Verdict.STABLE


def test_the_caller_may_change_the_answer_afterwards():
    # What was logged and kept is what was answered.
    model = watch(INNER, reference=X, alpha=1e-6)
    answer = model.predict_proba(X, ids=[str(i) for i in range(400)])
    answer[:] = 0.5
    assert model.refresh().drift.prediction is Verdict.STABLE
    assert model.log.find("0").score == INNER.predict_proba(X[:1])[0, 1]


def test_the_window_is_the_newest_rows():
    model = watch(Stub(), reference=X, window_rows=250)
    model.ask(X), model.ask(X[:1])
    for _ in range(3):
        model.ask(X[:100])
    assert model.refresh().drift.rows == 250


def test_a_thread_refreshes_until_it_is_stopped():
    done = threading.Event()
    model = watch(Stub(), clock=lambda: 77.0)
    model.start(every=0.01, unless=lambda: done.set() or False)
    assert done.wait(10)
    model.stop()
    assert "refresh m" not in [thread.name for thread in threading.enumerate()]
    assert value(model, "mlmon_drift_last_run_timestamp_seconds") == 77


def test_a_stalled_job_leaves_its_time_standing():
    # That is what the freshness alert looks at.
    asked = threading.Semaphore(0)
    model = watch(Stub())
    model.start(every=0.005, unless=lambda: asked.release() or True)
    assert all(asked.acquire(timeout=10) for _ in range(3))
    model.stop()
    assert value(model, "mlmon_drift_last_run_timestamp_seconds") is None


def test_closing_takes_the_gauges_and_leaves_the_counts():
    model = watch(Stub(), reference=X)
    model.ask(X), model.refresh(), model.close()
    text = model.metrics.text()[0]
    assert "mlmon_drift_verdict{" not in text and "mlmon_model_info{" not in text
    assert value(model, "mlmon_requests_total", outcome="ok") == 1


# --- many at once ----------------------------------------------------------------------

def test_no_count_is_lost_among_threads():
    # 16 threads, 2,400 calls of 1 to 3 rows, every fifth fails: all counts are exact, at any interleaving.
    class Moody(Stub):
        def predict_proba(self, X):
            if X[0, 0] == 4:
                raise ValueError("moody")
            return super().predict_proba(X)

    model = watch(Moody(), reference=X)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)      # change threads as often as can be

    def call(i):
        rows = np.full((i % 3 + 1, 3), float(i % 5))
        try:
            model.ask(rows, ids=[f"{i}-{k}" for k in range(len(rows))])
        except ValueError:
            return "failed", 0
        for k in range(len(rows)):
            assert model.feedback(f"{i}-{k}", 1) == "joined"
        return "ok", len(rows)

    try:
        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(call, range(2400)))
    finally:
        sys.setswitchinterval(interval)
    calls, rows = Counter(kind for kind, _ in results), sum(n for _, n in results)
    assert calls["failed"] == 480 == value(model, "mlmon_requests_total", outcome="error") == value(model, "mlmon_errors_total", error="ValueError")
    assert value(model, "mlmon_requests_total", outcome="ok") == calls["ok"]
    assert rows == value(model, "mlmon_predictions_total", source="model") == value(model, "mlmon_prediction_score_count") == len(model.log)
    assert value(model, "mlmon_decisions_total", decision="1") == rows == value(model, "mlmon_labels_total", result="joined")
    assert sum(value(model, "mlmon_prediction_latency_seconds_count", size=s) for s in ("one", "batch")) == 2400
    assert value(model, "mlmon_requests_in_progress") == 0 and value(model, "mlmon_monitoring_errors_total", stage="log") == 0


WORKER = dedent("""
    import sys
    import numpy as np
    from mlmon.serving.model import MonitoredModel
    from mlmon.serving.predictions import PredictionLog

    class Model:
        classes_ = np.array([0, 1])
        def predict_proba(self, X):
            if len(X) == 3:
                raise ValueError("three")
            return np.tile([0.3, 0.7], (len(X), 1))

    worker, log = sys.argv[1], PredictionLog(sys.argv[2])
    model = MonitoredModel(Model(), name="m", version="1", log=log, least_labels=2)
    for i in range(100):
        model.ask(np.zeros((i % 2 + 1, 2)), ids=[f"{worker}-{i}-{k}" for k in range(i % 2 + 1)])
    try:
        model.ask(np.zeros((3, 2)))
    except ValueError:
        pass
    model.metrics.of("m", "1").gauge("mlmon_quality_ratio", 0.5, measure="auc")
    model.metrics.of("m", "1").gauge("mlmon_quality_ratio", None, measure="auc")
    print("ready", flush=True)
    sys.stdin.readline()
    print(model.feedback(f"{1 - int(worker)}-0-0", 0), flush=True)      # of the other worker's first prediction
    print(model.metrics.text()[0] if worker == "0" else "", flush=True)
    sys.stdin.readline()
""")


def test_two_processes_add_up(tmp_path):
    # Each worker sees half of the traffic; the text of either shows all of it, and a label finds the other's prediction.
    folder = tmp_path / "numbers"
    folder.mkdir()
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "OMP_NUM_THREADS": "1"}
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, str(i), str(tmp_path / "log")], env=environment, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for i in range(2)]
    try:
        assert [worker.stdout.readline().strip() for worker in workers] == ["ready", "ready"]
        for worker in reversed(workers):
            worker.stdin.write("\n"), worker.stdin.flush()
            assert worker.stdout.readline().strip() == "joined"
        out = [worker.communicate("\n", timeout=30)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))

    def total(name, **labels):
        return registry.get_sample_value(name, {"model": "m", "version": "1", **labels})

    assert total("mlmon_requests_total", outcome="ok") == 200 and total("mlmon_requests_total", outcome="error") == 2
    assert total("mlmon_predictions_total", source="model") == 300 == total("mlmon_prediction_score_count")
    assert total("mlmon_prediction_score_bucket", le="0.65") == 0 and total("mlmon_prediction_score_bucket", le="0.7") == 300
    assert total("mlmon_prediction_score_sum") == pytest.approx(210)
    assert total("mlmon_prediction_latency_seconds_count", size="batch") == 102
    assert total("mlmon_labels_total", result="joined") == 2 and total("mlmon_labelled_predictions_total", cell="false_positive") == 2
    assert total("mlmon_requests_in_progress") == 0
    shown = out[0]
    assert 'mlmon_requests_total{model="m",outcome="ok",version="1"} 200.0' in shown
    assert "nan" not in shown.lower() and 'measure="auc"' not in shown      # taken away means absent, in files as well


# --- at the door -----------------------------------------------------------------------

class Unfitted:
    def predict_proba(self, X):
        return X


@pytest.mark.parametrize("how, says", [
    ({"model": object()}, "model needs a predict method"), ({"model": Unfitted()}, "model needs classes_"), ({"positive": 7}, "positive needs one of 0, 1, got 7"),
    ({"threshold": 20}, "threshold needs"), ({"costs": {"false_alarm": 1}}, "costs needs one of"), ({"costs": {"false_positive": -1}}, "false_positive needs"),
])
def test_wrong_settings_are_refused(how, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        watch(**how)
