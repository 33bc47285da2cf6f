"""Measures of lists, held to their definitions written out pair by pair."""
from itertools import combinations

import numpy as np
import pytest

from mlmon.loops.lists import calibration, intra_list_diversity, mean_popularity, novelty, personalisation, serendipity, tail_share

RNG = np.random.default_rng(0)
SLATES = np.argsort(RNG.random((12, 40)), axis=1)[:, :5]
FEATURES = RNG.normal(size=(40, 3))
POPULARITY = RNG.permutation(np.arange(40)) ** 2


def test_personalisation_is_the_mean_over_all_pairs_of_people():
    # 1 less the share in common, for each of 66 pairs.
    pairs = [len({*a} & {*b}) / 5 for a, b in combinations(SLATES.tolist(), 2)]
    assert personalisation(SLATES) == pytest.approx(1 - np.mean(pairs))


def test_personalisation_at_its_ends():
    assert personalisation([[0, 1], [1, 0]]) == 0
    assert personalisation([[0, 1], [2, 3]]) == 1


def test_intra_list_diversity_is_the_mean_over_all_pairs_of_items():
    def apart(i, j):
        return 1 - FEATURES[i] @ FEATURES[j] / np.linalg.norm(FEATURES[i]) / np.linalg.norm(FEATURES[j])

    lists = [np.mean([apart(i, j) for i, j in combinations(slate, 2)]) for slate in SLATES]
    assert intra_list_diversity(SLATES, FEATURES) == pytest.approx(np.mean(lists))


def test_intra_list_diversity_knows_no_length_of_vectors():
    # Cosines: a longer row is the same direction.
    assert intra_list_diversity(SLATES, FEATURES * np.arange(1, 41)[:, None]) == pytest.approx(intra_list_diversity(SLATES, FEATURES))


def test_popularity_of_lists():
    # The mean over all places, whatever the order of a list.
    assert mean_popularity(SLATES, POPULARITY) == pytest.approx(np.mean([POPULARITY[i] for slate in SLATES for i in slate]))


def test_tail_share_of_blind_and_of_popular_lists():
    # All items once: what is not head is tail. The most popular only: none.
    assert tail_share(np.arange(40)[None], POPULARITY, head=0.25) == 0.75
    assert tail_share(np.argsort(-POPULARITY)[None, :10], POPULARITY, head=0.25) == 0


def test_novelty_of_equally_popular_items_is_the_log_of_their_number():
    assert novelty(SLATES, np.full(40, 3)) == pytest.approx(np.log2(40))


def test_an_item_that_nobody_met_is_finitely_new():
    assert novelty([[1]], [10, 0]) == pytest.approx(np.log2(11 / 0.5))


def test_calibration_is_zero_for_a_list_to_taste_and_hand_made_else():
    # Half and half wanted, all of one kind shown: KL to 0.995 and 0.005.
    genres = np.repeat(np.eye(2), 2, axis=0)
    assert calibration([[0, 2]], genres, [[0.5, 0.5]]) == pytest.approx(0, abs=1e-12)
    assert calibration([[0, 1]], genres, [[0.5, 0.5]]) == pytest.approx(0.5 * np.log(0.5 / 0.995) + 0.5 * np.log(0.5 / 0.005))


@pytest.mark.parametrize("call, match", [
    (lambda: personalisation([[0, 1]]), "2 people or more"),
    (lambda: intra_list_diversity([[0], [1]], np.eye(2)), "2 places or more"),
    (lambda: intra_list_diversity([[0, 1]], [[0, 0], [1, 0]]), "1 rows of zeros"),
    (lambda: mean_popularity([[0, 5]], [1, 2]), "from 0 to 1"),
    (lambda: calibration([[0, 1]], np.ones((2, 2)), [[0.5, 0.5]]), "sum to 1"),
    (lambda: calibration([[0, 1]], np.eye(2), [[1.0, 0], [1, 0]]), r"shape \(1, 2\)"),
])
def test_bad_input_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@pytest.mark.parametrize("likes, share", [
    # Items 0 and 1 are expected. Ann's list is 0 2 3, Ben's 1 3 4; by hand, of six places:
    ([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]], 0),      # both like only what they expect
    ([[0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], 1 / 6),      # Ann likes 2; 4 is not on her list
    ([[1, 0, 1, 1, 0], [0, 1, 0, 1, 1]], 4 / 6),      # 2 3 and 3 4
    ([[0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], 0),      # surprises that nobody likes
])
def test_serendipity_is_what_is_liked_and_not_expected(likes, share):
    assert serendipity([[0, 2, 3], [1, 3, 4]], [1, 1, 0, 0, 0], likes) == pytest.approx(share)


def test_serendipity_place_by_place():
    # Each person has expectations of its own: the definition, written out for each place.
    expected, relevant = RNG.random((12, 40)) < 0.3, RNG.random((12, 40)) < 0.4
    places = [relevant[person, item] and not expected[person, item] for person, slate in enumerate(SLATES) for item in slate]
    assert serendipity(SLATES, expected, relevant) == pytest.approx(np.mean(places))


@pytest.mark.parametrize("expected, relevant", [([1, 0], [[1, 0, 0]]), ([0, 0, 0], [[1, 0, 0], [0, 0, 0]]), ([0, 0, 0], [[0.4, 1, 0]]), ([0, 0, 0], [1, 0, 0])])
def test_serendipity_refuses_what_does_not_fit(expected, relevant):
    with pytest.raises(ValueError, match="relevant needs"):
        serendipity([[0, 1]], expected, relevant)
