"""The differential diagnosis: each fault by its signature, the right cause on top, and no cause made up."""
import json
import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlmon.data import incidents
from mlmon.drift import Verdict, signatures
from mlmon.drift.differential import CAUSES, LAYERS, diagnose

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
checked = settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=list(HealthCheck), database=None)
N = 600


def people(seed, n=N):
    rng = np.random.default_rng([seed, 3])
    return pd.DataFrame({
        "income": rng.lognormal(7, 0.8, n).round(2), "age": rng.normal(40, 9, n).round(1), "visits": rng.poisson(9, n).astype(float),
        "country": rng.choice(["DE", "FR", "IT"], n, p=[0.5, 0.3, 0.2]), "device": rng.choice(["mobile", "desktop"], n)})


BEFORE, NOW = people(1), people(2)


def top(current, reference=BEFORE, **rest):
    found = diagnose(reference, current, **rest)
    return (found.top.cause, found.top.features) if found.top else found.verdict


# --- data: one fault, one signature -------------------------------------------------

def test_two_draws_of_one_population_have_no_fault():
    # Nothing stands out, and what was not looked at keeps it from being called fine.
    found = diagnose(BEFORE, NOW)
    assert found.verdict is Verdict.UNDECIDED and found.hypotheses == () and found.top is None
    assert "scores of both samples" in found.missing and "missing" in found.reason


@pytest.mark.parametrize("factor", [1000, 1 / 12, 24, 2.54])
def test_a_factor_in_all_rows_is_a_unit(factor):
    assert top(NOW.assign(income=NOW["income"] * factor)) == ("unit change", ("income",))


def test_a_factor_in_the_rows_of_one_country_is_a_unit_as_well():
    there = NOW["country"] == "FR"
    assert top(NOW.assign(income=NOW["income"] * np.where(there, 100, 1))) == ("unit change", ("income",))


def test_people_who_earn_more_are_no_unit():
    # Adding a sum moves values; it does not multiply them.
    assert top(NOW.assign(income=NOW["income"] + 700))[0] == "traffic mix"


@pytest.mark.parametrize("value", [-1, -999, 99999999])
def test_one_value_out_of_range_over_and_over_is_a_sentinel(value):
    assert top(NOW.assign(age=NOW["age"].mask(NOW.index % 9 == 0, value))) == ("sentinel", ("age",))


def test_a_higher_maximum_is_no_sentinel():
    wild = NOW.assign(age=NOW["age"].where(NOW.index % 100 != 0, NOW["age"].max() + 3))
    assert signatures.stand_in("age", BEFORE["age"].to_numpy(), wild["age"].to_numpy()) is None


def test_a_run_of_one_value_is_a_stuck_feed():
    assert top(NOW.assign(age=NOW["age"].where(NOW.index < 400, 41.0))) == ("stale feature", ("age",))


def test_a_common_value_makes_runs_by_itself():
    # Nine rows of ten are 0: a run of 60 among 600 has chance 600 * 0.9^60, about one.
    rng = np.random.default_rng(0)
    before, now = (np.where(rng.random(N) < 0.9, 0.0, rng.normal(size=N)) for _ in range(2))
    now[100:160] = 0
    assert signatures.stuck("x", before, now) is None


def test_values_of_yesterday_in_their_order_are_stale():
    old = BEFORE["income"].to_numpy()
    assert top(NOW.assign(income=np.append(NOW["income"][:200], old[50:450]))) == ("stale feature", ("income",))


def test_a_level_that_went_and_one_that_came_in_its_place_are_one_level():
    assert top(NOW.replace({"country": {"IT": "Italy"}})) == ("renamed category", ("country",))


def test_a_level_that_takes_from_all_others_is_new():
    rows = np.random.default_rng(0).random(N) < 0.1
    assert top(NOW.assign(country=NOW["country"].mask(rows, "PL"))) == ("new category", ("country",))


def test_one_column_missing_is_a_burst_and_the_place_is_said():
    found = diagnose(BEFORE, NOW.assign(age=NOW["age"].mask(NOW["country"] == "IT")))
    assert (found.top.cause, found.top.features) == ("null burst", ("age",)) and "all with country = IT" in found.top.evidence


def test_columns_missing_on_the_same_rows_are_a_join():
    lost = np.random.default_rng(0).random(N) < 0.2
    assert top(NOW.assign(**{c: NOW[c].mask(lost) for c in ("income", "visits")})) == ("join loss", ("income", "visits"))


def test_columns_may_be_numbered():
    numbered = [f.set_axis(range(5), axis=1) for f in (BEFORE, NOW)]
    assert top(numbered[1].mask(numbered[1].index.to_series() % 4 == 0), numbered[0]) == ("join loss", tuple("01234"))
    assert top(pd.concat([numbered[1][0] * 1000, numbered[1][[1, 2, 3, 4]]], axis=1), numbered[0]) == ("unit change", ("0",))


