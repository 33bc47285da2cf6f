import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, spearmanr

from mlmon.data import inject, tables

FRAME = tables.transactions.sample(4000, seed=5)
RATE = FRAME["fraud"].mean()

# Each fault with a column that suits it, its neutral size and one that matters.
FAULTS = [
    (inject.mean_shift, "amount", 0, 0.5),
    (inject.scale, "amount", 1, 2.0),
    (inject.tail, "amount", 0, 0.05),
    (inject.out_of_range, "hour", 0, 0.05),
    (inject.unit_change, "amount", 1, 100),
    (inject.frequencies, "merchant", 0, 0.1),
    (inject.new_category, "merchant", 0, 0.05),
    (inject.missing, "distance", 0, 0.1),
    (inject.flip_correlation, ("amount", "amount_ratio"), 0, 1),
    (inject.stale, "recent", 0, 0.5),
    (inject.prior_shift, "fraud", RATE, 0.2),
    (inject.concept_flip, "fraud", 0, 0.2),
]
faults = pytest.mark.parametrize("fault, column, neutral, size", FAULTS, ids=lambda v: getattr(v, "__name__", ""))


def test_every_fault_is_tested_here():
    # The list above is the list of the module.
    assert [fault.__name__ for fault, *_ in FAULTS] == inject.names()


@faults
def test_the_neutral_size_changes_nothing(fault, column, neutral, size):
    # No fault, no change: neither of values nor of types nor of labels.
    pd.testing.assert_frame_equal(fault(FRAME, column, neutral), FRAME)


@faults
def test_the_input_is_left_alone(fault, column, neutral, size):
    # A pure function: what came is as it was, and what is returned shares nothing with it.
    before = FRAME.copy()
    new = fault(FRAME, column, size)
    pd.testing.assert_frame_equal(FRAME, before)
    assert new is not FRAME and not new.equals(FRAME)


@faults
def test_only_the_named_column_changes(fault, column, neutral, size):
    # One fault, one column; resampling alone moves whole rows.
    new = fault(FRAME, column, size)
    assert list(new.columns) == list(FRAME.columns) and new.index.equals(FRAME.index)
    if fault is not inject.prior_shift:
        others = [name for name in FRAME if name not in np.atleast_1d(column)]
        pd.testing.assert_frame_equal(new[others], FRAME[others])


@faults
def test_a_seed_is_all_that_a_fault_depends_on(fault, column, neutral, size):
    # Twice the same call is twice the same frame.
    assert fault(FRAME, column, size, seed=3).equals(fault(FRAME, column, size, seed=3))


