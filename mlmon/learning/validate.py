"""May this candidate replace what runs now? A gate of paired comparisons, and of what a model has to show by itself.

A candidate is compared twice. With production, on recent rows: it may be worse by no more than a margin, shown and not assumed.
And with an anchor, the best version so far, on locked rows that never change: for a margin that is granted anew at
every release adds up, and twenty small losses are a large one.
"""
import time
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy

from mlmon import _check
from mlmon.compare import Comparison, Finding
from mlmon.compare.arms import finding_of, margin_of, told, undecided
from mlmon.drift import metric as metrics
from mlmon.drift.metric import Estimate

CALLS = 60          # of one row, by which latency is judged


class Outcome(StrEnum):
    """Of a check, and of the gate. UNDECIDED lets nothing through.

    Examples
    --------
    >>> Outcome.PASSED == "PASSED"
    True
    """

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class Check:
    """One question of the gate.

    Parameters
    ----------
    name : str
    outcome : Outcome
    reason : str
    """

    name: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Validation:
    """What the gate says.

    Parameters
    ----------
    checks : tuple of Check
    rubber_stamped : bool
        There was nothing to compare with: only what a model must show by itself was asked.
    better_than_anchor : bool
        Beyond chance: then it becomes the anchor once it is promoted.
    """

    checks: tuple
    rubber_stamped: bool
    better_than_anchor: bool

    @property
    def outcome(self):
        found = {check.outcome for check in self.checks}
        return next((o for o in (Outcome.FAILED, Outcome.UNDECIDED) if o in found), Outcome.PASSED)

    @property
    def approved(self):
        return self.outcome is Outcome.PASSED

    @property
    def reason(self):
        """What stands in the way; or that nothing does."""
        against = [f"{check.name} {check.outcome}: {check.reason}" for check in self.checks if check.outcome is not Outcome.PASSED]
        stamp = "; nothing to compare with, so rubber-stamped" if self.rubber_stamped else ""
        return ("; ".join(against) or f"all {len(self.checks)} checks passed") + stamp


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a candidate has to show.

    Parameters
    ----------
    margin : float
        AUC that it may be worse by than production, and than the anchor.
    alpha : float
        The chance that one who is worse by the margin passes.
    uses : int
        Candidates that locked rows may judge. Each looks with ``alpha / uses``, so that the promise holds for all of them together;
        afterwards the anchor's check is UNDECIDED until other rows are locked.
    slices : tuple of str
        Columns of categories: in none of their levels may it be clearly worse than production by `slice_margin`.
    slice_margin : float
    floor : float
        AUC that a model has to exceed in any case.
    slope, intercept : (float, float)
        Between which the logistic recalibration has to lie; 1 and 0 are perfect.
    seconds : float
        That 95 % of calls of one row may take.

    Examples
    --------
    >>> Gate(margin=0.02).uses
    20
    """

    margin: float = 0.01
    alpha: float = 0.05
    uses: int = 20
    slices: tuple = ()
    slice_margin: float = 0.05
    floor: float = 0.6
    slope: tuple = (0.5, 2.0)
    intercept: tuple = (-0.5, 0.5)
    seconds: float = 0.1

    def __post_init__(self):
        for name in ("margin", "slice_margin", "seconds"):
            _check.positive(getattr(self, name), name)
        _check.open_share(self.alpha, "alpha")
        _check.whole(self.uses, "uses", 1)
        _check.share(self.floor, "floor")


def assess(candidate, production, anchor, *, recent, locked, gate=None, used=0, clock=time.perf_counter):
    """Ask a candidate everything that the gate asks.

    Parameters
    ----------
    candidate, production, anchor : callable or None
        ``model(rows)`` gives the probability of class 1 of each row. None for production and anchor where there is no model yet.
    recent, locked : mlmon.learning.holdout.Holdout
    gate : Gate
    used : int
        Candidates that the locked rows have judged before this one.
    clock : callable
        Seconds, for latency.

    Returns
    -------
    Validation

    Examples
    --------
    >>> import pandas as pd
    >>> from mlmon.learning.holdout import Holdout
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=4000)
    >>> part = Holdout(pd.DataFrame({"x": x}), (rng.random(4000) < scipy.special.expit(x)).astype(float), np.arange(4000))
    >>> found = assess(lambda rows: scipy.special.expit(rows["x"]), None, None, recent=part, locked=part)
    >>> found.approved, found.rubber_stamped
    (True, True)
    """
    gate = gate or Gate()
    served = _serves(candidate, recent)
    if served.outcome is not Outcome.PASSED:
        return Validation((served,), production is None, False)
    score = _scored(candidate, recent)
    checks = [served, _fast(candidate, recent, gate, clock), _floor(recent, score, gate), *_calibrated(recent, score, gate)]
    if production is not None:
        before = _scored(production, recent)
        checks.append(_not_worse("production", paired_delong(recent.y, before, score, margin=gate.margin, confidence=1 - 2 * gate.alpha)))
        checks += [_slice(recent, before, score, column, gate) for column in gate.slices]
    better = False
    if anchor is not None:
        check, better = _anchored(candidate, anchor, locked, gate, used)
        checks.append(check)
    return Validation(tuple(checks), production is None, better)


def paired_delong(y_true, score_a, score_b, *, margin=0.0, confidence=0.95):
    """Two models on the same rows: the difference of their AUC, with DeLong's variance of it.

    Each row's place among the rows of the other class is taken by either model; the variance is that of the difference of the
    places. Models that rank alike have places alike, and so a far smaller variance than two models on other rows.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        0 or 1.
    score_a, score_b : array-like of shape (n,)
        A is what runs now.
    margin : float
        The most that B may be worse by.
    confidence : float

    Returns
    -------
    mlmon.compare.Comparison

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.random(1000) < 0.3
    >>> noise = rng.normal(size=(2, 1000))
    >>> paired_delong(y, y + noise[0] + noise[1], y + noise[0]).difference
    0.0544 (0.0286 to 0.0801)
    """
    y, a, b = (_check.numeric(values, name, least=0) for values, name in ((y_true, "y_true"), (score_a, "score_a"), (score_b, "score_b")))
    if not len(y) == len(a) == len(b):
        raise ValueError(f"scores needs one of each model for each label, got {len(y)} labels, {len(a)} and {len(b)} scores. Pass the same rows.")
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"y_true needs labels 0 and 1, got {sorted(set(y.tolist()))[:4]}. Map the classes first.")
    ones = int(y.sum())
    if min(ones, len(y) - ones) < metrics.FEW:
        return undecided(len(y), f"needs {metrics.FEW} rows of each class, got {ones} of class 1 and {len(y) - ones} of class 0")
    apart = [place_b - place_a for place_a, place_b in zip(metrics._places(y == 1, a), metrics._places(y == 1, b))]
    value, se = float(apart[0].mean()), float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in apart)))
    estimate = Estimate.given(value, se, n=len(y), confidence=confidence)
    margin = margin_of(margin)
    pvalue = float(2 * scipy.special.ndtr(-abs(value) / se)) if se > 0 else float(value == 0)
    return Comparison(estimate, pvalue, finding_of(estimate.low, estimate.high, margin), told(estimate, margin))


def rows_needed(comparison, margin, *, alpha=0.05, power=0.8):
    """Rows with which a candidate that is as good as production passes with chance `power`.

    ``n (z_alpha + z_power)^2 se^2 / margin^2``: the error of a paired difference, found on n rows, falls with their root.

    Parameters
    ----------
    comparison : mlmon.compare.Comparison
        Of two models like those to come.
    margin, alpha, power : float

    Returns
    -------
    int

    Examples
    --------
    >>> seen = Comparison(Estimate.given(0.0, 0.008, n=2000), None, Finding.UNDECIDED, "")
    >>> rows_needed(seen, 0.02), rows_needed(seen, 0.01)
    (1979, 7914)
    """
    seen = comparison.difference
    if seen.value is None:
        raise ValueError(f"comparison needs a difference with its interval, got none: {seen.reason}. Pass one of more rows.")
    se = (seen.high - seen.low) / 2 / -scipy.special.ndtri((1 - seen.confidence) / 2)
    z = scipy.special.ndtri([1 - _check.open_share(alpha, "alpha"), _check.open_share(power, "power")]).sum()
    return int(np.ceil(seen.n * (z * se / _check.positive(margin, "margin")) ** 2))


def scorer(model):
    """A fitted classifier of two classes as ``rows -> probability of its last class``.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> scorer(DummyClassifier().fit([[0], [1], [2], [3]], [0, 0, 0, 1]))([[9]]).tolist()
    [0.25]
    """
    return lambda rows: model.predict_proba(rows)[:, 1]


# --- checks -----------------------------------------------------------------------------------------------

def _scored(model, part):
    return _check.numeric(np.asarray(model(part.rows), dtype=float), "score")


def _serves(candidate, part):
    """Whether it answers at all: a few rows at once, and one at a time."""
    name, few = "serves", part.rows.iloc[:5]
    if len(few) == 0:
        return Check(name, Outcome.UNDECIDED, "the recent holdout has no rows")
    try:
        together = np.asarray(candidate(few), dtype=float)
        alone = np.concatenate([np.asarray(candidate(few.iloc[i : i + 1]), dtype=float) for i in range(len(few))])
    except Exception as error:      # whatever a stranger's model raises is its failure, not ours
        return Check(name, Outcome.FAILED, f"it raised {type(error).__name__}: {error}")
    if together.shape != (len(few),) or not ((together >= 0) & (together <= 1)).all():
        return Check(name, Outcome.FAILED, f"{len(few)} rows need as many probabilities from 0 to 1, got {together.tolist()}")
    same = np.allclose(together, alone, rtol=1e-6, atol=1e-9)
    return Check(name, Outcome.PASSED if same else Outcome.FAILED, "answers alone and together agree" if same else "a row alone gets another answer than among others")


def _fast(candidate, part, gate, clock):
    taken = []
    for i in range(CALLS):
        row = part.rows.iloc[[i % len(part)]]
        start = clock()
        candidate(row)
        taken.append(clock() - start)
    slow = float(np.quantile(taken, 0.95))
    return Check("latency", Outcome.PASSED if slow <= gate.seconds else Outcome.FAILED, f"95 % of {CALLS} calls took at most {slow:.3g} s, limit {gate.seconds:g} s")


def _floor(part, score, gate):
    auc = metrics.evaluate("auc", part.y, score, confidence=1 - 2 * gate.alpha)
    return _within("floor", auc, "AUC", gate.floor, np.inf)


def _calibrated(part, score, gate):
    for name, (low, high) in (("calibration_slope", gate.slope), ("calibration_intercept", gate.intercept)):
        yield _within(name, metrics.evaluate(name, part.y, score), name.replace("_", " "), low, high)


def _within(name, estimate, what, low, high):
    """PASSED when the whole interval lies between the limits, FAILED when none of it does."""
    if estimate.value is None:
        return Check(name, Outcome.UNDECIDED, estimate.reason)
    text = f"{what} {estimate!r}, needs {f'{low:g} to {high:g}' if np.isfinite(high) else f'more than {low:g}'}"
    if low <= estimate.low and estimate.high <= high:
        return Check(name, Outcome.PASSED, text)
    outside = estimate.high < low or estimate.low > high
    return Check(name, Outcome.FAILED if outside else Outcome.UNDECIDED, text)


_SHOWN = {Finding.BETTER: Outcome.PASSED, Finding.NOT_WORSE: Outcome.PASSED, Finding.WORSE: Outcome.FAILED, Finding.UNDECIDED: Outcome.UNDECIDED}


def _not_worse(name, comparison):
    return Check(name, _SHOWN[comparison.finding], comparison.reason)


def _anchored(candidate, anchor, locked, gate, used):
    if used >= gate.uses:
        return Check("anchor", Outcome.UNDECIDED, f"the locked rows have judged {used} candidates, budget {gate.uses}: lock others"), False
    share = gate.alpha / gate.uses
    found = paired_delong(locked.y, _scored(anchor, locked), _scored(candidate, locked), margin=gate.margin, confidence=1 - 2 * share)
    return _not_worse("anchor", found), found.finding is Finding.BETTER


def _slice(part, before, score, column, gate):
    """FAILED where a level is worse than the margin beyond chance; levels too small to judge are named."""
    values = _check.frame_column(part.rows, column).astype(str).to_numpy()
    levels = np.unique(values)
    worst, blind = [], []
    for level in levels:
        rows = values == level
        found = paired_delong(part.y[rows], before[rows], score[rows], margin=gate.slice_margin, confidence=1 - 2 * gate.alpha / len(levels))
        if found.finding is Finding.WORSE:
            worst.append(f"{level}: {found.reason}")
        elif found.pvalue is None:
            blind.append(level)
    unseen = f"; too few rows to judge {', '.join(blind)}" if blind else ""
    if worst:
        return Check(f"slice {column}", Outcome.FAILED, "; ".join(worst) + unseen)
    if len(blind) == len(levels):
        return Check(f"slice {column}", Outcome.UNDECIDED, "no level has rows enough to judge")
    return Check(f"slice {column}", Outcome.PASSED, f"no level is clearly worse by {gate.slice_margin:g}{unseen}")
