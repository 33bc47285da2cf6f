"""The loops of the literature obey their laws."""
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import betabinom, chisquare, norm

from mlmon.loops.laws import Coin, Interests, Mean, Representation, Strategic, Urn, worst_mean

Z = norm.isf(5e-7)      # a two-sided bound of Z standard errors fails by chance once in a million


def last(frame):
    return frame[frame["round"] == frame["round"].max()]


def near(values, expected):
    """Whether the mean of independent runs is the expected one, but for chance."""
    return abs(np.mean(values) - expected) <= Z * np.std(values, ddof=1) / np.sqrt(len(values))


# --- Ensign's urn --------------------------------------------------------------

@pytest.mark.parametrize("prior", [(1, 1), (5, 5), (2, 8)])
def test_with_equal_rates_the_share_is_betas(prior):
    # Every visit finds: after n days A's new balls are exactly beta-binomial, whose share is Beta(prior) in the end.
    n, runs = 30, 4000
    found = last(Urn(rates=(1, 1), prior=prior).simulate(seed=1, rounds=n, runs=runs, every=n))["a"] - prior[0]
    expected = runs * betabinom(n, *prior).pmf(np.arange(n + 1))
    enough = expected >= 5
    counts = np.bincount(found.astype(int), minlength=n + 1)
    pooled = [np.r_[x[enough], x[~enough].sum()][: enough.sum() + bool((~enough).any())] for x in (counts, expected)]
    assert chisquare(*pooled).pvalue > 1e-6


def test_with_unequal_rates_the_record_grows_by_its_power_law():
    # Embedded in continuous time both colours grow as exp(rate t), so log n_B grows rate_B / rate_A times as fast as log n_A.
    frame = Urn(prior=(10, 10)).simulate(seed=2, rounds=20_000, runs=500, every=10_000)
    balls = np.log(frame[frame["round"] > 0].pivot(index="run", columns="round", values=["a", "b"]))
    growth = {name: balls[name][20_000] - balls[name][10_000] for name in "ab"}
    slope = growth["b"].mean() / growth["a"].mean()
    error = (growth["b"] - slope * growth["a"]).std() / growth["a"].mean() / np.sqrt(500)
    assert abs(slope - 0.45 / 0.55) < Z * error < 0.01


def test_a_lead_of_a_tenth_creeps_and_a_large_one_runs_away():
    # The power law: at 0.55 to 0.45 B's part falls as n ** -0.18, at 0.8 to 0.2 as n ** -0.75.
    mild, steep = (last(Urn(rates=r).simulate(seed=3, rounds=5000, runs=200, every=5000))["share"] for r in ((0.55, 0.45), (0.8, 0.2)))
    assert mild.mean() < 0.9 and (steep > 0.95).mean() > 0.9


@pytest.mark.parametrize("rates", [(0.55, 0.45), (0.8, 0.2)])
def test_the_correction_finds_the_true_shares(rates):
    # A find counts with the chance of not being there: both districts then grow by x (1 - x) times their rate.
    frame = last(Urn(rates=rates, corrected=True, prior=(5, 5)).simulate(seed=4, rounds=10_000, runs=200, every=10_000))
    assert near(frame["share"], rates[0]) and frame["share"].std() < 0.02


@pytest.mark.parametrize("weight, root", [(0.5, 0.598), (1, 0.574), (5, 0.555)])
def test_reports_hold_the_urn_near_the_truth(weight, root):
    # The published root of x^2 (dA - dB) + x (dB + rA + rB - dA) - rA, and the urn that goes there.
    urn = Urn(reported=weight, prior=(5, 5))
    assert urn.limit == pytest.approx(root, abs=0.0005)
    start = np.r_[urn.limit, 1 - urn.limit] * 1000      # near its end from the first day, as the way there is slow
    frame = last(Urn(reported=weight, prior=tuple(start)).simulate(seed=5, rounds=4000, runs=200, every=4000))
    assert near(frame["share"], urn.limit)


@pytest.mark.parametrize("urn, limit", [
    (Urn(rates=(0, 0), reported=1), None), (Urn(rates=(0, 0), corrected=True), None), (Urn(rates=(0.5, 0), reported=1), 1),
    (Urn(rates=(0, 0.5), reported=2), 0), (Urn(rates=(0.3, 0.3), reported=1), 0.5), (Urn(rates=(0.3, 0.3)), None), (Urn(), 1),
])
def test_limits_at_the_edges(urn, limit):
    # Nothing found, one district without incidents, equal districts.
    assert urn.limit == (limit if limit is None else pytest.approx(limit))


