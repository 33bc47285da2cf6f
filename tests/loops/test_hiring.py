"""The hiring loop amplifies, and the mitigations help at a cost."""
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from mlmon.loops import hiring
from mlmon.loops.hiring import MITIGATIONS, Config, State, effects, simulate, step

Z = norm.isf(5e-7)      # a two-sided bound of Z standard errors fails by chance once in a million
SMALL = Config(applicants=400)


def at(frame, number):
    return frame[frame["round"] == number].reset_index(drop=True)


def near(values, expected):
    """Whether the mean of independent runs is the expected one, but for chance."""
    return abs(np.mean(values) - expected) <= Z * np.std(values, ddof=1) / np.sqrt(len(values))


def rates(config):
    """Both groups' chance to be hired by interviewers alone: two normal appraisals, one bar."""
    sd = np.hypot(1, config.noise)
    a, b = (lambda bar, shift=shift: norm.sf((bar + shift) / sd) for shift in (0, config.bias))
    bar = brentq(lambda bar: (a(bar) + b(bar)) / 2 - config.places, -9, 9)
    return a(bar), b(bar)


# --- the loop ----------------------------------------------------------------------

def test_without_a_model_the_rates_are_two_normal_tails():
    # Round 0: appraisals N(0, 1 + noise^2), B's shifted by the bias, and the bar that leaves the places.
    frame = at(simulate(Config(), seed=1, rounds=1, runs=40), 0)
    for name, rate in zip("ab", rates(Config())):
        assert near(frame[f"rate_{name}"], rate)


def test_interviewers_who_do_not_listen_close_no_loop():
    # Without trust and referrals round 5 is as round 0.
    frame = at(simulate(Config(trust=0, referrals=0), seed=2, rounds=5, runs=30), 5)
    for name, rate in zip("ab", rates(Config())):
        assert near(frame[f"rate_{name}"], rate)


def test_no_bias_and_equal_access_is_fair():
    # The groups are then alike: as often B is ahead as behind.
    frame = at(simulate(replace(SMALL, bias=0, access=0), seed=3, rounds=4, runs=30), 4)
    assert near(frame["rate_a"] - frame["rate_b"], 0) and near(frame["found_a"] - frame["found_b"], 0)


@pytest.fixture(scope="module")
def loop():
    return simulate(SMALL, seed=4, rounds=6, runs=20)


def test_the_loop_amplifies(loop):
    # In each of 20 runs B's ratio falls, which happens by chance once in a million; so does B's share of the applicants.
    first, last = at(loop, 0), at(loop, 6)
    assert (last["ratio"] < first["ratio"]).all() and (last["applicants_b"] < first["applicants_b"]).all()
    assert (last["found_b"] < last["found_a"]).all()


def test_the_model_looks_better_and_better_and_is_not(loop):
    # Judged by its own decisions it gains in each of 20 runs; judged by who is good it stays.
    first, last = at(loop, 1), at(loop, 6)
    assert (last["auc"] > first["auc"]).all()
    assert abs((last["auc_true"] - first["auc_true"]).mean()) < 0.02


def test_the_model_underrates_b(loop):
    # More of B are good than its scores say, and fewer of A.
    last = at(loop, 6)
    assert last["underrated_b"].mean() > 0.05 > 0 > last["underrated_a"].mean()


def test_more_trust_more_amplification():
    # The model has no noise: the more it decides, the fewer of B pass. Medians of 10 runs.
    ratios = [at(simulate(replace(SMALL, trust=t), seed=5, rounds=5, runs=10), 5)["ratio"].median() for t in (0, 0.5, 2)]
    assert ratios[0] > ratios[1] > ratios[2]


# --- what a round is ---------------------------------------------------------------

def test_a_round_fills_its_places_and_draws_its_lots():
    # 400 applicants, 80 places, a quarter of them by lot, all from among the hired.
    config = replace(SMALL, lot=0.25)
    last = step(State(), config, np.random.default_rng(0)).last
    assert last.hired.sum() == 80 and last.lot.sum() == 20 and last.hired[last.lot].all()


def test_lots_fall_on_everyone_alike():
    # B's part of the lots is B's part of the applicants.
    config, rng = replace(SMALL, lot=1.0), np.random.default_rng(1)
    rounds = [step(State(0.3), config, rng).last for _ in range(100)]
    assert near([r.b[r.lot].mean() - r.b.mean() for r in rounds], 0)
    assert near([r.good[r.lot].mean() for r in rounds], 0.2)


def test_what_a_record_holds():
    # Decisions for all, the truth for lots, each standing for five applicants, and the bought rows beside.
    state = step(State(), replace(SMALL, lot=0.5, external=0.1), np.random.default_rng(2))
    (X, label, weight, b), last = state.records[0], state.last
    assert len(X) == len(label) == len(weight) == len(b) == 440
    assert (label[:400] == np.where(last.lot, last.good, last.hired)).all()
    assert (weight[:400] == np.where(last.lot, 5, 1)).all() and (weight[400:] == 1).all()


