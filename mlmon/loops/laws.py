"""Loops whose end is known: small models from the literature, each with the law that it obeys.

======================  ==========================================================  ======================
model                   the loop                                                    its law
======================  ==========================================================  ======================
`Urn`                   patrols go where incidents were found, and find more there  Ensign et al. 2018
`Mean`, `Coin`          the outcome follows the forecast that was published         Perdomo et al. 2020
`Strategic`             applicants adapt to the model that judges them              Perdomo et al. 2020
`Representation`        who is served badly leaves, and is served worse             Hashimoto et al. 2018
`Interests`             interests follow what is shown                              Jiang et al. 2019
======================  ==========================================================  ======================

Each is a frozen config with a pure `step`, one round, and a `simulate` that returns one row a round.
"""
from dataclasses import dataclass

import numpy as np

from mlmon import _check


@dataclass(frozen=True)
class Urn:
    """Two districts and one patrol a day: it goes to A with chance `share`, A's part of the balls.

    A visit finds an incident with chance `rates`, and each incident found adds a ball of its
    district. So the record holds what was seen, not what was there. With equal rates the share
    ends anywhere: it follows Beta(prior). With unequal ones it creeps to 1, as ``n_B ~ n_A ** (rate_B / rate_A)``.

    Parameters
    ----------
    rates : pair of float
        Chance that a visit to A, and to B, finds an incident.
    prior : pair of float
        Balls at the start.
    reported : float
        Weight of incidents that residents report, patrol or no patrol; each counts so many balls.
    corrected : bool
        Count a found incident only with the chance that the patrol would have been elsewhere. Then the
        share goes to ``rate_A / (rate_A + rate_B)``.
    memory : float
        Share of the balls that is kept from day to day.

    References
    ----------
    Ensign et al. (2018), Runaway feedback loops in predictive policing, FAT*, arXiv:1706.09847.

    Examples
    --------
    >>> Urn(corrected=True).limit, round(Urn(reported=1).limit, 3)
    (0.55, 0.574)
    >>> Urn().simulate(seed=0, rounds=3)["round"].tolist()
    [0, 1, 2, 3]
    """

    rates: tuple = (0.55, 0.45)
    prior: tuple = (1.0, 1.0)
    reported: float = 0.0
    corrected: bool = False
    memory: float = 1.0

    def __post_init__(self):
        for name, check in (("rates", _check.share), ("prior", _check.positive)):
            if len(getattr(self, name)) != 2:
                raise ValueError(f"{name} needs two numbers, one a district, got {getattr(self, name)!r}. Pass a pair.")
            for value in getattr(self, name):
                check(value, name)
        if self.reported:
            _check.positive(self.reported, "reported")
        _check.share(self.memory, "memory")

    @property
    def limit(self):
        """Where A's share goes when all is remembered; None where chance decides, as with equal rates."""
        a, b = self.rates
        if a + b == 0:
            return None
        if self.corrected:
            return a / (a + b)
        if self.reported:
            # A's share of the balls added in a day, equal to its share of all: x = (x a + ra) / (x a + ra + (1 - x) b + rb).
            ra, rb = self.reported * a, self.reported * b
            roots = np.roots([a - b, b + rb + ra - a, -ra])
            return float(np.clip(min(roots, key=lambda root: abs(root - 0.5)), 0, 1))
        return None if a == b else float(a > b)

    def step(self, balls, rng):
        """The balls after one day; shape (runs, 2)."""
        share = balls[:, 0] / balls.sum(axis=1)
        in_a = rng.random(len(balls)) < share
        chance = np.where(in_a, *self.rates)
        if self.corrected:
            chance = chance * np.where(in_a, 1 - share, share)
        found = rng.random(len(balls)) < chance
        added = np.stack([found & in_a, found & ~in_a], axis=1).astype(float)
        if self.reported:
            added += self.reported * (rng.random(balls.shape) < self.rates)
        return self.memory * balls + added

    def simulate(self, seed=0, *, rounds=1000, runs=1, every=1):
        """One row a run and round, each `every` rounds: the balls `a` and `b`, and A's `share`."""
        balls = np.tile(np.asarray(self.prior, float), (_check.whole(runs, "runs", 1), 1))
        frame = _run(self, balls, seed, rounds, every, lambda balls: {"a": balls[:, 0], "b": balls[:, 1]})
        return frame.assign(share=frame["a"] / (frame["a"] + frame["b"]))


