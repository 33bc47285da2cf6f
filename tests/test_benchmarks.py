"""What the benchmarks stand on: pairs with a known truth, limits from theory, tables written in place."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.benchmarks import calibration, pairs, tables  # noqa: E402

N = 100_000


def test_pairs_are_the_same_for_the_same_seed_and_others_for_another():
    one, again, other = (pairs.drifted("missing", 50, seed) for seed in (1, 1, 2))
    assert one.current.equals(again.current) and not one.current.equals(other.current)


@pytest.mark.parametrize("drift", [drift for drift in pairs.DRIFTS if drift not in ("none", "correlation")])
def test_a_drifted_pair_differs_in_the_feature_that_it_names(drift):
    # Equal populations of 100,000 rows have equal first moments within 5 standard errors.
    reference, current, names = pairs.drifted(drift, N, seed=3)
    for column in reference.columns.difference(names):
        a, b = (frame[column].cat.codes if frame[column].dtype == "category" else frame[column]
                for frame in (reference, current))
        assert abs(a.mean() - b.mean()) < 5 * a.std() * np.sqrt(2 / N)


def test_the_drifts_have_the_sizes_that_they_state():
    def after(drift):
        return pairs.drifted(drift, N, seed=4).current
    assert after("mean .25")["x4"].mean() == pytest.approx(0.25, abs=0.02)
    assert after("var x1.5")["x4"].var() == pytest.approx(1.5, rel=0.03)
    assert (after("tail 2.5 %")["x4"] > 3.5).mean() == pytest.approx(0.025, abs=0.003)   # the normal has .0002 there
    assert after("missing")["x7"].isna().mean() == pytest.approx(0.15, abs=0.01)
    assert (after("new level")["c0"] == "new").mean() == pytest.approx(0.05, abs=0.005)
    assert (after("frequencies")["c0"] == "b").mean() == pytest.approx(0.4, abs=0.01)


def test_the_flipped_correlation_keeps_the_marginals():
    reference, current, _ = pairs.drifted("correlation", N, seed=5)
    assert reference["x0"].corr(reference["x1"]) == pytest.approx(0.5, abs=0.02)
    assert current["x0"].corr(current["x1"]) == pytest.approx(-0.5, abs=0.02)
    assert current["x1"].std() == pytest.approx(1, abs=0.02)


def test_every_family_of_clean_data_gives_as_many_rows_as_asked():
    pair = pairs.clean("mixed", 50, len(pairs.FAMILIES), seed=0, reference_n=70)
    assert pair.reference.shape == (70, len(pairs.FAMILIES)) and pair.current.shape == (50, len(pairs.FAMILIES))


def test_a_rate_within_the_promise_is_hardly_ever_rejected_and_others_are():
    low, high = calibration.limits(2000, calibration.ALONE)
    assert binom.sf(high, 2000, 0.07) <= 1e-5 and binom.cdf(low - 1, 2000, 0.03) <= 1e-5
    assert binom.sf(high, 2000, 0.105) >= 0.9   # as the README states


def test_one_rare_value_in_fifty_rows_cannot_reach_the_level():
    # Two ones among 100 rows: both in one frame has chance 25 * 49 / (50 * 99), about 1/2 on either side.
    both_in_one = 2 * (50 * 49 / 2) / (100 * 99 / 2)
    assert both_in_one > 0.05 and calibration.coarse(("rare 0/1", 1, 50, 50))


def test_every_cell_has_its_chunks_of_seeds_once():
    cells = [cell | {"seeds": tuple(cell["seeds"])} for _, cells, _ in calibration.jobs([]) for cell in cells]
    assert len({tuple(cell.items()) for cell in cells}) == len(cells)
    small = [cell["seeds"] for cell in cells if cell.get("kind") == "mixed" and cell["features"] == 20 and cell["n"] == 50_000]
    assert sorted(small) == [(start, start + 50) for start in range(0, 300, 50)]


def test_a_table_is_written_between_its_markers_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before <!-- speed -->\nold\n<!-- /speed --> after")
    tables.write("speed", "new", page)
    assert page.read_text() == "before <!-- speed -->\nnew\n<!-- /speed --> after"
    with pytest.raises(ValueError, match="needs the markers <!-- power -->"):
        tables.write("power", "new", page)


@pytest.mark.parametrize("value, text", [(0, "0"), (0.045, ".045"), (0.5, ".5"), (1, "1")])
def test_rates_are_written_short(value, text):
    assert tables.share(value) == text
