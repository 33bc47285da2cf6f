"""A dry run says what the real engine says: by hand-made tables, and by the laws of Prometheus."""

import shutil

import numpy as np
import pytest

from mlmon import doctor
from mlmon.data import scrapes
from mlmon.serving import alerts, dryrun, export
from mlmon.serving.routing import Routing

pytestmark = pytest.mark.skipif(bool(doctor.lack("prometheus") or doctor.lack("alertmanager")), reason=doctor.lack("prometheus") or doctor.lack("alertmanager"))
STEADY = {'hits_total{instance="a"}': "0+30x40", 'hits_total{instance="b"}': "0+15x40"}
DOWN = "groups: [{name: up, rules: [{alert: Down, expr: up == 0, for: 2m, labels: {severity: page}}]}]"


def test_each_question_has_its_own_answer():
    # 30 and 15 in 15 seconds are 2 and 1 a second; nothing known has no answer, 0 / 0 is nan.
    asked = ["rate(hits_total[5m])", "sum(rate(hits_total[5m]))", "misses_total", "0 / 0", "sum(rate(hits_total[5m]))"]
    found = dryrun.ask(STEADY, [(promql, 600) for promql in asked])
    assert found[0] == [({"instance": "a"}, 2.0), ({"instance": "b"}, 1.0)]
    assert found[1] == found[4] == [({}, 3.0)]
    assert found[2] == [] and np.isnan(found[3][0][1])


def test_numbers_and_notation_say_the_same():
    numbers = {"hits_total": [30.0 * step for step in range(41)]}
    assert dryrun.ask(numbers, [("rate(hits_total[5m])", 600)]) == [[({}, 2.0)]]


def test_a_missing_scrape_is_no_value():
    # Five minutes after the last one, Prometheus takes a series for gone.
    series = {"up": [1.0] + [float("nan")] * 30}
    assert dryrun.ask(series, [("up", 240), ("up", 330)]) == [[({"__name__": "up"}, 1.0)], []]


@pytest.mark.parametrize("label", ['a"b', "a} 1E+00, {b", "a\\b", "# asked 0", "€ 3"])
def test_labels_are_read_as_they_are(label):
    # A label's value may look like the tool's own words.
    told = label.replace("\\", "\\\\").replace('"', '\\"')
    [[(labels, value)]] = dryrun.ask({f'up{{job="{told}"}}': "1x9"}, [("sum by (job) (up)", 60)])
    assert value == 1 and labels == {"job": label}


@pytest.mark.parametrize("promql", ["sum(rate(hits_total[5m])", "rate(hits_total)", "hits_total +", "hits_total * on (instance) group_left hits_total[5m]"])
def test_promql_that_nobody_can_read_is_refused_in_its_own_words(promql):
    with pytest.raises(ValueError, match="parse error"):
        dryrun.ask(STEADY, [("1", 60), (promql, 60)])


def test_an_endless_question_ends():
    # A hundred days by the millisecond: the limits on time and memory end it.
    with pytest.raises(ValueError, match="Ask for less"):
        dryrun.ask(STEADY, [("max_over_time(hits_total[100d:1ms])", 600)])


def test_an_alert_fires_after_its_time_and_not_before():
    # `for: 2m`, down from minute 2 on: it fires from minute 4 on.
    found = dryrun.firing(DOWN, {"up": "1 1 0x20"}, [60 * minute for minute in range(7)])
    assert found == [[]] * 4 + [[{"alertname": "Down", "severity": "page"}]] * 3


def test_recording_rules_are_read_in_the_order_of_the_file():
    rules = ("groups: [{name: b, rules: [{record: x, expr: up * 2}]}, "
             "{name: a, rules: [{alert: A, expr: x == 2}]}]")
    assert dryrun.firing(rules, {"up": "1x9"}, [0])[0] == [{"alertname": "A"}]