@dataclass(frozen=True)
class Mean:
    """A forecast that moves what it forecasts: outcomes are N(mu + eps * forecast, 1), the loss is squared.

    Each retraining brings the forecast `eps` times as near to the stable point ``mu / (1 - eps)``,
    and from ``eps = 1`` on it runs away.

    Parameters
    ----------
    mu, eps : float
        The outcome without a forecast; how much of the forecast it takes on.
    rows : int or None
        Outcomes that each retraining sees; None for all there could be.

    References
    ----------
    Perdomo et al. (2020), Performative prediction, ICML, arXiv:2002.06673.

    Examples
    --------
    >>> Mean(mu=10, eps=0.5).stable
    20.0
    >>> Mean(mu=10, eps=0.5).simulate(rounds=3)["forecast"].tolist()
    [0.0, 10.0, 15.0, 17.5]
    """

    mu: float = 10.0
    eps: float = 0.5
    rows: int | None = None

    def __post_init__(self):
        if self.rows is not None:
            _check.whole(self.rows, "rows", 1)

    @property
    def stable(self):
        """The forecast that retraining leaves where it is; None where there is none to reach."""
        return self.mu / (1 - self.eps) if abs(self.eps) < 1 else None

    def step(self, forecast, rng):
        """The forecast that fits the outcomes of the last one."""
        outcome = self.mu + self.eps * forecast
        return outcome if self.rows is None else outcome + rng.normal(0, self.rows ** -0.5)

    def simulate(self, seed=0, *, rounds=20, start=0.0):
        """One row a round: the `forecast`."""
        return _run(self, np.array([start]), seed, rounds, 1, lambda forecast: {"forecast": forecast}).drop(columns="run")


@dataclass(frozen=True)
class Coin(Mean):
    """The same loop where retraining stops at the wrong place: a coin that leans towards its forecast.

    A side x = 1 or -1 is named, and the coin says yes with chance ``1/2 + (mu + eps * forecast) x``; the forecast of that
    chance is ``1/2 + forecast * x``, the loss is squared. Retraining ends at ``mu / (1 - eps)``; the least risk is at ``mu / (1 - 2 eps)``,
    since a bolder forecast makes the coin less of a gamble.

    Examples
    --------
    >>> coin = Coin(mu=0.2, eps=0.2)
    >>> [round(x, 4) for x in (coin.stable, coin.best, coin.risk(coin.stable), coin.risk(coin.best))]
    [0.25, 0.3333, 0.1875, 0.1833]
    """

    mu: float = 0.2
    eps: float = 0.2

    @property
    def best(self):
        """The forecast of least risk once the coin has answered it; None from eps = 1/2 on, where bolder is always better."""
        return self.mu / (1 - 2 * self.eps) if self.eps < 0.5 else None

    def risk(self, forecast):
        """Mean squared error of a forecast on the coin that it makes."""
        lean = self.mu + self.eps * forecast
        return 0.25 - lean**2 + (lean - forecast) ** 2


