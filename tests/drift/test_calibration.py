"""Rank scores, their moments and their joint null."""
import itertools

import numpy as np
import pytest
from scipy.stats import anderson_ksamp, chi2_contingency, chisquare, norm

from mlmon.drift import calibration
from mlmon.drift.calibration import DEGREES, SCORES, TAILS, Pool
from mlmon.drift.column import merge


def scores_z(a, b):
    return calibration.merged_z(merge(a, b))


def test_every_score_has_mean_zero():
    # Scores are written by their integrals, which are 0 at both ends.
    ends = calibration.score_integrals(np.array([0.0, 1.0]))
    assert ends.shape == (2, SCORES) and np.abs(ends).max() < 1e-12


def test_legendre_scores_are_legendre_polynomials():
    # Degree 1 is 2u - 1, degree 2 its (3t^2 - 1) / 2; a thin block's mean is the value in it.
    middle = (np.arange(1000) + 0.5) / 1000
    scores, t = calibration.block_scores(np.arange(1, 1001)), 2 * middle - 1
    assert scores[:, 0] == pytest.approx(t, abs=1e-5)
    assert scores[:, 1] == pytest.approx((3 * t**2 - 1) / 2, abs=1e-5)
    assert scores[100:900, DEGREES] == pytest.approx(norm.ppf(middle[100:900]) ** 2 - 1, abs=1e-3)


def test_a_tail_score_weighs_the_outermost_share_against_the_next():
    # +1 on the outer share, -1 on the next one, 0 elsewhere.
    scores = calibration.block_scores(np.arange(1, 10_001))
    for i, share in enumerate(TAILS):
        k = round(share * 10_000)
        upper, lower = scores[::-1, DEGREES + 1 + 2 * i], scores[:, DEGREES + 2 + 2 * i]
        for tail in (upper, lower):
            assert tail[:k] == pytest.approx(1) and tail[k:2 * k] == pytest.approx(-1)
            assert tail[2 * k:] == pytest.approx(0, abs=1e-9)


def test_the_mean_over_ties_is_that_of_their_ranks():
    # A tied block gets the mean of the scores that its rows would have without ties.
    single = calibration.block_scores(np.arange(1, 11))
    tied = calibration.block_scores(np.array([3, 10]))
    assert tied[0] == pytest.approx(single[:3].mean(axis=0))
    assert tied[1] == pytest.approx(single[3:].mean(axis=0))


def test_standard_scores_have_mean_zero_and_variance_one_over_all_draws():
    # The variance of a sum drawn without replacement, checked by drawing every subset there is.
    values = np.array([0.3, 1.0, 1.0, 2.5, 4.0, 7.0, 7.0, 9.0])
    scores = calibration.row_scores(values)
    sums = np.array([scores[list(rows)].sum(axis=0) for rows in itertools.combinations(range(8), 3)])
    z = calibration.standardise(sums, (scores**2).sum(axis=0), 3, 8)
    varies = (scores**2).sum(axis=0) > 1e-12
    assert z.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert (z**2).mean(axis=0)[varies] == pytest.approx(1)


@pytest.mark.parametrize("n, m", [(500, 300), (40, 60)])
@pytest.mark.parametrize("family", ["normal", "poisson"])
def test_both_routes_to_the_scores_agree(n, m, family):
    # Read off a merged sample, or row by row: one statistic.
    rng = np.random.default_rng([n, m])
    a, b = (rng.normal(size=s) if family == "normal" else rng.poisson(3, s).astype(float) for s in (n, m))
    rows = calibration.row_scores(np.r_[a, b])
    z = calibration.standardise(rows[n:].sum(axis=0), (rows**2).sum(axis=0), m, n + m)
    assert scores_z(a, b) == pytest.approx(z, abs=1e-9)


