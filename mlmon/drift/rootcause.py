"""What moved the number: do other rows come, or do the same rows behave otherwise?

`disde` splits the change of a mean loss into three terms, `shapley` into two; `ledger` has the
split over segments. All add up to the change exactly, come with standard errors, and are
UNDECIDED where the data cannot tell. They explain a loss, a number a row whose mean has
moved: squared error, log loss, wrong or right, cost. An AUC is no mean over rows.
"""
from dataclasses import asdict, dataclass

import numpy as np
import scipy

from mlmon import _check
from mlmon.drift.domain import Overlap, tell_apart
from mlmon.drift.show import as_html, as_text
from mlmon.drift.verdict import Verdict

LEAST = 50              # rows of each sample below which nothing is said
SHARED = 0.1            # samples that share less than this have no rows to compare
EFFECTIVE = 25          # and weighted means worth fewer rows than this say nothing
UNEVEN = 0.15           # standard deviations between the weighted samples that a good classifier does not leave
CHANCE = 3.5            # beside what chance leaves, so many times its standard error
ALONE = 0.1             # rows without a counterpart that importance weights can bear
WORTH = 0.05            # of the rows that importance weights must be worth
ROUNDING = 1e-12        # a term this small is none


@dataclass(frozen=True)
class Term:
    """One part of a change.

    Parameters
    ----------
    name, meaning : str
    value : float
        In the loss's unit. The terms of a result add up to its total.
    se : float
        Standard error, the classifier's own uncertainty included.
    """

    name: str
    meaning: str
    value: float
    se: float


