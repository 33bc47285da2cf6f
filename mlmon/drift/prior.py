"""Label drift before the labels are there: the new shares of the classes, from predictions alone.

If only the shares changed and each class looks as ever (P(X|y) is constant, "label
shift"), then whatever is averaged over today's rows is a mixture of what it is in
each class of the reference, and the mixture's weights are the new shares. `estimate_prior` solves for them
by one of two methods. Then it asks whether that mixture describes today's rows at all: cells of the scores and of the
features hold more equations than there are unknown shares, and what is left over must be chance. If it is
not, something other than the shares has changed, and no share is given.

Both estimators give, beside the shares, each row's *influence* on them. The spread of the influences
is the sampling error of both samples; and the error of the leftover, with the shares estimated, is
the spread of each row's cell less its influence carried through. So the check keeps its level.
"""
from dataclasses import dataclass

import numpy as np
import scipy

from mlmon import _check
from mlmon.drift.column import read
from mlmon.drift.label import _labels, _places, _table
from mlmon.drift.mixture import blocks, class_means, leftover_p
from mlmon.drift.verdict import Verdict

ROWS = 20                # rows of the current sample, and of each reference class, that are needed
CLEAR = 4.0              # standard errors by which classes must differ in their mean prediction
RANGE = 0.1              # part of the check's alpha for a share beyond 0 or 1, which only "bbse" can give


@dataclass(frozen=True)
class PriorEstimate:
    """What `estimate_prior` found. Tuples are in the order of `classes`.

    Parameters
    ----------
    method : str
        "bbse" or "em".
    classes : tuple
    reference : tuple of float
        Shares of the classes in the reference.
    prior, low, high : tuple of float
        The shares today and their intervals, which hold together with probability ``1 - alpha``, if
        each class looks as ever; None where the estimate is refused.
    raw : tuple of float
        The solution before any check, which may lie outside 0 to 1; None where there is none. To look at, not to use.
    pvalue : float
        That the shares are the reference's; None where refused.
    consistency : float
        p-value of the check: how often, under pure label shift, chance leaves so much over. None where nothing could
        be checked.
    misfits : tuple of str
        What the mixture does not describe: "predictions", names of features, "range" (a share beyond 0 or 1).
    verdict : Verdict
        DRIFTED or STABLE: whether the shares changed. UNDECIDED: the estimate is refused, or it could not be checked.
    reason : str
    alpha : float
    """

    method: str
    classes: tuple
    reference: tuple
    prior: tuple | None
    low: tuple | None
    high: tuple | None
    raw: tuple | None
    pvalue: float | None
    consistency: float | None
    misfits: tuple
    verdict: Verdict
    reason: str
    alpha: float

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    def correct(self, probabilities):
        """Probabilities for the new shares: see `adjust_prior`. ValueError where there is no estimate."""
        if self.prior is None:
            raise ValueError(f"prior needs an estimate that was not refused, got none ({self.reason}). Wait for labels.")
        return adjust_prior(probabilities, self.reference, self.prior)