@dataclass(frozen=True)
class Strategic:
    """Applicants who adapt: each moves its features by ``-eps * ability * weights`` to look less risky, and stays who it is.

    If all are equally able, retraining takes the shift up in its intercept: one step, at any `eps`. If they are not, it
    converges for a small `eps` and goes in circles for a large one.

    Parameters
    ----------
    eps : float
        How far applicants go.
    able : {"alike", "unlike"}
        All of ability 1, or Exp(1).
    penalty : float
        L2 penalty on the weights, not on the intercept; 0 for none.
    rows, features : int
        Applicants, the same ones each round.

    Examples
    --------
    >>> frame = Strategic(eps=1, rows=500).simulate(seed=0, rounds=8)
    >>> bool(frame["gap"].iloc[-1] < frame["gap"].iloc[1])
    True
    """

    eps: float = 1.0
    able: str = "unlike"
    penalty: float = 0.1
    rows: int = 2000
    features: int = 2

    def __post_init__(self):
        _check.one_of(self.able, ("alike", "unlike"), "able")
        _check.whole(self.rows, "rows", 10)
        _check.whole(self.features, "features", 1)
        if self.penalty:
            _check.positive(self.penalty, "penalty")

    def people(self, seed=0):
        """Features before anybody moves, whether each will default, and their ability."""
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(self.rows, self.features))
        default = rng.random(self.rows) < 1 / (1 + np.exp(-2 * X.sum(axis=1)))
        ability = np.ones(self.rows) if self.able == "alike" else rng.exponential(size=self.rows)
        return X, default, ability

    def moved(self, people, weights):
        """The features that applicants show to these weights."""
        X, _, ability = people
        return X - self.eps * ability[:, None] * weights[:-1]

    def step(self, weights, people):
        """Weights and intercept that fit what the last ones made of the applicants."""
        from sklearn.linear_model import LogisticRegression

        C = 1 / (self.penalty * self.rows) if self.penalty else np.inf
        model = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-10, max_iter=1000)
        model.fit(self.moved(people, weights), people[1])
        return np.r_[model.coef_[0], model.intercept_]

    def simulate(self, seed=0, *, rounds=20):
        """One row a round: how far the weights moved (`gap`), accuracy when deployed (`before`) and after retraining (`after`)."""
        import pandas

        people, weights, rows = self.people(seed), np.zeros(self.features + 1), []
        weights = self.step(weights, people)
        for number in range(1, _check.whole(rounds, "rounds", 1) + 1):
            shown, new = self.moved(people, weights), self.step(weights, people)
            right = [np.mean((shown @ w[:-1] + w[-1] > 0) == people[1]) for w in (weights, new)]
            rows.append((number, float(np.linalg.norm(new - weights)), *map(float, right)))
            weights = new
        return pandas.DataFrame(rows, columns=["round", "gap", "before", "after"])


@dataclass(frozen=True)
class Representation:
    """Two groups of users, at +1 and -1 with spread `sd`, and one model between them; who is served badly leaves.

    A group keeps the share ``1 - risk / patience`` of its users a round, and `arrivals` come to each. The model of
    least mean risk sits nearer to the larger group, which then loses fewer: from 51 to 49 it ends with one group. With a
    `radius` the model takes the least *worst* mean risk over all reweighings of its users within
    that chi-squared distance, and needs no group labels for it.

    Parameters
    ----------
    radius : float
        0 for the mean risk.
    sd, patience, arrivals : float
        With these values as many come as leave when both groups are even. An even start is unstable for ``sd < 1``: a small
        lead grows by ``1 + (1 - sd**2) / patience`` a round.

    References
    ----------
    Hashimoto et al. (2018), Fairness without demographics in repeated loss minimization, ICML, arXiv:1806.08010.

    Examples
    --------
    >>> even = Representation().simulate(rounds=40, share=0.5)
    >>> uneven = Representation().simulate(rounds=40, share=0.51)
    >>> [round(float(frame["share"].iloc[-1]), 2) for frame in (even, uneven)]
    [0.5, 0.89]
    """

    radius: float = 0.0
    sd: float = 0.5
    patience: float = 5.0
    arrivals: float = 0.125

    def __post_init__(self):
        if self.radius:
            _check.positive(self.radius, "radius")
        for name in ("sd", "patience", "arrivals"):
            _check.positive(getattr(self, name), name)

    def model(self, share):
        """Where the model sits when A, at +1, has this share."""
        if not self.radius:
            return 2 * share - 1
        from scipy.optimize import minimize_scalar

        nodes, weights = np.polynomial.hermite_e.hermegauss(15)
        users = np.r_[1 + self.sd * nodes, -1 + self.sd * nodes]
        mass = np.r_[share * weights, (1 - share) * weights] / weights.sum()
        return float(minimize_scalar(lambda at: worst_mean((users - at) ** 2, mass, self.radius), bounds=(-1, 1), method="bounded").x)

    def risks(self, share):
        """Mean squared error of the users at +1 and of those at -1."""
        at = self.model(share)
        return self.sd**2 + np.array([1 - at, -1 - at]) ** 2

    def step(self, users, rng=None):
        """Both groups' users after one round."""
        return self._after(users, self.risks(users[0] / users.sum()))

    def _after(self, users, risks):
        return users * np.clip(1 - risks / self.patience, 0, 1) + self.arrivals

    def simulate(self, *, rounds=40, share=0.51):
        """One row a round: A's `share`, the `risk_a` and `risk_b`, and the number of `users`, 1 at first."""
        import pandas

        users, rows = np.array([_check.open_share(share, "share"), 1 - share]), []
        for number in range(_check.whole(rounds, "rounds", 1) + 1):
            share = float(users[0] / users.sum())
            risks = self.risks(share)
            rows.append((number, share, *map(float, risks), float(users.sum())))
            users = self._after(users, risks)
        return pandas.DataFrame(rows, columns=["round", "share", "risk_a", "risk_b", "users"])


