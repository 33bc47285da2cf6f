"""The checks of exercise 1: silent on right text, one clear message on wrong one, and never a pass without the tools."""

import json
import shutil
from pathlib import Path

import pytest

from mlmon import doctor
from mlmon.grading import monitoring_checks as checks
from mlmon.grading import scrape_checks
from mlmon.serving import dryrun

ROOT = Path(__file__).resolve().parents[2]
MISSING = doctor.lack("prometheus") or doctor.lack("alertmanager")
needs_tools = pytest.mark.skipif(bool(MISSING), reason=MISSING)
PAGE = '# HELP hits_total Hits.\n# TYPE hits_total counter\nhits_total{page="a"} 3\nhits_total{page="b"} 4\n'
ALERT = "groups: [{name: a, rules: [{alert: Down, expr: up == 0, labels: {severity: page}}]}]"


def message(check, *args, **options):
    with pytest.raises(AssertionError) as caught:
        check(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize("value", [None, 3, b"up 1", ["up 1"], {}])
def test_what_is_no_text_is_refused_everywhere(value):
    for check in (scrape_checks.scrape, checks.rules, checks.routing):
        assert "f() should be text" in message(check, value, "f()")
    assert "should be text" in message(checks.answers, value, {}, [], "f()", at=60)


def test_a_forgotten_return_is_named():
    assert "forget to return" in message(scrape_checks.scrape, None, "f()")
    assert "forget to return" in message(checks.fires, None, "Down", {}, {60: []}, "when it is down")


def test_a_series_is_found_by_some_of_its_labels_and_added_up():
    found = scrape_checks.scrape(PAGE, "text()")
    scrape_checks.series(found, "hits_total", 7)
    scrape_checks.series(found, "hits_total", 4, page="b")
    scrape_checks.series(found, "hits_total", None, page="c")
    assert "should have the series" in message(scrape_checks.series, found, "hits_total", 0, page="c")
    assert "should have no series" in message(scrape_checks.series, found, "hits_total", None, page="a")


def test_a_type_is_that_of_the_very_name():
    # In this text form a counter's type line has its whole name.
    assert scrape_checks.scrape("# TYPE hits_total counter\nhits_total 3\n", "text()").families["hits_total"][0] == "counter"
    assert scrape_checks.scrape("# TYPE hits counter\nhits_total 3\n", "text()").families["hits_total"][0] == "unknown"


def test_the_labels_of_a_histogram_are_those_of_its_buckets_without_the_edge():
    text = '# TYPE wait histogram\nwait_bucket{page="a",le="+Inf"} 1\nwait_sum{page="a"} 1\nwait_count{page="a"} 1\n'
    assert scrape_checks.scrape(text, "text()").labels("wait") == {"page"}


def test_nan_is_no_number_of_a_scrape():
    found = scrape_checks.scrape("# TYPE up gauge\nup NaN\n", "text()")
    assert "finite" in message(scrape_checks.series, found, "up", 1)


def test_yaml_that_unfolds_without_end_is_refused():
    # Nine lists of nine: a few hundred characters for half a billion items.
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{b}: &{b} [{','.join(9 * ['*' + a])}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
    assert "short" in message(checks.rules, bomb, "rules()")
    assert "should be" in message(checks.routing, "a: &a [*a]", "routes()")


@needs_tools
def test_shared_objects_of_honest_yaml_are_read():
    # yaml.safe_dump writes an anchor where an object is used twice.
    text = "groups: [{name: a, rules: [{alert: A, expr: up, labels: &l {severity: page}}, {alert: B, expr: up, labels: *l}]}]"
    assert [rule["labels"] for rule in checks.rules(text, "rules()")] == 2 * [{"severity": "page"}]


@needs_tools
def test_answers_are_compared_with_all_their_labels():
    known = {'up{job="a",instance="x"}': "1x9", 'up{job="b",instance="y"}': "0x9"}
    checks.answers("sum by (job) (up)", known, [({"job": "b"}, 0), ({"job": "a"}, 1)], "query", at=60)
    assert "yours gives nothing" in message(checks.answers, "upp", known, [({"job": "a"}, 1)], "query", at=60)
    assert "instance=" in message(checks.answers, "up", known, [({"job": "a"}, 1), ({"job": "b"}, 0)], "query", at=60)
    assert "{} NaN" in message(checks.answers, "0 / 0", known, [({}, 0)], "query", at=60).replace("nan", "NaN")
    assert "should be PromQL" in message(checks.answers, "sum(up", known, [({}, 1)], "query", at=60)


@needs_tools
def test_a_value_may_be_off_by_its_share_and_no_more():
    checks.answers("vector(1.019)", {}, [({}, 1)], "query", at=60)
    assert "1.021" in message(checks.answers, "vector(1.021)", {}, [({}, 1)], "query", at=60)
    message(checks.answers, "vector(0.03)", {}, [({}, 0)], "query", at=60)


@needs_tools
def test_only_the_alert_that_is_named_is_looked_at():
    both = ALERT.replace("}}]}]", "}}, {alert: Other, expr: vector(1)}]}]")
    checks.fires(both, "Down", {"up": "1x9"}, {60: []}, "while it is up")
    assert "fires as none" in message(checks.fires, both, "Other", {"up": "1x9"}, {60: []}, "while it is up")
    assert "is silent" in message(checks.fires, both, "Down", {"up": "1x9"}, {60: ["page"]}, "while it is up")


@needs_tools
def test_rules_and_routes_are_judged_by_the_tools():
    assert "promtool says" in message(checks.rules, ALERT.replace("up == 0", "up =="), "rules()")
    assert "amtool says" in message(checks.routing, "route: {receiver: a}\nreceivers: []", "routes()")


def test_a_file_of_the_machine_is_not_read_as_a_template():
    text = "templates: ['/etc/passwd']\nroute: {receiver: a}\nreceivers: [{name: a}]"
    assert "no templates" in message(checks.routing, text, "routes()")


@needs_tools
@pytest.mark.parametrize("form", [
    {"source_matchers": ['severity="page"'], "target_matchers": ["severity = ticket"], "equal": ["model"]},
    {"source_matchers": ['severity=~"page|fire"'], "target_matchers": ['severity!~"page"'], "equal": ["model"]},
    {"source_match": {"severity": "page"}, "target_match_re": {"severity": "tick.*"}, "equal": ["model"]},
])
def test_an_inhibition_works_in_every_form(form):
    # Alertmanager's own reading of it: the ticket of the same model is silent, that of another is not, nor the page.
    page, ticket, other = {"severity": "page", "model": "a"}, {"severity": "ticket", "model": "a"}, {"severity": "ticket", "model": "b"}
    text = json.dumps({"route": {"receiver": "slack"}, "receivers": [{"name": "slack"}], "inhibit_rules": [form]})
    checks.keeps_silent(text, [page, ticket, other], [ticket], "routes()")
    assert 'silent about {severity="ticket", model="b"}, yours' in message(checks.keeps_silent, text, [page, ticket, other], [other], "routes()")


@needs_tools
@pytest.mark.parametrize("route, words", [
    ({"group_by": ["alertname"]}, ""),
    ({"group_by": ["alertname", "instance"]}, "should send a 2 messages, one for each alertname, yours sends 3"),
    ({"group_by": ["severity"]}, "yours sends 1"),
    ({"group_by": ["instance"]}, "yours sends 2 that mix them"),
    ({"group_by": ["alertname"], "routes": [{"receiver": "a", "continue": True}, {"receiver": "a"}]}, "yours sends 4"),
    ({"group_by": ["alertname"], "routes": [{"receiver": "a", "continue": True}, {"receiver": "b"}]}, ""),
])
def test_one_message_for_each_alert_is_neither_more_nor_less(route, words):
    # Down at x and y, Late at x, by hand: two messages, or three apart, one together, two by place, and twice as many by two ways to one receiver.
    text = json.dumps({"route": {"receiver": "a", **route}, "receivers": [{"name": "a"}, {"name": "b"}]})
    alerts = [{"alertname": "Down", "instance": "x"}, {"alertname": "Down", "instance": "y"}, {"alertname": "Late", "instance": "x"}]
    if words:
        assert words in message(checks.bundles, text, alerts, ["alertname"], "routes()")
    else:
        checks.bundles(text, alerts, ["alertname"], "routes()")


@pytest.mark.parametrize("name", ["../Down.md", "/tmp/Down.md", "Down", "a/b.md", "", 3])
def test_a_runbook_is_written_nowhere_else(name):
    assert "file names such as" in message(checks.runbooks, {name: "# Down"}, [], [], ".", "runbooks()")


def test_the_lint_s_sentences_are_sorted_by_what_they_are_about():
    # The regular expressions of the exercise's checks fit the words of mlmon.serving.runbook.
    alerts = [{"name": "Down", "owner": "ops", "severity": "page", "panel": "Up"}]
    text = "# Down\n\n- Owner: Sam\n- Severity: page\n- Panel: Up\n\n## Diagnosis\n\n1. Think.\n\n## Meaning\n\n[x](http://y)\n\n## Rollback\n\nGo back.\n"
    for about in ("has no section", "in another order", "Diagnosis does not begin", "Rollback has no command", "where the alert says", "links to"):
        assert "Down.md" in message(checks.runbooks, {"Down.md": text}, alerts, ["Up"], about, "runbooks()")
    assert "has no runbook" in message(checks.runbooks, {}, alerts, ["Up"], "has no runbook", "runbooks()")
    assert "belongs to no alert" in message(checks.runbooks, {"Old.md": text}, [], [], "belongs to no alert", "runbooks()")


def test_without_the_tools_the_reference_itself_fails(kit, monkeypatch):
    # So `mlmon grade`, which grades the reference first, refuses to grade anybody; nothing passes unjudged.
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(dryrun.ToolMissing):
        checks.fires(ALERT, "Down", {"up": "1x9"}, {60: []}, "while it is up")
    found = kit.points_of(kit.released(ROOT / "solutions" / "ex1_dashboard"))
    asked = ["1_instrument:test_conforms", "2_dashboard:test_requests", "2_dashboard:test_faults", "3_alerts:test_burn_spike",
             "3_alerts:test_pages", "3_alerts:test_inhibition", "3_alerts:test_grouping", "4_runbook:test_book_queries"]
    assert {name: found[name] for name in asked} == {name: 0 for name in asked}