def estimate_prior(reference, labels, current, *, method="bbse", features=None, calibrate=True, alpha=0.05):
    """The shares of the classes today, from today's predictions alone, or a refusal.

    "bbse" solves ``mean prediction today = sum over classes of share * mean prediction in that class``,
    for predictions of any sort, however biased. "em" finds the shares under which today's probabilities are likeliest;
    it is sharper, and needs probabilities that are calibrated, so it first calibrates them on the reference.

    Both hold under label shift alone: each class must look as ever. Where the check finds that it does not, the verdict is
    UNDECIDED and there is no share. **What it cannot see**: a change that leaves today's rows a mixture of the
    old classes. If the meaning of the rows turns around and the rows stay as they are (concept drift with P(X) kept),
    nothing in unlabelled data says so, and the estimate is wrong in silence. A weak change needs many rows to be seen.
    `class_conditional_drift` settles it when labels are there.

    Parameters
    ----------
    reference : array-like of shape (n,) or (n, classes)
        Predictions on rows that the model was not trained on. Two classes: scores of the second. More: probabilities
        in the order of the sorted classes. Or predicted classes.
    labels : array-like of shape (n,)
        True classes of these rows.
    current : array-like of shape (m,) or (m, classes)
        Today's predictions, of the same sort.
    method : {"bbse", "em"}
    features : pair of DataFrames or arrays of shape (n, k) and (m, k), optional
        Features of both samples, to check more than the predictions. Predicted classes can be checked by nothing else.
    calibrate : bool
        For "em": fit one slope and an offset a class on the reference first.
    alpha : float
        Chance that the shares are called changed when they are not; also that a pure label shift is refused;
        and that the intervals miss.

    Returns
    -------
    PriorEstimate

    Raises
    ------
    ValueError
        For missing predictions or labels, other shapes, unknown classes, or probabilities beyond 0 and 1 with "em".

    References
    ----------
    Lipton, Wang and Smola (2018), Detecting and correcting for label shift with black box predictors, ICML.
    Saerens, Latinne and Decaestecker (2002), Neural Computation 14(1), 21-41.
    Alexandari, Kundaje and Shrikumar (2020), ICML (calibration).
    Hansen (1982), Econometrica 50(4), 1029-1054 (the check).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = lambda y: 1 / (1 + np.exp(-rng.normal(2.5 * y - 1.5, 1)))
    >>> before, now = (rng.random(4000) < share for share in (0.1, 0.3))
    >>> estimate = estimate_prior(score(before), before, score(now))
    >>> estimate.verdict, round(estimate.prior[1], 2), estimate.low[1] < 0.3 < estimate.high[1]
    (<Verdict.DRIFTED: 'DRIFTED'>, 0.3, True)
    """
    _check.one_of(method, ("bbse", "em"), "method")
    alpha = _check.open_share(alpha, "alpha")
    classes, y = _known(labels)
    p, q = _predictions(reference, classes, "reference"), _predictions(current, classes, "current")
    cells = blocks(p, q, features)
    if p.shape[1] != q.shape[1] or len(p) != len(y):
        raise ValueError(f"labels needs one for each row of the reference, got {len(y)} for {len(p)}. Pass both in one order.")
    if method == "em" and not all(0 <= x.min(initial=0) and x.max(initial=1) <= 1 for x in (p, q)):
        raise ValueError("reference needs probabilities from 0 to 1 for method 'em', got others. Calibrate them, or take 'bbse'.")
    base = np.bincount(y, minlength=len(classes)) / max(len(y), 1)
    about = dict(method=method, classes=tuple(classes), reference=_floats(base), alpha=alpha)
    if reason := _too_little(y, q, classes) or _too_alike(p, y, classes):
        return _refused(reason, None, None, (), about)
    fit = _calibrated(p, y) if method == "em" and calibrate else ()
    if fit is None:
        reason = "the reference's probabilities cannot be calibrated: they split its classes without an error"
        return _refused(reason, None, None, (), about)
    solved = _bbse(p, y, q) if method == "bbse" else _em(p, y, q, fit)
    return _judge(solved, cells, y, alpha, about)


def adjust_prior(probabilities, before, after):
    """Probabilities of a model that learned at one prior, for another: ``p * after / before``, made to sum to 1.

    Right where each class looks as ever. The order of the rows by score stays; where a threshold cuts
    it does not.

    Parameters
    ----------
    probabilities : array-like of shape (n,) or (n, classes)
        Calibrated. One column stands for the second of two classes.
    before, after : sequence of float
        Shares of the classes, each summing to 1.

    Returns
    -------
    numpy.ndarray
        Of the same shape.

    References
    ----------
    Saerens, Latinne and Decaestecker (2002), Neural Computation 14(1), 21-41.

    Examples
    --------
    >>> adjust_prior([0.5], [0.5, 0.5], [0.9, 0.1]).round(3).tolist()
    [0.1]
    """
    before, after = (_simplex(shares, name) for shares, name in ((before, "before"), (after, "after")))
    p = _floats_2d(probabilities, "probabilities")
    if p.shape[1] != len(before) or len(before) != len(after):
        raise ValueError(f"probabilities needs a column for each share, "
                         f"got {p.shape[1]} for {len(before)} and {len(after)}. Pass all classes.")
    if p.min(initial=0) < 0 or p.max(initial=0) > 1:
        raise ValueError("probabilities needs numbers from 0 to 1, got others. Calibrate the scores first.")
    if (before == 0).any():
        raise ValueError("before needs shares above 0, got 0. Nothing is known of a class that the model never met.")
    weighted = p * (after / before)
    total = weighted.sum(axis=1, keepdims=True)
    result = np.divide(weighted, total, out=np.tile(after, (len(p), 1)), where=total > 0)
    return result[:, 1] if np.ndim(probabilities) == 1 else result


# --- what came in --------------------------------------------------------------

def _known(labels):
    column, categories = _labels(labels, "labels")
    if column.missing:
        raise ValueError(f"labels needs a class for each row, got {column.missing} missing. "
                         "Drop rows whose labels have not arrived.")
    levels, _ = _table(categories, categories)
    return levels, _places(categories, levels)


