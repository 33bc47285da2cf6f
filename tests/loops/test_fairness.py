"""Measures by group are those of hand-made tables and of fairlearn."""
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from mlmon.loops.fairness import by_group, four_fifths, reweigh


def drawn(seed, n=300):
    rng = np.random.default_rng(seed)
    return rng.random(n) < 0.3, rng.choice(["a", "b", "c"], n), rng.random(n) < 0.4, rng.random(n)


@pytest.mark.parametrize("seed", range(3))
def test_by_group_is_fairlearns(seed):
    metrics = pytest.importorskip("fairlearn.metrics")
    selected, group, good, score = drawn(seed)
    ours = by_group(selected, group, good, score)
    names = {"rate": metrics.selection_rate, "found": metrics.true_positive_rate, "rows": metrics.count}
    theirs = metrics.MetricFrame(metrics=names, y_true=good, y_pred=selected, sensitive_features=group).by_group
    for name in names:
        assert ours[name].astype(float).to_numpy() == pytest.approx(theirs[name].to_numpy())
    ratio = metrics.demographic_parity_ratio(good, selected, sensitive_features=group)
    gap = metrics.equal_opportunity_difference(good, selected, sensitive_features=group)
    assert four_fifths(selected, group).ratio == pytest.approx(ratio) and np.ptp(ours["found"]) == pytest.approx(gap)


def test_by_group_by_hand():
    # Group a: 1 of 2 good ones found, half are good, mean score 0.4. Group b has nobody good.
    table = by_group([1, 0, 0, 0, 1], list("aaaab"), [1, 1, 0, 0, 0], [0.4, 0.4, 0.4, 0.4, 0.7])
    assert table.loc["a", ["rate", "found", "underrated"]].tolist() == pytest.approx([0.25, 0.5, 0.1])
    assert pd.isna(table.loc["b", "found"]) and table.loc["b", "underrated"] == pytest.approx(-0.7)


def test_four_fifths_by_hand():
    # 48 of 80 and 12 of 40: the guideline's own kind of table, 0.3 over 0.6.
    found = four_fifths(np.repeat([1, 0, 1, 0], [48, 32, 12, 28]), np.repeat(["white", "black"], [80, 40]))
    assert (found.lowest, found.highest, found.ratio, found.verdict) == ("black", "white", 0.5, "FAILS")


def test_four_fifths_names_numbers_as_they_came():
    assert four_fifths([1, 0, 1, 1], [1, 1, 2, 2]).lowest == 1


@pytest.mark.parametrize("sizes, verdict", [((60, 100, 55, 100), "UNDECIDED"), ((6000, 10_000, 5500, 10_000), "PASSES")])
def test_more_rows_decide_what_few_cannot(sizes, verdict):
    k, n, j, m = sizes
    assert four_fifths(np.repeat([1, 0, 1, 0], [k, n - k, j, m - j]), np.repeat(["a", "b"], [n, m])).verdict == verdict


def test_four_fifths_fails_few_who_are_just_within_the_rule():
    # A true ratio of 0.8: at 95 % confidence one in forty may be called FAILS, and no more.
    rng, runs = np.random.default_rng(7), 400
    group = np.repeat(["a", "b"], 200)
    failed = sum(four_fifths(rng.random(400) < np.repeat([0.5, 0.4], 200), group).verdict == "FAILS" for _ in range(runs))
    assert failed <= binom.isf(1e-6, runs, 0.025)


def test_nobody_selected_is_undecided():
    found = four_fifths([0, 0], ["a", "b"])
    assert (found.ratio, found.verdict, found.reason) == (None, "UNDECIDED", "nobody was selected")


def test_reweighing_makes_label_and_group_independent():
    # The weighted table is the product of its margins, and keeps them.
    rng = np.random.default_rng(6)
    label, group, weight = rng.random(500) < 0.3, rng.choice(3, 500), rng.random(500)
    new = weight * reweigh(label, group, weight)
    table, old = (np.array([[w[(label == y) & (group == g)].sum() for y in (0, 1)] for g in range(3)]) for w in (new, weight))
    assert table == pytest.approx(np.outer(table.sum(1), table.sum(0)) / table.sum())
    assert table.sum(0) == pytest.approx(old.sum(0)) and table.sum(1) == pytest.approx(old.sum(1))


@pytest.mark.parametrize("call, message", [
    (lambda: four_fifths([1, 0, 1], ["a", "b", None]), "group needs a group for each row, got 1 missing"),
    (lambda: by_group([1, 0], [1.0, float("nan")]), "group needs a group for each row, got 1 missing"),
    (lambda: four_fifths([1, 0], ["a", "a"]), "group needs two groups or more, got 1"),
    (lambda: four_fifths([1, 0.5], ["a", "b"]), "selected needs 0 or 1, got 0.5"),
    (lambda: four_fifths([1, float("nan")], ["a", "b"]), "selected needs finite numbers, got 1 missing"),
    (lambda: by_group([1, 0], ["a"]), r"selected needs one value a row of group, \(1,\), got \(2,\)"),
    (lambda: by_group([1, 0], ["a", "b"], [1, 0], [0.5]), "score needs one value a row, 2, got 1"),
])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
