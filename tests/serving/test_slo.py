"""Burn rates, their laws, and the four numbers of an alert policy."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from mlmon.serving import replay, slo

SLO = slo.SLO("Requests", 0.995, "rate(bad[$window])", "rate(all[$window])", "promise", "panel")
PAGE, TICKET = (tuple(rule for rule in slo.RULES if rule.severity == severity) for severity in ("page", "ticket"))


def fault(burn, minutes, *, background=0.0, before=5 * 1440, after=1440):
    """A service without noise: its share of bad requests is the burn rate times the budget, exactly."""
    share = np.full(before + minutes + after, background * SLO.budget)
    share[before : before + minutes] = burn * SLO.budget
    place = np.full(share.size, -1)
    place[before : before + minutes] = 0
    return pd.DataFrame({"requests": 1e6, "errors": 1e6 * share, "incident": place})


def test_the_workbook_rules_spend_what_the_workbook_says():
    # Chapter 5 of the workbook: 2 % in one hour, 5 % in six, 10 % in one and in three days.
    assert [round(rule.spends(), 9) for rule in slo.RULES] == [0.02, 0.05, 0.1, 0.1]


@pytest.mark.parametrize("burn, minutes", [(40, 21.6), (200, 4.32), (10, 216.0), (7, 360 * 6 / 7)])
def test_time_to_detect_is_window_times_factor_over_burn(burn, minutes):
    # A constant burn b fills a window w up to the factor f after w f / b.
    assert slo.time_to_detect(burn, PAGE) / 60 == pytest.approx(minutes)


@pytest.mark.parametrize("background", [0.0, 0.4])
@pytest.mark.parametrize("rules", [PAGE, TICKET, slo.RULES], ids=["page", "ticket", "both"])
@pytest.mark.parametrize("burn, minutes", [(40, 90), (10, 300), (7, 600), (2, 3600), (200, 15)])
def test_the_replay_obeys_the_law(burn, minutes, rules, background):
    # Without noise the replay's first firing is the law's time, rounded up to a whole minute; so is the reset.
    policy = replay.Policy("law", [[(r.long / 60, r.factor * SLO.budget), (r.short / 60, r.factor * SLO.budget)] for r in rules])
    told = replay.score(fault(burn, minutes, background=background), policy)
    detect = slo.time_to_detect(burn, rules, lasts=minutes * 60, background=background)
    if detect is None:
        assert told.detect == (None,) and told.recall == 0
        return
    reset = slo.time_to_reset(burn, rules, lasts=minutes * 60, background=background)
    assert told.detect[0] == pytest.approx(detect / 60 - 0.5, abs=1.0)      # minute k is over k + 1 minutes after the start
    assert told.reset[0] == pytest.approx(reset / 60 - 0.5, abs=1.0)


@settings(max_examples=40, deadline=None)
@given(burn=st.floats(0.1, 1000), lasts=st.floats(60, 1e6), background=st.floats(0, 0.9))
def test_a_fault_that_is_detected_is_over_the_factor(burn, lasts, background):
    # No rule fires on a burn rate below its own factor, and none before its short window could be over.
    found = slo.time_to_detect(burn, slo.RULES, lasts=lasts, background=background)
    if found is not None:
        assert burn >= 1 and 0 <= found <= lasts
    else:
        assert all(rule.long * (rule.factor - background) / (burn - background) > lasts for rule in slo.RULES if burn > rule.factor)


# The policies that one meets, over the month of replay.MONTH.
POLICIES = {
    "1 m": replay.Policy("1 m over 1 %", [[(1, 0.01)]]),
    "10 m": replay.Policy("10 m over the budget", [[(10, SLO.budget)]]),
    "1 h": replay.Policy("1 h over 14.4", [[(60, 14.4 * SLO.budget)]]),
    "page": replay.burn_policy(SLO, "page"),
    "ticket": replay.burn_policy(SLO, "ticket"),
    "both": replay.burn_policy(SLO),
}


@pytest.fixture(scope="module")
def month():
    history = replay.simulate(replay.Service(), seed=7)
    return {name: replay.score(history, policy) for name, policy in POLICIES.items()}


def test_a_minute_of_errors_is_found_at_once_and_told_a_thousand_times(month):
    # The noise of 300 requests a minute crosses 1 % thousands of times in a month; recall is bought with it.
    assert month["1 m"].recall == 1 and month["1 m"].firings > 500
    assert month["1 m"].precision < 0.9 and month["1 m"].median_detect <= 1


def test_ten_minutes_over_budget_is_a_false_alarm_a_spike(month):
    # Two harmless minutes at 10 % put 2 % into a window of ten, four times the budget: about sixty a month.
    assert month["10 m"].recall == 1
    assert month["10 m"].precision < 0.2


def test_one_hour_is_never_wrong_and_finds_two_of_five(month):
    # Only burn rates above 14.4 can fill it: the bad release (40) and the outage (200).
    told = month["1 h"]
    assert (told.firings, told.precision, told.recall) == (2, 1.0, 0.4)
    assert [found is not None for found in told.detect] == [True, False, False, False, True]


def test_pages_are_never_wrong_and_miss_only_the_leak(month):
    # Two windows reject the spikes; a burn rate of two is below every factor that pages.
    told = month["page"]
    assert told.precision == 1.0 and told.recall == 0.8 and told.detect[3] is None


def test_pages_detect_when_the_law_says(month):
    # The law with the background burn rate of 0.4: 21.3, 210, 305, and 4.2 minutes; noise moves each by a few per cent.
    background = replay.Service().errors / SLO.budget
    for found, incident in zip(month["page"].detect, replay.MONTH):
        law = slo.time_to_detect(SLO.burn(incident.errors), PAGE, lasts=incident.minutes * 60, background=background)
        assert (found is None) == (law is None)
        if law is not None:
            assert found == pytest.approx(law / 60, rel=0.1, abs=2)


def test_pages_and_tickets_together_find_all_five(month):
    # The ticket sees the leak: 3 days times (1 - 0.4) / (2 - 0.4) are 27 hours.
    assert month["both"].recall == 1.0
    assert month["both"].detect[3] == pytest.approx(3 * 1440 * 0.6 / 1.6, rel=0.25)


def test_a_short_window_resets_in_a_third_of_the_time(month):
    # One hour alone keeps firing until its errors have left it; the workbook added the short window for that.
    assert month["page"].median_reset < month["1 h"].median_reset / 2


def test_without_incidents_a_page_is_rare():
    # With no incident, a false page needs twelve spikes in an hour: none in a year of months.
    quiet = replay.Service(incidents=())
    told = replay.compare([replay.simulate(quiet, seed) for seed in range(12)], [POLICIES["page"]]).loc[POLICIES["page"].name]
    assert told["firings"] == 0 and told["recall"] is None and told["precision"] is None


def test_nothing_to_count_is_none_and_not_nan():
    # A policy that never fires has no precision; a month without incidents has no recall.
    quiet = replay.simulate(replay.Service(days=1, incidents=(), spikes=0), seed=0)
    told = replay.score(quiet, replay.Policy("never", [[(1, 1.0)]]))
    assert (told.precision, told.recall, told.duplicates, told.median_detect, told.median_reset) == (None,) * 5


def test_few_events_decide_nothing():
    # One bad request of three in an hour is 33 %, 67 times the budget; ten a minute at the same share is a fault.
    rare = pd.DataFrame({"requests": np.tile([1, 0, 0, 0, 0], 1440), "errors": 0, "incident": -1})
    rare.loc[720, "errors"] = 1
    assert replay.score(rare, replay.Policy("all", [[(60, 0.03)]], least=0)).firings == 1
    assert replay.score(rare, replay.Policy("enough", [[(60, 0.03)]], least=100)).firings == 0


def test_errors_are_binomial():
    # The share of bad requests in calm is what was asked for, within a chance of one in a million.
    calm = replay.simulate(replay.Service(days=2, incidents=(), spikes=0), seed=3)
    n, p = int(calm["requests"].sum()), replay.Service().errors
    assert binom.ppf(5e-7, n, p) <= calm["errors"].sum() <= binom.ppf(1 - 5e-7, n, p)


def test_a_hold_waits_as_long_as_prometheus_does():
    # `for: 3m` fires in the fourth minute of four in a row.
    bad = pd.DataFrame({"requests": 10, "errors": [0, 10, 10, 10, 10, 0], "incident": -1})
    assert replay.fires(bad, replay.Policy("held", [[(1, 0.5)]], hold=3)).tolist() == [False] * 4 + [True, False]


def test_firing_runs_are_counted_once_each():
    # Two separate minutes of fault: two firings, both true, one duplicate for one incident.
    place = [-1, 0, 0, 0, -1]
    history = pd.DataFrame({"requests": 10, "errors": [0, 10, 0, 10, 0], "incident": place})
    told = replay.score(history, replay.Policy("minute", [[(1, 0.5)]]))
    assert (told.firings, told.precision, told.duplicates, told.detect, told.reset) == (2, 1.0, 2.0, (0,), (0,))


@pytest.mark.parametrize("words, call", [
    ("objective needs a share above 0 and below 1", lambda: slo.SLO("x", 1.0, "rate(a[$window])", "rate(b[$window])", "", "")),
    ("bad needs \\$window", lambda: slo.SLO("x", 0.9, "rate(a[5m])", "rate(b[$window])", "", "")),
    ("clauses needs at least one", lambda: replay.Policy("x", [])),
    ("clauses needs at least one", lambda: replay.Policy("x", [[(0, 0.1)]])),
    ("incidents need to end within 30 days", lambda: replay.Service(incidents=(replay.Incident("late", 43100, 200, 1.0),))),
    ("errors needs a share", lambda: replay.Service(errors=2)),
    ("speed needs a finite number", lambda: slo.Pace(speed=0)),
    ("seconds needs at least a thousandth", lambda: slo.duration(0)),
])
def test_refusals_name_the_argument(words, call):
    with pytest.raises(ValueError, match=words):
        call()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**9))
def test_a_duration_means_the_same_seconds_in_prometheus(thousandths):
    # Parsed as Prometheus parses it, the text is the number of milliseconds it was made of.
    text = slo.duration(thousandths / 1000)
    number, unit = int("".join(filter(str.isdigit, text))), "".join(filter(str.isalpha, text))
    assert number * {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}[unit] == thousandths


def test_pace_never_lets_a_window_hold_fewer_than_four_scrapes():
    # Fewer than two samples in a window give no rate; four leave room for one that failed.
    for speed in (1, 60, 600, 6000):
        pace = slo.Pace(speed, 0.2)
        assert pace.range(slo.MINUTE * 5) >= 4 * 0.2
        assert pace.range(slo.DAY) == pytest.approx(max(slo.DAY / speed, 0.8))
    assert math.isclose(slo.Pace().range(300), 300)
