"""Every rule on hidden time series by promtool: it fires on its fault when it should, and is silent in calm."""

import dataclasses
import json
import re

import pytest
import yaml

from mlmon.serving import alerts, export, metrics, routing, runbook
from mlmon.serving.slo import RULES, time_to_detect

PLAN = export.Plan()
BY_NAME = {(alert.name, alert.severity): alert for alert in PLAN.alerts()}
HOUR = 60      # minutes: promtool counts in them here
MV = 'model="credit",version="7"'


def counter(*pieces):
    """A counter in promtool's words: pieces of (minutes, events a minute), one after the other."""
    words, value = [], 0.0
    for minutes, rate in pieces:
        words.append(f"{value:g}+{rate:g}x{minutes - 1}")
        value += rate * minutes
    return " ".join(words)


def gauge(*pieces):
    """A gauge in promtool's words: pieces of (minutes, value); None is no sample."""
    return " ".join(f"_x{minutes}" if value is None else f"{value:g}x{minutes - 1}" for minutes, value in pieces)


def age(*pieces, start=0):
    """The time of a job's last run: pieces of (minutes, whether it runs)."""
    words, now, last = [], start, start
    for minutes, runs in pieces:
        words.append(f"{60 * now:g}+60x{minutes - 1}" if runs else f"{last:g}x{minutes - 1}")
        now += minutes
        last = 60 * (now - 1) if runs else last
    return " ".join(words)


def series(whole, **changed):
    """A calm service over `whole` minutes, and what a fault changes of it."""
    up, requests = 'up{job="scoring",instance="a"}', "mlmon_requests_total{%s,outcome=\"%s\"}"
    calm = {
        up: gauge((whole, 1)),
        requests % (MV, "ok"): counter((whole, 600)),
        requests % (MV, "error"): counter((whole, 0.6)),
        requests % (MV, "fallback"): counter((whole, 3)),
        f"mlmon_prediction_latency_seconds_count{{{MV},size=\"one\"}}": counter((whole, 600)),
        f"mlmon_prediction_latency_seconds_bucket{{{MV},size=\"one\",le=\"0.25\"}}": counter((whole, 599)),
        f"mlmon_model_info{{{MV},kind=\"classifier\"}}": gauge((whole, 1)),
        f"mlmon_drift_last_run_timestamp_seconds{{{MV}}}": age((whole, True)),
        f"mlmon_drift_verdict{{{MV},verdict=\"drifted\"}}": gauge((whole, 0)),
        f"mlmon_drift_verdict{{{MV},verdict=\"undecided\"}}": gauge((whole, 0)),
        f"mlmon_drift_window_rows{{{MV}}}": gauge((whole, 2000)),
        f"mlmon_prediction_drifted{{{MV}}}": gauge((whole, 0)),
        f"mlmon_prediction_psi{{{MV}}}": gauge((whole, 0.02)),
        f"mlmon_feature_psi{{{MV},feature=\"age\"}}": gauge((whole, 0.02)),
        f"mlmon_feature_missing_ratio{{{MV},feature=\"age\"}}": gauge((whole, 0.05)),
        f"mlmon_quality_bound_ratio{{{MV},measure=\"accuracy\",bound=\"upper\"}}": gauge((whole, 0.9)),
        f"mlmon_quality_undecided{{{MV}}}": gauge((whole, 0)),
        f"mlmon_label_coverage_ratio{{{MV}}}": gauge((whole, 0.8)),
        f"mlmon_labelled_predictions_total{{{MV},cell=\"true_negative\"}}": counter((whole, 480)),
        f"mlmon_mistake_cost_euros_total{{{MV},mistake=\"false_positive\"}}": counter((whole, 2400)),
        f"mlmon_monitoring_errors_total{{{MV},stage=\"drift\"}}": counter((whole, 0)),
    }
    for wanted, values in changed.items():
        name = next(known for known in calm if known.replace('"', "").replace("=", "_").replace("{", "_").replace(",", "_")
                    .startswith(wanted))
        calm[name] = values
    return calm


def test_the_words_of_the_series_mean_what_they_say():
    # promtool writes a+bxn as n + 1 samples that grow by b; so two pieces meet without a jump.
    assert counter((3, 2), (2, 5)) == "0+2x2 6+5x1"
    assert gauge((2, 1), (3, None)) == "1x1 _x3"
    assert age((2, True), (2, False)) == "0+60x1 60x1"


