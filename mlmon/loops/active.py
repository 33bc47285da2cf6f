"""Active learning: a model says which rows to have labelled, learns from them, and says again.

`ActiveLearningFeedbackLoop` is the loop over your own model and rows; `simulate` runs it where the truth is known. `mlmon.loops.query`
holds the ways to choose. Rows that were chosen are no sample, so the model is judged on a holdout and on a few rows drawn at random.
"""
from dataclasses import dataclass, replace

import numpy as np

from mlmon import _check
from mlmon.drift.metric import area
from mlmon.loops.query import diverse, draw, entropy, least_confidence, lure, margin, most, vote_entropy

STRATEGIES = ("random", "entropy", "margin", "least confidence", "committee", "diverse", "drawn")
MEMBERS = 5        # of a committee


class ActiveLearningFeedbackLoop:
    """The chapter's loop over your own model and rows: choose, have labelled, retrain, and keep the new model if it is no worse.

    Parameters
    ----------
    model : scikit-learn classifier
        Copied, never fitted itself.
    X, y : array-like of shape (n, d) and (n,)
        The rows labelled so far, two classes or more.
    holdout : pair of array-like
        Rows and labels drawn at random, which are never trained on: they judge each new model.
    labeling_budget : int
    strategy : str
        One of `STRATEGIES`.
    seed : int

    Attributes
    ----------
    champion : scikit-learn classifier
        The model in use.
    X_train, y_train : numpy.ndarray
        All that was labelled, of rejected rounds too.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.linspace(-2, 2, 40)[:, None]
    >>> loop = ActiveLearningFeedbackLoop(LogisticRegression(), X, X[:, 0] > 0.5, holdout=(X, X[:, 0] > 0.5), labeling_budget=2)
    >>> loop.select_examples_for_labeling([[0.0], [0.4], [2.0], [0.6]])
    [3, 1]
    >>> loop.retrain_with_feedback([[0.4], [0.6]], [False, True]), len(loop.y_train)
    (True, 42)
    """

    def __init__(self, model, X, y, *, holdout, labeling_budget=100, strategy="entropy", seed=0):
        self.labeling_budget = _check.whole(labeling_budget, "labeling_budget")
        self.strategy = _check.one_of(strategy, STRATEGIES, "strategy")
        self.X_train, self.y_train = _labelled(X, y, "X")
        self.holdout = _labelled(*holdout, "holdout")
        self._model, self._rng = model, np.random.default_rng(seed)
        self.champion = _fitted(model, self.X_train, self.y_train)

    def select_examples_for_labeling(self, unlabeled_pool):
        """Positions of the rows to have labelled, the most wanted first."""
        pool = np.asarray(unlabeled_pool, float)
        chosen, _ = choose(self.champion, pool, self.labeling_budget, self.strategy, self._rng, (self.X_train, self.y_train))
        return chosen.tolist()

    def retrain_with_feedback(self, labeled_examples, labels):
        """Add the rows and retrain. Returns whether the new model has taken over."""
        X, y = _labelled(labeled_examples, labels, "labeled_examples", classes=1)
        self.X_train, self.y_train = np.vstack([self.X_train, X]), np.concatenate([self.y_train, y])
        candidate = _fitted(self._model, self.X_train, self.y_train)
        taken = no_worse(candidate, self.champion, *self.holdout)
        if taken:
            self.champion = candidate
        return taken