@faults
def test_labels_of_rows_do_not_matter(fault, column, neutral, size):
    # An index with repeats, as after a concat, gives the same values under its own labels.
    odd = FRAME.set_axis(np.arange(len(FRAME)) // 2)
    new = fault(odd, column, size)
    assert new.index.equals(odd.index)
    pd.testing.assert_frame_equal(new.reset_index(drop=True), fault(FRAME, column, size))


@pytest.mark.parametrize("column", ["amount", "recent"])
@pytest.mark.parametrize("size", [0.25, -0.3])
def test_mean_shift_moves_the_mean_by_standard_deviations(column, size):
    # E(x + c) = E(x) + c; an integer column rounds by lot and keeps that to 1/n.
    new, old = inject.mean_shift(FRAME, column, size)[column], FRAME[column]
    assert new.mean() - old.mean() == pytest.approx(size * old.std(ddof=0), abs=1 / len(FRAME))
    assert new.dtype == old.dtype


def test_scale_keeps_the_mean_and_stretches_the_deviation():
    # sd(m + c (x - m)) = c sd(x).
    new, old = inject.scale(FRAME, "amount", 1.5)["amount"], FRAME["amount"]
    assert new.mean() == pytest.approx(old.mean()) and new.std() == pytest.approx(1.5 * old.std())


def test_scaled_integers_stay_integer():
    # Rounding by lot keeps the mean, and adds at most 1/4 to the variance.
    new, old = inject.scale(FRAME, "card_age", 1.5)["card_age"], FRAME["card_age"]
    assert new.dtype == old.dtype
    assert new.mean() == pytest.approx(old.mean(), abs=5 * 0.5 / len(FRAME) ** 0.5)
    assert 2.25 * old.var() * 0.99 <= new.var() <= (2.25 * old.var() + 0.25) * 1.01


def test_tail_moves_the_top_share_and_nothing_else():
    # Of 4000 values the 200 largest go up by 2.5 standard deviations.
    new, old = inject.tail(FRAME, "amount", 0.05)["amount"], FRAME["amount"]
    moved = new != old
    assert moved.sum() == 200 and old[moved].min() >= old[~moved].max()
    assert (new - old)[moved].to_numpy() == pytest.approx(2.5 * old.std(ddof=0))


def test_tail_draws_lots_among_equal_values():
    # All values but one are equal: the share is kept all the same, and the seed decides.
    frame = pd.DataFrame({"x": [1.0] * 99 + [2.0]})
    moved = [set(np.flatnonzero(inject.tail(frame, "x", 0.2, seed=seed)["x"] != frame["x"])) for seed in (0, 1)]
    assert len(moved[0]) == len(moved[1]) == 20 and moved[0] != moved[1] and all(99 in rows for rows in moved)


@pytest.mark.parametrize("column", ["amount", "hour"])
def test_out_of_range_values_exceed_the_largest(column):
    # 5 % of 4000 rows, each above all that were there.
    new = inject.out_of_range(FRAME, column, 0.05)[column]
    assert (new > FRAME[column].max()).sum() == 200 and new.dtype == FRAME[column].dtype


def test_out_of_range_takes_a_limit():
    # Whatever the batch holds, the values exceed what is plausible.
    new = inject.out_of_range(FRAME.head(50), "hour", 0.1, limit=23)["hour"]
    assert (new > 23).sum() == 5


def test_unit_change_multiplies():
    # Cents for euros, and back.
    new = FRAME.pipe(inject.unit_change, "amount", 100).pipe(inject.unit_change, "amount", 0.01)
    assert new["amount"].to_numpy() == pytest.approx(FRAME["amount"].to_numpy())
    assert inject.unit_change(FRAME, "gap", 60)["gap"].dtype == np.int64
    assert inject.unit_change(FRAME, "gap", 1 / 60)["gap"].dtype == float


def test_frequencies_move_mass_from_the_commonest_to_the_rarest():
    # 10 % of 4000 rows leave one level and arrive at the other; the rest keep theirs.
    old = FRAME["merchant"].value_counts()
    moved = inject.frequencies(FRAME, "merchant", 0.1)["merchant"].value_counts()[old.index] - old
    assert moved.iloc[0] == -400 and moved.iloc[-1] == 400 and (moved.iloc[1:-1] == 0).all()


def test_frequencies_cannot_move_more_than_there_is():
    # The commonest level has 2 of 3 rows.
    frame = pd.DataFrame({"x": ["a", "a", "b"]})
    with pytest.raises(ValueError, match="size needs at most 0.667, the share of 'a', got 1"):
        inject.frequencies(frame, "x", 1)


@pytest.mark.parametrize("dtype", ["category", "str", "string", "object"])
def test_categorical_faults_work_on_any_text(dtype):
    # How a column stores its text is no matter, and missing values stay missing.
    frame = pd.DataFrame({"x": ["a"] * 6 + ["b"] * 3 + [None]}).astype({"x": dtype})
    assert (inject.new_category(frame, "x", 1 / 3, level="c")["x"] == "c").sum() == 3
    assert (inject.frequencies(frame, "x", 1 / 3)["x"] == "b").sum() == 6
    assert inject.new_category(frame, "x", 1, level="c")["x"].isna().sum() == 1
    assert inject.new_category(frame, "x", 1 / 3)["x"].dtype == (dtype if dtype != "category" else "category")


def test_new_category_is_new():
    # A level that rows already have would be a change of frequencies.
    new = inject.new_category(FRAME, "merchant", 0.05, level="gift cards")
    assert (new["merchant"] == "gift cards").sum() == 200
    assert list(new["merchant"].cat.categories) == [*FRAME["merchant"].cat.categories, "gift cards"]
    with pytest.raises(ValueError, match="level needs a name that merchant does not have, got 'fuel'"):
        inject.new_category(FRAME, "merchant", 0.05, level="fuel")


def test_missing_takes_its_share_of_what_is_present():
    # Half are gone, then a tenth of the other half: 55 % in all.
    half = inject.missing(FRAME, "hour", 0.5, seed=1)
    assert inject.missing(half, "hour", 0.1, seed=2)["hour"].isna().mean() == pytest.approx(0.55)


def test_missing_does_not_ask_for_the_value():
    # Completely at random: those that stay have the law of all.
    stayed = inject.missing(FRAME, "distance", 0.5)["distance"].dropna()
    assert ks_2samp(stayed, FRAME["distance"]).pvalue > 1e-4


def test_two_columns_lose_different_rows():
    # With one seed for both, the overlap is that of independent draws: n / 4, give or take 5 sd.
    new = FRAME.pipe(inject.missing, "hour", 0.5).pipe(inject.missing, "gap", 0.5)
    both = (new["hour"].isna() & new["gap"].isna()).sum()
    assert both == pytest.approx(1000, abs=5 * 4000**0.5 / 4)


def test_a_larger_size_hits_the_same_rows_and_more():
    # So a fault that grows from day to day grows out of itself.
    small, large = (inject.missing(FRAME, "hour", size)["hour"].isna() for size in (0.1, 0.3))
    assert small.sum() == 400 and large.sum() == 1200 and (large | ~small).all()


def test_a_full_flip_turns_rank_correlation_around():
    # Ranks r become n + 1 - r, so Spearman's rho changes its sign and nothing else.
    frame = pd.DataFrame(np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 500), columns=["a", "b"])
    new = inject.flip_correlation(frame, ("a", "b"), 1)
    assert spearmanr(new["a"], new["b"]).statistic == pytest.approx(-spearmanr(frame["a"], frame["b"]).statistic)


