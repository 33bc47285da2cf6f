"""When a model is trained again: sound data first, then performance, then labels and the cool-down. Always with a reason."""
from dataclasses import replace
from itertools import product

import pytest

from mlmon.data import inject, tables
from mlmon.drift import Verdict, diagnose
from mlmon.learning import Evidence, Policy
from mlmon.learning.trigger import DAY

POLICY = Policy(labels=1000, cooldown=7 * DAY, schedule=30 * DAY)
CALM = Evidence(quality="STABLE", performance="STABLE", estimated="STABLE", drift="STABLE", labels=5000, now=20 * DAY, trained=0.0)

TABLE = [      # what differs from a calm day, and what is to be done
    ({}, "WAIT"),
    ({"performance": "DRIFTED"}, "RETRAIN"),
    ({"estimated": "DRIFTED"}, "RETRAIN"),
    ({"performance": "UNDECIDED", "estimated": "DRIFTED"}, "RETRAIN"),
    ({"drift": "DRIFTED"}, "TRIAGE"),
    ({"drift": "DRIFTED", "performance": "DRIFTED"}, "RETRAIN"),
    ({"quality": "DRIFTED", "performance": "DRIFTED"}, "BLOCK"),
    ({"quality": "UNDECIDED", "performance": "DRIFTED"}, "BLOCK"),
    ({"performance": "DRIFTED", "labels": 999}, "WAIT"),
    ({"performance": "DRIFTED", "labels": 1000}, "RETRAIN"),
    ({"performance": "DRIFTED", "now": 6.9 * DAY}, "ROLL_BACK"),
    ({"estimated": "DRIFTED", "now": 6.9 * DAY}, "WAIT"),
    ({"performance": "DRIFTED", "now": 7 * DAY}, "RETRAIN"),
    ({"now": 30 * DAY}, "RETRAIN"),
    ({"now": 30 * DAY, "labels": 10}, "WAIT"),
    ({"performance": "UNDECIDED", "estimated": "UNDECIDED"}, "TRIAGE"),
    ({"performance": "UNDECIDED"}, "WAIT"),
    ({"trained": None}, "RETRAIN"),
    ({"trained": None, "labels": 10}, "WAIT"),
]


@pytest.mark.parametrize("differs, action", TABLE, ids=[str(row[0]) for row in TABLE])
def test_the_policy_is_this_table(differs, action):
    decision = POLICY(replace(CALM, **differs))
    assert decision.action == action and len(decision.reason) > 20


def test_nothing_trains_on_data_that_is_not_known_to_be_sound():
    # Whatever else holds: a unit change or a burst of missing values also lowers performance, and would be learned.
    for quality, performance, estimated, drift, now in product(("DRIFTED", "UNDECIDED"), *[("STABLE", "DRIFTED", "UNDECIDED")] * 3, (DAY, 90 * DAY)):
        evidence = replace(CALM, quality=quality, performance=performance, estimated=estimated, drift=drift, now=now)
        assert POLICY(evidence).action == "BLOCK"


def test_drift_alone_never_trains():
    # Inputs may move where the model is as good as ever: facts 3.2, 7.
    for labels in (0, 10**6):
        assert POLICY(replace(CALM, drift="DRIFTED", labels=labels)).action == "TRIAGE"


def test_a_verdict_of_drift_is_a_verdict_here():
    assert POLICY(replace(CALM, performance=Verdict.DRIFTED)).action == "RETRAIN"


def test_without_a_schedule_time_is_no_reason():
    assert Policy(schedule=None)(replace(CALM, now=10_000 * DAY)).action == "WAIT"


@pytest.mark.parametrize("bad", [{"quality": "fine"}, {"labels": -1}, {"drift": None}])
def test_evidence_refuses_what_is_no_verdict(bad):
    with pytest.raises(ValueError, match="needs"):
        replace(CALM, **bad)


@pytest.mark.parametrize("bad", [{"labels": 0}, {"cooldown": -1.0}, {"schedule": 0.0}])
def test_a_policy_refuses_what_makes_no_sense(bad):
    with pytest.raises(ValueError, match="needs"):
        Policy(**bad)


@pytest.mark.parametrize("fault, action", [
    (lambda rows: inject.unit_change(rows, "income", 12.0), "BLOCK"),
    (lambda rows: inject.missing(rows, "income", 0.3), "BLOCK"),
    (lambda rows: inject.mean_shift(rows, "income", 0.3), "RETRAIN"),
    (lambda rows: rows, "RETRAIN"),
], ids=["unit change", "null burst", "the world moved", "as ever"])
def test_a_corrupt_batch_blocks_and_a_world_that_moved_does_not(fault, action):
    # Performance has fallen each time. What is wrong with the data comes from the rows themselves.
    population = tables.applicants
    reference, batch = (population.sample(n, seed)[list(population.features)] for n, seed in ((4000, 1), (1500, 2)))
    signs = {one.cause for one in diagnose(reference, fault(batch)).hypotheses if one.layer == "data"}
    broken, moved = signs - {"traffic mix"}, signs & {"traffic mix"}
    evidence = replace(CALM, performance="DRIFTED", quality="DRIFTED" if broken else "STABLE", drift="DRIFTED" if moved else "STABLE")
    assert POLICY(evidence).action == action
