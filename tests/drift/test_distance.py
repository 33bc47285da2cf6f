"""Distances between shares of the same bins, held to closed forms, tables and laws."""
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from mlmon.drift import distance
from mlmon.drift.distance import hellinger, js, kl, psi, shares, total_variation, wasserstein

MEASURES = [psi, kl, js, hellinger, total_variation]
each = pytest.mark.parametrize("measure", MEASURES, ids=lambda f: f.__name__)


def draw(seed, by=0.0, n=20_000):
    return np.random.default_rng(seed).normal(by, 1, n)


def test_psi_of_a_unit_shift_is_one():
    # N(0,1) against N(1,1): KL is 1/2 each way, and PSI is their sum.
    assert psi(draw(7, n=200_000), draw(8, 1, n=200_000), bins=100) == pytest.approx(1, abs=0.05)


def test_psi_of_a_stretched_normal():
    # N(0,1) against N(0,s^2): KL both ways adds up to (s^2 + 1/s^2)/2 - 1.
    expected = (1.5**2 + 1 / 1.5**2) / 2 - 1
    assert psi(draw(1, n=200_000), 1.5 * draw(2, n=200_000), bins=200) == pytest.approx(expected, abs=0.05)


def test_kl_of_a_shift_is_half_its_square():
    # KL between normals of one spread is shift^2 / 2, in nats.
    assert kl(draw(1, n=200_000), draw(2, 0.5, n=200_000), bins=100) == pytest.approx(0.125, abs=0.01)


def test_psi_is_both_divergences_on_the_same_bins():
    # PSI is Jeffreys' divergence; for categories the bins are the same both ways.
    rng = np.random.default_rng(0)
    a, b = rng.choice(list("abcd"), 300), rng.choice(list("abce"), 200)
    assert kl(a, b) + kl(b, a) == pytest.approx(psi(a, b), rel=1e-12)


def test_hand_made_shares():
    # 3:1 against 1:3, with half a count added: 3.5/5 and 1.5/5.
    a, b = ["x"] * 3 + ["y"], ["x"] + ["y"] * 3
    assert psi(a, b) == pytest.approx(2 * 0.4 * np.log(3.5 / 1.5))
    assert total_variation(a, b) == 0.5
    assert hellinger(a, b) == pytest.approx(np.sqrt(1 - np.sqrt(3) / 2))
    assert js(a, b) == pytest.approx(jensenshannon([3, 1], [1, 3], base=2))


def test_js_agrees_with_scipy_on_quantile_bins():
    # The same counts, the same distance.
    cut = shares(draw(1), draw(2, 0.4))
    assert js(draw(1), draw(2, 0.4)) == pytest.approx(jensenshannon(*cut.plain(), base=2))


@each
def test_a_sample_is_at_no_distance_from_itself(measure):
    # d(x, x) = 0, with missing values and ties as without.
    for x in (draw(1), np.r_[draw(1), np.nan], np.round(draw(1)), ["a", "b", None] * 5):
        assert measure(x, x) == pytest.approx(0, abs=1e-7)


@each
def test_a_distance_is_positive_and_only_sees_order(measure):
    # Quantile bins follow a rising map; the order of rows means nothing.
    a, b = draw(1), draw(2, 0.3)
    assert measure(a, b) > 0
    # Ends of cells between two values do not map exactly: one value may change its cell.
    assert measure(np.exp(a), np.exp(b)) == pytest.approx(measure(a, b), rel=0.02)
    assert measure(a[::-1], np.sort(b)) == measure(a, b)


@each
def test_levels_have_no_order_and_no_names(measure):
    # Any renaming of categories leaves the shares as they are.
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 5, 200), rng.integers(0, 5, 300) // 2
    one, other = np.array(list("abcde")), np.array(list("qzmyp"))
    assert measure(one[a], one[b]) == pytest.approx(measure(other[a], other[b]))


@pytest.mark.parametrize("measure", [js, hellinger, total_variation], ids=lambda f: f.__name__)
def test_metrics_obey_the_laws_of_a_metric(measure):
    # Symmetric, at most 1, reached with nothing in common, and no detour is shorter.
    rng = np.random.default_rng(5)
    x, y, z = (rng.choice(list("abcd"), 100, p=rng.dirichlet(np.ones(4))) for _ in range(3))
    assert measure(x, y) == pytest.approx(measure(y, x))
    assert measure(x, z) <= measure(x, y) + measure(y, z) + 1e-12
    assert measure(["a"] * 9, ["b"] * 9) == pytest.approx(1)