@pytest.mark.parametrize("size", [0.3, 1])
def test_a_flip_keeps_the_values_of_each_column(size):
    # Both marginals are the same multiset, at any size; no test of single columns can see it.
    new = inject.flip_correlation(FRAME, ("amount", "amount_ratio"), size)
    for name in ("amount", "amount_ratio"):
        assert sorted(new[name]) == sorted(FRAME[name])


def test_half_a_flip_leaves_no_correlation():
    # Half the rows have rho, half have its opposite: the mixture has none.
    new = inject.flip_correlation(FRAME, ("amount", "amount_ratio"), 0.5)
    assert abs(spearmanr(new["amount"], new["amount_ratio"]).statistic) < 6 / len(FRAME) ** 0.5


def test_a_flip_passes_over_missing_values():
    # A row with one of the two missing has no pair to turn.
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0], "b": [1.0, np.nan, 3.0, 4.0]})
    assert inject.flip_correlation(frame, ("a", "b"), 1)["b"].tolist() == pytest.approx([4, np.nan, 3, 1], nan_ok=True)


def test_stale_rows_repeat_the_last_fresh_value():
    # Frozen at noon: the morning is as it was, the rest is its last value.
    new, old = inject.stale(FRAME, "recent", 0.25)["recent"], FRAME["recent"]
    assert new[:3000].equals(old[:3000]) and (new[3000:] == old[2999]).all()
    assert (inject.stale(FRAME, "merchant", 1)["merchant"] == FRAME["merchant"][0]).all()