def test_a_long_sample_in_blocks_is_close_to_its_rows():
    # Past 2,048 ranks scores are means of blocks; both ends are kept whole.
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=20_000), rng.normal(0.02, 1.02, 15_000)
    rows = calibration.row_scores(np.r_[a, b])
    z = calibration.standardise(rows[20_000:].sum(axis=0), (rows**2).sum(axis=0), 15_000, 35_000)
    found = scores_z(a, b)
    assert found[: DEGREES + 1] == pytest.approx(z[: DEGREES + 1], abs=0.02)
    assert found[DEGREES + 1:] == pytest.approx(z[DEGREES + 1:], abs=0.6)     # a block that straddles a tail's end


def test_scores_change_sign_with_the_samples():
    # What the current sample has more of, the reference has less of.
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=200), rng.normal(1, 1, 100)
    assert scores_z(a, b) == pytest.approx(-scores_z(b, a), abs=1e-9)


def test_missing_rows_score_nothing():
    # Ranks are those of the present rows.
    x = np.array([3.0, np.nan, 1.0, 2.0])
    scores = calibration.row_scores(x)
    assert not scores[1].any()
    assert scores[[0, 2, 3]] == pytest.approx(calibration.row_scores(np.array([3.0, 1.0, 2.0])))
    assert not calibration.row_scores(np.full(3, np.nan)).any()


def test_eight_legendre_terms_are_nearly_anderson_darling():
    # A^2 is the weighted sum of all squared components; the rest is small and of known mean.
    rng, ours, theirs = np.random.default_rng(3), [], []
    degree = np.arange(1, DEGREES + 1)
    for shift in np.linspace(0, 0.4, 15):
        a, b = rng.normal(size=400), rng.normal(shift, 1, 400)
        z = scores_z(a, b)[:DEGREES]
        ours.append(np.sum(z**2 / (degree * (degree + 1))) + 1 / (DEGREES + 1))
        theirs.append(_anderson(a, b))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    assert ours == pytest.approx(theirs, rel=0.05, abs=0.12)


def _anderson(a, b):
    """Pettitt's two-sample A^2, summed as written."""
    n, m = len(a), len(b)
    union = np.sort(np.r_[a, b])
    i = np.arange(1, n + m)
    below = np.searchsorted(np.sort(a), union[:-1], side="right")
    return np.sum((below * (n + m) - n * i) ** 2 / (i * (n + m - i))) / (n * m)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_pettitts_sum_is_scipys():
    # scipy gives (A^2 - 1) / sd: two samples that differ by a factor of it.
    rng = np.random.default_rng(4)
    pairs = [(rng.normal(size=50), rng.normal(by, 1, 70)) for by in (0, 0.5, 1)]
    ours = np.array([_anderson(*pair) for pair in pairs]) - 1
    theirs = np.array([anderson_ksamp(pair, midrank=False).statistic for pair in pairs])
    assert theirs / ours == pytest.approx(theirs[0] / ours[0], rel=1e-6)


@pytest.mark.parametrize("a, p", [(1.933, 0.1), (2.492, 0.05), (3.070, 0.025), (3.878, 0.01), (4.5, 0.005), (6.0, 0.001)])
def test_anderson_p_agrees_with_the_published_table(a, p):
    # D'Agostino and Stephens (1986), table 4.2, case 0.
    assert float(calibration.anderson_p(a)) == pytest.approx(p, rel=0.05)


def test_anderson_p_falls_without_a_jump():
    # A tail: from 1 down, and never up, across the joints at 2 and 6.
    p = calibration.anderson_p(np.linspace(0.05, 40, 4000))
    assert np.all(np.diff(p) <= 1e-9) and p[0] > 0.99 and 0 < p[-1] < 1e-15