def worst_mean(losses, mass, radius):
    """The largest mean loss over all distributions within a chi-squared distance of this one.

    By duality ``min over eta of eta + sqrt((1 + radius) * E[max(loss - eta, 0)**2])``.

    Parameters
    ----------
    losses, mass : array-like of shape (n,)
        Losses, and shares that add up to 1.
    radius : float
        The largest ``E[(q / p - 1)**2]``.

    Examples
    --------
    >>> round(worst_mean([0, 1], [0.5, 0.5], 0.25), 6)      # the mean, and half a standard deviation
    0.75
    """
    from scipy.optimize import minimize_scalar

    losses, mass = np.asarray(losses, float), np.asarray(mass, float)

    def bound(eta):
        return eta + np.sqrt((1 + radius) * (mass @ np.maximum(losses - eta, 0) ** 2))

    low = losses.min() - (np.ptp(losses) + 1) * (1 + 1 / radius)
    return float(minimize_scalar(bound, bounds=(low, losses.max()), method="bounded", options={"xatol": 1e-9}).fun)


@dataclass(frozen=True)
class Interests:
    """A user whose interests follow what is shown: a click lifts an interest by `delta`, a pass lowers it.

    An item is clicked with chance ``1 / (1 + exp(-interest))``. A recommender that knows the interests and shows
    the highest drives them apart fastest; one that draws at random, slowest.

    Parameters
    ----------
    items, shown : int
    delta : float
    policy : {"oracle", "random"}

    References
    ----------
    Jiang et al. (2019), Degenerate feedback loops in recommender systems, AIES, arXiv:1902.10730.

    Examples
    --------
    >>> float(Interests(shown=4, delta=0.5).simulate(rounds=1)["drift"].iloc[-1].round(9))   # four moved by a half
    1.0
    """

    items: int = 30
    shown: int = 5
    delta: float = 0.01
    policy: str = "oracle"

    def __post_init__(self):
        _check.one_of(self.policy, ("oracle", "random"), "policy")
        if _check.whole(self.shown, "shown", 1) > _check.whole(self.items, "items", 1):
            raise ValueError(f"shown needs at most as many as there are items, {self.items}, got {self.shown}. Show fewer.")

    def step(self, interests, rng):
        """Interests after one slate; shape (runs, items)."""
        key = interests if self.policy == "oracle" else rng.random(interests.shape)
        slate = np.argpartition(-key, self.shown - 1, axis=1)[:, : self.shown]
        seen = np.take_along_axis(interests, slate, axis=1)
        clicked = rng.random(seen.shape) < 1 / (1 + np.exp(-seen))
        interests = interests.copy()
        np.put_along_axis(interests, slate, seen + np.where(clicked, self.delta, -self.delta), axis=1)
        return interests

    def simulate(self, seed=0, *, rounds=1000, runs=1, every=1):
        """One row a run and round: `drift`, the distance of the interests from where they began."""
        start = np.random.default_rng([_check.whole(seed, "seed"), 1]).normal(size=(_check.whole(runs, "runs", 1), self.items))
        return _run(self, start, seed, rounds, every, lambda now: {"drift": np.linalg.norm(now - start, axis=1)})


def _run(law, state, seed, rounds, every, columns):
    """The states of each `every` rounds as a frame, one row a run and round."""
    import pandas

    rng, kept = np.random.default_rng(_check.whole(seed, "seed")), []
    rounds, every = _check.whole(rounds, "rounds", 1), _check.whole(every, "every", 1)
    for number in range(rounds + 1):
        if number:
            state = law.step(state, rng)
        if number % every == 0:
            kept.append({"round": np.full(len(state), number), "run": np.arange(len(state)), **columns(state)})
    return pandas.DataFrame({name: np.concatenate([row[name] for row in kept]) for name in kept[0]})