def test_stale_repeats_a_value_that_is_there():
    # A missing value is no reading that could be repeated.
    frame = pd.DataFrame({"x": [np.nan, 1.0, np.nan, 3.0]})
    assert inject.stale(frame, "x", 0.25)["x"].tolist() == pytest.approx([np.nan, 1, np.nan, 1], nan_ok=True)
    assert inject.stale(frame, "x", 1)["x"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("rate", [0, 0.003, 0.2, 1])
def test_prior_shift_has_the_rate_that_is_asked_for(rate):
    # Exactly, up to one row; and as many rows as came.
    new = inject.prior_shift(FRAME, "fraud", rate)
    assert len(new) == len(FRAME) and new["fraud"].mean() == pytest.approx(rate, abs=0.5 / len(FRAME))


def test_prior_shift_keeps_the_law_within_a_class():
    # P(X|y) is kept: each class has rows of that class only, drawn evenly.
    pool = tables.customers.sample(20_000, seed=9)
    new = inject.prior_shift(pool, "churned", 0.5, n=6000)
    for y in (0, 1):
        drawn, there = new[new["churned"] == y], pool[pool["churned"] == y]
        assert len(drawn) == 3000 and len(drawn.merge(there.drop_duplicates())) == 3000
        assert ks_2samp(drawn["income"], there["income"]).pvalue > 1e-4


def test_prior_shift_repeats_no_row_more_than_it_must():
    # 3 ones for 9 places: each comes 3 times.
    frame = pd.DataFrame({"x": range(18), "y": [1] * 3 + [0] * 15})
    new = inject.prior_shift(frame, "y", 0.5)
    assert new.loc[new["y"] == 1, "x"].value_counts().to_dict() == {0: 3, 1: 3, 2: 3}
    assert new.loc[new["y"] == 0, "x"].is_unique


def test_prior_shift_needs_the_class():
    # No row with fraud, no law of fraud.
    with pytest.raises(ValueError, match="prior_shift needs a row with fraud = 1 to draw 400, got none"):
        inject.prior_shift(FRAME.assign(fraud=0), "fraud", 0.1)


def test_concept_flip_mixes_the_law_with_its_opposite():
    # P(y = 1) goes from p to (1 - s) p + s (1 - p), whatever x.
    frame = pd.DataFrame({"y": [1] * 50_000 + [0] * 50_000})
    new = inject.concept_flip(frame, "y", 0.2)["y"]
    assert (new != frame["y"]).sum() == 20_000
    assert new[:50_000].mean() == pytest.approx(0.8, abs=0.01) and new[50_000:].mean() == pytest.approx(0.2, abs=0.01)


def test_faults_chain():
    # Each stage sees what the one before has left.
    new = (FRAME.pipe(inject.mean_shift, "amount", 0.5)
                .pipe(inject.missing, "amount", 0.1)
                .pipe(inject.new_category, "merchant", 0.05))
    assert new["amount"].isna().mean() == pytest.approx(0.1)
    assert (new["merchant"] == "new").mean() == pytest.approx(0.05)
    assert new["amount"].mean() > FRAME["amount"].mean()


@pytest.mark.parametrize("fault, size", [
    (inject.mean_shift, 0.5), (inject.scale, 2), (inject.tail, 0.5), (inject.out_of_range, 0.5), (inject.unit_change, 2),
])
@pytest.mark.parametrize("dtype", ["float64", "float32", "Int64", "Float64"])
def test_missing_numbers_stay_missing(fault, size, dtype):
    # A fault of values does not heal a fault of presence.
    frame = pd.DataFrame({"x": pd.Series([1, 2, None, 4, 9], dtype=dtype)})
    new = fault(frame, "x", size)["x"]
    assert new.isna().tolist() == [False, False, True, False, False] and new.dtype == dtype


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_small_integers_do_not_wrap_around(dtype):
    # 100 x 12 is 1200 and 0 - 50 is -50, in any type.
    frame = pd.DataFrame({"x": np.array([0, 100], dtype=dtype)})
    assert inject.unit_change(frame, "x", 12)["x"].tolist() == [0, 1200]
    assert inject.scale(frame, "x", 2)["x"].tolist() == [-50, 150]


@pytest.mark.parametrize("fault, column, size, words", [
    (inject.mean_shift, "merchant", 0.5, "merchant needs numbers, got category"),
    (inject.mean_shift, "amonut", 0.5, "column needs one of 'amount', "),
    (inject.mean_shift, "amount", np.nan, "size needs finite numbers"),
    (inject.mean_shift, "amount", "big", "size needs numbers, got 'big'"),
    (inject.scale, "amount", 0, "size needs a finite number above 0, got 0"),
    (inject.unit_change, "amount", -1, "size needs a finite number above 0, got -1"),
    (inject.tail, "amount", 5, "size needs a share from 0 to 1, got 5"),
    (inject.missing, "amount", -0.1, "size needs a share from 0 to 1, got -0.1"),
    (inject.frequencies, "amount", 0.1, "amount needs categories or text, got float64"),
    (inject.new_category, "hour", 0.1, "hour needs categories or text, got int64"),
    (inject.flip_correlation, "amount", 1, "column needs a pair of different names, got 'amount'"),
    (inject.flip_correlation, ("amount", "amount"), 1, "column needs a pair of different names"),
    (inject.prior_shift, "hour", 0.1, "hour needs labels 0 and 1, got"),
    (inject.concept_flip, "amount", 0.1, "amount needs labels 0 and 1, got"),
])
def test_bad_requests_are_refused_with_words(fault, column, size, words):
    # What is needed and what came.
    with pytest.raises(ValueError) as caught:
        fault(FRAME, column, size)
    assert words in str(caught.value)


@pytest.mark.parametrize("values", [[3.0, 3.0], [np.nan, np.nan], []])
def test_deviations_need_a_column_that_varies(values):
    # Half of no deviation is no shift: silence would be a lie.
    with pytest.raises(ValueError, match="x needs two different values to have a spread, got"):
        inject.mean_shift(pd.DataFrame({"x": np.array(values, dtype=float)}), "x", 0.5)


def test_infinite_values_are_refused():
    # Their mean and deviation are no numbers.
    with pytest.raises(ValueError, match="x needs finite numbers, got 1 infinite"):
        inject.scale(pd.DataFrame({"x": [1.0, np.inf]}), "x", 2)
