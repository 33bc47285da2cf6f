"""Have a model's outputs drifted? The earliest sign there is: it needs no label, and each prediction counts.

One batch of scores is compared with a reference by five checks, each of which is blind to what
another sees: `ks` (any change of shape), `mean` (Welch: the standard error of both samples, not the
deviation of one score), `spread` (the ratio of variances), `collapse` (one value that many rows suddenly
share) and `above` (the share beyond the decision threshold, which is what the business feels). They
overlap, so five separate budgets would cry five times over, or be shared out into nothing: what the
smallest of their five p-values does by chance is drawn by permuting rows, as `detect` does for features.

Scores are not normal (skewed, bounded, lumped), so the error of the log variance ratio comes from the scores' own
fourth moments, and its law, as that of all five, from the permutations.
"""
import copy
import json
from dataclasses import asdict, dataclass, fields

import numpy as np

from mlmon import _check
from mlmon.drift.calibration import POOL, corrected, draw_rows
from mlmon.drift.column import Categories, Numbers, in_deviations, merge, read, same_kind, spread
from mlmon.drift.distance import psi_of_counts, shares
from mlmon.drift.label import DOUBLED, POINTS, label_drift
from mlmon.drift.scores import Look
from mlmon.drift.twosample import LEAST, share_p
from mlmon.drift.verdict import Verdict, severity

CHECKS = ("ks", "mean", "spread", "collapse", "above")
MISSING = 0.10          # part of alpha for missing predictions, where there are any


@dataclass(frozen=True)
class PredictionResult:
    """One check's row of a report.

    Parameters
    ----------
    check : str
        "ks", "mean", "spread", "collapse", "above", "missing"; or "classes" for predicted classes.
    reference, current : float
        What is compared: mean, standard deviation, share of the most risen value, share above the threshold,
        share missing. None for "ks" and "classes".
    statistic : float
        KS; Welch's t; log variance ratio over its error; current less reference share; chi-squared for "classes".
    pvalue : float
        Of this check alone, by its limit law or exactly ("above", "missing").
    corrected_pvalue : float
        What decides: corrected for all checks.
    severity : str
        "none" where STABLE; else by PSI's customary limits, for "above" and "missing" "large" from doubled, halved or ten
        points on; "unknown" where UNDECIDED.
    verdict : Verdict
    reason : str
    """

    check: str
    reference: float | None
    current: float | None
    statistic: float | None
    pvalue: float | None
    corrected_pvalue: float | None
    severity: str
    verdict: Verdict
    reason: str

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def feature(self):
        """The check's name, for pictures of reports."""
        return self.check


@dataclass(frozen=True)
class PredictionReport:
    """The comparison of a batch of predictions with the reference.

    Parameters
    ----------
    verdict : Verdict
        DRIFTED if any check is; UNDECIDED where predictions could not be compared; else STABLE.
    pvalue : float
        The smallest corrected p-value; None where nothing could be compared.
    effect : float
        How far a score moved on average, in standard deviations of the reference (earth mover's distance); the share of
        rows that changed class for predicted classes. None where UNDECIDED.
    reason : str
    checks : tuple of PredictionResult
    alpha : float
    """

    verdict: Verdict
    pvalue: float | None
    effect: float | None
    reason: str
    checks: tuple
    alpha: float

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def drifted_checks(self):
        """Names of the checks that alarm."""
        return tuple(row.check for row in self.checks if row.drifted)

    @property
    def features(self):
        """The checks, for pictures of reports."""
        return self.checks

    def __getitem__(self, check):
        """The row of one check."""
        for row in self.checks:
            if row.check == check:
                return row
        raise KeyError(f"no check {check!r} in this report; it has {', '.join(row.check for row in self.checks)}")

    def to_frame(self):
        """One row a check, as a pandas DataFrame."""
        import pandas

        names = [f.name for f in fields(PredictionResult)]
        return pandas.DataFrame([[getattr(row, name) for name in names] for row in self.checks], columns=names)

    def to_json(self):
        """The whole report as JSON text."""
        return json.dumps(asdict(self))


