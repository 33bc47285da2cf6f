"""Reading a column, and the one sort that KS, counts and rank scores are read from."""
import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from mlmon.drift.column import BLOCKS, HUGE, cut_points, in_deviations, merge, read, read_loosely, same_kind, spread, tagged

PAIRS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "cauchy": lambda rng, n: rng.standard_cauchy(n),
    "counts": lambda rng, n: rng.poisson(2, n).astype(float),
    "zeros": lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.2),
    "signed zeros": lambda rng, n: rng.choice([-0.0, 0.0, -1.0, 1.0], n),
    "large steps": lambda rng, n: rng.integers(-3, 3, n) * 1e149,
    "denormal": lambda rng, n: rng.integers(-4, 4, n) * 2e-320,
}


def merged(a, b, edges=()):
    return merge(a, b, edges)


@pytest.mark.parametrize("family", PAIRS)
@pytest.mark.parametrize("n, m", [(2, 3), (8, 9), (50, 700), (3001, 997)])
def test_merge_agrees_with_scipy(family, n, m):
    # KS is one number, whoever counts; sorting tagged values loses none of it.
    rng = np.random.default_rng([n, m, len(family)])
    a, b = PAIRS[family](rng, n), PAIRS[family](rng, m)
    found = merged(a, b)
    assert found.ks == pytest.approx(ks_2samp(a, b, method="asymp").statistic, abs=1e-12)
    assert found.bound == 0
    if len(np.unique(np.r_[a, b])) <= BLOCKS:
        assert found.wasserstein == pytest.approx(wasserstein_distance(a, b), rel=1e-9, abs=1e-300)


def test_merge_takes_a_hand_made_table():
    # 1 2 2 3 against 2 3 3 9: the gap is widest after 2, where 3 of 4 stand against 1 of 4.
    found = merged(np.array([1.0, 2, 2, 3]), np.array([2.0, 3, 3, 9]), edges=(1.0, 2.0, 3.0))
    assert found.ks == 0.5 and found.tied
    assert found.current_at.tolist() == [0, 1, 3]
    assert found.points.tolist() == [1, 2, 3, 9]
    assert found.upto.tolist() == [1, 4, 7, 8] and found.below.tolist() == [0, 1, 3, 4]


def test_tags_stay_with_their_sample():
    # The tag is the lowest bit; ties between samples survive it, order too.
    a = np.array([0.1, 0.1, -0.0, 5.0])
    assert merged(a, a.copy()).ks == 0
    assert np.abs(tagged(a, 1) - a).max() < 1e-15


@pytest.mark.parametrize("transform", [np.exp, lambda x: x**3, lambda x: 7 * x - 3], ids=["exp", "cube", "line"])
def test_ks_only_sees_order(transform):
    # A rising map moves values, not ranks.
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=400), rng.normal(0.2, 1.2, 300)
    assert merged(a, b).ks == merged(transform(a), transform(b)).ks


def test_wasserstein_of_a_long_sample_is_close():
    # Past BLOCKS different values the area is read at block ends: a shift of 0.3 is 0.3.
    a = np.random.default_rng(4).normal(size=30_000)
    assert merged(a, a + 0.3).wasserstein == pytest.approx(0.3, rel=0.002)


def test_cut_points_keep_both_ends_whole():
    # Tails decide, so none of the outermost values may share a block.
    kept = cut_points(100_000)
    assert kept[:64].tolist() == list(range(64)) and kept[-64:].tolist() == list(range(99_936, 100_000))
    assert len(kept) < BLOCKS + 130


@pytest.mark.parametrize("values", [
    [1, None, 3.5], (1.0, np.nan, 3.5), np.array([1, np.nan, 3.5]), np.array([1, None, 3.5], dtype=object),
    pd.Series([1, None, 3.5]), pd.Series([1, pd.NA, 3.5], dtype=object), pd.array([1, None, 3.5], dtype="Float64"),
    pd.Index([1, np.nan, 3.5]), np.ma.masked_array([1, 99.0, 3.5], mask=[False, True, False]),
    [decimal.Decimal(1), None, decimal.Decimal("3.5")], np.float32([1, np.nan, 3.5]),
], ids=lambda v: type(v).__name__)
def test_numbers_are_numbers_in_every_container(values):
    # One value is missing and two are there, however they are wrapped.
    column = read(values, "x")
    assert column.kind == "numeric" and column.missing == 1 and column.present.tolist() == [1, 3.5]