def test_columns_missing_on_different_rows_are_two_bursts():
    rng = np.random.default_rng(0)
    now = NOW.assign(**{c: NOW[c].mask(rng.random(N) < 0.2) for c in ("income", "visits")})
    assert top(now) == ("null burst", ("income", "visits"))


def test_rows_that_come_twice_are_counted():
    again = pd.concat([NOW, NOW[:150]], ignore_index=True)
    assert top(again)[0] == "duplicated rows"


@pytest.mark.parametrize("form", ["{:.2f}", "{:,.1f} EUR"])
def test_numbers_that_come_as_text_changed_their_type(form):
    assert top(NOW.assign(income=NOW["income"].map(form.format))) == ("type change", ("income",))


def test_a_column_that_no_longer_comes_is_named_with_what_came_instead():
    found = diagnose(BEFORE, NOW.rename(columns={"income": "income_eur"}))
    assert found.top.cause == "column dropped" and found.top.features == ("income",) and "new: income_eur" in found.top.evidence


def test_rows_joined_in_another_order_keep_their_values_and_lose_their_ties():
    rng = np.random.default_rng(0)
    tie = [f.assign(orders=f["visits"] + rng.normal(size=N), spend=f["visits"] * 3 + rng.normal(size=N)) for f in (BEFORE, NOW)]
    mixed = tie[1].assign(visits=rng.permutation(tie[1]["visits"].to_numpy()))
    assert top(mixed, tie[0]) == ("misjoined rows", ("visits",))


def test_offline_values_tell_what_the_service_did_to_them():
    assert top(NOW.assign(age=NOW["age"].clip(upper=45)), offline=NOW) == ("training-serving skew", ("age",))
    with pytest.raises(ValueError, match="offline needs one row a current row, 600, got 599"):
        diagnose(BEFORE, NOW, offline=NOW[1:])


# --- system, prediction, model, business ----------------------------------------------

def service(seed, n=3000):
    """Everything a healthy service leaves behind: scores are the labels' true chances."""
    rng = np.random.default_rng([seed, 4])
    frame = people(seed, n)
    score = 1 / (1 + np.exp(2 - 0.08 * (frame["age"] - 40) - 0.1 * (frame["visits"] - 9)))
    time = np.sort(rng.uniform(0, 24, n))
    log = pd.DataFrame({
        "time": time, "event_time": time - rng.exponential(0.02, n), "latency": rng.lognormal(-3, 0.4, n), "outcome": "ok",
        "version": "1", "decision": (score >= 0.2).astype(int)})
    return {"frame": frame, "scores": score.to_numpy(), "labels": (rng.random(n) < score).astype(float), "log": log,
            "business": 100 + rng.normal(size=14)}


def judged(now, before=None, **changes):
    before, now = before or service(1), service(2) if now is None else now
    evidence = {f"{name}_{role}": part[name] for role, part in (("reference", before), ("current", now)) for name in ("scores", "labels", "log", "business")}
    return diagnose(before["frame"], now["frame"], **({"offline": now["frame"]} | evidence | changes))


def test_a_healthy_service_with_all_evidence_is_stable():
    found = judged(None)
    assert found.verdict is Verdict.STABLE and not found.missing and [layer for layer, _ in found.steps] == list(LAYERS)


def test_every_layer_is_drilled_in_order_from_the_business_down():
    assert [layer for layer, _ in judged(None).steps] == ["business", "model", "prediction", "data", "system"]


def broken(part, column, rows, value):
    now = service(2)
    table = now[part] if column is None else now[part][column]
    values = np.array(table, dtype=object if isinstance(value, str) else float)
    values[rows(now)] = value
    now[part] = values if column is None else now[part].assign(**{column: values})
    return now


def newest(now):
    return np.arange(3000) >= 1800


def chosen(now):
    return now["log"]["decision"].to_numpy() == 1


@pytest.mark.parametrize("cause, now", [
    ("errors", broken("log", "outcome", lambda now: np.arange(3000) % 9 == 0, "error")),
    ("timeouts", broken("log", "outcome", lambda now: np.arange(3000) % 9 == 0, "timeout")),
    ("late data", broken("log", "event_time", newest, -8.0)),
    ("clock shift", broken("log", "event_time", newest, 30.0)),
    ("release", broken("log", "version", newest, "2")),
    ("threshold change", broken("log", "decision", lambda now: now["scores"] < 0.3, 0)),
    ("label delay", broken("labels", None, newest, np.nan)),
    ("label delay", broken("labels", None, newest, 0.0)),
    ("feedback", broken("labels", None, chosen, np.nan)),
    ("feedback", broken("labels", None, chosen, 0.0)),
    ("concept drift", broken("labels", None, lambda now: np.arange(3000) % 4 == 0, 1.0)),
], ids=lambda value: value if isinstance(value, str) else "")
def test_each_layer_knows_its_own(cause, now):
    found = judged(now)
    assert found.top.cause == cause and found.top.layer == CAUSES[cause].layer and found.drifted