def _predictions(values, classes, name):
    """One column a class. Scores of two classes have `1 - score` for the first."""
    if np.ndim(values) == 2:
        p = _floats_2d(values, name)
        if p.shape[1] != len(classes):
            raise ValueError(f"{name} needs a column for each of the {len(classes)} classes, "
                             f"got {p.shape[1]}. Pass all, in sorted order.")
        return p
    column = read(values, name)
    if column.missing:
        raise ValueError(f"{name} needs a prediction for each row, got {column.missing} missing. Find out why, or drop them.")
    if column.kind == "numeric" and len(classes) <= 2:
        return np.column_stack([1 - column.values, column.values])
    categories = _labels(values, name)[1]
    levels, _ = _table(categories, categories)
    if unknown := [level for level in levels if level not in classes]:
        raise ValueError(f"{name} needs predicted classes among {', '.join(map(str, classes))}, "
                         f"got {unknown[0]!r}. Label such rows in the reference.")
    return np.eye(len(classes))[_places(categories, classes)]


def _floats_2d(values, name):
    if np.ndim(values) == 1:
        score = _check.numeric(values, name, least=0)
        return np.column_stack([1 - score, score])
    if np.ndim(values) != 2:
        raise ValueError(f"{name} needs one or two dimensions, got shape {np.shape(values)}. Pass rows by classes.")
    table = np.asarray(values)
    return np.stack([_check.numeric(column, name, least=0) for column in table.T], axis=1) if table.shape[1] else table.astype(float)


def _simplex(shares, name):
    shares = _check.numeric(shares, name, least=2)
    if shares.min() < 0 or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(f"{name} needs shares that sum to 1, got {shares.tolist()}. Divide by their sum.")
    return shares


# --- can it be solved at all? --------------------------------------------------

def _too_little(y, q, classes):
    counts = np.bincount(y, minlength=len(classes))
    if len(classes) < 2:
        return f"the reference needs two classes or more, got {len(classes)}"
    if counts.min() < ROWS:
        return f"the reference needs at least {ROWS} rows of each class, got {counts.min()} of class {classes[counts.argmin()]}"
    if len(q) < ROWS:
        return f"the current sample needs at least {ROWS} rows, got {len(q)}"
    return None


def _too_alike(p, y, classes):
    """Why the equations have no usable solution: two mixtures of classes with the same mean predictions."""
    sd = p.std(axis=0)
    z = (p - p.mean(axis=0))[:, 1:] / np.where(sd > 0, sd, 1)[1:]
    parts = [z[y == c] for c in range(len(classes))]
    apart = np.stack([part.mean(axis=0) - parts[0].mean(axis=0) for part in parts[1:]], axis=1)
    left, singular, right = np.linalg.svd(apart)
    u, v = left[:, -1], right[-1]
    weights = np.append(-v.sum(), v)
    error = np.sqrt(sum(w * w * (part @ u).var() / len(part) for w, part in zip(weights, parts)))
    if singular[-1] > CLEAR * error and singular[-1] > 1e-9:
        return None
    i, j = np.sort(np.argsort(-np.abs(weights), kind="stable")[:2])
    return (f"the predictions do not tell the classes apart: along {classes[i]} against {classes[j]} their means differ by "
            f"{singular[-1]:.2g} sd, give or take {error:.2g}, so the equations have no usable solution")


# --- the two methods: shares, and each row's influence on them ------------------

@dataclass(frozen=True)
class _Solved:
    shares: np.ndarray
    current: np.ndarray        # influences of the current rows, shape (m, classes), of mean 0
    reference: np.ndarray      # and of the reference's rows


def _bbse(p, y, q):
    # The first equation says that shares sum to 1; scores need not.
    p, q = (np.column_stack([np.ones(len(x)), x[:, 1:]]) for x in (p, q))
    means, size = class_means(p, y)
    inverse = np.linalg.inv(means)
    shares = inverse @ q.mean(axis=0)
    return _Solved(shares, (q - q.mean(axis=0)) @ inverse.T, -(shares / size)[y][:, None] * len(y) * ((p - means.T[y]) @ inverse.T))


def _em(p, y, q, fit):
    base = np.bincount(y) / len(y)
    apply = (lambda eta, x: _recalibrate(x, eta)) if fit else (lambda eta, x: x)
    eta, reference = fit if fit else (np.empty(0), np.empty((len(y), 0)))
    shares, ratio = base, apply(eta, q) / base
    for _ in range(10_000):
        before, shares = shares, shares * np.mean(ratio / np.maximum(ratio @ shares, 1e-300)[:, None], axis=0)
        if np.abs(shares - before).max() < 1e-10:
            break
    known = np.concatenate([eta, base])
    influence = np.column_stack([reference, np.eye(len(base))[y] - base])

    def slopes(known):
        """What the likelihood gains from each class's share at the cost of the first, row by row."""
        ratio = apply(known[:len(eta)], q) / known[len(eta):]
        return (ratio[:, 1:] - ratio[:, :1]) / np.maximum(ratio @ shares, 1e-300)[:, None]

    here, steps = slopes(known), 1e-5 * np.eye(len(known))
    carried = np.stack([(slopes(known + step) - slopes(known - step)).mean(axis=0) / 2e-5 for step in steps], axis=1)
    inverse = np.linalg.pinv(here.T @ here / len(q))
    parts = [(here - here.mean(axis=0)) @ inverse.T, influence @ carried.T @ inverse.T]
    return _Solved(shares, *(np.column_stack([-part.sum(axis=1), part]) for part in parts))


