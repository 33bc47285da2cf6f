"""What an experiment needs before its answer counts: enough people, in the arms they were meant for, with little noise."""
from dataclasses import dataclass

import numpy as np
import scipy

from mlmon import _check


@dataclass(frozen=True)
class SampleRatio:
    """Whether as many people came into each arm as were meant to.

    Parameters
    ----------
    pvalue : float
    mismatch : bool
        Then the experiment is broken, whatever it says: look for what loses people.
    reason : str
    """

    pvalue: float
    mismatch: bool
    reason: str


def sample_ratio(counts, shares=None, *, alpha=0.001):
    """Sample-ratio mismatch: chi-squared of the people in each arm against the shares that were meant.

    Parameters
    ----------
    counts : array-like of int, shape (arms,)
    shares : array-like of shape (arms,), optional
        Alike by default.
    alpha : float
        Small, as the check runs in every experiment and a mismatch stops it.

    Returns
    -------
    SampleRatio

    References
    ----------
    Fabijan et al. (2019), KDD, 2156-2164.

    Examples
    --------
    >>> sample_ratio([5200, 4800]).reason
    'arms hold 5200, 4800 people where 5000, 5000 were meant: p = 6.3e-05'
    """
    counts = _check.numeric(counts, "counts", least=2)
    shares = np.full(len(counts), 1 / len(counts)) if shares is None else _check.numeric(shares, "shares", least=2)
    if len(shares) != len(counts) or (shares <= 0).any() or not np.isclose(shares.sum(), 1):
        raise ValueError(f"shares needs {len(counts)} shares above 0 that sum to 1, got {shares.tolist()}. Pass one an arm.")
    if (counts < 0).any() or counts.sum() < 1:
        raise ValueError(f"counts needs people in the arms, got {counts.tolist()}. Pass how many came into each.")
    meant = counts.sum() * shares
    pvalue = float(scipy.special.chdtrc(len(counts) - 1, ((counts - meant) ** 2 / meant).sum()))
    text = ", ".join(f"{count:g}" for count in counts), ", ".join(f"{count:g}" for count in meant)
    alpha = _check.open_share(alpha, "alpha")
    return SampleRatio(pvalue, pvalue < alpha, f"arms hold {text[0]} people where {text[1]} were meant: p = {pvalue:.2g}")


def cuped(values, before):
    """Values less what could be foretold of them before the experiment: the variance falls to ``1 - correlation^2`` of it.

    ``values - theta (before - mean)``, theta being the slope over all people of *all arms together*, so that it
    cannot differ between arms. Hand all arms over at once and split them again.

    Parameters
    ----------
    values, before : array-like of shape (n,)
        Of each person, during and before the experiment. `before` must not know the arm.

    Returns
    -------
    numpy.ndarray of shape (n,)
        With the same mean as `values`.

    References
    ----------
    Deng et al. (2013), WSDM, 123-132.

    Examples
    --------
    >>> cuped([1, 2, 3, 4], [10, 20, 30, 40]).tolist()
    [2.5, 2.5, 2.5, 2.5]
    """
    y, x = _check.numeric(values, "values", least=3), _check.numeric(before, "before", least=3)
    if len(x) != len(y):
        raise ValueError(f"before needs one number for each of the {len(y)} values, got {len(x)}. Pass the same people.")
    away = x - x.mean()
    return y - (away @ y / (away @ away)) * away if away.any() else y.copy()


def sample_size(delta, sd, *, alpha=0.05, power=0.8, share=0.5, two_sided=True):
    """People an experiment needs to find a difference `delta` with chance `power`.

    ``(z_alpha + z_power)^2 (sd_a^2 / (1 - share) + sd_b^2 / share) / delta^2`` in all; with two arms alike that is
    ``2 sd^2 (z_alpha + z_power)^2 / delta^2`` in each.

    Parameters
    ----------
    delta : float
        Smallest difference that matters.
    sd : float or pair of float
        Standard deviation of a person's value, of A and of B. Of a share p it is ``sqrt(p (1 - p))``.
    alpha, power : float
    share : float
        Of the people who come into arm B.
    two_sided : bool

    Returns
    -------
    (int, int)
        People in A and in B.

    Examples
    --------
    >>> sample_size(0.02, 0.3)
    (3532, 3532)
    """
    delta, (sd_a, sd_b), share = _check.positive(abs(delta), "delta"), _deviations(sd), _check.open_share(share, "share")
    z = _limit(alpha, two_sided) + scipy.special.ndtri(_check.open_share(power, "power"))
    total = z**2 * (sd_a**2 / (1 - share) + sd_b**2 / share) / delta**2
    return int(np.ceil(total * (1 - share))), int(np.ceil(total * share))


def power(delta, sd, people, *, alpha=0.05, two_sided=True):
    """The chance to find a difference `delta`, in its right direction.

    Parameters
    ----------
    delta, sd, alpha, two_sided
        As in `sample_size`.
    people : pair of int
        In A and in B.

    Returns
    -------
    float

    Examples
    --------
    >>> round(power(0.02, 0.3, (3532, 3532)), 3)
    0.8
    """
    (sd_a, sd_b), (n_a, n_b) = _deviations(sd), (_check.whole(n, "people", 1) for n in people)
    se = np.hypot(sd_a / np.sqrt(n_a), sd_b / np.sqrt(n_b))
    return float(scipy.special.ndtr(_check.positive(abs(delta), "delta") / se - _limit(alpha, two_sided)))


def _deviations(sd):
    pair = (sd, sd) if np.ndim(sd) == 0 else tuple(sd)
    return tuple(_check.positive(float(value), "sd") for value in pair)


def _limit(alpha, two_sided):
    alpha = _check.open_share(alpha, "alpha")
    return -scipy.special.ndtri(alpha / 2 if two_sided else alpha)