@pytest.mark.parametrize("values, levels", [
    (["b", None, "a"], ["b", "a"]), ([True, None, False], [True, False]), (np.array([True, False]), [True, False]),
    (pd.array([True, None], dtype="boolean"), [True]), (pd.array(["b", None], dtype="string"), ["b"]),
    (pd.array(["b", None], dtype="string[pyarrow]"), ["b"]),
    (pd.Categorical(["b", None], categories=["z", "b"]), ["b"]), ([1, "1", None], [1, "1"]),
])
def test_categories_keep_their_levels(values, levels):
    # A level that no row has is none; 1 and "1" are two.
    column = read(values, "x")
    assert column.kind == "categorical" and list(column.levels) == levels
    assert column.counts.sum() + column.missing == len(values)


@pytest.mark.parametrize("values, needed", [
    (np.zeros((2, 2)), "one dimension"), ([[1, 2], [3]], "one dimension"), ("abc", "one dimension"), (None, "one dimension"),
    ({1, 2}, "one dimension"), (pd.DataFrame({"a": [1]}), "one dimension"), ([1.0, np.inf], "finite"), ([-np.inf], "finite"),
    ([1e200], "finite"), ([10**400], "finite"), ([1j], "complex"), (np.array([1j]), "complex"), ([[1], {}], "one dimension"),
    (pd.Series([[1], [2]]), "a list"), (pd.date_range("2020", periods=2), "dates"), ([datetime.date(2020, 1, 1)], "dates"),
    (pd.Series([datetime.timedelta(1)]), "dates"), (pd.period_range("2020", periods=2), "dates"),
], ids=str)
def test_what_cannot_be_compared_is_refused(values, needed):
    # What was needed, what came and what to do; the caller's name comes first.
    with pytest.raises(ValueError, match=rf"^age needs .*, got .*\. [A-Z]") as error:
        read(values, "age")
    assert needed in str(error.value)


def test_infinite_numbers_are_counted_where_asked():
    # Missing is not infinite; beyond HUGE a square overflows, so it is.
    column = read_loosely([np.inf, -np.inf, np.nan, 2 * HUGE, 1.0], "x")
    assert (column.infinite, column.missing) == (3, 1)


def test_huge_numbers_are_counted_without_an_infinite_one():
    # The smallest square that overflows is larger than HUGE's; the limit is HUGE all the same.
    column = read_loosely(np.array([1.0, -2 * HUGE, HUGE]), "x")
    assert (column.infinite, column.missing) == (1, 0)


def test_text_is_read_alike_from_every_store():
    # Arrow numbers its own text, in one piece or several; Python objects are the truth.
    words = ["b", None, "a", "b"]
    whole = pd.Series(words, dtype="str")
    pieces = pd.concat([whole[:2], whole[2:]], ignore_index=True)
    for values in (whole, pieces, whole[1:].reset_index(drop=True), pd.Series(words, dtype="string[python]")):
        found, truth = read(values, "x"), read(list(values), "x")
        assert (list(found.levels), found.codes.tolist(), found.counts.tolist(), found.missing) == \
            (list(truth.levels), truth.codes.tolist(), truth.counts.tolist(), truth.missing)


def test_same_kind_lets_an_empty_side_follow():
    # What is all missing has no kind of its own.
    numbers, words, gone = read([1, 2], "x"), read(["a"], "x"), read([None, None], "x")
    assert same_kind(gone, words) == same_kind(words, gone) == "categorical"
    with pytest.raises(ValueError, match="needs numbers as the reference has, got categories"):
        same_kind(numbers, words)


def test_spread_is_zero_for_equal_values_alone():
    # The mean of many 0.1 is not 0.1 to the last bit, and the square of 1e-200 is 0.
    assert spread(np.full(1001, 0.1)) == 0
    assert spread(np.array([1e-200, 3e-200])) > 0
    assert spread(np.array([1.0, 3.0])) == 1
    assert in_deviations(3.0, 2.0) == 1.5 and in_deviations(1e100, 1e-300) == HUGE
