"""The catalogue: names that Prometheus' own linter accepts, few series whatever comes, and numbers that add up."""
import re
import shutil
import subprocess
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.parser import text_string_to_metric_families

from mlmon.serving.metrics import CATALOGUE, LABELS, LATENCY, LAYERS, Metrics, observe_many

OF = {"model": "churn", "version": "1"}
BASE_UNITS = {"", "seconds", "ratio", "euros"}


def filled(metrics):
    """Metrics of which every series that the closed sets allow has a value."""
    for row in metrics.catalogue:
        for labels in combinations(row.labels):
            child = metrics.child(row.name, **labels)
            getattr(child, {"histogram": "observe", "gauge": "set", "counter": "inc"}[row.type])(0.5)
    return metrics


def combinations(labels):
    sets = [[(label, value)] if label in OF else [(label, v) for v in (LABELS[label] if isinstance(LABELS[label], tuple) else ("a", "b"))]
            for label in labels for value in [OF.get(label)]]
    found = [{}]
    for pairs in sets:
        found = [known | {label: value} for known in found for label, value in pairs]
    return found


def samples(metrics):
    return [sample for family in text_string_to_metric_families(metrics.text()[0]) for sample in family.samples]


@pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)
def test_a_name_keeps_the_rules_of_prometheus(row):
    # prometheus.io/docs/practices/naming: one base unit as suffix, _total for counters and only for those.
    assert re.fullmatch(r"mlmon_[a-z0-9_]+", row.name) and row.layer in LAYERS and row.unit in BASE_UNITS
    assert row.name.endswith("_total") == (row.type == "counter")
    assert not row.unit or row.name.removesuffix("_total").endswith("_" + row.unit)
    assert not re.search(r"_(milliseconds|ms|minutes|percent|bucket|count|sum|gauge|counter)($|_)", row.name)
    assert row.help.endswith(".") and not row.help[0].islower()
    assert bool(row.buckets) == (row.type == "histogram")
    assert all(re.fullmatch(r"[a-z_]+", label) and label in LABELS for label in row.labels)
    assert not {"id", "prediction_id", "user"} & set(row.labels)