@dataclass(frozen=True)
class Split:
    """A change of a mean loss, split into terms that add up to it.

    Parameters
    ----------
    method : {"disde", "shapley"}
    before, after : float
        Mean loss of the reference and of the current rows.
    total, total_se : float
        ``after - before``.
    terms : tuple of Term
        Empty where there are too few rows.
    overlap : Overlap or None
        What the two samples share.
    dominant : str or None
        The largest term of those that are more than chance; None where UNDECIDED or STABLE.
    verdict : Verdict
        DRIFTED where some term is more than chance.
    reason : str
    """

    method: str
    before: float
    after: float
    total: float
    total_se: float
    terms: tuple
    overlap: Overlap | None
    dominant: str | None
    verdict: Verdict
    reason: str

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    def __getitem__(self, name):
        """The term of that name."""
        by_name = {term.name: term for term in self.terms}
        return by_name[_check.one_of(name, by_name, "term")]

    def to_frame(self):
        """One row a term, as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame([asdict(term) for term in self.terms], columns=["name", "meaning", "value", "se"])

    def __str__(self):
        return as_text(self.verdict, self.reason, *self._table())

    __repr__ = __str__

    def _repr_html_(self):
        return as_html(self.verdict, self.reason, *self._table())

    def _table(self):
        rows = [(t.name, f"{t.value:+.4f}", f"{t.se:.4f}", t.meaning) for t in self.terms]
        return ("term", "value", "se", "meaning"), [*rows, ("total", f"{self.total:+.4f}", f"{self.total_se:.4f}", "")]


def disde(reference, current, loss_reference, loss_current, *, classifier=None, folds=5, alpha=0.01, seed=0):
    """Split a change of loss into other rows and the same rows behaving otherwise (DISDE).

    Both samples are compared on the rows that they share, of density ``s ~ p q / (p + q)``: first
    from the reference to the shared rows, then on the shared rows from then to now, then from
    there to the current rows::

        total = (S_P - P) + (S_Q - S_P) + (Q - S_Q)
                   mix         concept        new

    `mix`: rows that were known come more, or less, often. `concept`: the same rows have
    another loss, P(y|X) or the model has changed. `new`: rows that the reference hardly has.
    A shift of the rows falls on both `mix` and `new`, the more on `new` the farther it goes.

    Parameters
    ----------
    reference, current : DataFrame of shape (n, k) and (m, k)
        The features, numbers and categories; missing values allowed.
    loss_reference, loss_current : array-like of shape (n,) and (m,)
        Finite loss of each row, such as ``(y - score)**2``.
    classifier : scikit-learn classifier, optional
        Tells current rows from reference rows, on a standardised matrix; it is copied and given one
        thread. By default a logistic regression with squares and products.
    folds : int
        Of the cross-fit: no row is judged by a classifier that saw it.
    alpha : float
        Chance that any of the three terms is called more than chance when nothing has changed.
    seed : int
        Deals the folds.

    Returns
    -------
    Split
        UNDECIDED with fewer than 50 rows, where the samples share less than a tenth, where the classifier
        leaves the weighted samples apart, or where the total is more than chance and no term is.

    Raises
    ------
    ValueError
        For other columns, lengths that differ, a loss that is missing or infinite.

    References
    ----------
    Cai, Namkoong and Yadlowsky (2023), Diagnosing model performance under distribution shift, arXiv:2303.02011.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, now = (pd.DataFrame({"x": rng.normal(size=2000)}) for _ in range(2))
    >>> result = disde(before, now, 0.1 * before["x"]**2, 0.1 * now["x"]**2 + 0.3)
    >>> result.dominant, round(result["concept"].value, 1)
    ('concept', 0.3)
    """
    reference, current, loss, n = _rows(reference, current, loss_reference, loss_current)
    z = _limit(alpha, 3)
    m = len(loss) - n
    before, after, moves = _ends(loss, n)
    if reason := _too_few(n, m, loss):
        return _undecided("disde", before, after, moves, (), None, reason)
    domain = tell_apart(reference, current, classifier=classifier, folds=folds, seed=seed)
    p, steep = domain.p, domain.p * (1 - domain.p)
    shared_before, moves_before = domain.mean(loss, False, p, steep)
    shared_after, moves_after = domain.mean(loss, True, 1 - p, -steep)
    terms = (
        Term("mix", "known rows, in other proportions", shared_before - before, _se(moves_before - moves[0])),
        Term("concept", "the same rows, another loss", shared_after - shared_before, _se(moves_after - moves_before)),
        Term("new", "rows that the reference hardly has", after - shared_after, _se(moves[1] - moves_after)),
    )
    return _judged("disde", before, after, moves, terms, domain.overlap, z, _cannot_compare(domain.overlap))


def shapley(reference, current, loss_reference, loss_current, *, classifier=None, folds=5, alpha=0.01, seed=0):
    """Split a change of loss between two players: who comes, X, and what they do, Y|X.

    Each player's part is what it changes, averaged over both orders of moving first. The two mixed
    worlds, today's rows behaving as before and the rows of before behaving as today, are reached by
    importance weights, the ratio of the densities. Where a sample has rows without a
    counterpart in the other, no weight reaches them and the parts are arbitrary: UNDECIDED; use `disde`.

    Parameters
    ----------
    reference, current, loss_reference, loss_current, classifier, folds, seed
        As for `disde`.
    alpha : float
        Chance that either part is called more than chance when nothing has changed.

    Returns
    -------
    Split
        Terms `rows` and `concept`.

    References
    ----------
    Zhang et al. (2023), Why did the model fail? Attributing model performance changes to distribution shifts, ICML.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, now = (pd.DataFrame({"x": rng.normal(0, sd, 2000)}) for sd in (1, 0.7))
    >>> result = shapley(before, now, before["x"]**2, now["x"]**2)
    >>> result.dominant, abs(result["rows"].value + 0.51) < 0.15
    ('rows', True)
    """
    reference, current, loss, n = _rows(reference, current, loss_reference, loss_current)
    z = _limit(alpha, 2)
    m = len(loss) - n
    before, after, moves = _ends(loss, n)
    if reason := _too_few(n, m, loss):
        return _undecided("shapley", before, after, moves, (), None, reason)
    domain = tell_apart(reference, current, classifier=classifier, folds=folds, seed=seed)
    odds = domain.p / (1 - domain.p)
    others, moves_others = domain.mean(loss, False, odds, odds)
    others_now, moves_now = domain.mean(loss, True, 1 / odds, -1 / odds)
    rows = ((others - before) + (after - others_now)) / 2
    rows_moves = ((moves_others - moves[0]) + (moves[1] - moves_now)) / 2
    terms = (
        Term("rows", "who comes: P(X)", rows, _se(rows_moves)),
        Term("concept", "what they do: P(y|X)", (after - before) - rows, _se(moves[1] - moves[0] - rows_moves)),
    )
    return _judged("shapley", before, after, moves, terms, domain.overlap, z, _cannot_weigh(domain, n))


def _rows(reference, current, loss_reference, loss_current, columns=None):
    """Both frames with the same columns, all losses in one array, and the reference's length."""
    for frame, role in ((reference, "reference"), (current, "current")):
        _check.table(frame, role)
    wanted = list(reference.columns if columns is None else columns)
    for frame, role in ((reference, "reference"), (current, "current")):
        if lacking := [name for name in wanted if name not in frame.columns]:
            raise ValueError(f"{role} needs the columns {lacking}, got {list(frame.columns)}. Add them, or pass other columns.")
    if columns is None and len(current.columns) > len(wanted):
        raise ValueError(f"current needs the columns {wanted}, got {list(current.columns)}. Select the same.")
    losses = []
    for frame, loss, role in ((reference, loss_reference, "reference"), (current, loss_current, "current")):
        losses.append(_check.numeric(loss, f"loss_{role}"))
        if len(losses[-1]) != len(frame):
            raise ValueError(f"loss_{role} needs one loss a row, {len(frame)}, got {len(losses[-1])}. Pass as many.")
    return reference[wanted], current[wanted], np.concatenate(losses), len(reference)