def test_records_older_than_the_memory_are_gone():
    rng, state = np.random.default_rng(3), State()
    for _ in range(4):
        state = step(state, replace(SMALL, memory=3), rng)
    assert len(state.records) == 3


def test_overrides_take_the_bias_out_of_decisions():
    # All decisions by the blind panel: both groups have the same chance.
    frame = at(simulate(replace(SMALL, overrides=1.0), seed=6, rounds=3, runs=30), 3)
    assert near(frame["rate_a"] - frame["rate_b"], 0)


def test_twins_take_the_groups_part_out_of_experience():
    # Labels that hang on the group alone, and experience that is all access: each occurs as often with either label.
    b, X = np.repeat([True, False], 50), np.zeros((100, 2))
    X[:, 1] = np.where(b, 0.0, 1.5)
    record = X, np.r_[np.arange(50) % 5 == 0, np.arange(50) % 2 == 0], np.ones(100), b
    plain, twins = (np.diff(hiring._learn((record,), Config(twins=t))(X[[0, 99]]))[0] for t in (False, True))
    assert plain > 1 and twins == pytest.approx(0, abs=1e-6)


def test_the_same_seed_gives_the_same_rows_and_a_step_changes_nothing():
    pd.testing.assert_frame_equal(simulate(SMALL, seed=7, rounds=2), simulate(SMALL, seed=7, rounds=2))
    state = step(State(), SMALL, np.random.default_rng(0))
    twice = [step(state, SMALL, np.random.default_rng(1)).last.hired for _ in range(2)]
    assert (twice[0] == twice[1]).all() and len(state.records) == 1


@pytest.mark.parametrize("fields", MITIGATIONS.values(), ids=MITIGATIONS)
def test_a_mitigation_changes_no_applicant(fields):
    # The same seed brings the same people round after round, so that pairs of runs can be compared.
    skills = []
    for config in (SMALL, replace(SMALL, **fields)):
        rng, state = np.random.default_rng(5), State()
        for _ in range(2):
            state = step(state, config, rng)
        skills.append(state.last.skill)
    assert (skills[0] == skills[1]).all()


# --- mitigations ---------------------------------------------------------------------

@pytest.mark.parametrize("name", [name for name in MITIGATIONS if name not in ("none", "fairness constraint")])
def test_a_mitigation_raises_bs_ratio(name, loop):
    # Paired with the loop without it, 8 runs: beyond three standard errors. Cheap sources are given at full strength.
    strong = {"external data": {"external": 1.0}, "blind panel's labels": {"panel": 0.6}}.get(name, MITIGATIONS[name])
    gain = at(simulate(replace(SMALL, **strong), seed=4, rounds=6, runs=8), 6)["ratio"] - at(loop, 6)["ratio"][:8]
    assert gain.mean() > 3 * gain.std() / np.sqrt(8)


def test_fairlearns_constraint_raises_bs_ratio(loop):
    pytest.importorskip("fairlearn")
    end = at(simulate(replace(SMALL, debias="constraint"), seed=4, rounds=3, runs=1), 3)["ratio"]
    assert end[0] > at(loop, 3)["ratio"].max()


def test_the_table_of_effects_counts_what_it_costs():
    # Nothing costs nothing, exactly; lots cost skill; reviews and bought rows are counted.
    table = effects(SMALL, 4, rounds=3, runs=6,
                    mitigations={name: MITIGATIONS[name] for name in ("none", "places by lot", "external data", "reasons and overrides")})
    assert table.loc["none", ["skill_gain", "skill_se", "lots", "reviews", "bought"]].eq(0).all()
    assert table.loc["places by lot", "lots"] == 16 and table.loc["places by lot", "skill_gain"] < 0
    assert table.loc["external data", "bought"] == 80 and table.loc["reasons and overrides", "reviews"] == 80


# --- at the door ------------------------------------------------------------------------

@pytest.mark.parametrize("call, message", [
    (lambda: Config(applicants=10), "applicants needs a whole number of 50 or more, got 10"),
    (lambda: Config(places=0.001, applicants=100), "places needs at least one place for 100 applicants, got 0.001"),
    (lambda: Config(debias="all"), "debias needs one of 'none', 'reweigh', 'constraint', got 'all'"),
    (lambda: Config(lot=2), "lot needs a share from 0 to 1, got 2"),
    (lambda: simulate(SMALL, rounds=0), "rounds needs a whole number of 1 or more, got 0"),
])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_a_group_that_is_gone_leaves_gaps_not_numbers():
    # Nobody of B applies: its rates are missing, never 0.
    last = step(State(0.0), SMALL, np.random.default_rng(8)).last
    row = hiring._summary(last, SMALL)
    assert row["rate_b"] is None and row["ratio"] is None and row["rate_a"] == 0.2