@pytest.mark.parametrize("rules", ["[]", "groups: 3", "groups: [{rules: []}]", "groups: [{name: a, rules: [{alert: A, expr: up ==}]}]"])
def test_rules_that_are_none_are_refused(rules):
    with pytest.raises(ValueError):
        dryrun.firing(rules, {"up": "1x9"}, [0])
    assert dryrun.check_rules(rules) != [] or rules == "[]"


def test_the_package_s_own_rules_and_routes_pass():
    # The files that the real servers take elsewhere in these tests.
    assert dryrun.check_rules(export.to_yaml(export.rules())) == []
    config = export.to_yaml(export.alertmanager())
    assert dryrun.check_routes(config) == []
    for severity in alerts.SEVERITIES:
        assert dryrun.receivers(config, {"severity": severity}) == Routing().receivers({"severity": severity})


def test_promtool_looks_at_a_scrape():
    assert dryrun.check_metrics("# HELP up Whether it answers.\n# TYPE up gauge\nup 1\n") == []
    assert any("no help text" in line for line in dryrun.check_metrics("# TYPE up gauge\nup 1\n"))


def test_scrapes_become_series():
    # A histogram of prometheus_client, scraped three times with one call between.
    from prometheus_client import CollectorRegistry, Histogram, generate_latest

    registry, pages = CollectorRegistry(), []
    waits = Histogram("wait_seconds", "Time.", ["page"], buckets=[0.5], registry=registry)
    for _ in range(3):
        waits.labels('a"b').observe(0.1)
        pages.append(generate_latest(registry).decode())
    series = dryrun.history(pages)
    assert series['wait_seconds_bucket{le="0.5",page="a\\"b"}'] == [1, 2, 3]
    assert dryrun.ask(series, [("sum(wait_seconds_count - wait_seconds_count offset 15s)", 30)]) == [[({}, 1.0)]]


def test_an_asker_gives_lines_for_a_picture():
    assert dryrun.asker({"up": "0+1x20"})("up", 15, 60, 15) == [({"__name__": "up"}, [15, 30, 45, 60], [1, 2, 3, 4])]


def test_a_missing_tool_is_said_and_nothing_judged(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(dryrun.ToolMissing, match="promtool is needed for this, and it is not on this machine. It comes with prometheus: see `mlmon doctor`"):
        dryrun.ask(STEADY, [("1", 60)])
    with pytest.raises(dryrun.ToolMissing, match="amtool"):
        dryrun.receivers("route: {receiver: a}\nreceivers: [{name: a}]", {})


@pytest.mark.parametrize("fault, promql", [
    ("errors", 'sum(rate(churn_requests_total{outcome="error"}[5m])) / sum(rate(churn_requests_total[5m])) > 0.15 < 0.25'),
    ("latency", "histogram_quantile(0.5, sum by (le) (rate(churn_request_latency_seconds_bucket[5m]))) > 0.25"),
    ("drift", 'churn_feature_psi{feature="income",instance="a:8000"} > 0.5'),
    ("missing", 'sum(rate(churn_feature_values_total{state="missing",feature="age"}[5m])) / sum(rate(churn_feature_values_total{feature="age"}[5m])) > 0.5'),
    ("stale", "time() - max(churn_drift_last_run_timestamp_seconds) > 600"),
    ("scores", "sum(rate(churn_score_sum[5m])) / sum(rate(churn_score_count[5m])) > 0.45"),
    ("silence", "sum(rate(churn_requests_total[5m])) == 0"),
    ("down", 'count(up{job="churn"} == 0) == 1'),
])
def test_each_fault_shows_where_it_says_and_calm_does_not(fault, promql):
    faulty, calm = scrapes.churn(fault, minutes=40, seed=3), scrapes.churn(minutes=40, seed=3)
    found = dryrun.ask(faulty, [(promql, 600), (promql, 2400)])
    assert found[0] == [] and len(found[1]) == 1
    assert dryrun.ask(calm, [(promql, 2400)]) == [[]]