def test_mass_out_of_range_is_kept_apart():
    # Every row of either sample is in one bin; those beyond the reference's ends in bins of their own.
    cut = shares(np.arange(100.0), np.r_[np.full(10, -5.0), np.full(60, 50.0), np.full(30, 500.0)])
    assert cut.labels[0] == "below 0" and cut.labels[-2:] == ("above 99", "missing")
    assert cut.current[0] == 10 and cut.current[-2] == 30 and cut.current.sum() == 100
    assert cut.reference[0] == cut.reference[-2] == 0 and cut.reference.sum() == 100


def test_missing_values_have_a_bin_of_their_own():
    # The last bin counts them, for numbers and for categories.
    assert shares([1, 2, 3, None], [1, None, None], bins=2).current.tolist() == [0, 1, 0, 0, 2]
    cut = shares(["a", None, "b"], ["a", None, None])
    assert cut.labels == ("a", "b", "missing") and cut.current.tolist() == [1, 0, 2]


def test_a_column_that_is_all_missing_has_its_share():
    # None alone has no kind: beside categories it is a category's missing share.
    cut = shares([None, None], ["a", "b"])
    assert cut.labels == ("a", "b", "missing") and cut.reference.tolist() == [0, 0, 2] and cut.current.tolist() == [1, 1, 0]
    assert total_variation([None], ["a"]) == 1


def test_unseen_categories_are_counted():
    # The reference's levels first, then the new ones.
    cut = shares(["b", "a"], ["c", "a", "c"])
    assert cut.labels == ("b", "a", "c", "missing") and cut.current.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("bins", [1, 3, 10])
def test_quantile_bins_hold_equal_shares(bins):
    # Cells are cut at the reference's quantiles.
    counts = shares(draw(3, n=900), draw(4), bins=bins).reference[1:-2]
    assert len(counts) == bins and np.ptp(counts) <= 1


def test_ties_make_fewer_bins_and_a_constant_one():
    # A value is in one cell, so equal quantiles are one end.
    assert shares([0] * 61 + [1] * 20 + [2] * 20, [0, 1, 3], bins=5).labels == ("below 0", "0", "0 to 1", "1 to 2", "above 2", "missing")
    cut = shares([5] * 20, [4, 5, 5, 6])
    assert cut.labels == ("below 5", "5", "above 5", "missing") and cut.current.tolist() == [1, 2, 1, 0]


@pytest.mark.parametrize("ones", [5, 50, 95])
def test_a_rare_number_is_not_lost_beside_a_frequent_one(ones):
    # A 0/1 column has two shares, at 5 % as at 50 %: PSI is that of the same column as text.
    a, b = np.repeat([0, 1], [100 - ones, ones]), np.repeat([0, 1], [70, 30])
    assert psi(a, b) == pytest.approx(psi(a.astype(str), b.astype(str)))


def test_wasserstein_agrees_with_scipy():
    # The area between both distribution functions.
    a, b = draw(1, n=300), np.round(draw(2, 0.5, n=200), 1)
    assert wasserstein(a, b) == pytest.approx(wasserstein_distance(a, b))


def test_wasserstein_moves_and_scales_with_its_unit():
    # A shift by c costs c; another unit multiplies.
    a, b = draw(1, n=300), draw(2, n=200)
    assert wasserstein(a, a - 3) == pytest.approx(3)
    assert wasserstein(100 * a + 7, 100 * b + 7) == pytest.approx(100 * wasserstein(a, b))


@pytest.mark.parametrize("a, b, words", [
    ([], [1, 2], "reference needs at least 1 value"), ([1] * 10, [], "current needs at least 1 value"),
    ([1, 2], [1, 2], "psi cuts 10 bins"), ([1.0] * 10, ["a"] * 10, "current needs numbers"),
    (["a"], [1], "current needs words|current needs categories"), ([np.inf] * 10, [1], "finite"),
    (np.zeros((5, 2)), [1], "one dimension"),
], ids=str)
@each
def test_bad_input_is_refused(measure, a, b, words):
    # No distance is better than a wrong one.
    with pytest.raises(ValueError, match=words):
        measure(a, b)


@pytest.mark.parametrize("bins", [0, -1, 2.5, "ten"])
def test_bins_are_a_whole_number(bins):
    with pytest.raises(ValueError, match="bins needs a whole number"):
        psi(draw(1), draw(2), bins=bins)


def test_wasserstein_refuses_missing_values():
    # They have no place on the axis.
    with pytest.raises(ValueError, match="reference needs finite numbers"):
        wasserstein([1.0, None], [1.0])


def test_many_levels_are_counted_in_time():
    # 20,000 identifiers: every one its own level, each pair of levels not compared.
    ids = pd.Series(range(20_000)).astype(str)
    assert total_variation(ids, ids + "x") == pytest.approx(1)


def test_distances_know_no_threshold():
    # Numbers below decisions: this module says how far, never whether.
    assert not any("alpha" in name or "verdict" in name.lower() for name in vars(distance))