def test_an_urn_that_forgets_is_decided_for_good():
    # With a memory of 100 days one colour dies out, whatever the rates, and B cannot come back.
    frame = last(Urn(memory=0.99).simulate(seed=6, rounds=10_000, runs=100, every=10_000))
    assert ((frame["share"] > 0.999) | (frame["share"] < 0.001)).mean() > 0.9


# --- performative prediction ------------------------------------------------------

@pytest.mark.parametrize("eps", [0.5, 0.9, -0.5, 1.1])
def test_retraining_contracts_by_eps(eps):
    # argmin is mu + eps * theta, so each step is eps times the last, shrinking or growing.
    steps = np.diff(Mean(eps=eps).simulate(rounds=12)["forecast"])
    assert steps[1:] / steps[:-1] == pytest.approx(eps)


def test_retraining_on_samples_ends_around_the_stable_point():
    # An autoregression: variance (1 / rows) / (1 - eps^2) around mu / (1 - eps).
    path = Mean(eps=0.5, rows=1000).simulate(seed=1, rounds=4000)["forecast"][50:]
    assert abs(path.mean() - 20) < Z * np.sqrt(1 / 1000 / (1 - 0.5) ** 2 / len(path))
    assert path.var() == pytest.approx(1 / 1000 / 0.75, rel=Z * np.sqrt(2 / len(path) * 5 / 3))


def test_no_stable_forecast_where_the_echo_is_as_loud_as_the_voice():
    # For eps of 1 and more every forecast moves the outcome further away.
    assert Mean(eps=1).stable is None


def test_retraining_to_the_end_is_not_the_best():
    # The coin, mu = eps = 0.2: stable at 1/4 with risk 3/16, best at 1/3 with risk 11/60.
    coin = Coin(mu=0.2, eps=0.2)
    assert coin.simulate(rounds=60)["forecast"].iloc[-1] == pytest.approx(1 / 4) == coin.stable
    found = minimize(lambda forecast: coin.risk(forecast[0]), [0.0]).x[0]
    assert found == pytest.approx(coin.best, abs=1e-5) and coin.best == pytest.approx(1 / 3)
    assert (coin.risk(coin.stable), coin.risk(coin.best)) == (pytest.approx(3 / 16), pytest.approx(11 / 60))


def test_a_coin_that_echoes_by_half_has_no_best_forecast():
    # The risk's curvature, 2 (1 - 2 eps), is gone.
    assert Coin(eps=0.5).best is None


def test_the_coins_risk_is_the_mean_over_its_throws():
    # Both sides, both answers, by hand: chance times squared error.
    mu, eps, forecast = 0.1, 0.3, 0.2
    lean = mu + eps * forecast
    by_hand = np.mean([(0.5 + lean * x) * (0.5 - forecast * x) ** 2 + (0.5 - lean * x) * (0.5 + forecast * x) ** 2 for x in (-1, 1)])
    assert Coin(mu=mu, eps=eps).risk(forecast) == pytest.approx(by_hand)


@pytest.mark.parametrize("eps", [1, 100])
def test_equal_movers_are_absorbed_in_one_step(eps):
    # All move alike, so the same weights with another intercept fit exactly as before: the second retraining changes nothing.
    gaps = Strategic(eps=eps, able="alike", penalty=0, rows=500).simulate(rounds=2)["gap"]
    assert gaps[0] > 1 and gaps[1] < 1e-6


def test_unequal_movers_converge_slowly_or_go_in_circles():
    # Below the contraction's limit the gap goes to 0, far above it never does.
    calm, wild = (Strategic(eps=eps, rows=500).simulate(rounds=40) for eps in (1, 8))
    assert calm["gap"].iloc[-1] < 1e-5 < 0.1 < wild["gap"].iloc[-1]
    assert calm["after"].iloc[0] > calm["before"].iloc[0]


# --- Hashimoto's representation disparity --------------------------------------------

@pytest.mark.parametrize("sd", [0.5, 0.9, 1.2])
def test_a_small_lead_grows_by_the_stated_factor(sd):
    # Linearised at evenness, users kept steady: 1 + (1 - sd^2) / patience; above sd = 1 the loop heals.
    model = Representation(sd=sd, patience=8, arrivals=(1 + sd**2) / 16)
    lead = model.simulate(rounds=5, share=0.5 + 1e-6)["share"] - 0.5
    assert lead[5] / lead[4] == pytest.approx(1 + (1 - sd**2) / 8, rel=1e-4)