def choose(model, X, budget, strategy, rng, labelled=None):
    """The rows of X that a strategy would have labelled, and their chances where they were drawn, else None.

    "drawn" draws by least confidence, a tenth of it by plain chance. "committee" needs `labelled`, the rows and
    labels from which its members, fitted on bootstrap samples, learn.
    """
    budget = min(_check.whole(budget, "budget"), len(X))
    if not budget:
        return np.array([], int), None
    if strategy == "random":
        return rng.permutation(len(X))[:budget], None
    if strategy == "committee":
        return most(vote_entropy(_committee(model, *labelled, X, rng)) + 1e-9 * rng.random(len(X)), budget), None
    probabilities = model.predict_proba(X)
    if strategy == "drawn":
        doubt = least_confidence(probabilities)
        return draw(0.9 * doubt / max(doubt.mean(), 1e-12) + 0.1, budget, rng)
    if strategy == "diverse":
        return diverse(X, entropy(probabilities), budget), None
    score = {"entropy": entropy, "margin": margin, "least confidence": least_confidence}[strategy]
    return most(score(probabilities), budget), None


def no_worse(candidate, champion, X, y):
    """Whether the candidate's log loss on the holdout is at most by chance above the champion's (paired, one-sided, 5 %)."""
    worse = _losses(candidate, X, y) - _losses(champion, X, y)
    return bool(worse.mean() <= 1.645 * worse.std(ddof=1) / np.sqrt(len(worse)))


@dataclass(frozen=True)
class Config:
    """A pool of unlabelled rows, a labeller who is never wrong, and a logistic model that asks.

    Parameters
    ----------
    strategy : str
        One of `STRATEGIES`.
    start, budget, audit : int
        Labels at the start, drawn at random; chosen each round; and drawn at random each round beside them.
    pool, holdout : int
        Rows.
    features, steepness, offset : int, float, float
        P(y = 1) is ``sigmoid(steepness * u + offset)``, where u is the mean direction of standard normal features.

    Examples
    --------
    >>> Config(strategy="best")
    Traceback (most recent call last):
    ...
    ValueError: strategy needs one of 'random', 'entropy', 'margin', 'least confidence', 'committee', 'diverse', 'drawn', got 'best'. Pick one of them.
    """

    strategy: str = "entropy"
    start: int = 60
    budget: int = 20
    audit: int = 0
    pool: int = 2000
    holdout: int = 1000
    features: int = 20
    steepness: float = 8.0
    offset: float = -5.0

    def __post_init__(self):
        _check.one_of(self.strategy, STRATEGIES, "strategy")
        for name, least in (("start", 10), ("budget", 0), ("audit", 0), ("pool", 1), ("holdout", 50), ("features", 1)):
            _check.whole(getattr(self, name), name, least)
        if self.start > self.pool:
            raise ValueError(f"start needs at most the pool's rows, {self.pool}, got {self.start}. Begin with fewer.")


@dataclass(frozen=True)
class State:
    """The pool with all its labels, which rows are labelled, the champion, and what its last batch looked like to it.

    `batch` and `audit` hold, for the rows of the round, whether the champion *of that time*, which had not seen them, was right;
    `weights` are those of `lure` where the batch was drawn; `rest` is the truth: how often it was right on all unlabelled rows.
    """

    X: np.ndarray
    y: np.ndarray
    holdout: tuple
    labelled: np.ndarray
    model: object
    batch: np.ndarray | None = None
    positives: float | None = None
    weights: np.ndarray | None = None
    audit: np.ndarray | None = None
    rest: float | None = None


def start(config, rng):
    """A pool, a holdout, and a first model."""
    X, y = _rows(config, config.pool, rng)
    holdout = _rows(config, config.holdout, rng)
    labelled = rng.permutation(config.pool)[: config.start]
    return State(X, y, holdout, labelled, _fitted(_model(), X[labelled], y[labelled]))


