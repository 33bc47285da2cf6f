"""What would another policy have earned? Answers from the log of the policy that ran, before anyone sees the other one.

Each logged place has a reward, the propensity with which the running policy filled it so, and the chance with which the
other policy, the target, would have. ``target / propensity`` is its weight: how many places of the target's this one
stands for. Places that the target would fill and the log never does are a gap that no formula closes; so a log
without exploration answers no question.

Arrays are of shape (n,), or (n, k) with one row a slate. A slate's places are looked at by one person, so errors are
computed from slates.
"""
from dataclasses import replace

import numpy as np

from mlmon import _check
from mlmon.drift.metric import Estimate

LEAST = 30          # effective slates, below which a normal interval means nothing


def ips(reward, propensity, target, *, clip=None, confidence=0.95):
    """Inverse propensity score: the mean of ``target / propensity * reward`` over all logged places.

    Unbiased where every place that the target fills so has a propensity above 0. Its variance grows with the weights.

    Parameters
    ----------
    reward : array-like of shape (n,) or (n, k)
        Such as clicks.
    propensity : array-like of the same shape
        Above 0: each choice was made with some chance.
    target : array-like of the same shape
        Chance that the target policy puts the same item in the same place.
    clip : float, optional
        Largest weight. It tames the variance, and biases the answer towards 0.
    confidence : float

    Returns
    -------
    Estimate
        Of the mean reward a place; without a value where the weights are worth fewer than 30 slates.

    Raises
    ------
    ValueError
        For propensities of 0, above 1 or missing, and unequal shapes.

    References
    ----------
    Horvitz and Thompson (1952), JASA 47, 663-685; Li et al. (2018), KDD, 1685-1694 (places of a slate).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> blue = rng.random(5000) < 0.8                        # the log shows blue 4 times in 5, red else
    >>> clicks = rng.random(5000) < np.where(blue, 0.1, 0.3)
    >>> ips(clicks, np.where(blue, 0.8, 0.2), np.where(blue, 0.0, 1.0))      # and always red?
    0.316 (0.282 to 0.35)
    """
    reward, weight = _weighed(reward, propensity, target, clip)
    return _mean((weight * reward).mean(axis=1), weight, "IPS", confidence)


def snips(reward, propensity, target, *, clip=None, confidence=0.95):
    """Self-normalised: the mean of the rewards with ``target / propensity`` as weights.

    It stays within the range of the rewards, does not care for a wrong constant in the propensities, and
    mostly varies less than `ips`, for a bias that falls with n. The error is that of a ratio of means.

    References
    ----------
    Swaminathan and Joachims (2015), NeurIPS 28.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> blue = rng.random(5000) < 0.8
    >>> clicks = rng.random(5000) < np.where(blue, 0.1, 0.3)
    >>> snips(clicks, np.where(blue, 0.8, 0.2), np.where(blue, 0.0, 1.0))
    0.308 (0.279 to 0.336)
    """
    reward, weight = _weighed(reward, propensity, target, clip)
    gained, weights = (weight * reward).mean(axis=1), weight.mean(axis=1)
    if not weights.any():
        return _mean(gained, weight, "SNIPS", confidence)
    value = gained.sum() / weights.sum()
    return _mean(value + (gained - value * weights) / weights.mean(), weight, "SNIPS", confidence)


def dr(reward, propensity, target, predicted, expected, *, clip=None, confidence=0.95):
    """Doubly robust: what a model expects of the target, corrected by the weighted errors of the model on the log.

    The mean of ``expected + target / propensity * (reward - predicted)``. Right if the propensities are right
    or the model is, and the more precise the better the model.

    Parameters
    ----------
    reward, propensity, target, clip, confidence
        As in `ips`.
    predicted : array-like of the same shape
        The model's reward for what was shown. Fit it on other rows than these.
    expected : array-like of the same shape
        The model's mean reward for what the target would show in this place.

    References
    ----------
    Dudik, Langford and Li (2011), ICML, 1097-1104.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> blue = rng.random(5000) < 0.8
    >>> clicks = rng.random(5000) < np.where(blue, 0.1, 0.3)
    >>> p, q = np.where(blue, 0.8, 0.2), np.where(blue, 0.0, 1.0)
    >>> dr(clicks, p, q, np.where(blue, 0.1, 0.25), np.full(5000, 0.25))
    0.293 (0.263 to 0.323)
    """
    reward, weight = _weighed(reward, propensity, target, clip)
    predicted, expected = (_places(values, name, reward.shape) for values, name in ((predicted, "predicted"), (expected, "expected")))
    return _mean((expected + weight * (reward - predicted)).mean(axis=1), weight, "DR", confidence)


def _weighed(reward, propensity, target, clip):
    """Rewards and weights of shape (n, k), or ValueError."""
    shape = np.shape(reward)
    reward, target = _places(reward, "reward", shape), _places(target, "target", shape)
    propensity = _places(propensity, "propensity", shape, "Log it when the choice is made: Thompson sampling and the like do not tell theirs.")
    if propensity.min() <= 0 or propensity.max() > 1:
        worst = propensity.min() if propensity.min() <= 0 else propensity.max()
        raise ValueError(f"propensity needs chances above 0 and at most 1, got {worst:g}. What was shown had some chance: log that.")
    if target.min() < 0 or target.max() > 1:
        raise ValueError(f"target needs chances from 0 to 1, got {target.min():g} to {target.max():g}. Pass the target's own propensities.")
    weight = target / propensity
    return reward, weight if clip is None else np.minimum(weight, _check.positive(clip, "clip"))


def _places(values, name, shape, advice="Drop those slates first."):
    array = np.asarray(values, dtype=float)
    if array.shape != shape or array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"{name} needs shape {shape if shape else '(n,) or (n, k)'}, got {array.shape}. Pass one number a logged place.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} needs finite numbers, got {int((~np.isfinite(array)).sum())} others of {array.size}. {advice}")
    return array.reshape(len(array), -1)


def _mean(values, weight, method, confidence):
    """The mean over slates with its standard error, unless the weights are worth too few of them."""
    each = weight.mean(axis=1)
    effective = each.sum() ** 2 / (each @ each) if each.any() else 0.0
    if effective < LEAST:
        reason = f"the weights are worth {effective:.0f} of {len(each)} slates, {LEAST} are needed: the log hardly ever shows what the target would"
        return Estimate(None, None, None, len(each), method, reason, confidence)
    se = values.std(ddof=1) / np.sqrt(len(values))
    return replace(Estimate.given(values.mean(), float(se), n=len(values), confidence=confidence), method=method)