class PredictionDriftDetector:
    """Compares batches of predictions with a reference, which it learns once.

    Without drift the verdict is DRIFTED in about `alpha` of the batches, whatever the scores' distribution.

    Parameters
    ----------
    reference : array-like of shape (n,)
        Scores, better of production's first weeks than of the rows that the model was tuned on; or predicted
        classes (text, booleans, pandas categories), which are compared by `label_drift`.
    threshold : float, optional
        Where the score decides. None leaves the check "above" out.
    alpha : float
        Chance of a false alarm of all checks together, per call of `detect`.
    min_effect : float
        Drift counts only if the scores also moved this far, in standard deviations of the reference. 0 decides by
        significance alone. Mind that a rare class may multiply while scores on average hardly move.
    seed : int
        Of the permutations.

    Raises
    ------
    ValueError
        For an empty reference, infinite scores, or a table: one detector a class, or the predicted classes, serve there.

    See Also
    --------
    mlmon.drift.estimate_prior : what the new scores say of the classes' shares.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35 (mean).
    Layard (1973), J. Am. Stat. Assoc. 68(341), 195-198 (variances without normality).
    Chung and Romano (2013), Ann. Stat. 41(2), 484-507 (permutation of studentised statistics).
    Westfall and Young (1993), Resampling-based multiple testing (the joint null).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> detector = PredictionDriftDetector(rng.beta(2, 5, 1000))
    >>> detector.detect(rng.beta(2, 5, 500)).verdict
    <Verdict.STABLE: 'STABLE'>
    >>> detector.detect([0.04] * 500).drifted_checks
    ('ks', 'mean', 'spread', 'collapse', 'above')
    """

    def __init__(self, reference, *, threshold=0.5, alpha=0.05, min_effect=0.0, seed=0):
        self.alpha, self.seed = _check.open_share(alpha, "alpha"), _check.whole(seed, "seed", 0)
        self.min_effect = float(_check.numeric([min_effect], "min_effect")[0])
        if self.min_effect < 0:
            raise ValueError(f"min_effect needs a number of 0 or more, got {min_effect!r}. 0 decides by significance alone.")
        self.threshold = None if threshold is None else float(_check.numeric([threshold], "threshold")[0])
        self._column = copy.deepcopy(_read(reference, "reference"))     # whatever becomes of the caller's array
        if len(self._column) == 0:
            raise ValueError("reference needs at least 1 prediction, got 0. Pass the predictions of a healthy period.")
        self._nulls = {}

    def detect(self, current):
        """Compare a batch of predictions with the reference.

        Parameters
        ----------
        current : array-like of shape (m,)
            As the reference. Missing predictions are counted, and are a check of their own.

        Returns
        -------
        PredictionReport

        Raises
        ------
        ValueError
            For no rows, infinite scores, a table, or classes where the reference has scores.
        """
        current, reference = _read(current, "current"), self._column
        if len(current) == 0:
            raise ValueError("current needs at least 1 prediction, got 0. Wait for data.")
        kind = same_kind(reference, current)
        gone = reference.missing + current.missing > 0
        part = (1 - MISSING) if gone else 1.0
        if kind == "numeric":
            rows, effect = self._scores(reference.present, current.present, part)
        else:
            rows, effect = self._classes(reference, current, part)
        if gone:
            rows.append(self._missing(reference, current))
        return _report(tuple(rows), effect, self)

    def save(self, path):
        """Write the detector, its reference included, to a file that `load` reads (npz, no pickle)."""
        about = {"format": 1, "threshold": self.threshold, "alpha": self.alpha, "min_effect": self.min_effect, "seed": self.seed}
        numeric = self._column.kind == "numeric"
        levels = None if numeric else [level.item() if isinstance(level, np.generic) else level for level in self._column.levels]
        header = json.dumps(about | {"levels": levels})
        with open(path, "wb") as file:
            np.savez_compressed(file, header=np.array(header), values=self._column.values if numeric else self._column.codes)

    @classmethod
    def load(cls, path):
        """Read a detector that `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            header, values = json.loads(str(file["header"])), file["values"]
        detector, levels = cls.__new__(cls), header.pop("levels")
        del header["format"]
        detector.__dict__.update(header, _nulls={})
        detector._column = Numbers(values) if levels is None else Categories(values, np.array(levels, dtype=object))
        return detector

    def __repr__(self):
        return f"PredictionDriftDetector({len(self._column)} predictions, threshold={self.threshold}, alpha={self.alpha:g})"

    def _scores(self, a, b, part):
        names = [name for name in CHECKS if name != "above" or self.threshold is not None]
        if min(len(a), len(b)) < LEAST:
            reason = f"needs at least {LEAST} present predictions in each sample, got {len(a)} and {len(b)}"
            return [_undecided(name, reason) for name in names], None
        look = Look(a, b, spread(a), self.threshold)
        here = look.observed()
        p = np.minimum(1.0, corrected(here.p, self._null(look, a, b)) / part)
        if look.sd == 0 and p.min() > self.alpha:
            reason = "the reference is constant, so nothing is known of its spread"
            return [_undecided(name, reason) for name in names], None
        merged = merge(a, b)
        effect = in_deviations(merged.wasserstein, look.sd) if look.sd > 0 else float(np.mean(b != a[0]))
        cut = shares(a, b, bins=min(10, len(a)))
        psi = float(psi_of_counts(cut.reference, cut.current))
        return [self._row(here.about[name] | {"pvalue": own}, name, value, effect, psi)
                for name, own, value in zip(names, here.own(merged.ks), p)], effect

    def _classes(self, reference, current, part):
        found = label_drift(*(_levels(column) for column in (reference, current)), alpha=self.alpha * part, seed=self.seed)
        if found.verdict is Verdict.UNDECIDED:
            return [_undecided("classes", found.reason)], None
        told = {key: getattr(found, key) for key in ("statistic", "pvalue", "reason", "severity")}
        about = {"reference": None, "current": None, **told}
        return [self._row(about, "classes", min(1.0, found.pvalue / part), found.effect, None)], found.effect

    def _missing(self, reference, current):
        k, n, j, m = reference.missing, len(reference), current.missing, len(current)
        if min(n, m) < LEAST:
            return _undecided("missing", f"needs at least {LEAST} predictions in each sample, got {n} and {m}")
        p = share_p(k, n, j, m)
        about = dict(reference=k / n, current=j / m, statistic=j / m - k / n, pvalue=p)
        # Lost predictions have not moved anywhere: min_effect does not spare them.
        return self._row(about, "missing", min(1.0, p / MISSING), np.inf, None)

    def _row(self, about, name, p, effect, psi):
        verdict, reason = Verdict.STABLE, "no more than chance"
        if about["pvalue"] is None:
            return _undecided(name, about["reason"])
        if p <= self.alpha and effect < self.min_effect:
            reason = f"significant, but scores moved {effect:.3g}, less than the {self.min_effect:g} asked for"
        elif p <= self.alpha:
            verdict = Verdict.DRIFTED
            reason = about.get("reason") or _told(name, about["reference"], about["current"], about["statistic"])
        if "severity" in about:
            size = about["severity"]
        else:
            size = _size(about["reference"], about["current"]) if name in ("above", "missing") else severity(psi)
        numbers = (_plain(about[key]) for key in ("reference", "current", "statistic", "pvalue"))
        return PredictionResult(name, *numbers, float(p), size if verdict is Verdict.DRIFTED else "none", verdict, reason)

    def _null(self, look, a, b):
        """What the smallest p of all checks does by chance, sorted.

        Few rows: drawn from the very rows of both samples. Many: the statistics have reached their limit, and the null is
        drawn from some of the reference's rows, once.
        """
        n, m = len(a), len(b)
        if n + m <= POOL:
            return np.sort(look.smallest(draw_rows(n + m, m, self.seed)))
        rng, small = np.random.default_rng(self.seed), min(n, m, POOL // 4)
        if n < POOL // 2:
            some = a, rng.choice(b, POOL // 2 - n, replace=False)
            return np.sort(Look(*some, look.sd, self.threshold).smallest(draw_rows(POOL // 2, small, self.seed)))
        if small not in self._nulls:
            some = np.split(rng.choice(a, POOL // 2, replace=False), [POOL // 2 - small])
            drawn = draw_rows(POOL // 2, small, self.seed)
            self._nulls[small] = np.sort(Look(*some, look.sd, self.threshold).smallest(drawn))
        return self._nulls[small]


def _report(rows, effect, detector):
    ps = [row.corrected_pvalue for row in rows if row.corrected_pvalue is not None]
    drifted = [row for row in rows if row.drifted]
    first = rows[0]
    if drifted:
        verdict, reason = Verdict.DRIFTED, "; ".join(row.reason for row in drifted)
    elif first.verdict is Verdict.UNDECIDED:
        verdict, reason = Verdict.UNDECIDED, first.reason
    else:
        verdict, reason = Verdict.STABLE, next((row.reason for row in rows if "asked for" in row.reason), "no more than chance")
    return PredictionReport(verdict, min(ps) if ps else None, effect, reason, rows, detector.alpha)


def _told(name, before, now, statistic):
    if name == "ks":
        return f"score distributions are {statistic:.2g} apart"
    if name == "collapse":
        return f"one value has {now:.1%} of the scores, before {before:.1%}"
    if name in ("above", "missing"):
        what = "scores above the threshold" if name == "above" else "missing predictions"
        return f"{what} went from {before:.2%} to {now:.2%}"
    return f"the {'mean' if name == 'mean' else 'standard deviation'} went from {before:.3g} to {now:.3g}"


def _size(before, now):
    doubled = max(before, now) >= DOUBLED * min(before, now)
    return "large" if doubled or abs(now - before) >= POINTS else "small"


def _undecided(name, reason):
    return PredictionResult(name, None, None, None, None, None, "unknown", Verdict.UNDECIDED, reason)


def _read(values, name):
    if np.ndim(values) == 2:
        raise ValueError(f"{name} needs one dimension, got shape {np.shape(values)}. "
                         "Pass the scores of one class (probabilities[:, 1]), one detector a class, or the predicted classes.")
    return read(values, name)


def _levels(column):
    """Categories as a column of text and such, missing where they are."""
    if column.kind == "numeric":
        return [None] * len(column)
    return np.append(column.levels, None)[column.codes].tolist()


def _plain(value):
    return None if value is None else float(value)
