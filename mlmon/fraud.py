"""Fraud, live: a decision for each transaction, and a judgement of the model from labels that come late and not for all.

Two things deceive whoever judges a fraud model. Labels come after days, so young transactions look honest. And what was blocked never gets a label, so the
model is judged on the easy rest. Here only cohorts that are old enough count, and a small random part of what would be blocked is let through: its labels,
weighted by one over the chance of being let through, stand for all that was blocked.
"""
import json
import sqlite3
import time
from dataclasses import dataclass
from functools import partial
from numbers import Real
from threading import Lock

import numpy as np
from scipy.special import ndtri

from mlmon import _check
from mlmon._chance import place
from mlmon.drift import metric as metrics
from mlmon.drift.metric import Estimate
from mlmon.drift.verdict import Verdict

DAY = 86_400.0
APPROVE, REVIEW, BLOCK = "APPROVE", "REVIEW", "BLOCK"
_TABLES = """
CREATE TABLE IF NOT EXISTS seen (
    id TEXT PRIMARY KEY, at REAL NOT NULL, version TEXT NOT NULL, score REAL, meant TEXT NOT NULL, decision TEXT NOT NULL, propensity REAL NOT NULL,
    faults TEXT NOT NULL, features TEXT NOT NULL, label INTEGER, labelled REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
CREATE TABLE IF NOT EXISTS alert (name TEXT PRIMARY KEY, since REAL NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One feature, and what a single transaction may have in it. A distribution is no question of one row.

    Parameters
    ----------
    name : str
    low, high : float
        Of a number.
    levels : tuple
        Of a category; empty for a number.

    Examples
    --------
    >>> Field(name="amount", low=0, high=10_000).fault(-3.0)
    'amount needs 0 to 10000, got -3.0'
    """

    name: str
    low: float = -np.inf
    high: float = np.inf
    levels: tuple = ()

    def fault(self, value):
        """What is wrong with a value, or nothing."""
        if self.levels:
            return "" if value in self.levels else f"{self.name} needs a known level, got {value!r}"
        if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(value):
            return f"{self.name} needs a number, got {value!r}"
        return "" if self.low <= value <= self.high else f"{self.name} needs {self.low:g} to {self.high:g}, got {value!r}"


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What each mistake costs, from which the decision follows: the cheapest on average.

    Approving costs ``p (amount + fee)``, blocking ``(1 - p) (margin amount + insult)``, and a person who looks finds out for `review`.

    Parameters
    ----------
    fee : float
        Of a chargeback, beside the amount.
    margin : float
        Share of the amount that an honest sale earns.
    insult : float
        What an honest customer who is turned away costs beside that.
    review : float

    Examples
    --------
    >>> [Costs().decide(p, 100.0) for p in (0.01, 0.2, 0.97)]
    ['APPROVE', 'REVIEW', 'BLOCK']
    """

    fee: float = 20.0
    margin: float = 0.05
    insult: float = 30.0
    review: float = 4.0

    def __post_init__(self):
        for name in ("fee", "margin", "insult", "review"):
            _check.positive(getattr(self, name), name)

    def decide(self, p, amount):
        """The decision with the least expected cost."""
        options = {APPROVE: p * (amount + self.fee), REVIEW: self.review, BLOCK: (1 - p) * (self.margin * amount + self.insult)}
        return min(options, key=options.get)


@dataclass(frozen=True)
class Answer:
    """What is said of one transaction.

    Parameters
    ----------
    id : str
    score : float
        Probability of fraud; None where the row or the model was at fault.
    decision : {"APPROVE", "REVIEW", "BLOCK"}
    released : bool
        It would have been blocked, and was let through to learn from it.
    propensity : float
        The chance that its label will be seen: 1, or that of a release.
    version : str
    faults : tuple of str
    drift : Verdict
        Of the last window of transactions that was looked at.
    """

    id: str
    score: float | None
    decision: str
    released: bool
    propensity: float
    version: str
    faults: tuple
    drift: Verdict


@dataclass(frozen=True)
class Judgement:
    """How good the model is on a cohort that is old enough.

    Parameters
    ----------
    auc, prevalence, caught : Estimate
        Of all transactions, the blocked ones among them. `caught` is the share of fraud that was meant to be blocked or looked at.
    approved_only : float
        AUC of what was let through by decision, without weights: what one sees who doesn't release. None where it cannot be computed.
    transactions, released : int
        In the cohort; let through to learn from.
    verdict : Verdict
        Against the baseline: DRIFTED when AUC is below it by more than the margin beyond chance.
    reason : str
    """

    auc: Estimate
    prevalence: Estimate
    caught: Estimate
    approved_only: float | None
    transactions: int
    released: int
    verdict: Verdict
    reason: str

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED


def weighted_auc(y_true, score, weight, *, confidence=0.95):
    """AUC where each row stands for `weight` rows, with its interval.

    The variance is DeLong's with weights: of each class ``sum (w (place - auc))^2 / (sum w)^2``, `place` being a row's weighted
    share of the other class on its right side.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        0 or 1.
    score, weight : array-like of shape (n,)
    confidence : float

    Returns
    -------
    mlmon.drift.metric.Estimate
        Without a value where a class has under 5 rows.

    References
    ----------
    DeLong et al. (1988), Biometrics 44, 837-845; Horvitz and Thompson (1952), JASA 47, 663-685.

    Examples
    --------
    >>> weighted_auc([0, 1] * 5, [0.1, 0.8, 0.3, 0.7, 0.5, 0.4, 0.2, 0.9, 0.6, 0.85], np.ones(10))
    0.92 (0.627 to 0.987)
    """
    y, s, w = (_check.numeric(values, name, least=0) for values, name in ((y_true, "y_true"), (score, "score"), (weight, "weight")))
    if not len(y) == len(s) == len(w):
        raise ValueError(f"score and weight need one value for each label, got {len(s)} and {len(w)} for {len(y)}. Pass the same rows.")
    ones = y == 1
    if min(ones.sum(), (~ones).sum()) < metrics.FEW:
        return Estimate(None, None, None, len(y), "none", f"needs at least {metrics.FEW} rows of each class, got {ones.sum()} of class 1 and {(~ones).sum()} of class 0")
    _, at = np.unique(s, return_inverse=True)
    above, below = (np.bincount(at, weights=w * side) for side in (ones, ~ones))
    place_one = ((np.cumsum(below) - below / 2) / below.sum())[at[ones]]
    place_zero = (1 - (np.cumsum(above) - above / 2) / above.sum())[at[~ones]]
    value = float(np.average(place_one, weights=w[ones]))
    sides = ((w[ones], place_one), (w[~ones], place_zero))
    variance = sum(np.sum((v * (places - value)) ** 2) / v.sum() ** 2 for v, places in sides)
    return _wilson(value, variance, min(_worth(v) for v, _ in sides), len(y), confidence)


class FraudMonitor:
    """Scores transactions, remembers them, joins the labels that come days later, and says how good the model really is.

    Parameters
    ----------
    model : classifier
        ``model.predict_proba([[values in the order of fields]])``; class 1 is fraud, and its probability calibrated.
    fields : sequence of Field
        One of them is "amount".
    version : str
        Of the model, as the registry calls it.
    path : str or path, optional
        A sqlite file. What was answered is in it before the answer is given: a process that is killed loses nothing of it. In memory by default.
    costs : Costs
    release : float
        Share of what would be blocked that is let through to learn from.
    maturity : float
        Seconds after which a transaction without a chargeback counts as honest. See `maturity_curve` for how long that takes.
    baseline : Estimate, optional
        AUC when the model was validated.
    margin : float
        What AUC may be below it.
    drift : callable, optional
        ``drift(frame) -> report`` with a verdict and a reason, such as ``DataDriftDetector(reference).detect``.
    notify : callable, optional
        Called once when an alert begins and once when it ends.
    runbook : str
        Address that each alert names.
    salt : str
        Of the lot that releases.
    clock : callable
        Seconds since 1970.

    Examples
    --------
    >>> class Rule:
    ...     def predict_proba(self, rows):
    ...         return np.array([[0.1, 0.9] if row[0] > 5000 else [0.99, 0.01] for row in rows])
    >>> monitor = FraudMonitor(Rule(), [Field(name="amount", low=0, high=1e4)], version="7", clock=lambda: 0.0)
    >>> monitor.score({"id": "t1", "amount": 20.0}).decision, monitor.score({"id": "t2", "amount": None}).faults
    ('APPROVE', ('amount needs a number, got None',))
    >>> monitor.label("t1", 1), monitor.label("nobody", 1)
    ('joined', 'unknown')
    """

    def __init__(self, model, fields, *, version, path=None, costs=None, release=0.05, maturity=30 * DAY, baseline=None, margin=0.02,
                 drift=None, notify=None, runbook="", salt="release", clock=time.time):
        self.model, self.fields, self.version, self.costs = model, tuple(fields), str(version), costs or Costs()
        if "amount" not in [field.name for field in self.fields]:
            raise ValueError(f"fields needs one called 'amount', got {[field.name for field in self.fields]}. Decisions follow from costs, and those from it.")
        self.release, self.maturity = _check.open_share(release, "release"), _check.positive(maturity, "maturity")
        self.baseline, self.margin, self.salt, self.clock = baseline, _check.positive(margin, "margin"), salt, clock
        self.drift, self.notify, self.runbook = drift, notify, runbook
        self._drift, self._lock = Verdict.UNDECIDED, Lock()
        self._base = sqlite3.connect(path or ":memory:", timeout=10, check_same_thread=False, isolation_level=None)
        self._base.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_TABLES}")

    # --- the hot path ---------------------------------------------------------------------------------

    def score(self, transaction):
        """Decide on one transaction. Asked again with the same id, the first answer is given.

        Parameters
        ----------
        transaction : mapping
            With ``id`` and the fields; ``at`` in seconds since 1970, else the clock's time.

        Returns
        -------
        Answer
            A row or a model at fault means REVIEW, never an exception: a person looks.
        """
        id = transaction.get("id")
        if id is None:
            raise ValueError("transaction needs an id, got none. Labels find it by that.")
        id, at = str(id), transaction.get("at")
        values = [transaction.get(field.name) for field in self.fields]
        faults = [fault for field, value in zip(self.fields, values) if (fault := field.fault(value))]
        score = None if faults else self._ask(values, faults)
        meant = REVIEW if score is None else self.costs.decide(score, float(transaction["amount"]))
        released = meant == BLOCK and place(id, self.salt) < self.release
        row = (id, self.clock() if at is None else float(at), self.version, score, meant, APPROVE if released else meant,
               self.release if meant == BLOCK else 1.0, json.dumps(faults), json.dumps(values, default=lambda value: value.item() if hasattr(value, "item") else str(value)))
        with self._lock:
            if not self._base.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)", row).rowcount:
                row = self._base.execute("SELECT * FROM seen WHERE id = ?", (id,)).fetchone()
        return Answer(id, row[3], row[5], row[4] == BLOCK != row[5], row[6], row[2], tuple(json.loads(row[7])), self._drift)

    def label(self, id, fraud, *, at=None):
        """Note what a transaction turned out to be, days later.

        Returns
        -------
        {"joined", "corrected", "duplicate", "unknown"}
        """
        fraud = int(_check.one_of(int(fraud), (0, 1), "fraud"))
        with self._lock:
            found = self._base.execute("SELECT label FROM seen WHERE id = ?", (str(id),)).fetchone()
            if found is None or found[0] == fraud:
                return "unknown" if found is None else "duplicate"
            self._base.execute("UPDATE seen SET label = ?, labelled = ? WHERE id = ?", (fraud, self.clock() if at is None else float(at), str(id)))
        return "joined" if found[0] is None else "corrected"

    # --- off the hot path: call these from a timer ----------------------------------------------------

    def look(self, window=1000):
        """Ask whether the last transactions differ from the reference; answers carry the verdict from then on.

        Returns
        -------
        The report of `drift`, or None where there is none or no window yet.
        """
        import pandas as pd

        with self._lock:
            rows = self._base.execute("SELECT features FROM seen WHERE faults = '[]' ORDER BY at DESC, id LIMIT ?", (_check.whole(window, "window", 1),)).fetchall()
        if self.drift is None or len(rows) < window:
            return None
        report = self.drift(pd.DataFrame([json.loads(row[0]) for row in rows], columns=[field.name for field in self.fields]))
        self._drift = report.verdict
        self._alert("drift", report.verdict, f"the last {window} transactions differ from the reference")
        return report

    def judge(self, *, days=30.0, now=None):
        """How good the model was on the last `days` that are old enough.

        Only labels that came within `maturity` count, for all alike. What was let through and has none is honest; what was
        blocked is stood for by what was released.

        Returns
        -------
        Judgement
        """
        end = (self.clock() if now is None else now) - self.maturity
        with self._lock:
            rows = self._base.execute(
                "SELECT score, meant, decision, propensity, CASE WHEN labelled - at <= ? THEN label END FROM seen"
                " WHERE version = ? AND score IS NOT NULL AND at <= ? AND at > ?",
                (self.maturity, self.version, end, end - _check.positive(days, "days") * DAY)).fetchall()
        score, meant, decision, propensity, label = (np.array(column, dtype=kind) for column, kind in zip(zip(*rows) if rows else [()] * 5, (float, object, object, float, float)))
        visible, y = decision != BLOCK, np.nan_to_num(label)
        w, kept = 1 / propensity[visible], visible & (meant != BLOCK)
        auc = weighted_auc(y[visible], score[visible], w)
        plain = weighted_auc(y[kept], score[kept], np.ones(kept.sum())).value
        prevalence, caught = _share(y[visible], w), _share((meant[visible] != APPROVE).astype(float), w * y[visible])
        verdict, reason = self._verdict(auc)
        self._alert("performance", verdict, reason)
        return Judgement(auc, prevalence, caught, plain, len(rows), int(np.sum(visible & (meant == BLOCK))), verdict, reason)

    def maturity_curve(self, days, *, horizon=None, now=None):
        """Share of the fraud labels that had come by each age, of transactions that are at least `horizon` old, as known at `now`.

        Parameters
        ----------
        days : array-like
            Ages.
        horizon : float, optional
            Days; the largest age by default.

        Returns
        -------
        numpy.ndarray
            nan where no fraud is known.
        """
        days = _check.numeric(days, "days")
        now = self.clock() if now is None else now
        oldest = now - DAY * (days.max() if horizon is None else horizon)
        with self._lock:
            delays = self._base.execute("SELECT labelled - at FROM seen WHERE label = 1 AND labelled <= ? AND at <= ?", (now, oldest)).fetchall()
        delays = np.sort(np.array(delays, dtype=float).ravel())
        return np.searchsorted(delays, days * DAY, side="right") / len(delays) if len(delays) else np.full(len(days), np.nan)

    def __len__(self):
        with self._lock:
            return self._base.execute("SELECT count(*) FROM seen").fetchone()[0]

    def close(self):
        """Close the file."""
        self._base.close()

    # --- parts ----------------------------------------------------------------------------------------

    def _ask(self, values, faults):
        try:
            score = float(self.model.predict_proba([values])[0][1])
        except Exception as error:      # whatever the model raises, the customer waits for an answer
            faults.append(f"model raised {type(error).__name__}: {error}")
            return None
        if not 0 <= score <= 1:
            faults.append(f"model needs to give a probability, gave {score}")
            return None
        return score

    def _verdict(self, auc):
        if auc.value is None or self.baseline is None:
            return Verdict.UNDECIDED, auc.reason or "no baseline to compare with"
        gap = metrics.difference(auc, self.baseline)
        text = f"AUC {auc!r}, baseline {self.baseline.value:.3g}: {gap!r} of difference, margin {self.margin:g}"
        if gap.high < -self.margin:
            return Verdict.DRIFTED, text
        return (Verdict.STABLE if gap.low > -self.margin else Verdict.UNDECIDED), text

    def _alert(self, name, verdict, reason):
        """One message when it begins and one when it is over; UNDECIDED changes nothing."""
        with self._lock:
            if verdict is Verdict.DRIFTED:
                changed = self._base.execute("INSERT OR IGNORE INTO alert VALUES (?, ?)", (name, self.clock())).rowcount
            else:
                changed = verdict is Verdict.STABLE and self._base.execute("DELETE FROM alert WHERE name = ?", (name,)).rowcount
        if changed and self.notify is not None:
            self.notify(f"{name} {'alert' if verdict is Verdict.DRIFTED else 'is over'}: {reason}{f' ({self.runbook})' if self.runbook else ''}")


def _share(values, weight):
    """A weighted share, with the error of a ratio of sums."""
    total = weight.sum()
    if not total > 0:
        return Estimate(None, None, None, len(values), "none", "no row has a weight")
    share = float(weight @ values / total)
    return _wilson(share, np.sum((weight * (values - share)) ** 2) / total**2, _worth(weight), len(values), 0.95)


def _worth(weight):
    """Rows of one weight that a weighted mean is worth, after Kish."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def _wilson(value, variance, rows, n, confidence):
    """Wilson's interval with as many rows as the variance is worth; `rows` where it is 0."""
    rows = value * (1 - value) / variance if variance > 0 else rows
    ends = partial(_ends, value, rows)
    return Estimate(value, *ends((1 - _check.open_share(confidence, "confidence")) / 2), n, "Wilson, weighted", confidence=confidence, ends=ends)


def _ends(value, rows, tail):
    return metrics.wilson(value, rows, ndtri(tail))
