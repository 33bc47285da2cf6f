"""Performance before labels: what calibrated scores say of it, and what they cannot know.

A calibrated score of 0.8 is right four times in five *if it still means what it meant*. So the expected count of
hits and misses of today's predictions follows from the scores alone: confidence-based performance estimation. It follows
P(X) wherever that goes within the reference's range. It cannot see P(y|X) change, for that shows in labels only;
and when the prior changes, every score means something else, until it is told the new prior.
"""
from functools import cached_property, partial

import numpy as np

from mlmon import _check
from mlmon.drift.metric import _EPS, _estimate, _none, _percentiles, average_precision, cumulated, evaluate

METRICS = ("auc", "pr_auc", "accuracy", "precision", "recall", "f1", "brier", "log_loss", "cost")
LEAST = 20                  # reference rows of each class
REFITS, LABELS = 50, 10     # calibrations of redrawn references, and drawn labels for each


class CBPE:
    """Estimates the performance of predictions whose labels have not come.

    Each row stands for `p` rows of class 1 and ``1 - p`` rows of class 0, `p` being its calibrated score; a metric is
    computed from those shares. The interval is where the metric *will* lie once the labels are there, if P(y|X)
    has not changed: labels are drawn from `p`, and the calibration is learned anew from redrawn reference rows.
    A metric outside of it therefore says that the concept has drifted.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels 0 and 1 of reference rows that the model has not learned from, 20 of each class or more.
    score : array-like of shape (n,)
        The model's scores of them, from 0 to 1.
    calibration : {"isotonic", "logistic", "none"}
        "isotonic" supposes only that a higher score means a higher chance, and keeps the order of the rows. It wants a thousand
        labels or more: with 400 its steps are too steep, estimates a little too good, and intervals hold two thirds of what
        comes true. "logistic" has two parameters and makes do with a hundred. "none" takes scores as they are.
    threshold : float
        Class 1 is foretold from this score on.
    costs : pair of float
        Of a false positive and of a false negative, for "cost".
    seed : int
        Of the drawn labels.

    Raises
    ------
    ValueError
        For too few labels of a class, scores that are no probabilities and the like.

    See Also
    --------
    mlmon.drift.estimate_prior : the new prior, from scores alone.

    References
    ----------
    Guillory et al. (2021), ICCV (accuracy from confidence). Zadrozny and Elkan (2002), KDD (isotonic calibration).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.random(4000)
    >>> estimator = CBPE(rng.random(4000) < score, score)
    >>> found = estimator.estimate("accuracy", rng.random(1000))
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.75, 0.72, 0.78)
    """

    def __init__(self, y_true, score, *, calibration="isotonic", threshold=0.5, costs=None, seed=0):
        self.calibration = _check.one_of(calibration, ("isotonic", "logistic", "none"), "calibration")
        evaluate("brier", y_true, score)       # refuses what are no labels and no probabilities
        y = np.asarray(_check.numeric(y_true, "y_true", least=0), dtype=int)
        least = int(min(y.sum(), len(y) - y.sum()))
        if least < LEAST:
            raise ValueError(f"y_true needs at least {LEAST} labels of each class, got {least} of the rarer one. Wait for more labels.")
        self.prior = float(y.mean())
        self.threshold, self.costs, self.seed = _check.share(threshold, "threshold"), costs, seed
        self._y, self._score = y, _check.numeric(score, "score")
        self._curve = _fitted(self.calibration, self._y, self._score)

    def probability(self, score, *, prior=None):
        """The chance of class 1 that belongs to each score.

        Parameters
        ----------
        score : array-like of shape (m,)
        prior : float, optional
            Share of class 1 today, where it has changed and each class still looks as ever.

        Returns
        -------
        numpy.ndarray of shape (m,)
        """
        return self._moved(self._curve(_scores(score)), prior)

    def estimate(self, metric, score, *, prior=None, confidence=0.95):
        """One metric of the predictions.

        Parameters
        ----------
        metric : {"auc", "pr_auc", "accuracy", "precision", "recall", "f1", "brier", "log_loss", "cost"}
        score : array-like of shape (m,)
            Of rows without labels.
        prior : float, optional
            Share of class 1 today; by default whatever the scores imply.
        confidence : float

        Returns
        -------
        Estimate
            Without a value where the metric has none, such as precision where no class 1 is foretold.
        """
        return self._estimated([_check.one_of(metric, METRICS, "metric")], score, prior, confidence)[0]

    def table(self, score, *, prior=None, confidence=0.95):
        """All metrics, one a row: a pandas DataFrame with columns value, low, high, reason."""
        import pandas

        names = [name for name in METRICS if name != "cost" or self.costs is not None]
        rows = [(e.value, e.low, e.high, e.reason) for e in self._estimated(names, score, prior, confidence)]
        return pandas.DataFrame(rows, index=pandas.Index(names, name="metric"), columns=["value", "low", "high", "reason"])

    def __repr__(self):
        return f"CBPE({len(self._y)} reference rows, prior {self.prior:.3g}, {self.calibration} calibration)"

    def _estimated(self, names, score, prior, confidence):
        if "cost" in names and self.costs is None:
            raise ValueError("costs needs the costs of a false positive and of a false negative, got None. Pass them to CBPE.")
        score, confidence = _scores(score), _check.open_share(confidence, "confidence")
        if len(score) == 0:
            return [_none(0, "no predictions")] * len(names)
        values = [float(self._measured(name, self._moved(self._curve(score), prior)[None, :], score)[0]) for name in names]
        rng, draws = np.random.default_rng(self.seed), []
        for curve in self._refits:
            p = self._moved(curve(score), prior)
            ones = (rng.random((LABELS, len(p))) < p).astype(float)
            draws.append([self._measured(name, ones, score) for name in names])
        return [self._one(name, *about, len(score), confidence) for name, *about in zip(names, values, np.concatenate(draws, axis=1))]

    def _one(self, name, value, draws, n, confidence):
        draws = np.sort(draws[~np.isnan(draws)])
        if np.isnan(value) or len(draws) < REFITS * LABELS / 2:
            return _none(n, f"{name} has no value: a class is not expected, or not foretold")
        return _estimate(value, n, "drawn labels", partial(_percentiles, value, draws), confidence)

    @cached_property
    def _refits(self):
        """Calibrations of redrawn references: how far the curve itself may be off."""
        rng, curves, n = np.random.default_rng(self.seed), [], len(self._y)
        while len(curves) < REFITS:
            rows = rng.integers(n, size=n)
            if 0 < self._y[rows].sum() < n:
                curves.append(_fitted(self.calibration, self._y[rows], self._score[rows]))
        return curves

    def _moved(self, p, prior):
        if prior is None:
            return p
        from mlmon.drift.prior import adjust_prior

        prior = _check.share(prior, "prior")
        return adjust_prior(p, [1 - self.prior, self.prior], [1 - prior, prior])

    def _measured(self, metric, ones, score):
        """The metric for each row of `ones`, which holds how much of every prediction is of class 1."""
        n, foretold = ones.shape[1], score >= self.threshold
        hit, called, positive = ones[:, foretold].sum(axis=1), foretold.sum(), ones.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            if metric == "auc":
                tp, fp = (np.insert(cumulated(part, score), 0, 0, axis=1) for part in (ones, 1 - ones))
                return (np.diff(fp, axis=1) * (tp[:, 1:] + tp[:, :-1]) / 2).sum(axis=1) / (tp[:, -1] * fp[:, -1])
            if metric == "pr_auc":
                return average_precision(ones, np.ones((1, n)), score)
            if metric == "precision":
                return hit / called
            if metric == "recall":
                return hit / positive
            if metric == "f1":
                return 2 * hit / (called + positive)
            wrong, missed = called - hit, positive - hit
            if metric == "accuracy":
                return 1 - (wrong + missed) / n
            if metric == "cost":
                return (self.costs[0] * wrong + self.costs[1] * missed) / n
            if metric == "brier":
                return np.mean(score**2 - 2 * score * ones + ones, axis=1)
            s = np.clip(score, _EPS, 1 - _EPS)
            return -np.mean(ones * np.log(s) + (1 - ones) * np.log1p(-s), axis=1)


def _fitted(calibration, y, score):
    """A function from scores to chances."""
    if calibration == "none":
        return np.asarray
    if calibration == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        found = IsotonicRegression().fit(score, y)
        return partial(np.interp, xp=found.X_thresholds_, fp=found.y_thresholds_)       # flat beyond the reference's scores
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf).fit(_logit(score), y)
    return lambda s: model.predict_proba(_logit(s))[:, 1]


def _logit(score):
    s = np.clip(score, 1e-9, 1 - 1e-9)
    return (np.log(s) - np.log1p(-s))[:, None]


def _scores(score):
    score = _check.numeric(score, "score", least=0)
    if len(score) and (score.min() < 0 or score.max() > 1):
        raise ValueError(f"score needs probabilities from 0 to 1, got {score.min():.3g} to {score.max():.3g}. Scale it first.")
    return score
