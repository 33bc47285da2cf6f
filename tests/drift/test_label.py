"""Label drift and P(X|y): exact and other implementations, levels, power, intervals, honest refusals."""
import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency, fisher_exact, hypergeom
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from mlmon.data import inject, tables
from mlmon.drift.label import class_conditional_drift, koopman, label_drift, newcombe
from mlmon.drift.metric import wilson
from mlmon.drift.twosample import share_p
from mlmon.drift.verdict import Verdict

Z = 1.959963984540054
COUNTS = [(10, 1000, 100, 1000), (3, 50, 9, 40), (56, 70, 48, 80), (20, 40, 39, 40), (7, 5000, 2, 300)]


def labels(**counts):
    """A column with so many rows of each class, c0=... for class 0."""
    return np.repeat([int(name[1:]) for name in counts], list(counts.values()))


def yes(k, n):
    return labels(c0=n - k, c1=k)


def chapters_rule(reference, current, threshold=0.1):
    return abs(current.mean() - reference.mean()) > threshold


# --- the verdict ---------------------------------------------------------------

@pytest.mark.parametrize("k, n, j, m", [(3, 30, 12, 40), (0, 200, 6, 150), (12, 20, 5, 20)])
def test_two_classes_are_compared_exactly(k, n, j, m):
    # Given k + j the count is hypergeometric; the mid-p counts equally likely tables half.
    law = hypergeom(n + m, k + j, m).pmf(np.arange(k + j + 1))
    less, same = law < law[j] * (1 - 1e-7), np.isclose(law, law[j], rtol=1e-7, atol=0)
    result = label_drift(yes(k, n), yes(j, m))
    assert result.pvalue == pytest.approx(law[less].sum() + law[same].sum() / 2) and result.test == "exact"
    assert result.pvalue <= fisher_exact([[n - k, k], [m - j, j]]).pvalue
    assert result.drifted == (result.pvalue <= 0.05)


def test_many_classes_are_compared_by_chi_squared():
    # Pearson's test of homogeneity, as scipy has it.
    before, now = labels(c0=200, c1=150, c2=90), labels(c0=120, c1=140, c2=70)
    theirs = chi2_contingency([[200, 150, 90], [120, 140, 70]], correction=False)
    ours = label_drift(before, now)
    assert (ours.statistic, ours.pvalue, ours.test) == (pytest.approx(theirs.statistic), pytest.approx(theirs.pvalue), "chi2")


@pytest.mark.parametrize("before, now", [
    (yes(10, 10_000), yes(100, 10_000)), (yes(100, 10_000), yes(500, 10_000)), (yes(10, 1000), yes(30, 1000)), (yes(1000, 100_000), yes(1090, 1000 * 10)),
], ids=["tenfold", "fivefold", "threefold", "from 1 to 11 %"])
def test_a_rare_class_that_multiplies_alarms(before, now):
    # The chapter's 0.1 sees none of the first three, whatever the number of rows.
    result = label_drift(before, now)
    assert result.drifted and result.severity == "large"
    assert result.classes[0].label == 1 and result.classes[0].ratio_low > 1
    assert chapters_rule(before, now) == (result[1].difference > 0.1)


def test_a_large_change_is_a_doubling_or_ten_points():
    # 50 % to 65 % is 1.3 times and 15 points, 1 % to 3 % is three times and 2 points; 50 % to 55 % is neither.
    assert label_drift(yes(500, 1000), yes(650, 1000)).severity == "large"
    assert label_drift(yes(20, 2000), yes(60, 2000)).severity == "large"
    assert label_drift(yes(5000, 10_000), yes(5500, 10_000)).severity == "small"
    assert label_drift(yes(500, 1000), yes(501, 1000)).severity == "none"


