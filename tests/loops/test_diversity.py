"""Measures of exposures, held to hand-made tables, closed forms and laws."""
import numpy as np
import pytest

from mlmon.loops import diversity
from mlmon.loops.diversity import coverage, coverage_at, effective_number, entropy, exposure, gini, hhi, lorenz, uniform, windows

MEASURES = [gini, coverage, entropy, effective_number, hhi]
each = pytest.mark.parametrize("measure", MEASURES, ids=lambda f: f.__name__)


def skewed(n=60, seed=0):
    return np.random.default_rng(seed).zipf(1.8, n).clip(max=500).astype(float)


def blind(slates, items, k, seed):
    return np.argsort(np.random.default_rng(seed).random((slates, items)), axis=1)[:, :k]


def test_hand_made_gini():
    # Shares 1/10, 2/10, 3/10, 4/10: the mean difference of two is 1.25, the mean 2.5, so 1.25 / 5.
    assert gini([4, 1, 3, 2]) == pytest.approx(0.25)


def test_gini_of_one_of_n_and_of_all_alike():
    # The two ends: (n - 1) / n, and 0.
    assert gini([0] * 9 + [7]) == pytest.approx(0.9)
    assert gini([3] * 10) == pytest.approx(0, abs=1e-15)


def test_gini_is_the_mean_difference_of_all_pairs():
    # The definition, written out.
    x = skewed()
    assert gini(x) == pytest.approx(np.abs(x[:, None] - x).mean() / (2 * x.mean()))


def test_gini_of_zipf_is_that_of_its_harmonic_sums():
    # Shares 1/i: sum |1/i - 1/j| has a closed form in harmonic numbers, 0.734 for a thousand items.
    n = 1000
    h = np.sum(1 / np.arange(1, n + 1))
    assert gini(1 / np.arange(1, n + 1)) == pytest.approx((n + 1) / n - 2 / h)
    assert gini(1 / np.arange(1, n + 1)) == pytest.approx(0.734, abs=0.0005)


def test_items_never_shown_count():
    # Ten of a thousand items shown alike: 0.99, where counting only those shown would say 0.
    assert gini([5] * 10, items=1000) == gini([5] * 10 + [0] * 990) == pytest.approx(0.99)
    assert coverage([5] * 10, items=1000) == 0.01


def test_gini_is_twice_the_area_above_lorenz():
    # The area below the curve, by trapezoids, is (1 - Gini) / 2.
    people, share = lorenz(skewed())
    assert 1 - 2 * np.trapezoid(share, people) == pytest.approx(gini(skewed()))
    assert (np.diff(share, 2) >= -1e-12).all() and share[0] == 0 and share[-1] == pytest.approx(1)


def test_measures_of_m_items_alike():
    # m of n items shown alike: m effective items, HHI 1/m, entropy log m, coverage m/n.
    x = [4] * 8 + [0] * 12
    assert effective_number(x) == pytest.approx(8)
    assert (hhi(x), entropy(x), coverage(x)) == pytest.approx((1 / 8, np.log(8), 0.4))


@each
def test_order_and_scale_do_not_matter(measure):
    # Names of items and length of the day are no concentration.
    x = np.append(skewed(), np.zeros(20))
    assert measure(np.random.default_rng(1).permutation(x)) == pytest.approx(measure(x))
    assert measure(7 * x) == pytest.approx(measure(x))


@pytest.mark.parametrize("measure", [gini, hhi, lambda x: -entropy(x), lambda x: -effective_number(x)])
def test_a_transfer_from_poor_to_rich_concentrates(measure):
    # The principle of Pigou and Dalton.
    assert measure([1, 5, 6]) > measure([2, 4, 6])


@each
@pytest.mark.parametrize("bad, match", [
    ([], "at least 1 value"), ([0, 0], "an item that was shown"), ([1, -1], "0 or more"), ([1, np.nan], "1 missing"),
])
def test_what_is_no_exposure_is_refused(measure, bad, match):
    with pytest.raises(ValueError, match=match):
        measure(bad)


def test_a_catalogue_smaller_than_its_exposures_is_refused():
    with pytest.raises(ValueError, match="items needs at least as many as there are exposures, got 2 for 3"):
        gini([1, 2, 3], items=2)


@pytest.mark.parametrize("slates, items, k", [(30, 100, 1), (300, 1000, 1), (40, 50, 10), (7, 12, 5), (2000, 20, 4)])
def test_uniform_is_the_mean_of_blind_slates(slates, items, k):
    # 400 blind histories; the mean of each measure within 4.5 of its standard errors (3 in 100,000 by chance).
    chance = uniform(slates, items, k=k)
    drawn = [exposure(blind(slates, items, k, seed), items) for seed in range(400)]
    for name in ("gini", "coverage", "hhi"):
        values = [getattr(diversity, name)(x) for x in drawn]
        assert abs(np.mean(values) - getattr(chance, name)) <= 4.5 * np.std(values) / 20 + 1e-12


def test_uniform_without_any_chance():
    # Slates that hold the whole catalogue, and a catalogue of one.
    assert uniform(5, 10, k=10).gini == uniform(3, 1).gini == 0
    assert uniform(5, 10, k=10).coverage == 1


def test_blind_gini_falls_to_nothing_with_the_number_of_slates():
    # For many impressions the counts are normal: Gini is sqrt((1 - k/n) items / (pi slates k)) or so.
    chance = uniform(1_000_000, 100, k=5)
    assert chance.gini == pytest.approx(np.sqrt(0.95 * 100 / (np.pi * 5_000_000)), rel=0.01)


def test_hand_made_exposure_by_place():
    # Place r weighs 1 / log2(1 + r): 1, 0.63, 0.5.
    assert exposure([[2, 0, 1]], 4, weights="position") == pytest.approx([1 / np.log2(3), 0.5, 1, 0])
    assert exposure([[2, 0, 1]], 4, weights=[3, 2, 1]).tolist() == [2, 1, 3, 0]
    assert exposure([2, 2, 0], 3).tolist() == [1, 0, 2]


def test_coverage_at_first_places():
    assert coverage_at([[0, 1], [0, 2]], 4, k=1) == 0.25
    with pytest.raises(ValueError, match="at most the 2 places"):
        coverage_at([[0, 1], [0, 2]], 4, k=3)


@pytest.mark.parametrize("bad, match", [([[0, 4]], "numbered from 0 to 3, got 0 to 4"), ([[-1, 0]], "got -1 to 0"), ([[0.5]], "whole numbers"), ([[]], "whole numbers")])
def test_what_is_no_slate_is_refused(bad, match):
    with pytest.raises(ValueError, match=match):
        exposure(bad, 4)


def test_windows_are_the_measures_of_their_slates():
    # Each row equals the functions on its own stretch; the last, shorter stretch is left out.
    slates = blind(25, 30, 4, 0)
    table = windows(slates, 30, size=10)
    assert table[["start", "end"]].to_numpy().tolist() == [[0, 10], [10, 20]]
    second = exposure(slates[10:20], 30)
    assert table.loc[1, ["gini", "coverage", "effective_number", "hhi"]].tolist() == [f(second) for f in (gini, coverage, effective_number, hhi)]
    assert len(windows(slates, 30, size=10, step=5)) == 4
    assert table["blind_gini"].tolist() == [uniform(10, 30, k=4).gini] * 2
