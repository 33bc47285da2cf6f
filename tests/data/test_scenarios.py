import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from mlmon.data import inject, scenarios

NAMES = scenarios.names()
DRIFTED = [name for name in NAMES if not name.endswith("-none")]
MEASURED = ("out_of_range", "unit_change", "new_category", "missing", "stale")


@pytest.fixture(scope="module")
def made():
    return {name: scenarios.make(name, seed=4) for name in NAMES}


def test_every_fault_has_a_scenario(made):
    # And so does its absence.
    assert {scenario.truth.kind for scenario in made.values()} == {*inject.names(), "none"}


def test_every_pace_has_a_scenario(made):
    # None, sudden, gradual, incremental, recurring.
    paces = {scenario.truth.pace for scenario in made.values()}
    assert paces == {"none", "sudden", "gradual", "incremental", "recurring"}


@pytest.mark.parametrize("name", DRIFTED)
def test_every_drift_has_its_control(name, made):
    # The same table, days and rows, the same reference, and nothing happens.
    scenario, control = made[name], made[scenarios.control(name)]
    assert control.table is scenario.table and not control.truth.drifted and control.truth.start is None
    assert [len(batch) for batch in control.batches] == [len(batch) for batch in scenario.batches]
    pd.testing.assert_frame_equal(control.reference, scenario.reference)


@pytest.mark.parametrize("name", DRIFTED)
def test_batches_differ_from_the_control_on_the_drifted_days_only(name, made):
    # The truth names these days, and no others.
    scenario, control = made[name], made[scenarios.control(name)]
    differ = {day for day, pair in enumerate(zip(scenario.batches, control.batches)) if not pair[0].equals(pair[1])}
    assert differ == scenario.truth.days == {day for day in range(20) if scenario.truth.at(day)}
    assert scenario.truth.start == min(differ) == 10


@pytest.mark.parametrize("name", DRIFTED)
def test_the_truth_names_what_was_touched(name, made):
    # A failed measurement touches its column alone, a changed population its column and the labels.
    scenario, control = made[name], made[scenarios.control(name)]
    truth, last = scenario.truth, max(scenario.truth.days)
    a, b = scenario.batches[last], control.batches[last]
    touched = {column for column in a if list(a[column]) != list(b[column])} - {scenario.table.target}
    if truth.kind in MEASURED:
        assert touched == set(truth.features) and a[scenario.table.target].equals(b[scenario.table.target])
    elif truth.kind not in ("prior_shift", "concept_flip"):
        assert touched <= set(truth.features) and touched


def test_a_sudden_fault_is_there_at_once_and_stays(made):
    # From the first drifted day on, in full.
    assert made["customers-sudden-mean"].truth.strength == (0.0,) * 10 + (1.0,) * 10


@pytest.mark.parametrize("name", ["customers-incremental-mean", "customers-gradual-category"])
def test_a_growing_fault_grows_and_stays(name, made):
    # Step by step from 0 to 1, then full.
    strength = np.array(made[name].truth.strength)
    assert (np.diff(strength) >= 0).all() and 0 < strength[10] < 1 and (strength[15:] == 1).all()


def test_a_recurring_fault_comes_and_goes(made):
    # Three days on, three days off.
    assert sorted(made["customers-recurring-mean"].truth.days) == [10, 11, 12, 16, 17, 18]


def test_a_gradual_fault_reaches_more_rows_each_day(made):
    # The day's share of rows has lost its value with the stated chance: binomial, within 5 sd.
    scenario = made["applicants-gradual-missing"]
    for batch, strength in zip(scenario.batches, scenario.truth.strength):
        expected = strength * scenario.truth.size
        sd = np.sqrt(expected * (1 - expected) / len(batch))
        assert batch["credit_score"].isna().mean() == pytest.approx(expected, abs=5 * sd + 1e-3)


def test_the_size_of_a_mean_shift_is_as_stated(made):
    # Against the control, whose rows are the same before the fault: exact but for the rounding to 10 EUR.
    scenario, control = made["customers-sudden-mean"], made["customers-none"]
    for day in scenario.truth.days:
        moved, before = scenario.batches[day]["income"], control.batches[day]["income"]
        assert moved.mean() - before.mean() == pytest.approx(0.3 * before.std(ddof=0), abs=5.5)


def test_a_changed_population_keeps_its_law_of_labels():
    # P(y|X) is kept: as many defaults as the stated probabilities add up to, by a z-test at 10^-6.
    scenario = scenarios.make("applicants-incremental-mean", seed=1, n=40_000, days=2)
    batch = scenario.batches[-1]
    p = scenario.table.probability(batch)
    z = (batch["defaulted"].sum() - p.sum()) / np.sqrt((p * (1 - p)).sum())
    assert abs(z) < norm.isf(0.5e-6)


@pytest.mark.parametrize("name", ["customers-sudden-mean", "applicants-sudden-scale", "customers-sudden-tail"])
def test_a_changed_population_stays_plausible(name, made):
    # Nobody earns more than the table's highest income: that would be another fault.
    scenario = made[name]
    column = scenario.table[scenario.truth.features[0]]
    for batch in scenario.batches:
        assert batch[column.name].between(column.low, column.high).all()


def test_out_of_range_values_are_beyond_the_plausible_range(made):
    # Beyond the table's limit, so beyond any reference.
    scenario = made["customers-sudden-range"]
    high = scenario.table["age"].high
    assert all((batch["age"] > high).sum() == (15 if scenario.truth.at(day) else 0)
               for day, batch in enumerate(scenario.batches))


def test_a_shifted_prior_is_of_the_stated_rate_and_nearly_free_of_copies(made):
    # 3 % of 2000 payments are 60, out of a pool that holds about as many.
    scenario = made["transactions-sudden-prior"]
    for day in scenario.truth.days:
        assert scenario.batches[day]["fraud"].sum() == 60
        assert scenario.batches[day].duplicated().mean() < 0.02


def test_a_seed_is_all_that_a_scenario_depends_on():
    # The same seed gives the same timeline, another gives another, with the same truth.
    a, b, c = (scenarios.make("transactions-gradual-mean", seed=seed, n=100, days=6) for seed in (1, 1, 2))
    assert a.truth == b.truth == c.truth
    assert all(x.equals(y) for x, y in zip(a.batches, b.batches))
    assert not a.reference.equals(c.reference) and not any(x.equals(y) for x, y in zip(a.batches, c.batches))


@pytest.mark.parametrize("name", NAMES)
def test_short_timelines_are_timelines(name):
    # Two days, a day before and a day after.
    scenario = scenarios.make(name, n=60, days=2)
    assert len(scenario.batches) == 2 and len(scenario.reference) == 240
    assert scenario.truth.start == (None if name.endswith("-none") else 1)
    assert all(len(batch) == 60 and batch.index.equals(pd.RangeIndex(60)) for batch in scenario.batches)


@pytest.mark.parametrize("call, words", [
    (lambda: scenarios.make("customers-sudden"), "scenario needs one of 'customers-none', "),
    (lambda: scenarios.make("customers-none", days=1), "days needs a whole number of 2 or more, got 1"),
    (lambda: scenarios.make("customers-none", n=0), "n needs a whole number of 1 or more, got 0"),
    (lambda: scenarios.make("customers-none", seed=-1), "seed needs a whole number of 0 or more, got -1"),
    (lambda: scenarios.control("x"), "scenario needs one of 'customers-none', "),
])
def test_bad_requests_are_refused_with_words(call, words):
    # What is needed and what came.
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)
