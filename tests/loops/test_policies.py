"""Policies: what they choose, and that the chances they log are those they choose with."""
import numpy as np
import pytest

from mlmon.loops import UCB, EpsilonGreedy, Greedy, Rare, Seen, Thompson
from mlmon.loops.policies import propensity

ITEMS, K, DRAWS = 12, 4, 20_000
CLICKS = np.array([30, 28, 26, 24, 9, 8, 7, 6, 5, 4, 3, 2.0])
SHOWS = np.array([60, 60, 60, 60, 60, 50, 40, 30, 60, 60, 60, 60.0])

ALL = [Greedy(), Greedy("clicks"), EpsilonGreedy(0.3), EpsilonGreedy(0.3, per="request"), EpsilonGreedy(0.9, half_life=5), Rare(0.4), UCB(), Thompson()]


def seen(worlds=1, round=3, clicks=CLICKS, shows=SHOWS, organic=None):
    rows = [np.tile(x, (worlds, 1)) for x in (clicks, shows, np.zeros(len(clicks)) if organic is None else organic)]
    return Seen(*rows, K, round, (1.0, 9.0))


@pytest.mark.parametrize("policy", ALL, ids=str)
def test_a_slate_holds_k_different_items(policy):
    answer = policy(seen(2000), np.random.default_rng(0))
    slates = answer[0] if isinstance(answer, tuple) else answer
    assert slates.shape == (2000, K) and slates.min() >= 0 and slates.max() < ITEMS
    assert (np.diff(np.sort(slates, axis=1), axis=1) > 0).all()


@pytest.mark.parametrize("policy", [EpsilonGreedy(0.3), EpsilonGreedy(1.0), EpsilonGreedy(0.3, per="request"), EpsilonGreedy(0.9, half_life=5), Rare(0.4), Rare(1.0)], ids=str)
def test_what_is_logged_is_how_often_it_happens(policy):
    # 20,000 draws of the same state: each item in each place as often as its propensity says, within 5.5 standard
    # errors (48 cells, about 2 in a million by chance), and the chances of a place sum to 1.
    slates, chance = policy(seen(DRAWS), np.random.default_rng(1))
    for place in range(K):
        total = 0.0
        for item in range(ITEMS):
            here = slates[:, place] == item
            if here.any():
                p = chance[here, place][0]
                assert (chance[here, place] == p).all()
                assert abs(here.mean() - p) <= 5.5 * np.sqrt(p * (1 - p) / DRAWS) + 1e-12
                total += p
        assert total == pytest.approx(1)


@pytest.mark.parametrize("per", ["slot", "request"])
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 1.0])
def test_the_chances_of_a_place_sum_to_one(per, epsilon):
    # Over all items that could stand there.
    greedy = np.tile([5, 2, 7], (30, 1))
    total = sum(propensity(greedy[:1], np.full((1, 3), item), epsilon, 30, per=per) for item in range(30))
    assert total == pytest.approx(np.ones((1, 3)))


def test_blind_is_uniform():
    # With epsilon 1 every item has the same chance in every place: 1 / items.
    _, chance = EpsilonGreedy(1.0)(seen(50), np.random.default_rng(0))
    assert chance == pytest.approx(np.full((50, K), 1 / ITEMS))


def test_epsilon_zero_is_greedy():
    for policy in (EpsilonGreedy(0.0), EpsilonGreedy(0.0, per="request"), Rare(0.0)):
        slates, chance = policy(seen(3), np.random.default_rng(0))
        assert slates.tolist() == Greedy()(seen(3), None)[0].tolist() and (chance == 1).all()


def test_by_rate_and_by_clicks_differ_where_shows_do():
    # 7 of 10 against 30 of 100: the rate says the first, the clicks the second; visits count as clicks alone.
    few = seen(clicks=np.array([30, 7, 1, 0.0]), shows=np.array([100, 10, 10, 10.0]), organic=np.array([0, 0, 50, 0.0]))
    first = [policy(few, None)[0][0, 0] for policy in (Greedy("rate"), Greedy("clicks"))]
    assert first == [1, 2]


def test_by_slot_each_person_gets_a_little_and_by_request_few_get_all():
    # Of 400 items a blind one is hardly ever a greedy one. Both fill a tenth of all places so; by request all of it
    # falls on a tenth of the people, by slot two or more of four places on 5 % (binomial), all four on 1 in 10,000.
    state = seen(20_000, clicks=np.arange(400.0), shows=np.full(400, 900.0))
    strange = {per: (EpsilonGreedy(0.1, per=per)(state, np.random.default_rng(0))[0] < 396).sum(axis=1) for per in ("slot", "request")}
    assert strange["slot"].mean() == pytest.approx(0.4, abs=0.02) and strange["request"].mean() == pytest.approx(0.4, abs=0.06)
    assert np.mean(strange["slot"] >= 3) < 0.006 and np.mean(strange["request"] >= 3) > 0.09


def test_epsilon_halves():
    # epsilon * h / (h + t): at t = h it is half, and its propensities are those of half.
    late = EpsilonGreedy(0.8, half_life=10)(seen(4, round=10), np.random.default_rng(2))
    plain = EpsilonGreedy(0.4)(seen(4), np.random.default_rng(2))
    assert (late[0] == plain[0]).all() and late[1] == pytest.approx(plain[1])


def test_rare_prefers_what_was_shown_less():
    # Place 0 of round 0 explores items 0, 4 and 8, of which 0 is greedy. Shown 3 and 99 times: weights 1/4 and 1/100.
    shows = np.full(ITEMS, 60.0)
    shows[[4, 8]] = 3, 99
    state = seen(DRAWS, round=0, shows=shows, clicks=np.where(np.arange(ITEMS) < 4, 30.0, 0.0))
    slates, chance = Rare(1.0)(state, np.random.default_rng(0))
    assert set(np.unique(slates[:, 0])) == {4, 8}
    assert chance[slates[:, 0] == 4, 0][0] == pytest.approx((1 / 4) / (1 / 4 + 1 / 100))


def test_ucb_tries_what_is_unknown_first():
    # An item never shown has the most doubt.
    clicks, shows = np.array([50, 40, 30, 20, 10, 0.0]), np.array([100, 100, 100, 100, 100, 0.0])
    assert 5 in UCB(1.0)(seen(clicks=clicks, shows=shows, round=500), None)[0][0]


def test_thompson_draws_as_often_as_an_item_is_the_best():
    # Two items, one place: the chance that one Beta exceeds the other, by quadrature.
    from scipy.stats import beta

    state = Seen(np.tile([3.0, 6.0], (DRAWS, 1)), np.tile([20.0, 30.0], (DRAWS, 1)), np.zeros((DRAWS, 2)), 1, 0, (1.0, 9.0))
    x = np.linspace(0, 1, 20_001)
    wins = np.trapezoid(beta(4, 26).pdf(x) * beta(7, 33).cdf(x), x)
    assert np.mean(Thompson()(state, np.random.default_rng(0)) == 0) == pytest.approx(wins, abs=5 * np.sqrt(wins * (1 - wins) / DRAWS))


@pytest.mark.parametrize("call, match", [
    (lambda: EpsilonGreedy(1.2), "share from 0 to 1"), (lambda: Greedy("taste"), "'rate', 'clicks'"),
    (lambda: EpsilonGreedy(0.1, per="user"), "'slot', 'request'"), (lambda: UCB(0), "above 0"), (lambda: Rare(-1), "share"),
])
def test_bad_switches_are_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
