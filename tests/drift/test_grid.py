"""Counts on a grid: an interval that holds the exact KS, or KS itself, for any distribution."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from mlmon.drift.column import merge
from mlmon.drift.grid import CELLS, COARSE, LONG, Grid

LAWS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.random(n),
    "lognormal": lambda rng, n: rng.lognormal(0, 1, n),
    "lognormal(2)": lambda rng, n: rng.lognormal(0, 2, n),
    "t(2)": lambda rng, n: rng.standard_t(2, n),
    "cauchy": lambda rng, n: rng.standard_cauchy(n),
    "two hills": lambda rng, n: rng.normal(size=n) + 50 * (rng.random(n) < 0.5),
    "far from 0": lambda rng, n: 1e9 + rng.normal(size=n),
    "outlier": lambda rng, n: np.append(rng.normal(size=n - 1), 1e6),
}


def pair(law, n=30_000, m=25_000, by=0.05):
    rng = np.random.default_rng([len(law), n, m])
    a, b = LAWS[law](rng, n), LAWS[law](rng, m)
    return a, b + by * np.subtract(*np.quantile(a, [0.75, 0.25]))


@pytest.mark.parametrize("by", [0, 0.05, 5, -1000])
@pytest.mark.parametrize("law", LAWS)
def test_the_interval_holds_the_exact_ks(law, by):
    # Both distribution functions are exact at cell edges; inside a cell they move by its shares at most.
    a, b = pair(law, by=by)
    grid = Grid(np.sort(a))
    found = grid.merge(b, edges=())
    exact = merge(a, b).ks
    assert found.ks - found.bound - 1e-12 <= exact <= found.ks + found.bound + 1e-12
    assert found.upto[-1] == len(a) + len(b) and found.below[-1] == len(b)


@pytest.mark.parametrize("law", LAWS)
def test_the_interval_is_narrow(law):
    # No cell holds more than COARSE of these references; the interval is of that order.
    a, b = pair(law)
    grid = Grid.of(np.sort(a))
    assert grid.coarsest <= COARSE
    assert 0 < grid.merge(b, ()).bound < 2 * COARSE


def test_constants_get_no_grid():
    # Nor does a range whose cells could not be told apart.
    assert Grid.of(np.full(30_000, 7.0)) is None
    assert Grid.of(np.sort(np.random.default_rng(0).integers(0, 9, 30_000) * 1e-300)) is None


# --- exact: only the values in cells that may hold the gap are looked at ---------

TIED = {
    "counts": lambda rng, n: rng.poisson(2, n).astype(float),
    "tenths": lambda rng, n: rng.normal(size=n).round(1),
    "cents": lambda rng, n: rng.lognormal(3, 1, n).round(2),
    "signed zeros": lambda rng, n: rng.choice([-0.0, 0.0, -1.0, 1.0], n),
    "whole numbers past 2**53": lambda rng, n: 1e16 + 1e3 * rng.normal(size=n).round(2),
    "counts beside a line": lambda rng, n: np.where(rng.random(n) < 0.5, rng.poisson(2, n), rng.normal(2, 2, n)),
}
DRIFT = {
    "none": lambda b, rng: b,
    "all a little": lambda b, rng: b + 0.01 * np.ptp(np.quantile(b, [0.25, 0.75])),
    "all far off": lambda b, rng: b + 1e7,
    "at one point": lambda b, rng: np.where(rng.random(len(b)) < 0.02, np.median(b), b),
    "beside one point": lambda b, rng: np.where(rng.random(len(b)) < 0.02, np.nextafter(np.median(b), np.inf), b),
    "spread": lambda b, rng: np.median(b) + 1.05 * (b - np.median(b)),
}


def exact_gap_is_scipys(a, b):
    """KS as SciPy's, and counts at deciles as `searchsorted` gives them; False where the grid leaves it to a sort."""
    ordered = np.sort(a)
    edges = np.append(np.nextafter(ordered[0], -np.inf), np.quantile(ordered, np.arange(1, 11) / 10))
    found = Grid.of(ordered).gap(b, edges)
    if found is None:
        return False
    assert found.bound == 0 and found.ks == pytest.approx(ks_2samp(a, b, method="asymp").statistic, abs=1e-12)
    assert found.current_at.tolist() == np.searchsorted(np.sort(b), edges, side="right").tolist()
    return True


@pytest.mark.parametrize("drift", DRIFT)
@pytest.mark.parametrize("law", LAWS | TIED)
def test_the_refined_gap_is_scipys(law, drift):
    rng = np.random.default_rng([len(law), len(drift)])
    draw = (LAWS | TIED)[law]
    looked = exact_gap_is_scipys(draw(rng, 30_000), DRIFT[drift](draw(rng, 25_000), rng))
    # Left to a sort: a batch all in one cell, and values beside one that fills its cell.
    assert looked or drift == "all far off" or law == "counts beside a line" or (law in TIED and drift != "none")


def test_the_refined_gap_of_a_long_reference_is_scipys():
    # From LONG values on there are twice as many cells.
    rng = np.random.default_rng(4)
    assert exact_gap_is_scipys(rng.normal(size=LONG), rng.normal(0.003, 1, LONG + 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 400), st.integers(1, 400), st.integers(0, 3), st.floats(-3, 3))
def test_refining_never_disagrees_with_sorting(seed, n, m, digits, by):
    # Few values and many cells, ties of all sizes: the rules at cell edges have nowhere to hide.
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n + 1).round(digits), (by + rng.normal(size=m)).round(digits)
    a[-1] = a[0] + 1
    exact_gap_is_scipys(a, b)


@pytest.mark.parametrize("law", LAWS)
def test_a_gap_within_a_bound_is_an_interval(law):
    # What may be that wide is not refined; what may not is exact.
    a, b = pair(law, by=0.02)
    truth, grid = ks_2samp(a, b, method="asymp").statistic, Grid.of(np.sort(a))
    for bound in (1e-9, 1e-4, 1e-2):
        found = grid.gap(b, [0.0], bound)
        assert found.bound <= bound and abs(found.ks - truth) <= found.bound + 1e-12


def test_counts_keep_what_lies_outside():
    # Values below and above the reference have cells of their own.
    grid = Grid(np.linspace(0, 1, 10_000))
    _, counts = grid._count(np.array([-5.0, -1e-6, 0.0, 0.5, 1.0, 1 + 1e-6, 9.0]))
    assert counts[0] == 2 and counts[CELLS + 1] == 2 and counts.sum() == 7


def test_counts_at_edges_are_those_of_a_cell_nearby():
    # PSI's cells are cut at the grid's edges: within one cell of the exact count.
    a, b = pair("normal")
    grid, edges = Grid(np.sort(a)), np.quantile(a, [0.1, 0.5, 0.9])
    exact = np.searchsorted(np.sort(b), edges, side="right")
    assert np.abs(grid.gap(b, edges, 0.01).current_at - exact).max() <= 0.01 * len(b)