def step(state, config, rng):
    """One round: draw the audit, choose, label, judge on what was just labelled, retrain, and keep the better model."""
    rest = np.setdiff1d(np.arange(len(state.y)), state.labelled)
    if not len(rest):
        return replace(state, batch=None, positives=None, weights=None, audit=None, rest=None)
    order = rng.permutation(len(rest))
    audit, open_rows = rest[order[: config.audit]], rest[np.sort(order[config.audit:])]
    known = state.X[state.labelled], state.y[state.labelled]
    chosen, chances = choose(state.model, state.X[open_rows], config.budget, config.strategy, rng, known)
    chosen = open_rows[chosen]
    right = state.model.predict(state.X) == state.y
    labelled = np.concatenate([state.labelled, chosen, audit])
    candidate = _fitted(_model(), state.X[labelled], state.y[labelled])
    return replace(
        state, labelled=labelled, model=candidate if no_worse(candidate, state.model, *state.holdout) else state.model,
        batch=right[chosen], positives=_mean(state.y[chosen]), audit=right[audit], rest=_mean(right[rest]),
        weights=None if chances is None else lure(chances, len(open_rows)),
    )


def simulate(config, seed=0, *, rounds=10, runs=1):
    """A tidy frame, one row a run and round; round 0 is the start.

    Returns
    -------
    pandas.DataFrame
        `round`, `run`, `labels` so far; `auc` and `log_loss` of the champion on the holdout; `positives`, the share of class 1 among the
        chosen; and four accuracies of the model that chose: `on_batch`, `on_audit`, `weighted` (the batch with the weights of `lure`), and
        `on_rest`, the truth that they estimate.

    Examples
    --------
    >>> simulate(Config(pool=300, holdout=200), rounds=2)["labels"].tolist()
    [60, 80, 100]
    """
    import pandas

    rows = []
    for run, rng in enumerate(np.random.default_rng(_check.whole(seed, "seed")).spawn(_check.whole(runs, "runs", 1))):
        made, rng = rng.spawn(2)            # the same pool, whatever the strategy draws
        state = start(config, made)
        for number in range(_check.whole(rounds, "rounds", 1) + 1):
            state = step(state, config, rng) if number else state
            X, y = state.holdout
            rows.append({
                "round": number, "run": run, "labels": len(state.labelled), "auc": area(y, state.model.decision_function(X)),
                "log_loss": _mean(_losses(state.model, X, y)), "positives": state.positives, "on_batch": _mean(state.batch),
                "on_audit": _mean(state.audit), "on_rest": state.rest,
                "weighted": None if state.weights is None else _mean(state.weights * state.batch),
            })
    return pandas.DataFrame(rows)


def _labelled(X, y, name, classes=2):
    X, y = np.asarray(X, float), np.asarray(y)
    if X.ndim != 2 or y.shape != (len(X),):
        raise ValueError(f"{name} needs rows of features and one label each, got shapes {X.shape} and {y.shape}. Pass as many labels as rows.")
    if len(np.unique(y)) < classes:
        raise ValueError(f"{name} needs labels of two classes or more, got {len(np.unique(y))}. Have more rows labelled.")
    return X, y


def _model():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(solver="newton-cholesky")


def _fitted(model, X, y):
    from sklearn.base import clone

    return clone(model).fit(X, y)


def _committee(model, X, y, pool, rng):
    """Votes of members fitted on bootstrap samples; one row of each class is in every sample."""
    first = np.unique(y, return_index=True)[1]
    samples = [np.concatenate([first, rng.integers(len(y), size=len(y))]) for _ in range(MEMBERS)]
    return np.stack([_fitted(model, X[rows], y[rows]).predict(pool) for rows in samples])


def _losses(model, X, y):
    place = np.minimum(np.searchsorted(model.classes_, y), len(model.classes_) - 1)
    chance = np.where(model.classes_[place] == y, model.predict_proba(X)[np.arange(len(y)), place], 0)
    return -np.log(np.clip(chance, 1e-15, 1))


def _rows(config, n, rng):
    X = rng.normal(size=(n, config.features))
    chance = 1 / (1 + np.exp(-(config.steepness * X.sum(axis=1) / np.sqrt(config.features) + config.offset)))
    return X, (rng.random(n) < chance).astype(int)


def _mean(values):
    return None if values is None or not len(values) else float(np.mean(values))