def test_least_mean_risk_serves_one_group_and_worst_case_risk_both():
    # Even starts stay even by symmetry; 51 to 49 is lost to the mean, and comes back with the worst case.
    even, mean = (Representation().simulate(rounds=60, share=s).iloc[-1] for s in (0.5, 0.51))
    worst = Representation(radius=1).simulate(rounds=60, share=0.6).iloc[-1]
    assert even["share"] == pytest.approx(0.5)
    assert mean["share"] > 0.9 and mean["risk_b"] > 10 * mean["risk_a"]
    assert abs(worst["share"] - 0.5) < 0.01 and abs(worst["risk_a"] - 1.25) < 0.02 > abs(worst["risk_b"] - 1.25)


def test_a_radius_that_is_too_small_rescues_a_small_lead_only():
    # Two stable ends: which one is reached depends on the start.
    near_even, far = (Representation(radius=0.15).simulate(rounds=150, share=s)["share"] for s in (0.55, 0.8))
    assert near_even[150] < near_even[75] < 0.55 and far[150] > far[75] > 0.75


def test_the_worst_mean_is_mean_plus_a_standard_deviation():
    # For a small radius the worst reweighing is linear in the loss: mean + sqrt(radius * variance).
    rng = np.random.default_rng(1)
    losses, mass = rng.random(50), rng.dirichlet(np.ones(50))
    mean = mass @ losses
    assert worst_mean(losses, mass, 0.01) == pytest.approx(mean + np.sqrt(0.01 * (mass @ (losses - mean) ** 2)), abs=1e-6)


def test_the_worst_mean_is_what_a_solver_finds():
    # The primal: the largest q @ losses over all q within the radius, by SLSQP.
    rng = np.random.default_rng(2)
    losses, mass = rng.random(6) ** 4, rng.dirichlet(np.ones(6))
    ball = {"type": "ineq", "fun": lambda q: 1.5 - (mass * (q / mass - 1) ** 2).sum()}
    whole = {"type": "eq", "fun": lambda q: q.sum() - 1}
    solved = minimize(lambda q: -q @ losses, mass, bounds=[(0, 1)] * 6, constraints=[ball, whole], tol=1e-10)
    assert worst_mean(losses, mass, 1.5) == pytest.approx(-solved.fun, abs=1e-5)


# --- Jiang's interests ---------------------------------------------------------------

def test_each_round_moves_the_shown_interests_and_no_others():
    # Five of thirty move by delta, up or down.
    law, start = Interests(delta=0.25), np.zeros((3, 30))
    moves = law.step(start, np.random.default_rng(0))
    assert (np.abs(moves) == 0.25).sum(axis=1).tolist() == [5, 5, 5] and not start.any()


def test_who_knows_the_interests_drives_them_apart_fastest():
    # In each of 20 runs the oracle's drift is larger than the random recommender's: by chance once in a million.
    oracle, random = (last(Interests(policy=p).simulate(seed=1, rounds=1000, runs=20, every=1000)) for p in ("oracle", "random"))
    assert (oracle["drift"].to_numpy() > random["drift"].to_numpy()).all()


# --- at the door ------------------------------------------------------------------------

@pytest.mark.parametrize("law, message", [
    (lambda: Urn(rates=(0.5,)), "rates needs two numbers, one a district, got"),
    (lambda: Urn(rates=(0.5, 1.5)), "rates needs a share from 0 to 1, got 1.5"),
    (lambda: Urn(prior=(0, 1)), "prior needs a finite number above 0, got 0"),
    (lambda: Urn().simulate(rounds=0), "rounds needs a whole number of 1 or more, got 0"),
    (lambda: Mean(rows=0), "rows needs a whole number of 1 or more, got 0"),
    (lambda: Strategic(penalty=-1), "penalty needs a finite number above 0, got -1"),
    (lambda: Strategic(able="all"), "able needs one of 'alike', 'unlike', got 'all'"),
    (lambda: Representation(radius=-1), "radius needs a finite number above 0, got -1"),
    (lambda: Representation().simulate(share=1), "share needs a share between 0 and 1, got 1"),
    (lambda: Interests(items=3, shown=4), "shown needs at most as many as there are items, 3, got 4"),
])
def test_bad_input_is_refused(law, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        law()


@pytest.mark.parametrize("law", [Urn(), Mean(rows=10), Interests()])
def test_the_same_seed_gives_the_same_rows(law):
    pd.testing.assert_frame_equal(law.simulate(seed=3, rounds=20), law.simulate(seed=3, rounds=20))