def test_latency_alone_is_a_slow_service():
    now = service(2)
    now["log"]["latency"] *= 4
    assert judged(now).top.cause == "slow service"


def test_a_metric_that_falls_above_healthy_layers_points_outside():
    assert judged(None, business_current=[90.0, 91, 89]).top.cause == "outside the model"


def test_a_metric_that_falls_with_a_cause_below_is_a_symptom():
    now = service(2)
    now["frame"] = now["frame"].assign(income=now["frame"]["income"] * 1000)
    found = judged(now, business_current=[90.0, 91, 89])
    assert found.top.cause == "unit change" and "outside the model" not in [h.cause for h in found.hypotheses]


def test_default_answers_are_the_timeouts_doing_and_no_release():
    # A third of the requests time out and are answered 0.5: scores have drifted, the model has not.
    now = service(2)
    late = np.arange(3000) % 3 == 0
    now["scores"] = np.where(late, 0.5, now["scores"])
    now["log"] = now["log"].assign(outcome=np.where(late, "timeout", "ok"))
    found = judged(now)
    assert [h.cause for h in found.hypotheses] == ["timeouts"] and "answered 0.5" in found.top.evidence


def test_a_mixed_up_feature_is_not_called_concept_drift_as_well():
    # The labels no longer follow the scores in the broken rows; those rows are explained.
    now = service(2)
    rows = np.arange(3000) % 3 == 0
    now["frame"] = now["frame"].assign(age=now["frame"]["age"].mask(rows, -999))
    now["scores"] = np.where(rows, 0.02, now["scores"])
    assert [h.cause for h in judged(now).hypotheses] == ["sentinel"]


# --- refusals and property -----------------------------------------------------------

def test_no_evidence_half_a_pair_and_parts_that_do_not_fit_are_refused():
    for call, words in (
        (lambda: diagnose(), "evidence needs one pair at least"),
        (lambda: diagnose(BEFORE), "current needs its partner"),
        (lambda: diagnose(BEFORE, NOW, scores_reference=[0.1] * N, scores_current=[0.1] * 5), "current needs one row a request in every part"),
        (lambda: diagnose(labels_reference=[0, 1], labels_current=[0, 2]), "labels needs 0, 1 and nan"),
        (lambda: diagnose(BEFORE.to_numpy(), NOW), "reference needs a DataFrame, got ndarray"),
        (lambda: diagnose(BEFORE, NOW.rename(columns={"age": "income"})), "current needs one column of each name"),
        (lambda: diagnose(BEFORE, NOW, alpha=1), "alpha needs"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_the_page_of_a_diagnosis_is_escaped_and_complete():
    found = diagnose(BEFORE, NOW.replace({"country": {"IT": "<i>"}}))
    assert "&lt;i&gt;" in found._repr_html_() and "<i>" not in found._repr_html_()
    assert str(found).startswith("DRIFTED (data: renamed category") and found.to_frame()["cause"].tolist() == ["renamed category"]
    json.dumps(asdict(found), allow_nan=False)


odd = st.sampled_from([
    [1.0] * 40, [None] * 40, [math.nan] * 40, ["a"] * 40, ["a", None] * 20, list(range(40)), [0, 1] * 20, [True, False] * 20, [math.inf] * 40,
    [1e200, -1e200] * 20, [5e-324, 0.0] * 20, ["a", 1] * 20, [f"id{i}" for i in range(40)], [-1.0] * 20 + [2.0] * 20, [1.0], []])


@checked
@given(first=odd, second=odd, scores=odd, labels=odd)
def test_any_evidence_is_diagnosed_or_refused(first, second, scores, labels):
    # Too little is never STABLE; every hypothesis is complete; errors say what is needed.
    def pick(values, n):
        return (list(values) * n)[:n] if values else values

    before, now = (pd.DataFrame({"f": pd.Series(f, dtype=object)}) for f in (first, second))
    evidence = {f"scores_{role}": pick(scores, len(f)) for role, f in (("reference", before), ("current", now))}
    evidence |= {f"labels_{role}": pick(labels, len(f)) for role, f in (("reference", before), ("current", now))}
    try:
        found = diagnose(before, now, **evidence)
    except ValueError as error:
        assert "needs" in str(error) and "got" in str(error)
        return
    assert found.verdict is not Verdict.STABLE and found.reason and found.missing
    for h in found.hypotheses:
        assert h.cause in CAUSES and 0 < h.support <= 1 and h.evidence and h.check and h.action
    json.dumps(asdict(found), allow_nan=False)


def test_a_few_incidents_of_the_library_are_diagnosed():
    # The whole library, with fresh seeds, is counted by `make prove`.
    for name in ("unit_of_one_partner", "join_loss", "release", "outside"):
        incident = incidents.make(name, seed=3)
        found = diagnose(**incident.evidence)
        assert (found.top.cause, found.top.layer) == (incident.truth.cause, incident.truth.layer)