# Of each alert: what the fault changes, from which minute; not firing at the first time, firing at the second (minutes).
WHOLE = 10 * HOUR
FAULT = 2 * HOUR
OK, ERROR, FALLBACK = (f"mlmon_requests_total_model_credit_version_7_outcome_{outcome}" for outcome in ("ok", "error", "fallback"))


def after(value, calm=0):
    return gauge((FAULT, calm), (WHOLE - FAULT, value))


CASES = {
    ("RequestErrorsBudgetBurn", "page"): (
        # 20 % of the requests: burn 40, so 60 minutes * 14.4 / 40 = 21.6.
        {ERROR: counter((FAULT, 0), (WHOLE - FAULT, 120)), OK: counter((FAULT, 600), (WHOLE - FAULT, 480)),
         FALLBACK: counter((WHOLE, 0))}, FAULT + 20, FAULT + 23),
    ("SlowRequestsBudgetBurn", "page"): (
        # 30 % of the requests: burn 30, so 60 minutes * 14.4 / 30 = 28.8.
        {"mlmon_prediction_latency_seconds_bucket": counter((FAULT, 600), (WHOLE - FAULT, 420))}, FAULT + 27, FAULT + 31),
    ("ScoringServiceDown", "page"): ({"up": after(0, 1)}, FAULT, FAULT + 2),
    ("NoPredictions", "page"): (
        {name: counter((FAULT, rate), (WHOLE - FAULT, 0)) for name, rate in ((OK, 600), (ERROR, 0.6), (FALLBACK, 3))},
        FAULT + 13, FAULT + 18),
    ("FallbackInUse", "ticket"): (
        {FALLBACK: counter((FAULT, 3), (WHOLE - FAULT, 120))}, FAULT + 10, FAULT + 16),
    ("PredictionDrift", "ticket"): ({"mlmon_prediction_drifted": after(1)}, FAULT + 119, FAULT + 121),
    ("FeatureDrift", "ticket"): ({"mlmon_drift_verdict_model_credit_version_7_verdict_drifted": after(1)}, FAULT + 119, FAULT + 121),
    ("FeatureMissing", "ticket"): ({"mlmon_feature_missing_ratio": after(0.4, 0.05)}, FAULT + 119, FAULT + 121),
    ("DriftUndecided", "ticket"): (
        {"mlmon_drift_verdict_model_credit_version_7_verdict_undecided": after(1)}, FAULT + 6 * HOUR - 1, FAULT + 6 * HOUR + 1),
    ("DriftJobStale", "ticket"): (
        {"mlmon_drift_last_run": age((FAULT, True), (WHOLE - FAULT, False))}, FAULT + 179, FAULT + 182),
    ("DriftJobAbsent", "ticket"): ({"mlmon_drift_last_run": gauge((WHOLE, None))}, 179, 181),
    ("MonitoringErrors", "ticket"): ({"mlmon_monitoring_errors": counter((FAULT, 0), (WHOLE - FAULT, 1))}, FAULT - 1, FAULT + 2),
    ("QualityBelowTarget", "ticket"): (
        # More than half of the six hours: the fault must have lasted three of them.
        {"mlmon_quality_bound": gauge((6 * HOUR, 0.9), (WHOLE - 6 * HOUR, 0.65))}, 9 * HOUR - 10, 9 * HOUR + 20),
    ("LabelsMissing", "ticket"): ({"mlmon_label_coverage": after(0.2, 0.8)}, FAULT + 59, FAULT + 61),
    ("MistakesCostly", "ticket"): (
        # 5 euros a decision, then 50: the mean is over 20 after an hour, and must be for another one.
        {"mlmon_mistake_cost": counter((FAULT, 2400), (WHOLE - FAULT, 24000))}, FAULT + 110, FAULT + 130),
    ("Watchdog", "none"): ({}, None, 0),
}
TICKETS = {(slo.name + "BudgetBurn", "ticket") for slo in alerts.SLOS}


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The file of rules, as exported."""
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_text(export.to_yaml(export.rules(PLAN)))
    return path


def check(promtool, rules, series, asked, *, sample="1m", every="1m"):
    """Let promtool judge (name, severity, minutes, fires) on a set of series, with the rules that it needs."""
    names = {name for name, *_ in asked}
    made = yaml.load(rules.read_text(), yaml.CSafeLoader)
    for group in made["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule.get("alert", "BudgetBurn") in names or "record" in rule
                          and any(name.startswith(rule["labels"]["slo"]) for name in names)]
    rules.with_name("some.yml").write_text(json.dumps(made))      # JSON is YAML
    test = {
        "interval": sample,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": f'count(ALERTS{{alertname="{name}",severity="{severity}",alertstate="firing"}})', "eval_time": f"{at}m",
             "exp_samples": [{"labels": "{}", "value": 1}] if fires else []} for name, severity, at, fires in asked],
    }
    path = rules.with_name("test.yml")
    path.write_text(json.dumps({"rule_files": ["some.yml"], "evaluation_interval": every, "tests": [test]}))
    code, told = promtool("test", "rules", path)
    assert code == 0, told[-3000:]


def test_there_is_a_case_for_every_alert():
    # A rule that no series tries is a rule that nobody knows.
    assert CASES.keys() | TICKETS == BY_NAME.keys()


@pytest.mark.parametrize("name, severity", CASES, ids=[f"{name}-{severity}" for name, severity in CASES])
def test_a_rule_fires_on_its_fault_and_not_before(promtool, rules, name, severity):
    # The series break at a known minute; the rule must wait as long as its hold says, and then fire.
    changed, silent, fires = CASES[name, severity]
    asked = [(name, severity, at, wanted) for at, wanted in ((silent, False), (fires, True)) if at is not None]
    check(promtool, rules, series(WHOLE, **changed), asked)


def test_nothing_fires_in_calm(promtool, rules):
    # Ten hours and more of a healthy service: every rule is silent but the one that must always fire.
    others = [(name, severity, at, False) for name, severity in BY_NAME if name != "Watchdog" for at in (1, 60, 400, WHOLE)]
    check(promtool, rules, series(WHOLE), others, every="4m")


def test_a_benign_spike_pages_nobody(promtool, rules):
    # Two minutes at 10 %: 0.33 % of an hour, seven times the budget at most, below 14.4.
    spike = {ERROR: counter((FAULT, 0.6), (2, 60), (WHOLE - FAULT - 2, 0.6))}
    asked = [("RequestErrorsBudgetBurn", severity, FAULT + at, False) for severity in ("page", "ticket") for at in (1, 2, 3, 10, 30, 120)]
    check(promtool, rules, series(WHOLE, **spike), asked)


def test_a_page_resets_with_its_short_window(promtool, rules):
    # After the end of a fault of burn 40 the 30-minute window is clean within 25.5 minutes; the 5-minute one long before.
    end = FAULT + 60
    burst = {ERROR: counter((FAULT, 0), (60, 120), (WHOLE - end, 0)), OK: counter((FAULT, 600), (60, 480), (WHOLE - end, 600)),
             FALLBACK: counter((WHOLE, 0))}
    asked = [("RequestErrorsBudgetBurn", "page", end + at, fires) for at, fires in ((24, True), (28, False))]
    check(promtool, rules, series(WHOLE, **burst), asked)


def test_a_slow_leak_is_a_ticket_and_no_page(promtool, rules):
    # Burn 2 is below every factor that pages, and fills three days to a burn of 1 after 36 hours. One sample in ten minutes.
    calm, leak = 3 * 24 * 6, 2 * 24 * 6
    slow = {f'mlmon_requests_total{{{MV},outcome="ok"}}': counter((calm, 6000), (leak, 5940)),
            f'mlmon_requests_total{{{MV},outcome="error"}}': counter((calm, 0), (leak, 60))}
    begin = 3 * 24 * 60
    asked = [("RequestErrorsBudgetBurn", "ticket", begin + 60 * hours, fires) for hours, fires in ((34, False), (38, True))]
    check(promtool, rules, slow, [*asked, ("RequestErrorsBudgetBurn", "page", begin + 38 * 60, False)], sample="10m", every="10m")


def test_promtool_finds_no_fault_in_the_rules(promtool, rules):
    # The exported rules are those that Prometheus loads.
    code, told = promtool("check", "rules", rules)
    assert code == 0 and f"{len(PLAN.alerts()) + len(PLAN.recordings())} rules found" in told


def test_every_metric_that_a_rule_or_panel_names_is_in_the_catalogue():
    # A misspelt name gives an empty query, and a rule that can never fire.
    known = {metric.name for metric in metrics.CATALOGUE}
    known |= {f"{metric.name}_{part}" for metric in metrics.CATALOGUE for part in ("bucket", "sum", "count") if metric.type == "histogram"}
    texts = [alert.expr for alert in PLAN.alerts()] + [alert.measure for alert in PLAN.alerts()]
    texts += [expr for panel in PLAN.panels() for _, expr in panel.queries] + [one.expr for one in PLAN.recordings()]
    named = {name for text in texts for name in re.findall(r"\bmlmon_\w+", text)}
    assert named <= known, sorted(named - known)


def test_rules_watch_what_they_say():
    # Every burn alert is made of recordings that exist, and the law knows when it fires.
    recorded = {(one.record, dict(one.labels)["slo"]) for one in PLAN.recordings()}
    for alert in PLAN.alerts():
        used = set(re.findall(r'(model:\w+:\w+)\{slo="(\w+)"\}', alert.expr + alert.measure))
        assert used <= recorded, alert.name
    assert time_to_detect(40, RULES) == pytest.approx(21.6 * 60)


@pytest.mark.parametrize("name", sorted({alert.name for alert in PLAN.alerts()}))
def test_an_alert_says_who_is_hurt_by_how_much_and_whom_to_ask(name):
    # One summary without a number, a description with the number and its limit, an owner, a panel.
    for alert in (alert for alert in PLAN.alerts() if alert.name == name):
        assert alert.owner and alert.summary and alert.description and alert.panel in {panel.title for panel in PLAN.panels()}
        assert alert.severity in alerts.SEVERITIES


def test_lint_is_content_with_the_package():
    # Every alert has a runbook and a panel, every link leads somewhere.
    assert runbook.lint(PLAN.alerts(), [panel.title for panel in PLAN.panels()]) == []


def test_promql_in_the_runbooks_is_promql(promtool, tmp_path):
    # What somebody pastes at night must be a query: promtool reads each block as a rule.
    books = [(path.stem, runbook.read(path).blocks("promql")) for path in sorted(runbook.FOLDER.glob("*.md"))]
    rules = [{"record": f"runbook:{name}:block{i}", "expr": text} for name, blocks in books for i, text in enumerate(blocks)]
    assert len(rules) > 20
    (tmp_path / "books.yml").write_text(yaml.safe_dump({"groups": [{"name": "books", "rules": rules}]}))
    code, told = promtool("check", "rules", tmp_path / "books.yml")
    assert code == 0, told


BOOK = """# One