def _recalibrate(p, eta):
    """Slope times log-probability plus an offset a class (the first has none), made to sum to 1."""
    return scipy.special.softmax(eta[0] * np.log(np.clip(p, 1e-9, 1)) + np.append(0.0, eta[1:]), axis=1)


def _calibrated(p, y):
    """The likeliest slope and offsets by Newton's method, and each row's influence; None where they run away."""
    k = p.shape[1]
    design = np.zeros((len(p), k, k))
    design[:, :, 0] = np.log(np.clip(p, 1e-9, 1))
    design[:, np.arange(1, k), np.arange(1, k)] = 1
    known, eta = np.eye(k)[y], np.append(1.0, np.zeros(k - 1))

    def loss(eta):
        return -np.log(np.maximum(_recalibrate(p, eta)[np.arange(len(y)), y], 1e-300)).mean()

    for _ in range(50):
        q = _recalibrate(p, eta)
        slope = np.einsum("ic,icj->ij", known - q, design)
        middle = np.einsum("ic,icj->ij", q, design)
        curve = (np.einsum("ic,icj,icl->jl", q, design, design) - middle.T @ middle) / len(y)
        if np.linalg.cond(curve) > 1e12 or eta[0] > 100:
            return None
        step, size = np.linalg.solve(curve, slope.mean(axis=0)), 1.0
        if np.abs(step).max() < 1e-8:
            return eta, slope @ np.linalg.inv(curve)
        while size > 1e-4 and loss(eta + size * step) > loss(eta):
            size /= 2
        eta = eta + size * step
    return None


# --- the verdict -----------------------------------------------------------------

def _judge(solved, cells, y, alpha, about):
    k, base = len(about["classes"]), np.array(about["reference"])
    error = np.sqrt((solved.current**2).sum(axis=0) / len(solved.current) ** 2 + (solved.reference**2).sum(axis=0) / len(y) ** 2)
    found = [(name, p) for name, before, now in cells if (p := leftover_p(before, now, y, solved)) is not None]
    linear = about["method"] == "bbse"
    found = [(name, min(1.0, len(found) * p / (1 - RANGE * linear))) for name, p in found]
    if found and linear:
        found.append(("range", min(1.0, float(k / RANGE * scipy.special.ndtr((solved.shares / np.maximum(error, 1e-12)).min())))))
    raw, consistency = _floats(solved.shares), min((p for _, p in found), default=None)
    misfits = tuple(dict.fromkeys(name for name, p in found if p <= alpha))
    if misfits:
        reason = f"not the shares alone have changed: no mixture of the old classes gives today's {', '.join(misfits[:5])}"
        return _refused(reason, raw, consistency, misfits, about)
    shares = np.clip(solved.shares, 0, None) / np.clip(solved.shares, 0, None).sum()
    z = -scipy.special.ndtri(alpha / 2 / (k if k > 2 else 1))
    p = _change_p(solved, y, base)
    low, high = (_floats(np.clip(solved.shares + side * error, 0, 1)) for side in (-z, z))
    verdict, reason = (Verdict.DRIFTED, "the shares changed") if p <= alpha else (Verdict.STABLE, "no more than chance")
    if consistency is None:
        verdict = Verdict.UNDECIDED
        reason = ("nothing is left to check the estimate by: there are as many unknown shares as different predictions. "
                  "Pass scores or features")
    return PriorEstimate(**about, prior=_floats(shares), low=low, high=high, raw=raw, pvalue=p, consistency=consistency, misfits=(),
                         verdict=verdict, reason=reason)


def _change_p(solved, y, base):
    """p-value that today's shares are the reference's, whose own error counts."""
    theirs = solved.reference - (np.eye(len(base))[y] - base)
    error = solved.current.T @ solved.current / len(solved.current) ** 2 + theirs.T @ theirs / len(y) ** 2
    change = (solved.shares - base)[1:]
    return float(scipy.special.chdtrc(len(change), change @ np.linalg.pinv(error[1:, 1:]) @ change))


def _refused(reason, raw, consistency, misfits, about):
    return PriorEstimate(**about, prior=None, low=None, high=None, raw=raw, pvalue=None, consistency=consistency, misfits=misfits,
                         verdict=Verdict.UNDECIDED, reason=reason)


def _floats(values):
    return tuple(float(value) for value in values)