def test_all_levels_together_are_pearsons_chi_squared():
    # The weighted sum of squared level scores times (N - 1) / N is the table's chi-squared.
    table = np.array([[40, 30, 30], [25, 45, 30]])
    codes = np.repeat(np.r_[0:3, 0:3], table.ravel())
    marks, kept = calibration.level_marks(codes)
    z = calibration.standardise(marks[100:].sum(axis=0), (marks**2).sum(axis=0), 100, 200)
    expected = chi2_contingency(table, correction=False).statistic
    assert np.sum(z**2 * (1 - kept)) * 200 / 199 == pytest.approx(expected)


def test_rare_levels_are_pooled():
    # Levels with fewer than ten rows in both samples share a group; frequent ones have their own.
    group, groups = calibration.common_levels(np.array([3, 50, 9, 20]))
    assert groups == 3 and group[0] == group[2] == 2 and {group[1], group[3]} == {0, 1}
    assert calibration.common_levels(np.full(400, 1))[1] == 1
    assert calibration.common_levels(np.full(400, 20))[1] == calibration.LEVELS + 1


def test_draws_take_m_rows_each_and_every_row_alike():
    # Every line has m ones; over many lines each row is drawn at the same rate.
    draws = calibration.draw_rows(50, 20, seed=0, draws=4000)
    assert set(np.unique(draws)) == {0, 1} and np.all(draws.sum(axis=1) == 20)
    assert np.abs(draws.mean(axis=0) - 0.4).max() < 5 * np.sqrt(0.24 / 4000)


def test_every_choice_of_rows_is_as_likely_as_any_other():
    # The 20 ways to draw three of six rows, by chi-squared.
    draws = calibration.draw_rows(6, 3, seed=3, draws=20_000)
    _, counts = np.unique(draws, axis=0, return_counts=True)
    assert len(counts) == 20 and chisquare(counts).pvalue > 1e-6


def test_corrected_p_is_the_rank_in_the_null():
    # 1 to 999 thousandths: the 50th smallest is passed by 5 % of draws; beyond all, p falls in proportion.
    null = np.arange(1, 1000) / 1000
    assert float(calibration.corrected(0.05, null)) == pytest.approx(0.05, abs=0.001)
    assert float(calibration.corrected(2.0, null)) == pytest.approx(1, abs=0.001)
    assert float(calibration.corrected(1e-6, null)) == pytest.approx(1e-6, rel=0.01)
    p = calibration.corrected(np.geomspace(1e-9, 1, 300), null)
    assert np.all(np.diff(p) >= 0)


def test_the_pools_null_is_uniform_for_exchangeable_rows():
    # Whatever ties and dependence: the corrected p of a random choice of rows is uniform.
    rng = np.random.default_rng(6)
    rows = rng.normal(size=200)
    columns = [("numeric", rows), ("numeric", np.round(rows)), ("numeric", np.where(rng.random(200) < 0.3, np.nan, rows**2)),
               ("categorical", rng.integers(-1, 3, 200))]
    pool = Pool(columns, calibration.draw_rows(200, 80, seed=1))
    null = np.sort(np.minimum.reduce([pool.least(i) for i in range(4)]))
    fresh = calibration.draw_rows(200, 80, seed=2, draws=400)
    p = np.array([calibration.corrected(pool.observed(draw).min(), null) for draw in fresh])
    # 400 draws: the share below each level is binomial; six standard errors, and those of the null's own 999.
    for level in (0.05, 0.2, 0.5, 0.8):
        assert np.mean(p <= level) == pytest.approx(level, abs=6 * np.sqrt(level * (1 - level) * (1 / 400 + 1 / 999)))


def test_a_columns_least_p_is_that_of_its_rows():
    # `observed` and `least` follow the same route: marking the rows of draw 7 gives draw 7.
    rng = np.random.default_rng(7)
    pool = Pool([("numeric", rng.normal(size=60)), ("categorical", rng.integers(0, 2, 60))], calibration.draw_rows(60, 30, 0, draws=20))
    drawn = pool.draws[7] > 0
    assert pool.observed(drawn) == pytest.approx([pool.least(0)[7], pool.least(1)[7]])
