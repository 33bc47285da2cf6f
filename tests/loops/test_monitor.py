"""The watch over a stream of slates, and the judgement of a stretch of them."""
import numpy as np
import pytest
from scipy.stats import binom

from mlmon.loops import Config, EpsilonGreedy, Greedy, RecommendationMonitor, diversity, play, popularity_bias

ITEMS, K = 60, 5


def blind(n, seed=0):
    return np.argsort(np.random.default_rng(seed).random((n, ITEMS)), axis=1)[:, :K]


def by_demand(n, weights, seed):
    """Slates of one item each, drawn as people want: no loop."""
    return np.random.default_rng(seed).choice(len(weights), size=(n, 1), p=weights / weights.sum())


def watched(slates, **switches):
    said = []
    monitor = RecommendationMonitor(ITEMS, K, **{"limit": 0.6, "window": 100, "every": 10, "notify": said.append, **switches})
    for slate in slates:
        monitor.show(slate)
    return monitor, said


def test_one_condition_is_one_alert():
    # The chapter's counter called 1,682 times in 2,000 requests for one collapse.
    monitor, said = watched(np.concatenate([blind(200), np.tile(np.arange(K), (2000, 1))]))
    assert len(said) == 1 and monitor.verdict == "DRIFTED"


def test_an_alert_ends_when_the_loop_opens():
    monitor, said = watched(np.concatenate([blind(200), np.tile(np.arange(K), (300, 1)), blind(300, 1)]))
    assert len(said) == 2 and "below 0.58" in said[1] and monitor.verdict == "STABLE"


def test_a_value_that_wavers_about_the_limit_raises_one_alert():
    # Half blind, half closed: its Gini coefficient crosses the limit many times, and stays above `clear`.
    rng = np.random.default_rng(3)
    slates = np.where(rng.random((3000, 1)) < 0.5, blind(3000), np.arange(K))
    level = np.mean([g for _, g in watched(slates)[0].history])
    monitor, said = watched(slates, limit=level, clear=level - 0.1, patience=1)
    crossings = np.sum(np.diff([g > level for _, g in monitor.history]))
    assert crossings > 20 and len(said) == 1


def test_a_diverse_past_hides_nothing():
    # Of all slates the Gini coefficient is still low; of the last hundred it is not.
    slates = np.concatenate([blind(3000), np.tile(np.arange(K), (150, 1))])
    monitor, _ = watched(slates)
    assert diversity.gini(diversity.exposure(slates, ITEMS)) < 0.1 and monitor.verdict == "DRIFTED"


def test_the_window_holds_the_last_slates_and_no_others():
    slates = blind(257)
    monitor, _ = watched(slates)
    assert (monitor.exposure == diversity.exposure(slates[-100:], ITEMS)).all()
    assert [seen for seen, _ in monitor.history] == list(range(100, 258, 10))


def test_before_the_first_window_nothing_is_decided():
    monitor, said = watched(np.tile(np.arange(K), (99, 1)))
    assert monitor.verdict == "UNDECIDED" and "99 of 100 slates" in monitor.reason and said == []


def test_blind_slates_raise_no_alert():
    assert watched(blind(5000))[1] == []


def test_rare_gives_k_different_items_with_or_without_a_past():
    # The chapter's gave 2 of 10, or none on the first call.
    rng, monitor = np.random.default_rng(0), RecommendationMonitor(ITEMS, K, limit=0.6)
    assert len(set(monitor.rare(K, rng))) == K
    for _ in range(500):
        monitor.show(np.arange(K))
    drawn = np.concatenate([monitor.rare(K, rng) for _ in range(200)])
    assert np.mean(drawn < K) < 0.01 and set(drawn) >= set(range(K, ITEMS))


@pytest.mark.parametrize("slate, match", [([0, 1, 2], "5 different items"), ([0, 1, 2, 3, 3], "5 different items"), ([0, 1, 2, 3, 60], "from 0 to 59")])
def test_a_slate_that_is_none_is_refused(slate, match):
    with pytest.raises(ValueError, match=match):
        RecommendationMonitor(ITEMS, K, limit=0.6).show(slate)


@pytest.mark.parametrize("switch, match", [({"limit": 1.2}, "share"), ({"limit": 0.5, "clear": 0.6}, "at most the limit"), ({"limit": 0.5, "window": 0}, "1 or more")])
def test_bad_switches_are_refused(switch, match):
    with pytest.raises(ValueError, match=match):
        RecommendationMonitor(ITEMS, K, **switch)


def test_people_who_choose_after_zipf_are_no_loop():
    # Gini 0.6 of free choice, which a limit would call a loop. Slates drawn as demand is have no excess: of 100 pairs
    # with margin 0 no more are called a loop than 2.5 %, the one side of alpha, allows (1 in a million).
    weights = 1 / np.arange(1, 101)
    called = 0
    for seed in range(100):
        demand = np.random.default_rng([seed, 1]).multinomial(1500, weights / weights.sum())
        called += popularity_bias(by_demand(3000, weights, seed), 100, demand=demand, margin=0.0).drifted
    assert called <= binom.isf(1e-6, 100, 0.025)
    assert diversity.gini(weights) > 0.55


def test_the_excess_is_that_of_the_shares():
    # Slates after 1 / i^1.5, demand after 1 / i: at a great number of events the excess is the difference of both shares' own.
    steep, flat = 1 / np.arange(1, 51) ** 1.5, 1 / np.arange(1, 51)
    found = popularity_bias(by_demand(60_000, steep, 0), 50, demand=np.random.default_rng(1).multinomial(60_000, flat / flat.sum()))
    assert found.gini.value == pytest.approx(diversity.gini(steep) - diversity.gini(flat), abs=0.01)
    assert found.drifted and found.gini.low > 0.1


def test_a_closed_loop_is_found_and_an_open_one_is_not():
    # The world's own visits are the demand; epsilon 1 concentrates less than demand does.
    for policy, verdict in ((Greedy("clicks"), "DRIFTED"), (EpsilonGreedy(1.0), "STABLE")):
        log = play(Config(policy, rounds=1000, organic=5), 0, 1)
        assert popularity_bias(log.slates[0], 200, demand=log.demand()).verdict == verdict


def test_without_demand_a_rise_is_found_and_rest_is_undecided():
    # Ever more places go to few items; and of blind slates no more than 2.5 %, a side of alpha, rise by chance (1 in a million).
    rng = np.random.default_rng(0)
    closing = np.where(rng.random((2000, 1)) < np.linspace(0, 1, 2000)[:, None], np.arange(K), blind(2000))
    assert popularity_bias(closing, ITEMS).drifted
    still = [popularity_bias(blind(300, seed), ITEMS) for seed in range(200)]
    assert sum(found.drifted for found in still) <= binom.isf(1e-6, 200, 0.025)
    calm = next(found for found in still if not found.drifted)
    assert calm.verdict == "UNDECIDED" and "pass demand" in calm.reason and calm.gini.value is None


def test_few_slates_have_no_trend():
    assert "at least 10 slates" in popularity_bias(blind(8), ITEMS).reason


def test_demand_of_another_catalogue_is_refused():
    with pytest.raises(ValueError, match="of each of the 60 items, got 3"):
        popularity_bias(blind(50), ITEMS, demand=[1, 2, 3])
