"""A hiring loop: interviewers, a model that learns from whom they hired, and interviewers who follow the model.

Two groups of equal skill apply. The label is the decision: who was hired counts as fit, who was not as unfit,
so nobody ever learns how the rejected would have done. Each round repeats the last, with less noise, and with fewer applicants of
the group that was hired less, as employees bring their friends. Each mitigation is a field of `Config`, off by default; `effects`
measures what each brings and what it costs.
"""
from dataclasses import dataclass, replace

import numpy as np

from mlmon import _check
from mlmon.drift.metric import area
from mlmon.loops.fairness import reweigh

FEATURES = ("test", "experience")
# What `effects` tries: the fields of each mitigation, at a strength of 0.2 where it has one.
MITIGATIONS = {
    "none": {},
    "places by lot": {"lot": 0.2},
    "reweighing": {"debias": "reweigh"},
    "fairness constraint": {"debias": "constraint"},
    "external data": {"external": 0.2},
    "blind panel's labels": {"panel": 0.2},
    "reasons and overrides": {"overrides": 0.2},
    "counterfactual twins": {"twins": True},
}


@dataclass(frozen=True)
class Config:
    """The world of a hiring loop, and the mitigations that are on.

    Parameters
    ----------
    applicants : int
        A round.
    places : float
        Share of them that is hired. An applicant is good whose skill is in this upper share of the town.
    bias : float
        What interviewers take off the appraisal of group B, in standard deviations of skill.
    noise : float
        Of an appraisal, in the same unit.
    trust : float
        How much interviewers follow the model: what one unit of its log-odds adds to their appraisal.
    access : float
        Years of experience that group A has more of, at the same skill.
    referrals : float
        Share of applicants whom employees bring, of the groups of the last round's hires; half of the others are B.
    memory : int
        Rounds of decisions that the model learns from.
    lot : float
        Share of the places drawn by lot from all applicants. How these do is known, and each counts for ``1 / places`` rows.
    debias : {"none", "reweigh", "constraint"}
        Weights that make label and group independent (`reweigh`), or demographic parity in training (Agarwal et al. 2018; needs
        fairlearn, and half a second a round).
    external : float
        Rows of the town with known outcome, bought each round, per applicant.
    panel : float
        Share of applicants whose label is the judgment of a panel that knows neither group nor score.
    overrides : float
        Share of decisions that such a panel makes in place of the interviewers, who see the model's reasons and correct it.
    twins : bool
        Train on each row twice: as it is, and with the experience it would have in the other group.

    Examples
    --------
    >>> Config(places=20)
    Traceback (most recent call last):
    ...
    ValueError: places needs a share from 0 to 1, got 20. Divide per cents by 100.
    """

    applicants: int = 1000
    places: float = 0.2
    bias: float = 0.5
    noise: float = 1.5
    trust: float = 1.0
    access: float = 1.5
    referrals: float = 0.6
    memory: int = 2
    lot: float = 0.0
    debias: str = "none"
    external: float = 0.0
    panel: float = 0.0
    overrides: float = 0.0
    twins: bool = False

    def __post_init__(self):
        _check.whole(self.applicants, "applicants", 50)
        _check.whole(self.memory, "memory", 1)
        _check.open_share(self.places, "places")
        if not 1 <= round(self.places * self.applicants) < self.applicants:
            raise ValueError(f"places needs at least one place for {self.applicants} applicants, got {self.places}. Pass a larger share.")
        for name in ("referrals", "lot", "external", "panel", "overrides"):
            _check.share(getattr(self, name), name)
        _check.positive(self.noise, "noise")
        _check.one_of(self.debias, ("none", "reweigh", "constraint"), "debias")


@dataclass(frozen=True)
class Round:
    """The applicants of one round and what was decided, one value each.

    Parameters
    ----------
    b : bool array
        Whether of group B.
    skill : array
        Which nobody sees.
    X : array of shape (n, 2)
        What the model sees: a test, and years of experience.
    score : array or None
        The model's chance of being hired; None where there is no model yet.
    hired, lot, good : bool array
    """

    b: np.ndarray
    skill: np.ndarray
    X: np.ndarray
    score: np.ndarray | None
    hired: np.ndarray
    lot: np.ndarray
    good: np.ndarray


