"""Counts on a grid: an interval that holds the exact KS, for any distribution."""
import numpy as np
import pytest

from mlmon.drift.column import merge, tagged
from mlmon.drift.grid import CELLS, COARSE, Grid

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
    exact = merge(tagged(a, 0), b).ks
    assert found.ks - found.bound - 1e-12 <= exact <= found.ks + found.bound + 1e-12
    assert found.upto[-1] == len(a) + len(b) and found.below[-1] == len(b)


@pytest.mark.parametrize("law", LAWS)
def test_the_interval_is_narrow(law):
    # A reference that passes `of` leaves no cell wider than COARSE; the interval is of that order.
    a, b = pair(law)
    grid = Grid.of(np.sort(a))
    if grid is None:
        assert law in ("far from 0", "outlier")
    else:
        assert 0 < grid.merge(b, ()).bound < 2 * COARSE


def test_ties_and_constants_get_no_grid():
    # A value that holds more than a cell may is sorted exactly instead.
    assert Grid.of(np.full(30_000, 7.0)) is None
    assert Grid.of(np.sort(np.random.default_rng(0).poisson(2, 30_000).astype(float))) is None


def test_counts_keep_what_lies_outside():
    # Values below and above the reference have cells of their own.
    grid = Grid(np.linspace(0, 1, 10_000))
    counts = grid._counts(np.array([-5.0, -1e-6, 0.0, 0.5, 1.0, 1 + 1e-6, 9.0]))
    assert counts[0] == 2 and counts[CELLS + 1] == 2 and counts.sum() == 7


def test_counts_at_edges_are_those_of_a_cell_nearby():
    # PSI's cells are cut at the grid's edges: within one cell of the exact count.
    a, b = pair("normal")
    grid, edges = Grid(np.sort(a)), np.quantile(a, [0.1, 0.5, 0.9])
    exact = np.searchsorted(np.sort(b), edges, side="right")
    assert np.abs(grid.merge(b, edges).current_at - exact).max() <= 0.01 * len(b)
