"""Are groups treated alike? Selection, opportunity and calibration by group, the four-fifths rule, and weights that even out a record."""
from dataclasses import dataclass

import numpy as np

from mlmon import _check

FOUR_FIFTHS = 0.8


@dataclass(frozen=True)
class FourFifths:
    """The lowest selection rate over the highest, with its interval.

    Parameters
    ----------
    lowest, highest : hashable
        The two groups.
    ratio, low, high : float
    verdict : {"PASSES", "FAILS", "UNDECIDED"}
        UNDECIDED where 0.8 lies within the interval.
    reason : str
    """

    lowest: object
    highest: object
    ratio: float | None
    low: float
    high: float | None
    verdict: str
    reason: str


def four_fifths(selected, group, *, confidence=0.95):
    """The four-fifths rule: is the lowest selection rate at least 0.8 of the highest?

    The bare ratio decides nothing with few rows; here it must be more than chance on either side.

    Parameters
    ----------
    selected : array-like of bool or 0/1, shape (n,)
    group : array-like of shape (n,)
        Two groups or more.
    confidence : float
        That no pair's true ratio is outside of its interval (Koopman's), over all groups.

    References
    ----------
    29 CFR 1607.4 D, Uniform guidelines on employee selection procedures (1978).

    Examples
    --------
    >>> men, women = [1] * 60 + [0] * 40, [1] * 30 + [0] * 70
    >>> result = four_fifths(men + women, ["m"] * 100 + ["w"] * 100)
    >>> result.verdict, result.ratio, round(result.high, 2)
    ('FAILS', 0.5, 0.69)
    >>> four_fifths([1, 1, 0, 1, 0, 0], ["m"] * 3 + ["w"] * 3).verdict
    'UNDECIDED'
    """
    from scipy.special import ndtri

    from mlmon.drift.label import koopman

    selected, group = _selected(selected, group)
    names, place = np.unique(group, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"group needs two groups or more, got {len(names)}. Pass all applicants, not one group.")
    n, k = np.bincount(place), np.bincount(place, weights=selected).astype(int)
    worst, best = int(np.argmin(k / n)), int(np.argmax(k / n))
    name = [x.item() if isinstance(x, np.generic) else x for x in (names[worst], names[best])]
    if k[best] == 0:
        return FourFifths(*name, None, 0.0, None, "UNDECIDED", "nobody was selected")
    pairs = len(names) * (len(names) - 1) / 2
    z = ndtri(1 - (1 - _check.open_share(confidence, "confidence")) / (2 * pairs))
    ratio = float(k[worst] / n[worst] / (k[best] / n[best]))
    low, high = koopman(int(k[best]), int(n[best]), int(k[worst]), int(n[worst]), z)
    verdict = "FAILS" if high is not None and high < FOUR_FIFTHS else "PASSES" if low >= FOUR_FIFTHS else "UNDECIDED"
    reason = {"FAILS": "all of the interval is below 0.8", "PASSES": "all of the interval is at 0.8 or above",
              "UNDECIDED": f"0.8 lies within the interval: {int(n[worst])} and {int(n[best])} rows do not decide"}[verdict]
    return FourFifths(*name, ratio, float(low), None if high is None else float(high), verdict, reason)


def by_group(selected, group, good=None, score=None):
    """Selection, opportunity and calibration, one row a group.

    Parameters
    ----------
    selected : array-like of bool or 0/1, shape (n,)
    group : array-like of shape (n,)
    good : array-like of bool or 0/1, optional
        Who would do well.
    score : array-like, optional
        The model's chance of that, from 0 to 1.

    Returns
    -------
    pandas.DataFrame
        `rows`; `rate`, the share selected, with Wilson's `low` and `high` at 95 %; with `good`: `found`, the share of the good who
        are selected, missing where a group has none; with both: `underrated`, the share of good ones less the mean score.

    Examples
    --------
    >>> by_group([1, 0, 1, 1], ["a", "a", "b", "b"], good=[1, 1, 0, 1])[["rows", "rate", "found"]].values.tolist()
    [[2.0, 0.5, 0.5], [2.0, 1.0, 1.0]]
    """
    import pandas

    from mlmon.drift.metric import wilson

    selected, group = _selected(selected, group)
    good = None if good is None else _selected(good, group, "good")[0]
    score = None if score is None else _check.numeric(score, "score")
    if score is not None and len(score) != len(group):
        raise ValueError(f"score needs one value a row, {len(group)}, got {len(score)}. Pass as many.")
    rows = {}
    for name in np.unique(group):
        here = group == name
        rate = float(selected[here].mean())
        row = {"rows": int(here.sum()), "rate": rate, **dict(zip(("low", "high"), wilson(rate, int(here.sum()), 1.96)))}
        if good is not None:
            row["found"] = float(selected[here & good].mean()) if (here & good).any() else None
        if good is not None and score is not None:
            row["underrated"] = float(good[here].mean() - score[here].mean())
        rows[name] = row
    return pandas.DataFrame(rows).T


def reweigh(label, group, weight=None):
    """Weights under which label and group are independent: ``P(group) P(label) / P(group, label)``.

    References
    ----------
    Kamiran and Calders (2012), Knowl. Inf. Syst. 33(1), 1-33.

    Examples
    --------
    >>> reweigh([1, 1, 0, 1, 0, 0], ["a", "a", "a", "b", "b", "b"]).tolist()
    [0.75, 0.75, 1.5, 1.5, 0.75, 0.75]
    """
    _, y = np.unique(label, return_inverse=True)
    _, g = np.unique(group, return_inverse=True)
    joint = np.zeros((g.max() + 1, y.max() + 1))
    np.add.at(joint, (g, y), 1.0 if weight is None else weight)
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0) / joint.sum()
    return expected[g, y] / joint[g, y]


def _selected(selected, group, name="selected"):
    """Flags and groups, as arrays of one length."""
    import pandas

    selected, group = _check.numeric(selected, name), np.asarray(group)
    if not np.isin(selected, (0, 1)).all():
        raise ValueError(f"{name} needs 0 or 1, got {selected[~np.isin(selected, (0, 1))][0]:g}. Compare with a threshold first.")
    if missing := int(pandas.isna(group).sum()):
        raise ValueError(f"group needs a group for each row, got {missing} missing. Name them, or drop the rows.")
    if group.shape != selected.shape:
        raise ValueError(f"{name} needs one value a row of group, {group.shape}, got {selected.shape}. Pass as many.")
    return selected.astype(bool), group