@dataclass(frozen=True)
class State:
    """What one round hands to the next: B's share of who will apply, the records, the model, and the round itself."""

    share_b: float = 0.5
    records: tuple = ()
    model: object = None
    last: Round | None = None


def step(state, config, rng):
    """One round: they apply, are judged, hired, recorded, and the model is trained again. Returns the next state.

    Examples
    --------
    >>> config, rng = Config(applicants=500), np.random.default_rng(0)
    >>> state = step(step(State(), config, rng), config, rng)
    >>> int(state.last.hired.sum()), len(state.records)
    (100, 2)
    """
    luck, panel, town = rng.spawn(3)         # so that a mitigation does not change who applies
    b, skill, X = _people(config, config.applicants, state.share_b, rng)
    good = skill > _bar(config)
    lean = None if state.model is None else state.model(X)
    appraisal = skill + rng.normal(0, config.noise, len(b))
    reviewed, labelled = panel.random((2, len(b))) < [[config.overrides], [config.panel]]
    blind = skill + panel.normal(0, config.noise, len(b))
    liking = np.where(reviewed, blind, appraisal - config.bias * b + (0 if lean is None else config.trust * lean))
    hired, lot = _hire(liking, config, luck)
    label = np.where(labelled, blind > np.quantile(blind, 1 - config.places), hired)
    record = X, np.where(lot, good, label), np.where(lot, 1 / config.places, 1.0), b
    if config.external:
        bought, skills, seen = _people(config, round(config.external * config.applicants), 0.5, town)
        rows = seen, skills > _bar(config), np.ones(len(bought)), bought
        record = tuple(np.concatenate(pair) for pair in zip(record, rows))
    records = (*state.records, record)[-config.memory:]
    score = None if lean is None else 1 / (1 + np.exp(-lean))
    last = Round(b, skill, X, score, hired, lot, good)
    share_b = 0.5 * (1 - config.referrals) + config.referrals * float(b[hired].mean())
    return State(share_b, records, _learn(records, config), last)


def simulate(config, seed=0, *, rounds=10, runs=1):
    """A tidy frame, one row a run and round; in round 0 there is no model yet.

    Parameters
    ----------
    config : Config
    seed : int
        The same seed brings the same applicants under any mitigation, as long as the same share of B applies.

    Returns
    -------
    pandas.DataFrame
        `round`, `run`; `applicants_b` and `hires_b`, B's share of both; `rate_a`, `rate_b`, the shares hired, and `ratio`, B's over A's;
        `found_a`, `found_b`, the shares of the good who are hired (equal opportunity); `underrated_a`, `underrated_b`, how
        much larger the share of good ones is than the mean score (calibration); `skill`, the mean of who is hired;
        `auc`, the model judged by the decisions, and `auc_true`, by who is good; `lots`, `reviews` and `bought`, how many. Missing
        where there is no such applicant.

    Examples
    --------
    >>> frame = simulate(Config(applicants=500), seed=1, rounds=5)
    >>> bool(frame["ratio"].iloc[-1] < frame["ratio"].iloc[0])
    True
    """
    import pandas

    rows = []
    for run, rng in enumerate(np.random.default_rng(_check.whole(seed, "seed")).spawn(_check.whole(runs, "runs", 1))):
        state = State()
        for number in range(_check.whole(rounds, "rounds", 1) + 1):
            state = step(state, config, rng)
            rows.append({"round": number, "run": run, **_summary(state.last, config)})
    return pandas.DataFrame(rows)


