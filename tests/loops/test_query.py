"""Uncertainty, choice and weights, against scipy, brute force and full enumeration."""
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from mlmon.loops.query import diverse, draw, entropy, least_confidence, lure, margin, most, vote_entropy

MEASURES = [entropy, margin, least_confidence]
each_measure = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)


def test_entropy_is_scipys():
    p = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    assert entropy(p) == pytest.approx(stats.entropy(p, axis=1))


@each_measure
def test_certain_rows_score_exactly_zero_and_even_rows_most(measure):
    # The chapter's log(p + 1e-10) makes the first negative. An even row is above any other.
    p = np.vstack([[1, 0, 0], np.full(3, 1 / 3), np.random.default_rng(1).dirichlet(np.ones(3), 200)])
    scores = measure(p)
    assert scores[0] == 0 and np.argmax(scores) == 1 and (scores >= 0).all()


@each_measure
def test_the_names_of_the_classes_do_not_matter(measure):
    p = np.random.default_rng(2).dirichlet(np.ones(4), 20)
    assert measure(p[:, [2, 0, 3, 1]]) == pytest.approx(measure(p))


def test_two_classes_have_one_order():
    # All three fall with |p - 1/2|, so they choose the same rows.
    p = np.random.default_rng(3).random(100)
    orders = [most(measure(np.c_[p, 1 - p]), 100).tolist() for measure in MEASURES]
    assert orders[0] == orders[1] == orders[2] == np.argsort(abs(p - 0.5)).tolist()


def test_three_classes_have_several():
    # By hand: (0.5, 0.5, 0) has no lead, (0.4, 0.3, 0.3) the higher entropy and the lower top.
    p = [[0.5, 0.5, 0], [0.4, 0.3, 0.3]]
    assert most(margin(p), 1) == [0] and most(entropy(p), 1) == [1] and most(least_confidence(p), 1) == [1]


def test_a_committees_votes_by_hand():
    # Four members: unanimous, three to one, two to two.
    votes = [["a", "a", "a"], ["a", "a", "a"], ["a", "a", "b"], ["a", "b", "b"]]
    assert vote_entropy(votes) == pytest.approx([0, stats.entropy([3, 1]), np.log(2)])


def test_a_unanimous_committee_is_certain_of_all():
    assert vote_entropy(np.zeros((3, 4))).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("budget, rows", [(0, []), (2, [3, 1]), (9, [3, 1, 2, 0])])
def test_a_budget_is_kept(budget, rows):
    # The chapter's [-0:] gives all rows for a budget of 0. Most uncertain first, ties by position.
    assert most([0.1, 0.4, 0.4, 0.5], budget).tolist() == rows


@pytest.mark.parametrize("seed", range(5))
def test_k_centres_radius_is_at_most_twice_the_best(seed):
    # Gonzalez: against all choices of three of nine points.
    X = np.random.default_rng(seed).normal(size=(9, 2))
    away = np.linalg.norm(X[:, None] - X, axis=2)
    best = min(away[:, list(centres)].min(axis=1).max() for centres in combinations(range(9), 3))
    chosen = diverse(X, np.ones(9), 3)
    assert len(set(chosen)) == 3 and away[:, chosen].min(axis=1).max() <= 2 * best


def test_copies_do_not_take_the_budget():
    # 500 copies of the most uncertain row: by score alone they take all of it, spread out one of them does.
    X = np.r_[np.zeros((500, 1)), np.arange(1, 501)[:, None]]
    scores = np.r_[np.ones(500), np.full(500, 0.99)]
    by_score, spread = most(scores, 100), diverse(X, scores, 100)
    assert (by_score < 500).all()
    assert (diverse(X[400:700], scores[400:700], 30) < 100).sum() == 1 and len(set(spread.tolist())) == 100


def test_draws_follow_their_scores():
    # First draws against their shares, by chi-squared; the stated chances against theirs by hand.
    rng, scores = np.random.default_rng(4), np.array([1.0, 2, 3, 4])
    firsts = [draw(scores, 2, rng) for _ in range(4000)]
    counts = np.bincount([rows[0] for rows, _ in firsts], minlength=4)
    assert stats.chisquare(counts, 400 * scores).pvalue > 1e-6
    assert all(chances[1] == pytest.approx(scores[rows[1]] / (10 - scores[rows[0]])) for rows, chances in firsts[:50])


@pytest.mark.parametrize("M", [1, 2, 3, 4])
def test_lure_is_unbiased(M):
    # All ways to draw M of 4 rows, each with its chance: the weighted mean is the pool's mean, exactly.
    scores, losses = np.array([0.1, 0.7, 1.5, 3.0]), np.array([2.0, 1.0, 0.5, 0.0])
    expected = plain = 0
    for rows in permutations(range(4), M):
        left, chances = scores.copy(), []
        for row in rows:
            chances.append(left[row] / left.sum())
            left[row] = 0
        expected += np.prod(chances) * np.mean(lure(chances, 4) * losses[list(rows)])
        plain += np.prod(chances) * losses[list(rows)].mean()
    assert expected == pytest.approx(losses.mean()) and (M == 4 or plain < losses.mean() - 0.05)


def test_a_plain_draw_needs_no_weights():
    # Chances 1 / (N - m + 1): all weights are 1.
    assert lure(1 / np.arange(10, 4, -1), 10) == pytest.approx(1)


@pytest.mark.parametrize("call, message", [
    (lambda: entropy([0.5, 0.5]), "probabilities needs one row a case and one column a class"),
    (lambda: margin([[0.5, 0.6]]), "probabilities needs rows from 0 to 1 that add up to 1"),
    (lambda: least_confidence([[0.5, float("nan")]]), "probabilities needs rows from 0 to 1 that add up to 1"),
    (lambda: vote_entropy([0, 1]), r"votes needs one row a member and one column a row of data, got shape \(2,\)"),
    (lambda: most([0.1], -1), "budget needs a whole number of 0 or more, got -1"),
    (lambda: most([float("nan")], 1), "scores needs finite numbers, got 1 missing"),
    (lambda: diverse([[1.0]], [1, 2], 1), r"X needs one row a score, 2, and two dimensions, got shape \(1, 1\)"),
    (lambda: diverse([[float("nan")]], [1], 1), "X needs finite numbers, got missing or infinite ones"),
    (lambda: draw([0, 1], 1, None), "scores needs numbers above 0, so that each row can be drawn, got 0"),
    (lambda: draw([1], 2, None), "budget needs at most as many as there are rows, 1, got 2"),
    (lambda: lure([0.5, 0.5], 1), "chances needs at most 1 numbers above 0 and up to 1, got 2"),
])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
