"""Corrections and clicks: what they tell if taken as labels, and if not."""
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from mlmon.loops.signals import Clicks, Corrections, examination, rates

Z = norm.isf(5e-7)      # a two-sided bound of Z standard errors fails by chance once in a million


def near(values, expected):
    values = np.asarray(values, float)
    return abs(values.mean() - expected) <= Z * values.std(ddof=1) / np.sqrt(len(values))


def last(law, seed=0, **options):
    frame = law.simulate(seed, **options)
    return frame[frame["round"] == frame["round"].max()]


# --- corrections ------------------------------------------------------------------

WRONG = np.tile([0.0, 1000.0], (1, 500, 1))     # 500 kinds that the model has got wrong for long


@pytest.mark.parametrize("notice, audit", [(0.4, 0.0), (0.6, 0.0), (0.4, 0.1), (0.4, 0.25), (0.0, 0.6)])
def test_silence_confirms_a_mistake_unless_it_is_told_by_the_majority(notice, audit):
    # Right labels outnumber wrong ones in the long run where notice + (1 - notice) audit > 1/2.
    law = Corrections(notice=notice, audit=audit, turnover=0, documents=500, memory=0.9)
    log, rng = WRONG.copy(), np.random.default_rng(1)
    for _ in range(80):
        log = law.step(log, rng)
    healed = (log[..., 0] > log[..., 1]).mean()
    told = notice + (1 - notice) * audit
    assert healed == (1.0 if told > 0.5 else 0.0) and law.heals == (told > 0.5)


def test_without_assent_by_silence_any_correction_heals():
    # Only what was said counts, and what was said is right.
    law = Corrections(notice=0.05, silence="unknown", turnover=0, memory=0.9)
    log, rng = WRONG.copy(), np.random.default_rng(2)
    for _ in range(80):
        log = law.step(log, rng)
    assert (log[..., 0] > log[..., 1]).all() and law.heals


def test_errors_gather_up_to_a_half():
    # Each turn swaps right and wrong and nothing is mended: e(t) = (1 - (1 - 2 turnover)^t) / 2.
    law = Corrections(notice=0, turnover=0.05)
    errors = last(law, seed=3, rounds=20, runs=50)["errors"]
    assert near(errors, (1 - 0.9**20) / 2)


def test_the_company_sees_a_fraction():
    # Corrections show `notice` times the errors.
    frame = Corrections(notice=0.3).simulate(seed=4, rounds=10)
    assert frame["corrected"].to_numpy() == pytest.approx(0.3 * frame["errors"].to_numpy())


# --- clicks ------------------------------------------------------------------------

def shown_lists(law, n, seed):
    """Counts of n shuffled and n sorted lists, drawn here."""
    rng = np.random.default_rng(seed)
    shown, clicked = np.zeros((2, law.items, law.items))
    for i in range(n):
        order = rng.permutation(law.items) if i % 2 else np.arange(law.items)
        for rank, item in enumerate(order):
            shown[item, rank] += 1
            clicked[item, rank] += rng.random() < law.seen[rank] * law.relevance[item]
    return shown, clicked


def test_weighted_clicks_estimate_the_relevance():
    # E[click / chance] is the relevance at any rank: 40 experiments, item by item; plain rates are below it.
    law = Clicks(items=4)
    found = np.array([rates(*shown_lists(law, 200, seed), law.seen) for seed in range(40)])
    plain = np.array([rates(*shown_lists(law, 200, seed), np.ones(4)) for seed in range(10)])
    assert all(near(found[:, item], law.relevance[item]) for item in range(4))
    assert (plain.mean(axis=0)[1:] < law.relevance[1:] - 0.1).all()


def test_shuffled_lists_show_how_often_each_rank_is_seen():
    # Clicks by rank, in random order, are proportional to the looks.
    law, rng = Clicks(items=5, bias=0.7), np.random.default_rng(5)
    lists = rng.permuted(np.tile(np.arange(5), (60_000, 1)), axis=1)
    clicked = (rng.random(lists.shape) < law.seen * law.relevance[lists]).sum(axis=0)
    assert examination(np.full(5, 60_000), clicked) == pytest.approx(law.seen, abs=0.02)


@pytest.mark.parametrize("better, stays", [(0.35, True), (0.45, False)])
def test_a_wrong_order_stays_while_the_gain_is_below_the_bias(better, stays):
    # Two items at ranks seen 1 and 1/2: the lower must be twice as good, 0.4 to 0.2, to rise by plain clicks.
    shown = np.array([[100_000, 0], [0, 100_000]])
    clicked = np.array([[0.2 * 100_000, 0], [0, better / 2 * 100_000]])
    assert (rates(shown, clicked, np.ones(2)).argmax() == 0) == stays
    assert rates(shown, clicked, np.array([1, 0.5])).argmax() == 1


def test_the_loop_locks_in_and_weights_unlock_it():
    # Worst first and few looks below: plain clicks keep the order, weighted ones turn it round, known or estimated.
    plain, known, found = (last(law, seed=6, rounds=25, runs=4)["ndcg"] for law in (
        Clicks(bias=2), Clicks(bias=2, weigh="known"), Clicks(bias=2, weigh="estimated", shuffle=0.1)))
    assert plain.max() < 0.85 < 0.98 < min(known.min(), found.min())


def test_where_all_ranks_are_seen_plain_clicks_are_right():
    # No bias, nothing to mend: the best item is on top.
    assert (last(Clicks(bias=0), seed=7, rounds=10, runs=4)["best_rank"] == 1).all()


# --- at the door ----------------------------------------------------------------------

@pytest.mark.parametrize("law", [Corrections(), Clicks(users=50)])
def test_the_same_seed_gives_the_same_rows(law):
    pd.testing.assert_frame_equal(law.simulate(8, rounds=4, runs=2), law.simulate(8, rounds=4, runs=2))


@pytest.mark.parametrize("call, message", [
    (lambda: Corrections(notice=2), "notice needs a share from 0 to 1, got 2"),
    (lambda: Corrections(silence="yes"), "silence needs one of 'consent', 'unknown', got 'yes'"),
    (lambda: Clicks(items=1), "items needs a whole number of 2 or more, got 1"),
    (lambda: Clicks(weigh="estimated"), "shuffle needs a share that reaches a user, to estimate from, got 0.0"),
    (lambda: Clicks(bias=-1), "bias needs a finite number above 0, got -1"),
    (lambda: rates([[1]], [[1]], [0]), "chance needs numbers above 0, got 0"),
    (lambda: examination([10, 0], [1, 0]), "shown needs every rank to have been shown"),
])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