def test_every_layer_has_metrics_and_no_name_comes_twice():
    names = [row.name for row in CATALOGUE]
    assert len(set(names)) == len(names) and {row.layer for row in CATALOGUE} == set(LAYERS)


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool")
def test_promtool_finds_nothing_to_say_about_the_exposition():
    # The linter of Prometheus itself reads every metric with every label.
    done = subprocess.run(["promtool", "check", "metrics"], input=filled(Metrics()).text()[0], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool")
def test_promtool_would_find_a_wrong_name():
    # The chapter's counter without _total, in milliseconds, shows that the check above can fail.
    wrong = "# HELP model_latency_milliseconds L.\n# TYPE model_latency_milliseconds counter\nmodel_latency_milliseconds 1\n"
    assert subprocess.run(["promtool", "check", "metrics"], input=wrong, capture_output=True, text=True).returncode != 0


def test_a_cell_runs_twice():
    # The chapter's module-level metrics raise on the second run; each of these has a registry of its own.
    first, second = Metrics(), Metrics()
    first.of(**OF).count("mlmon_requests_total", outcome="ok")
    assert second.value("mlmon_requests_total", outcome="ok", **OF) is None


def test_a_given_registry_is_used():
    registry = CollectorRegistry()
    Metrics(registry).of(**OF).count("mlmon_requests_total", outcome="ok")
    assert registry.get_sample_value("mlmon_requests_total", {**OF, "outcome": "ok"}) == 1


def test_the_objective_is_an_edge_of_the_latency():
    # histogram_quantile and the share below an objective are exact at an edge only.
    metrics = Metrics(latency_slo=0.3)
    series = metrics.of(**OF).child("mlmon_prediction_latency_seconds", size="one")
    for seconds in (0.26, 0.3, 0.31):
        series.observe(seconds)
    assert metrics.value("mlmon_prediction_latency_seconds_bucket", size="one", le="0.3", **OF) == 2
    assert 0.25 in LATENCY


# --- few series ------------------------------------------------------------------

def test_a_value_beyond_the_limit_is_counted_as_other():
    # 3 decisions are let in; the next 997 share one series, and no increment is lost.
    metrics = Metrics(limits={"decision": 3})
    for i in range(1000):
        metrics.child("mlmon_decisions_total", decision=f"d{i}", **OF).inc()
    assert metrics.value("mlmon_decisions_total", decision="d2", **OF) == 1
    assert metrics.value("mlmon_decisions_total", decision="other", **OF) == 997
    assert metrics.value("mlmon_decisions_total", decision="d3", **OF) is None


def test_an_unknown_class_of_error_is_other_and_an_unknown_outcome_is_refused():
    # What code chooses is closed and a slip of ours; what libraries choose is open and bounded.
    metrics = Metrics()
    metrics.child("mlmon_errors_total", error="XYZError", **OF).inc()
    assert metrics.value("mlmon_errors_total", error="other", **OF) == 1
    with pytest.raises(ValueError, match="^outcome needs one of 'ok', .* got 'fine'"):
        metrics.child("mlmon_requests_total", outcome="fine", **OF)


def test_hostile_labels_never_pass_the_limit():
    # Every open label gets a thousand values of its own: the text holds no more samples than promised.
    metrics = Metrics(limits={"model": 2, "version": 2, "feature": 3, "decision": 2})
    for row in metrics.catalogue:
        for labels in combinations(row.labels):
            for i in range(50):
                wild = {label: f"{label}{i}" if isinstance(LABELS[label], int) else value for label, value in labels.items()}
                metrics.child(row.name, **wild)
    assert len(samples(metrics)) <= metrics.series_limit()


def test_the_limit_is_the_number_of_series_when_all_are_used():
    # With every label at its limit, "other" included, the promise is met to the sample: it is no loose bound.
    metrics = Metrics(limits={"model": 1, "version": 1, "feature": 1, "decision": 1})
    for row in metrics.catalogue:
        sets = [LABELS[label] if isinstance(LABELS[label], tuple) else ("a", "b") for label in row.labels]
        for i in range(prod(map(len, sets))):
            labels = {}
            for label, values in zip(row.labels, sets):
                i, place = divmod(i, len(values))
                labels[label] = values[place]
            metrics.child(row.name, **labels)
    assert len(samples(metrics)) == metrics.series_limit()


@pytest.mark.parametrize("name, labels, says", [
    ("mlmon_nothing", {}, "metric needs one of"), ("mlmon_revenue_euros_total", {"model": "a"}, "labels of mlmon_revenue_euros_total needs model, version"),
    ("mlmon_revenue_euros_total", {**OF, "user": "u"}, "labels of"),
])
def test_a_wrong_name_or_label_is_refused(name, labels, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        Metrics().child(name, **labels)


@pytest.mark.parametrize("how, says", [
    ({"latency_slo": 0}, "latency_slo needs"), ({"values": [2, 1]}, "values needs"), ({"values": []}, "values needs"),
    ({"values": [1, float("inf")]}, "values needs"), ({"limits": {"outcome": 3}}, "limits needs one of"), ({"limits": {"feature": 0}}, "limits needs a whole"),
])
def test_wrong_settings_are_refused(how, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        Metrics(**how)


# --- values ----------------------------------------------------------------------

@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.floats(-1, 2), st.sampled_from([0.0, 0.1, 0.5, 1.0])), max_size=60))
def test_many_at_once_are_what_a_loop_observes(values):
    # Beside the library's own observe, value by value, edges included.
    one, other = (Histogram("h", "H.", buckets=(0.0, 0.1, 0.5, 1.0), registry=CollectorRegistry()) for _ in range(2))
    observe_many(one, np.array(values))
    for value in values:
        other.observe(value)
    (a,), (b,) = one.collect(), other.collect()
    for x, y in zip(a.samples, b.samples):
        assert x[:2] == y[:2] and (x.name.endswith("created") or x.value == pytest.approx(y.value))


def test_a_client_that_keeps_its_buckets_elsewhere_is_observed_in_a_loop():
    # The private part that many values need may go one day; then it is slower, and still right.
    class Other:
        def __init__(self):
            self.seen = []

        def observe(self, value):
            self.seen.append(value)

    other = Other()
    observe_many(other, np.array([0.5, 0.25]))
    assert other.seen == [0.5, 0.25]


def test_a_gauge_without_a_value_is_absent_and_comes_back():
    # nan in a scrape breaks sums, and a stale number looks like health.
    metrics = Metrics()
    series = metrics.of(**OF)
    for value in (0.9, float("nan"), None, float("inf")):
        series.gauge("mlmon_quality_ratio", value, measure="auc")
        assert metrics.value("mlmon_quality_ratio", measure="auc", **OF) == (0.9 if value == 0.9 else None)
        assert "nan" not in metrics.text()[0].lower()
    series.gauge("mlmon_quality_ratio", 0.8, measure="auc")
    assert metrics.value("mlmon_quality_ratio", measure="auc", **OF) == 0.8


def test_forgetting_takes_the_named_series_only():
    metrics = Metrics()
    for version, feature in (("1", "age"), ("1", "income"), ("2", "age")):
        metrics.of("churn", version).gauge("mlmon_feature_psi", 0.1, feature=feature)
    metrics.of("churn", "1").gauge("mlmon_feature_psi", None)
    left = [s.labels for s in samples(metrics) if s.name == "mlmon_feature_psi"]
    assert left == [{"model": "churn", "version": "2", "feature": "age"}]


def test_openmetrics_is_given_to_who_asks_for_it():
    text, kind = Metrics().text("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text") and text.endswith("# EOF\n")