def test_codes_whose_mean_stays_still_alarm():
    # (.4, .2, .4) to (.2, .6, .2): the mean of the codes is 1 before and after.
    before, now = labels(c0=400, c1=200, c2=400), labels(c0=100, c1=300, c2=100)
    assert before.mean() == now.mean() == 1 and not chapters_rule(before, now)
    result = label_drift(before, now)
    assert result.drifted and result.classes[0].label == 1 and result[1].ratio == pytest.approx(3)
    assert result.effect == pytest.approx(0.4)


@pytest.mark.parametrize("n, m", [(20, 20), (200, 20)])
def test_twenty_rows_keep_the_rate(n, m):
    # Summed over all outcomes: the chance of an alarm without drift, where the chapter's rule has 52 %.
    alarm = np.array([[share_p(k, n, j, m) <= 0.05 for j in range(m + 1)] for k in range(n + 1)])
    moved = np.array([[abs(j / m - k / n) > 0.1 for j in range(m + 1)] for k in range(n + 1)])
    for share in (0.5, 0.3, 0.1, 0.02):
        chance = np.outer(binom.pmf(range(n + 1), n, share), binom.pmf(range(m + 1), m, share))
        assert (chance * alarm).sum() <= (0.05 if n == m else 0.06)     # a mid-p may pass alpha by a fifth
        if share == 0.5:
            assert (chance * moved).sum() > 0.3
    for k, j in ((10, 3), (10, 5), (10, 16)):
        assert label_drift(yes(k, 20), yes(j, 20)).drifted == (share_p(k, 20, j, 20) <= 0.05)


@pytest.mark.parametrize("before, now, n, table", [(0.05, 0.10, 500, 0.88), (0.30, 0.36, 500, 0.52)])
def test_power_is_chi_squareds_and_fishers(before, now, n, table):
    # Summed over all likely outcomes; `table` is what chi-squared reached in 200 simulated pairs.
    ks, js = (np.arange(*(binom.ppf((1e-7, 1 - 1e-7), n, p) + (0, 1)).astype(int)) for p in (before, now))
    chance = np.outer(binom.pmf(ks, n, before), binom.pmf(js, n, now))
    k, j = np.meshgrid(ks, js, indexing="ij")
    chi = (k - j) ** 2 * 2 * n / ((k + j) * (2 * n - k - j))
    ours = np.array([[share_p(int(a), n, int(b), n) <= 0.05 for b in js] for a in ks])
    power = (chance * ours).sum()
    assert power == pytest.approx((chance * (chi >= Z**2)).sum(), abs=0.02)
    assert power == pytest.approx(table, abs=0.02 + 3 * np.sqrt(table * (1 - table) / 200))
    fisher = np.array([fisher_exact([[a, n - a], [b, n - b]]).pvalue <= 0.05 for a in ks[::9] for b in js[::9]])
    assert (ours[::9, ::9].ravel() >= fisher).all()


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.9, 0.07, 0.02, 0.01), (0.96, 0.02, 0.02)])
def test_many_classes_keep_the_rate(shares):
    # 40 clean pairs; rare classes are drawn, not taken to a limit.
    rng = np.random.default_rng(len(shares))
    pairs = ((rng.choice(len(shares), 200, p=shares), rng.choice(len(shares), 90, p=shares)) for _ in range(40))
    assert sum(label_drift(a, b).drifted for a, b in pairs) <= binom.isf(1e-6, 40, 0.05)


