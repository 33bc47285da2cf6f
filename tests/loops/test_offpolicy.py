"""Off-policy estimates against the truth, which a made world knows."""
import numpy as np
import pytest
from scipy.stats import binom

from mlmon.loops import Config, EpsilonGreedy, Seen, dr, ips, play, policies, snips

ITEMS, K = 15, 3
APPEAL = np.random.default_rng(0).beta(2, 10, ITEMS)
GREEDY = np.argsort(APPEAL)[None, 4:4 + K]              # what the running policy believes in
BETTER = np.argsort(-APPEAL)[None, :K]                  # what the target would show


def truth(greedy, epsilon):
    """Mean chance of a click a place of epsilon-greedy, by summing over every item in every place."""
    each = [policies.propensity(greedy, np.full((1, K), item), epsilon, ITEMS)[0] * APPEAL[item] for item in range(ITEMS)]
    return float(np.sum(each) / K)


def log(seed, rows=2000, epsilon=0.5):
    """Slates of epsilon-greedy around GREEDY, their clicks, and their chances under both policies."""
    rng, score = np.random.default_rng(seed), np.zeros((rows, ITEMS))
    score[:, GREEDY[0]] = [3, 2, 1]
    slates, p = EpsilonGreedy(epsilon, by="clicks")(Seen(score, score, 0 * score, K, 0, (1, 9)), rng)
    clicked = rng.random(slates.shape) < APPEAL[slates]
    q = policies.propensity(np.tile(BETTER, (rows, 1)), slates, 0.1, ITEMS)
    return slates, clicked, p, q


def estimates(seed):
    slates, clicked, p, q = log(seed)
    model = np.full(ITEMS, 0.1)                             # wrong, and so DR stands on its propensities
    expected = np.full(slates.shape, 0.1)
    return ips(clicked, p, q), snips(clicked, p, q), dr(clicked, p, q, model[slates], expected)


RUNS = 400


@pytest.fixture(scope="module")
def many():
    return [estimates(seed) for seed in range(RUNS)]


@pytest.mark.parametrize("which", range(3), ids=["ips", "snips", "dr"])
def test_estimates_are_right_on_average(many, which):
    # 400 logs: the mean within 4.5 of its standard errors of the truth (SNIPS: plus its bias of order 1 / n).
    values = np.array([found[which].value for found in many])
    off = abs(values.mean() - truth(BETTER, 0.1))
    assert off < 4.5 * values.std() / np.sqrt(RUNS) + (0.002 if which == 1 else 0)


@pytest.mark.parametrize("which", range(3), ids=["ips", "snips", "dr"])
def test_intervals_hold_the_truth_as_often_as_they_say(many, which):
    # 95 % intervals: misses within the binomial limits of 1 in a million for 4 % to 7 %, skewness granted.
    misses = sum(not found[which].low <= truth(BETTER, 0.1) <= found[which].high for found in many)
    assert binom.isf(1 - 1e-6, RUNS, 0.04) <= misses <= binom.isf(1e-6, RUNS, 0.07)


def test_the_log_alone_would_say_something_else():
    # What was earned is not what would have been: the truth of both policies differs by more than any interval.
    assert truth(BETTER, 0.1) > 1.5 * truth(GREEDY, 0.5)


def test_of_its_own_policy_every_estimate_is_the_mean():
    # Weights are 1: IPS and SNIPS are the mean of the log.
    _, clicked, p, _ = log(0)
    assert ips(clicked, p, p).value == pytest.approx(clicked.mean())
    assert snips(clicked, p, p).value == pytest.approx(clicked.mean())


def test_a_perfect_model_makes_dr_more_precise():
    # Reward less its true mean is what is left to vary.
    slates, clicked, p, q = log(1)
    expected = np.full(slates.shape, truth(BETTER, 0.1))
    good = dr(clicked, p, q, APPEAL[slates], expected)
    plain = ips(clicked, p, q)
    assert good.high - good.low < 0.9 * (plain.high - plain.low)


def test_a_perfect_model_makes_dr_right_under_wrong_propensities():
    # Doubly robust: propensities off by 2 ruin IPS and leave DR.
    found = []
    for seed in range(100):
        slates, clicked, p, q = log(seed)
        found.append((ips(clicked, p / 2, q).value, dr(clicked, p / 2, q, APPEAL[slates], np.full(slates.shape, truth(BETTER, 0.1))).value))
    wrong, right = np.mean(found, axis=0)
    assert wrong == pytest.approx(2 * truth(BETTER, 0.1), rel=0.05) and right == pytest.approx(truth(BETTER, 0.1), rel=0.05)


def test_snips_ignores_a_constant_in_the_propensities():
    _, clicked, p, q = log(2)
    assert snips(clicked, p / 3, q).value == pytest.approx(snips(clicked, p, q).value)


def test_clipping_lowers_the_largest_weights():
    # min(w, 2) can only take away from what is 0 or more.
    _, clicked, p, q = log(3)
    assert ips(clicked, p, q, clip=2.0).value < ips(clicked, p, q).value
    assert ips(clicked, p, q, clip=1e9).value == ips(clicked, p, q).value


def test_a_greedy_log_cannot_answer():
    # Slates always the same: the target's are never seen, and no number is given.
    clicked, p, q = np.ones((500, K)), np.ones((500, K)), np.zeros((500, K))
    for found in (ips(clicked, p, q), snips(clicked, p, q)):
        assert found.value is None and "hardly ever shows" in found.reason


def test_the_loops_own_log_serves():
    # A world with its frozen truth: blind rounds foretell what the first items in a row would earn.
    world = play(Config(EpsilonGreedy(1.0), items=20, slots=4, rounds=4000), 0, 1)
    target = np.arange(4)
    found = ips(world.clicked[0], world.propensity[0], world.slates[0] == target)
    assert found.interval(0.9999)[0] < world.state.appeal[0, 0, :4].mean() < found.interval(0.9999)[1]


@pytest.mark.parametrize("change, match", [
    ({"propensity": np.zeros(40)}, "above 0 and at most 1, got 0"), ({"propensity": np.full(40, 1.5)}, "got 1.5"),
    ({"propensity": np.full(40, np.nan)}, "Thompson"), ({"target": np.full(40, 2.0)}, "from 0 to 1"), ({"target": np.ones(39)}, "shape"),
])
def test_bad_logs_are_refused(change, match):
    args = {"reward": np.ones(40), "propensity": np.full(40, 0.5), "target": np.full(40, 0.5), **change}
    with pytest.raises(ValueError, match=match):
        ips(**args)