def _ends(loss, n):
    """Mean losses of both samples, and what each row adds to the error of either."""
    before, after = float(loss[:n].mean()), float(loss[n:].mean())
    moves = np.zeros((2, len(loss)))
    moves[0, :n] = (loss[:n] - before) / n
    moves[1, n:] = (loss[n:] - after) / (len(loss) - n)
    return before, after, moves


def _se(moves):
    return float(np.sqrt(moves @ moves))


def _limit(alpha, terms):
    """Standard errors that chance passes with chance `alpha` in any of so many terms."""
    return float(-scipy.special.ndtri(_check.open_share(alpha, "alpha") / (2 * terms)))


def _too_few(n, m, loss):
    if min(n, m) < LEAST:
        return f"needs at least {LEAST} rows in each sample, got {n} and {m}"
    if np.ptp(loss) == 0:
        return "the loss is the same in every row: there is no change to explain"
    return None


def _cannot_compare(overlap):
    """Why the shared rows say nothing, or None."""
    least = min(overlap.effective_reference, overlap.effective_current)
    if overlap.shared < SHARED or least < EFFECTIVE:
        return (f"the samples share too little ({overlap.shared:.0%}, worth {least:.0f} rows): "
                "whether the same rows behave otherwise cannot be seen")
    if overlap.imbalance > UNEVEN + CHANCE * np.sqrt(1 / overlap.effective_reference + 1 / overlap.effective_current):
        return (f"the classifier leaves the weighted samples {overlap.imbalance:.2f} deviations apart: "
                "pass a stronger one")
    return None


def _cannot_weigh(domain, n):
    """Why importance weights do not reach the other sample, or None."""
    odds, overlap = domain.p / (1 - domain.p), domain.overlap
    lonely = max(overlap.lonely_reference, overlap.lonely_current)
    for weights in (odds[:n], 1 / odds[n:]):
        # The mean weight is the share of the other sample that this one's rows can stand for.
        lonely = max(lonely, abs(1 - float(weights.mean())))
        worth = float(weights.sum() ** 2 / (weights @ weights))
        if worth < max(EFFECTIVE, WORTH * len(weights)):
            return f"the importance weights of {len(weights)} rows are worth {worth:.0f}: the samples overlap too little; use disde"
    if lonely > ALONE:
        return f"about {lonely:.0%} of one sample has no counterpart in the other: no weight reaches it; use disde"
    return _cannot_compare(overlap)


def _undecided(method, before, after, moves, terms, overlap, reason):
    return Split(method, before, after, after - before, _se(moves[1] - moves[0]), terms, overlap, None, Verdict.UNDECIDED, reason)


def _judged(method, before, after, moves, terms, overlap, z, cannot):
    if cannot:
        return _undecided(method, before, after, moves, terms, overlap, cannot)
    total, total_se = after - before, _se(moves[1] - moves[0])
    seen = [term for term in terms if abs(term.value) > z * term.se + ROUNDING]
    if seen:
        first = max(seen, key=lambda term: abs(term.value))
        reason = f"{first.meaning}: {first.value:+.3g} of {total:+.3g}"
        return Split(method, before, after, total, total_se, terms, overlap, first.name, Verdict.DRIFTED, reason)
    if abs(total) > z * total_se:
        return _undecided(method, before, after, moves, terms, overlap, "the total is more than chance, and no single term is: collect more rows")
    reason = f"no term is more than chance; one of {max(z * term.se for term in terms):.2g} would have shown"
    return Split(method, before, after, total, total_se, terms, overlap, None, Verdict.STABLE, reason)