def test_what_no_split_could_show_is_undecided():
    # Two frauds in all: even both on one side have p = 0.25. STABLE would be a promise.
    result = label_drift(yes(1, 500), yes(1, 500))
    assert result.verdict is Verdict.UNDECIDED and "2 rows in all" in result.reason and result.severity == "unknown"
    assert label_drift(yes(4, 500), yes(4, 500)).verdict is Verdict.STABLE
    assert label_drift(labels(c0=500, c1=1), labels(c0=500, c2=1)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("before, now, words", [
    ([0, 1] * 3, [0, 1] * 50, "at least 8 labels"), ([0] * 50, [0] * 50, "one class"), ([None] * 50, [0, 1] * 50, "at least 8"),
    ([], [], "at least 8"), ([0, 1] * 50, [np.nan] * 50, "at least 8"), ([f"r{i}" for i in range(40)], [f"c{i}" for i in range(40)], "no split"),
], ids=["short", "one class", "no labels", "empty", "none yet", "identifiers"])
def test_what_cannot_be_decided_is_undecided(before, now, words):
    result = label_drift(before, now)
    assert result.verdict is Verdict.UNDECIDED and words in result.reason and result.pvalue is None and not result.drifted


def test_a_new_class_and_a_lost_one_are_drift():
    # With none before, no ratio has an upper limit, but it has a lower one; with none now it is 0.
    result = label_drift(["ham"] * 100 + ["spam"] * 100, ["ham"] * 100 + ["phish"] * 100)
    assert result.drifted
    assert (result["phish"].ratio, result["phish"].ratio_high) == (None, None) and result["phish"].ratio_low > 10
    assert (result["spam"].ratio, result["spam"].ratio_low) == (0, 0) and 0 < result["spam"].ratio_high < 0.1


def test_names_and_order_of_labels_mean_nothing():
    # Codes, text, booleans and any order give the same p.
    rng = np.random.default_rng(1)
    before, now = rng.random(300) < 0.2, rng.random(200) < 0.35
    p = label_drift(before, now).pvalue
    for name in (lambda y: y.astype(int), lambda y: np.where(y, "yes", "no"), lambda y: np.sort(~y), lambda y: pd.Series(y.astype(float))):
        assert label_drift(name(before), name(now)).pvalue == pytest.approx(p)
    assert label_drift(now, before).pvalue == pytest.approx(p)


def test_labels_that_have_not_arrived_are_counted():
    # Left out of the shares, and named in the reason.
    now = pd.Series(yes(30, 300).astype(float))
    now[::4] = np.nan
    result = label_drift(yes(30, 300), now)
    assert result.missing_current == 0.25 and "25.0% of the current rows have no label" in result.reason
    assert result[1].current == pytest.approx(np.nanmean(now))


def test_min_ratio_asks_for_size():
    # With a million rows 10.0 % to 10.2 % is significant, and 1.02 times.
    before, now = yes(100_000, 1_000_000), yes(102_000, 1_000_000)
    assert label_drift(before, now).drifted and label_drift(before, now).severity == "small"
    result = label_drift(before, now, min_ratio=1.5)
    assert result.verdict is Verdict.STABLE and "1.5 times" in result.reason and result.pvalue < 1e-5
    assert label_drift(yes(10, 10_000), yes(100, 10_000), min_ratio=1.5).drifted


@pytest.mark.parametrize("settings, words", [
    ({"alpha": 5}, "alpha needs"), ({"alpha": 0}, "alpha needs"), ({"min_ratio": 0.5}, "min_ratio needs"), ({"min_ratio": "a"}, "min_ratio needs")])
def test_settings_are_checked(settings, words):
    with pytest.raises(ValueError, match=words):
        label_drift([0, 1] * 20, [0, 1] * 20, **settings)


# --- the intervals -------------------------------------------------------------

@pytest.mark.parametrize("k, n, j, m", COUNTS)
def test_intervals_are_statsmodels(k, n, j, m):
    # Wilson for a share, Newcombe for a difference, the score interval without correction for a ratio.
    assert wilson(k / n, n, Z) == pytest.approx(proportion_confint(k, n, method="wilson"))
    assert newcombe(k, n, j, m, Z) == pytest.approx(confint_proportions_2indep(j, m, k, n, compare="diff", method="newcomb"))
    theirs = confint_proportions_2indep(j, m, k, n, compare="ratio", method="score", correction=False)
    assert koopman(k, n, j, m, Z) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("k, n, j, m", [(1, 30, 0, 25), (0, 40, 5, 60), (15, 16, 8, 8), (9, 9, 8, 9), (0, 1000, 20, 1000)])
def test_koopman_is_the_inverted_score_test_at_the_edges_too(k, n, j, m):
    # Brute force: at both ends chi-squared with the likeliest shares under that ratio is z squared.
    def chi2(ratio):
        p = np.linspace(0, min(1, 1 / ratio), 200_001)[1:-1]
        likelihood = k * np.log(p) + (n - k) * np.log1p(-p) + j * np.log(ratio * p) + (m - j) * np.log1p(-ratio * p)
        p = p[likelihood.argmax()]
        q = ratio * p
        return (k - n * p) ** 2 / (n * p * (1 - p)) + (j - m * q) ** 2 / (m * q * (1 - q))

    low, high = koopman(k, n, j, m, Z)
    assert (low == 0) == (j == 0) and (high is None) == (k == 0)
    for end in (low, high):
        if end:
            assert chi2(end) == pytest.approx(Z**2, rel=2e-2)


@pytest.mark.parametrize("n, p, m, q", [(500, 0.01, 300, 0.03), (60, 0.5, 40, 0.2), (2000, 0.001, 1000, 0.01)])
def test_intervals_cover_what_they_promise(n, p, m, q):
    # Summed over all likely outcomes: 95 %, and no less than 93.5 % where counts are few.
    ks, js = (np.arange(*(binom.ppf((1e-5, 1 - 1e-5), size, share) + (0, 1)).astype(int)) for size, share in ((n, p), (m, q)))
    cover = np.zeros(2)
    for k in ks.tolist():
        for j in js.tolist():
            low, high = koopman(k, n, j, m, Z)
            inside = low <= q / p and (high is None or q / p <= high), newcombe(k, n, j, m, Z)[0] <= q - p <= newcombe(k, n, j, m, Z)[1]
            cover += np.array(inside) * binom.pmf(k, n, p) * binom.pmf(j, m, q)
    assert (cover >= 0.935).all() and (cover <= 0.985).all()


def test_interval_and_verdict_agree_but_for_a_hair():
    # At the ratio 1 the score test is Pearson's; the exact p differs from it by little.
    for k, j in ((10, 22), (10, 24), (10, 30), (40, 60), (40, 66)):
        result = label_drift(yes(k, 1000), yes(j, 1000))
        if not 0.03 < result.pvalue < 0.07:
            assert (result[1].ratio_low > 1) == (result[1].difference_low > 0) == result.drifted


def test_a_result_is_plain_data():
    result = label_drift(["a"] * 90 + ["b"] * 10, ["a"] * 60 + ["c"] * 40)
    json.dumps(dataclasses.asdict(result), allow_nan=False)
    frame = result.to_frame()
    assert list(frame["label"]) == [c.label for c in result.classes] and frame["reference"].sum() == pytest.approx(1)
    with pytest.raises(KeyError, match="no label 'z'"):
        result["z"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.pvalue = 0


# --- P(X|y) --------------------------------------------------------------------

BANK = tables.applicants
NUMBERS = ["income", "credit_score", "utilisation"]


def rows(seed, share=None, n=1500):
    frame = BANK.sample(n if share is None else 4 * n, seed)
    return frame if share is None else inject.prior_shift(frame, "defaulted", share, n=n, seed=seed)


def test_pure_label_shift_leaves_each_class_as_it_was():
    # From 7 % to 20 % defaults: P(y) drifts and P(X|y) does not; 6 pairs within a binomial's reach.
    alarms = 0
    for seed in range(6):
        before, now = rows([1, seed]), rows([2, seed], 0.2)
        assert label_drift(before["defaulted"], now["defaulted"]).drifted
        alarms += class_conditional_drift(before[NUMBERS], before["defaulted"], now[NUMBERS], now["defaulted"]).drifted
    assert alarms <= binom.isf(1e-6, 6, 0.05)


def test_a_class_that_changes_its_ways_is_named():
    # Defaulters' incomes rise, others' stay: the shares are as ever and P(X|y = 1) is not.
    before, now = rows(1), rows(2)
    bad = now["defaulted"] == 1
    now["income"] = now["income"].astype(float).where(~bad, now["income"] * 2)
    result = class_conditional_drift(before[NUMBERS], before["defaulted"], now[NUMBERS], now["defaulted"])
    assert result.drifted_classes == (1,) and result[1].drifted_features == ("income",) and "class 1" in result.reason
    assert not label_drift(before["defaulted"], now["defaulted"]).drifted


def test_a_class_without_enough_rows_is_undecided():
    # Seven rows say nothing of their features; a drift elsewhere is still named.
    before, now = rows(1), rows(2)
    few = now.drop(now.index[now["defaulted"] == 1][7:])
    result = class_conditional_drift(before[NUMBERS], before["defaulted"], few[NUMBERS], few["defaulted"])
    assert result.verdict is Verdict.UNDECIDED and "class 1 needs at least 8 rows" in result.reason
    few["credit_score"] += 100
    assert class_conditional_drift(before[NUMBERS], before["defaulted"], few[NUMBERS], few["defaulted"]).drifted_classes == (0,)
    with pytest.raises(KeyError, match="no report on class 1"):
        result[1]


def test_rows_and_labels_belong_together():
    with pytest.raises(ValueError, match="X_current needs a row of features for each of the 50 labels"):
        class_conditional_drift(np.zeros((60, 2)), [0, 1] * 30, np.zeros((60, 2)), [0, 1] * 25)
    assert class_conditional_drift([], [], [], []).verdict is Verdict.UNDECIDED


# --- no input passes in silence --------------------------------------------------

checked = settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck), database=None)
label = st.one_of(st.integers(-1, 3), st.sampled_from(["a", "b", ""]), st.sampled_from([0.0, 1.0, 0.5, math.nan, math.inf]), st.none(), st.booleans())
column = st.one_of(
    st.lists(label, max_size=40), st.lists(st.integers(0, 2), max_size=40), st.lists(st.sampled_from("abc"), max_size=40),
    st.lists(st.one_of(st.integers(0, 1), st.none()), max_size=40).map(lambda v: pd.Series(v, dtype="Int64")),
    st.lists(st.booleans(), max_size=40).map(np.array), st.tuples(st.sampled_from([0, "a", None, math.nan]), st.integers(0, 30)).map(lambda t: [t[0]] * t[1]),
)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@checked
@given(a=column, b=column)
def test_label_drift_answers_or_refuses(a, b):
    # A verdict with a reason and finite plain numbers, or an error in the house's words.
    try:
        result = label_drift(a, b)
    except ValueError as error:
        assert "need" in str(error) and "got" in str(error)
        return
    json.dumps(dataclasses.asdict(result), allow_nan=False)
    assert result.reason and result.drifted is (result.verdict is Verdict.DRIFTED)
    known = [pd.Series(list(x), dtype=object).dropna() for x in (a, b)]
    if min(map(len, known)) < 8 or len(set(known[0]) | set(known[1])) < 2:
        assert result.verdict is Verdict.UNDECIDED
    for row in result.classes:
        assert row.difference_low <= row.difference + 1e-12 and row.difference - 1e-12 <= row.difference_high
        assert row.ratio is None or (row.ratio_low <= row.ratio + 1e-9 and (row.ratio_high is None or row.ratio <= row.ratio_high + 1e-9))


@settings(checked, max_examples=15)
@given(y=column, later=column, values=st.lists(st.one_of(st.floats(-3, 3), st.none()), min_size=1, max_size=6))
def test_class_conditional_drift_answers_or_refuses(y, later, values):
    X, Z = (pd.DataFrame({"x": (values * 40)[:len(labels)], "live": np.sin(np.arange(len(labels)))}) for labels in (y, later))
    try:
        result = class_conditional_drift(X, y, Z, later)
    except ValueError as error:
        assert "need" in str(error) and "got" in str(error)
        return
    assert result.reason and (result.verdict is not Verdict.STABLE or not result.undecided)