- Owner: platform
- Severity: page
- Panel: Bad requests

## Meaning
M
## Impact
I
## Diagnosis
1. Look:
   ```promql
   up
   ```
## Mitigation
Do it, [elsewhere](Two.md#diagnosis).
## Rollback
```sh
undo
```
## Escalation
Call.
"""


@dataclasses.dataclass
class Named:
    """What lint asks of an alert."""

    name: str
    owner: str = "platform"
    severity: str = "page"
    panel: str = "Bad requests"

    @property
    def runbook(self):
        return f"{self.name}.md"


def faults_of(tmp_path, text, *more, alerts=(Named("One"),), panels=("Bad requests",)):
    for name, content in (("One.md", text), *more):
        (tmp_path / name).write_text(content)
    return runbook.lint(alerts, panels, tmp_path)


# A runbook, what is spoiled of it, and what lint says.
SPOILT = {
    "an unknown panel": (BOOK.replace("Bad requests", "None"), "says Panel 'None', where the alert says 'Bad requests'"),
    "another owner": (BOOK.replace("platform", "me"), "says Owner 'me'"),
    "another severity": (BOOK.replace("Severity: page", "Severity: ticket"), "says Severity 'ticket'"),
    "no owner": (BOOK.replace("- Owner: platform\n", ""), "says Owner ''"),
    "no impact": (BOOK.replace("## Impact\nI\n", ""), "has no section Impact"),
    "empty meaning": (BOOK.replace("M\n", "\n"), "has no section Meaning"),
    "sections in another order": (BOOK.replace("## Impact\nI\n", "").replace("## Meaning\nM\n", "## Impact\nI\n## Meaning\nM\n"), "another order"),
    "a section more": (BOOK + "## Gossip\nx\n", "has a section Gossip"),
    "no first command": (BOOK.replace("   ```promql\n   up\n   ```\n", ""), "Diagnosis does not begin with a command"),
    "no rollback command": (BOOK.replace("```sh\nundo\n```", "Undo it."), "Rollback has no command"),
    "a link to nowhere": (BOOK.replace("Two.md#diagnosis", "Three.md"), "links to Three.md, which is not there"),
    "a link to no section": (BOOK.replace("#diagnosis", "#nothing"), "there is no such section"),
    "a link outside": (BOOK.replace("Two.md#diagnosis", "https://wiki.invalid/page"), "cannot be reached"),
}


def test_lint_is_content_with_a_good_runbook(tmp_path):
    # The page that the others are made from has no fault.
    assert faults_of(tmp_path, BOOK, ("Two.md", BOOK.replace("# One", "# Two")), alerts=(Named("One"), Named("Two"))) == []


@pytest.mark.parametrize("kind", SPOILT)
def test_lint_sees_a_spoilt_runbook(tmp_path, kind):
    # One thing is wrong with the page, and lint names it.
    text, words = SPOILT[kind]
    found = faults_of(tmp_path, text, ("Two.md", BOOK.replace("# One", "# Two")), alerts=(Named("One"), Named("Two")))
    assert any(words in fault for fault in found), found


def test_lint_sees_alerts_without_runbooks_and_runbooks_without_alerts(tmp_path):
    # The bijection, in both directions, and the panel that no dashboard has.
    found = faults_of(tmp_path, BOOK, ("Two.md", BOOK.replace("# One", "# Two")), alerts=(Named("One"), Named("Lost", panel="No such")))
    assert any("Lost has no runbook" in fault for fault in found)
    assert any("'No such', and the dashboard has none" in fault for fault in found)
    assert any(fault.startswith("Two.md: belongs to no alert") for fault in found)


def test_a_link_outside_may_be_asked(tmp_path):
    # Where the caller can reach the network, the link is tried instead.
    text, asked = BOOK.replace("Two.md#diagnosis", "https://wiki.invalid/page"), []
    (tmp_path / "One.md").write_text(text)
    assert runbook.lint([Named("One")], ["Bad requests"], tmp_path, reaches=lambda url: not asked.append(url)) == []
    assert asked == ["https://wiki.invalid/page"]


def test_a_comment_in_a_command_is_no_heading():
    # `# now` in a shell block does not end the section.
    book = runbook.read("# A\n## Rollback\n```sh\n## now\nundo\n```\nDone.\n")
    assert list(book.sections) == ["Rollback"] and book.blocks("sh", "Rollback") == ["## now\nundo"]


@pytest.mark.parametrize("labels, receivers", [
    ({"severity": "page", "model": "credit"}, ["pagerduty", "slack", "webhook"]),
    ({"severity": "ticket", "model": "credit"}, ["slack", "webhook"]),
    ({"severity": "none"}, ["heartbeat"]),
    ({"severity": "pager"}, ["webhook"]),
])
def test_severity_decides_who_is_told(labels, receivers):
    # A page reaches the phone, the chat and the log; a ticket not the phone; a label is compared whole.
    assert routing.Routing().receivers(labels) == receivers


@pytest.mark.parametrize("limits, words", [
    ({"quality": 80}, "quality needs a share from 0 to 1"), ({"refresh": 0}, "refresh needs a finite number above 0"),
    ({"mistake_cost": float("nan")}, "mistake_cost needs a finite number"), ({"measure": "f2"}, "measure needs one of"),
])
def test_limits_refuse_what_is_no_limit(limits, words):
    with pytest.raises(ValueError, match=words):
        alerts.Limits(**limits)


def test_an_unknown_severity_is_refused():
    # "critical" would match no route, and be silent for ever.
    with pytest.raises(ValueError, match="severity needs one of 'page', 'ticket', 'none'"):
        dataclasses.replace(PLAN.alerts()[0], severity="critical")