def effects(config=Config(), seed=0, *, mitigations=MITIGATIONS, rounds=10, runs=10):
    """What each mitigation brings and costs: its last round beside that of the same world without it.

    Parameters
    ----------
    mitigations : dict of str to dict
        The fields of `Config` that each sets.

    Returns
    -------
    pandas.DataFrame
        One row a mitigation: means over the runs of `ratio`, of `found_gap` (A's share of good ones found less B's), and of
        `skill`, `skill_gain` over no mitigation with its standard error `skill_se` over pairs of runs, and a round's `lots`,
        `reviews` and `bought`.

    Examples
    --------
    >>> table = effects(Config(applicants=300), mitigations={"none": {}, "twins": {"twins": True}}, rounds=3, runs=3)
    >>> bool(table.loc["twins", "ratio"] > table.loc["none", "ratio"])
    True
    """
    import pandas

    def last(fields):
        frame = simulate(replace(config, **fields), seed, rounds=rounds, runs=runs)
        return frame[frame["round"] == rounds].reset_index(drop=True)

    base, rows = last({}), {}
    for name, fields in mitigations.items():
        end = last(fields)
        gain = end["skill"] - base["skill"]
        rows[name] = {
            "ratio": end["ratio"].mean(), "found_gap": (end["found_a"] - end["found_b"]).mean(), "skill": end["skill"].mean(),
            "skill_gain": gain.mean(), "skill_se": gain.std() / np.sqrt(runs), **end[["lots", "reviews", "bought"]].mean(),
        }
    return pandas.DataFrame(rows).T


def _bar(config):
    from scipy.special import ndtri

    return -ndtri(config.places)


def _people(config, n, share_b, rng):
    """Group, skill, and what the model sees, of n applicants."""
    b = rng.random(n) < share_b
    skill = rng.normal(size=n)
    test = skill + rng.normal(size=n)
    experience = 0.4 * skill + config.access * ~b + rng.normal(0, 0.5, n)
    return b, skill, np.stack([test, experience], axis=1)


def _hire(liking, config, rng):
    """Who is hired, and who of them by lot; the others are those whom the interviewers like most."""
    places = round(config.places * len(liking))
    lot, hired = np.zeros((2, len(liking)), bool)
    lot[rng.permutation(len(liking))[: round(config.lot * places)]] = True
    hired[np.argsort(np.where(lot, np.inf, liking))[-places:]] = True
    return hired, lot


def _learn(records, config):
    """The log-odds of being hired, as a function of what the model sees."""
    from sklearn.linear_model import LogisticRegression

    X, y, weight, b = (np.concatenate(part) for part in zip(*records))
    y = y.astype(bool)
    if config.twins:
        X = np.concatenate([X, X + np.stack([np.zeros(len(b)), np.where(b, config.access, -config.access)], axis=1)])
        y, weight, b = np.tile(y, 2), np.tile(weight, 2), np.tile(b, 2)
    if config.debias == "reweigh":
        weight = weight * reweigh(y, b, weight)
    model = LogisticRegression(solver="newton-cholesky")
    if config.debias == "constraint":
        return _constrained(model, X, y, weight, b)
    return model.fit(X, y, sample_weight=weight).decision_function


def _constrained(model, X, y, weight, b):
    """Log-odds of the mean of the classifiers that fairlearn's reduction mixes for demographic parity."""
    from fairlearn.reductions import DemographicParity, ExponentiatedGradient

    X, y, b = (np.repeat(part, np.rint(weight).astype(int), axis=0) for part in (X, y, b))      # it takes no weights
    fit = ExponentiatedGradient(model, DemographicParity(), eps=0.01, max_iter=20).fit(X, y, sensitive_features=b)
    used = [(share, one) for share, one in zip(fit.weights_, fit.predictors_) if share > 0]
    return lambda X: sum(share * one.decision_function(X) for share, one in used)


def _summary(last, config):
    hired, good, n = last.hired, last.good, len(last.hired)
    row = {"applicants_b": float(last.b.mean()), "hires_b": float(last.b[hired].mean())}
    for name, group in (("a", ~last.b), ("b", last.b)):
        row[f"rate_{name}"], row[f"found_{name}"] = _mean(hired[group]), _mean(hired[group & good])
        if last.score is not None and group.any():
            row[f"underrated_{name}"] = float(good[group].mean() - last.score[group].mean())
    row["ratio"] = row["rate_b"] / row["rate_a"] if row["rate_a"] and row["rate_b"] is not None else None
    if last.score is not None and good.any():
        row |= {"auc": area(hired, last.score), "auc_true": area(good, last.score)}
    return row | {"skill": float(last.skill[hired].mean()), "lots": int(last.lot.sum()),
                  "reviews": round((config.panel + config.overrides) * n), "bought": round(config.external * n)}


def _mean(flags):
    return float(flags.mean()) if len(flags) else None
