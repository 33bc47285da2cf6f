"""A differential diagnosis: whose fault is it, and what to look at next.

The drill goes from the symptom to the cause, in this order and for these reasons:

1. business: is anybody hurt, and since when? Without harm there is time.
2. model: are the answers worse, or only measured otherwise? Labels that are late, or that the
   model has chosen, make a healthy model look ill.
3. prediction: does the model answer otherwise, or is its answer used otherwise? A release
   and a threshold are undone in a minute.
4. data: is what the model was told wrong? Faults of the pipeline have signatures, and mending
   beats retraining.
5. system: did the model get to answer at all?

Findings are explained from the bottom up: rows that a lower layer has spoilt are left out
before a higher one is judged, so that a broken unit is not called concept drift as well.
What could not be looked at is said, and nothing found is STABLE only if all was looked at.
"""
from dataclasses import asdict, dataclass, replace

import numpy as np
import scipy

from mlmon import _check
from mlmon.drift import signatures
from mlmon.drift.column import merge, read
from mlmon.drift.detect import DataDriftDetector
from mlmon.drift.show import as_html, as_text
from mlmon.drift.signatures import NOTICED, located
from mlmon.drift.twosample import LEAST, kolmogorov_p, share_p
from mlmon.drift.verdict import Verdict

LAYERS = "business", "model", "prediction", "data", "system"
SURE, LIKELY, POSSIBLE, WEAK = 0.95, 0.8, 0.5, 0.2     # how specific a sign is; no chances
SPOILT = 0.5            # share of the rows beyond which nothing above the data can be judged
FAR = 2.0               # standard deviations that a population does not move overnight
STRATA = 10             # cells of the score in which rates of the label are compared
CHECKS = 30             # significance tests that share alpha


@dataclass(frozen=True)
class Cause:
    """A cause, its layer, the check that would confirm it, and what mends it."""

    layer: str
    check: str
    action: str


CAUSES = {
    "errors": Cause("system", "read the first traceback after the onset", "roll back or restart what fails, and replay the requests"),
    "timeouts": Cause("system", "compare latency with load and with the limit", "restore capacity; until then the default answers are the harm"),
    "slow service": Cause("system", "compare latency with load, release by release", "restore capacity"),
    "column dropped": Cause("data", "ask the sender what changed in the schema", "restore the column; refuse batches without it"),
    "type change": Cause("data", "look at ten raw values", "cast at the border; hold the sender to the schema"),
    "duplicated rows": Cause("data", "count rows by request id", "drop the copies; make the writer idempotent"),
    "training-serving skew": Cause("data", "run both code paths on one row", "compute the feature by one code for both"),
    "join loss": Cause("data", "count the keys that find no partner", "mend the key; score the rows again"),
    "null burst": Cause("data", "ask the column's source for its error log", "mend the source; fill in the rows"),
    "sentinel": Cause("data", "ask the sender what the value stands for", "turn it into a missing value where it is read"),
    "stale feature": Cause("data", "look at the date of the feed's last file", "restart the feed; alert on its age"),
    "unit change": Cause("data", "compare one row with the sender's own screen", "mend the unit at the sender; score the batch again"),
    "renamed category": Cause("data", "ask the sender for the list of names", "map the new name to the old one"),
    "new category": Cause("data", "ask the business what it is", "collect labels for it before trusting its scores"),
    "misjoined rows": Cause("data", "compare one row with its source, by key", "join by key and not by order"),
    "late data": Cause("data", "look at the queue's backlog", "mend the queue; wait for the events"),
    "clock shift": Cause("data", "compare the sender's clock with UTC", "set the sender's clock to UTC"),
    "traffic mix": Cause("data", "split the loss with disde", "check the model on the new mix; weight or retrain if it is worse"),
    "threshold change": Cause("prediction", "read the diff of the configuration", "set the threshold back"),
    "release": Cause("prediction", "score one batch with both versions", "roll back to the version before"),
    "label delay": Cause("model", "count labels by age of the row", "judge cohorts that are old enough, and no others"),
    "feedback": Cause("model", "compare rows that the model acted on with a random slice", "keep a random slice out of the model's reach"),
    "concept drift": Cause("model", "split the loss with disde; find the segment with slices", "retrain on labels from after the change"),
    "outside the model": Cause("business", "ask about price, season, stock and rivals", "hand over to the business, with this page"),
}


@dataclass(frozen=True)
class Hypothesis:
    """One candidate cause.

    Parameters
    ----------
    cause, layer : str
    support : float
        Between 0 and 1: how specific its sign is. It orders the hypotheses, and is no probability.
    evidence : str
        One sentence.
    features : tuple of str
    check, action : str
        The next look to take, and what mends it if that confirms.
    """

    cause: str
    layer: str
    support: float
    evidence: str
    features: tuple
    check: str
    action: str


@dataclass(frozen=True)
class Diagnosis:
    """Hypotheses, the best supported first, and what was looked at on the way.

    Parameters
    ----------
    verdict : Verdict
        DRIFTED where something stands out; STABLE where all layers were looked at and nothing does; else UNDECIDED.
    reason : str
    hypotheses : tuple of Hypothesis
    steps : tuple of (str, str)
        Layer by layer in the order of the drill: what was seen, or what was missing.
    missing : tuple of str
        Evidence that did not come.
    """

    verdict: Verdict
    reason: str
    hypotheses: tuple
    steps: tuple
    missing: tuple

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def top(self):
        """The best supported hypothesis, or None."""
        return self.hypotheses[0] if self.hypotheses else None

    def to_frame(self):
        """One row a hypothesis, as a pandas DataFrame."""
        import pandas

        names = list(Hypothesis.__dataclass_fields__)
        return pandas.DataFrame([asdict(row) for row in self.hypotheses], columns=names)

    def __str__(self):
        drill = "\n".join(f"  {layer}: {seen}" for layer, seen in self.steps)
        return f"{as_text(self.verdict, self.reason, *self._table())}\n{drill}"

    __repr__ = __str__

    def _repr_html_(self):
        return as_html(self.verdict, self.reason, *self._table()) + as_html(
            self.verdict, "the drill", ("layer", "seen"), self.steps)

    def _table(self):
        heads = ("hypothesis", "layer", "support", "evidence", "next check", "action")
        return heads, [(h.cause, h.layer, f"{h.support:.2f}", h.evidence, h.check, h.action) for h in self.hypotheses]


def diagnose(
    reference=None, current=None, *, scores_reference=None, scores_current=None, labels_reference=None, labels_current=None,
    log_reference=None, log_current=None, business_reference=None, business_current=None, offline=None, alpha=0.01,
):
    """Rank the causes that fit the evidence, from the business down to the system.

    Whatever evidence is at hand will do; what is missing is said. Rows of frames, scores, labels and logs
    belong together, in the order of arrival.

    Parameters
    ----------
    reference, current : DataFrame of shape (n, k) and (m, k), optional
        Features as they were served.
    scores_reference, scores_current : array-like of shape (n,) and (m,), optional
        What the model answered; nan where it did not.
    labels_reference, labels_current : array-like of shape (n,) and (m,), optional
        0 and 1; nan where none has come.
    log_reference, log_current : DataFrame, optional
        One row a request, with any of `time` and `event_time` (in hours), `latency`, `outcome` ("ok", "error",
        "timeout"), `version`, `decision` (0 or 1).
    business_reference, business_current : array-like, optional
        A metric of the business, one value a day.
    offline : DataFrame, optional
        The current features once more, as the training pipeline computes them.
    alpha : float
        Chance that something stands out when all is well.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        Where there is no evidence at all, or where parts that belong together differ in length.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, now = (pd.DataFrame({"income": rng.lognormal(7, 1, 800), "age": rng.normal(40, 9, 800)}) for _ in range(2))
    >>> found = diagnose(before, now.assign(income=now["income"] * 12))
    >>> found.top.cause, found.top.evidence
    ('unit change', 'income is multiplied by 12 in all rows')
    """
    alpha = _check.open_share(alpha, "alpha")
    case = _Case(
        frames=_both(reference, current, "current"), scores=_both(scores_reference, scores_current, "scores_current"),
        labels=_both(labels_reference, labels_current, "labels_current"), logs=_both(log_reference, log_current, "log_current"),
        business=_both(business_reference, business_current, "business_current"), offline=offline, alpha=alpha)
    case.check()
    found = {}
    for layer, look in (("system", _system), ("data", _data), ("prediction", _prediction), ("model", _model), ("business", _business)):
        found[layer] = look(case)
        case.below += found[layer].hypotheses
    # Of equal support, the lower layer first: a broken pipeline is ruled out before the world is blamed.
    hypotheses = sorted((h for layer in LAYERS[::-1] for h in found[layer].hypotheses), key=lambda h: -h.support)
    steps = tuple((layer, found[layer].said()) for layer in LAYERS)
    missing = tuple(case.missing)
    if hypotheses:
        first = hypotheses[0]
        verdict, reason = Verdict.DRIFTED, f"{first.layer}: {first.cause}: {first.evidence}"
    elif missing:
        verdict, reason = Verdict.UNDECIDED, f"nothing stands out, and this is missing: {', '.join(missing)}"
    else:
        verdict, reason = Verdict.STABLE, "nothing stands out in any layer"
    return Diagnosis(verdict, reason, tuple(hypotheses), steps, missing)


# ------------------------------------------------------------------ the case

class _Case:
    """The evidence, and what is known so far of the rows and the features."""

    def __init__(self, frames, scores, labels, logs, business, offline, alpha):
        self.frames, self.logs, self.offline, self.alpha = frames, logs, offline, alpha
        self.scores, self.labels, self.business = (
            pair and [_check.numeric(values, name, least=0, finite=False) for values in pair]
            for pair, name in ((scores, "scores"), (labels, "labels"), (business, "business")))
        self.least_p = alpha / CHECKS
        self.missing, self.found, self.below = [], [], []
        self.spoilt = None

    def check(self):
        pairs = {"frames": self.frames, "scores": self.scores, "labels": self.labels, "log": self.logs}
        known = {name: pair for name, pair in pairs.items() if pair is not None}
        if not known and self.business is None:
            raise ValueError("evidence needs one pair at least, such as reference and current, got none. Pass what is at hand.")
        for frame, role in zip(self.frames or (), ("reference", "current")):
            _check.table(frame, role)
        for i, role in enumerate(("reference", "current")):
            sizes = {name: len(pair[i]) for name, pair in known.items()}
            if len(set(sizes.values())) > 1:
                raise ValueError(f"{role} needs one row a request in every part, got {sizes}. Align them by request id.")
        self.size = [len(next(iter(known.values()))[i]) for i in range(2)] if known else [0, 0]
        self.spoilt = np.zeros(self.size[1], dtype=bool)
        if self.labels is not None:
            for values in self.labels:
                if not np.isin(values[~np.isnan(values)], (0, 1)).all():
                    raise ValueError("labels needs 0, 1 and nan, got other values. Pass whether the event happened.")

    @property
    def enough(self):
        return min(self.size) >= LEAST

    def column(self, name):
        """A column of both logs, or None."""
        if self.logs is None or not all(name in log.columns for log in self.logs):
            return None
        return [log[name].to_numpy() for log in self.logs]

    def lacks(self, what):
        if what not in self.missing:
            self.missing.append(what)

    def answered(self):
        """Rows of both samples that have a score of the model's own: no failure, no default."""
        outcome = self.column("outcome")
        own = [np.isfinite(scores) for scores in self.scores]
        return own if outcome is None else [ok & (np.asarray(o) == "ok") for ok, o in zip(own, outcome)]

    def explained(self):
        """Whether faults below have spoilt too many rows to judge what lies above."""
        return self.spoilt.size > 0 and self.spoilt.mean() > SPOILT


class _Look:
    """What one layer gave: hypotheses, and a sentence on what was seen."""

    def __init__(self):
        self.hypotheses, self.seen = [], []

    def add(self, cause, support, evidence, features=()):
        about = CAUSES[cause]
        self.hypotheses.append(Hypothesis(cause, about.layer, support, evidence, tuple(features), about.check, about.action))
        self.seen.append(evidence)

    def said(self):
        return "; ".join(self.seen) if self.seen else "nothing stands out"


# ------------------------------------------------------------------ layer by layer, from the bottom up

def _system(case):
    look = _Look()
    outcome, latency = case.column("outcome"), case.column("latency")
    if outcome is None or latency is None or not case.enough:
        case.lacks("a log with outcome and latency")
        look.seen.append("not looked at: no log with outcome and latency")
        return look
    ok = [o == "ok" for o in outcome]
    for cause, word in (("errors", "error"), ("timeouts", "timeout")):
        before, now = (o == word for o in outcome)
        if _rose(before, now, case.least_p):
            case.spoilt |= now
            look.add(cause, SURE, f"{now.mean():.1%} of the requests end in {word}, {before.mean():.2%} did before{_default(case, now)}")
    before, now = (np.asarray(times, dtype=float)[good] for times, good in zip(latency, ok))
    if min(len(before), len(now)) >= LEAST and np.median(now) > 1.5 * np.median(before):
        support = WEAK if look.hypotheses else LIKELY
        look.add("slow service", support, f"the median latency of answers went from {np.median(before):.3g} s to {np.median(now):.3g} s")
    return look


def _default(case, rows):
    """Words on the one score that failed requests got."""
    if case.scores is None or not rows.any():
        return ""
    values, counts = np.unique(case.scores[1][rows], return_counts=True)
    most = counts.argmax()
    return f"; {counts[most] / rows.sum():.0%} of them were answered {values[most]:.3g}" if values[most] == values[most] else ""


def _data(case):
    look = _Look()
    _arrival(case, look)
    if case.frames is None or not case.enough:
        case.lacks("features of both samples")
        look.seen.append("not looked at: no features of both samples")
        return look
    if case.offline is None:
        case.lacks("offline features")
    reference, current = case.frames
    case.found = _signatures(case, reference, current)
    for finding in case.found:
        support = SURE if finding.cause != "new category" else LIKELY
        look.add(finding.cause, support, finding.evidence, finding.features)
        case.spoilt |= finding.rows if finding.cause != "duplicated rows" else False
    touched = {name for finding in case.found for name in finding.features}
    _rest(case, look, [c for c in reference.columns if c in current.columns and str(c) not in touched])
    return look


def _arrival(case, look):
    """Late events, and clocks that run ahead."""
    time, event = case.column("time"), case.column("event_time")
    if time is None or event is None or not case.enough:
        case.lacks("a log with time and event_time")
        return
    before, now = (np.asarray(t, dtype=float) - np.asarray(e, dtype=float) for t, e in zip(time, event))
    early, late = np.quantile(before, [0.001, 0.999])
    reach = max(late - early, 1e-9)
    for cause, rows, word in (
        ("late data", now > late + 2 * reach, "late"), ("clock shift", now < min(early, 0) - 0.1 * reach, "before they happened")):
        if rows.mean() > NOTICED:
            look.add(cause, SURE, f"{rows.mean():.0%} of the events arrive {word}, by {abs(np.median(now[rows])):.3g} hours")


def _signatures(case, reference, current):
    """Every fault that left its signature, one a feature."""
    found = [signatures.columns_lost(reference, current)]
    shared = [c for c in reference.columns if c in current.columns]
    if case.offline is not None:
        found.append(signatures.differs_offline(current, case.offline))
    known = {name for finding in found if finding for name in finding.features}
    retyped = [signatures.other_type(c, reference[c], current[c]) for c in shared if str(c) not in known]
    found = [finding for finding in found + retyped if finding]
    found += signatures.lost_values(*_without(found, reference, current), case.least_p)
    rest = _without(found, reference, current)
    found.append(signatures.copies(*rest, case.least_p))
    found += [_of_column(name, *(frame[name] for frame in rest)) for name in rest[0].columns]
    return _merged([finding for finding in found if finding])


def _without(found, reference, current):
    """The columns that both frames have and no finding names."""
    named = {name for finding in found for name in finding.features}
    names = [c for c in reference.columns if c in current.columns and str(c) not in named]
    return reference[names], current[names]


def _merged(found):
    """One finding a cause: the same fault in several columns has one origin."""
    merged = {}
    for finding in found:
        if (first := merged.get(finding.cause)) is None:
            merged[finding.cause] = finding
        else:
            merged[finding.cause] = replace(
                first, evidence=f"{first.evidence}; {finding.evidence}", features=first.features + finding.features, rows=first.rows | finding.rows)
    return list(merged.values())


def _of_column(name, reference, current):
    """The first signature that fits a column, from the most specific to the least."""
    ref, cur = read(reference, str(name)), read(current, str(name))
    if min(len(ref.present), len(cur.present)) < LEAST:
        return None
    if ref.kind == "numeric":
        ordered = signatures.stand_in, signatures.stuck, signatures.played_again, signatures.other_unit
        values = ref.values, cur.values
    else:
        ordered = signatures.stuck, signatures.other_levels
        values = tuple(np.array([str(v) for v in np.append(c.levels, "missing")])[c.codes] for c in (ref, cur))
    return next((finding for look in ordered if (finding := look(name, *values))), None)


def _rest(case, look, columns):
    """Features without a signature that have drifted all the same."""
    if not columns:
        return
    reference, current = (frame[columns] for frame in case.frames)
    report = DataDriftDetector(reference, alpha=case.alpha / 3).detect(current)
    rows = [report[name] for name in report.drifted_features]
    beyond = [row for row in rows if (row.out_of_range or 0) > 0.1 and row.effect > FAR]
    if beyond:
        shown = ", ".join(f"{row.feature} ({row.out_of_range:.0%} beyond)" for row in beyond)
        look.add("unit change", LIKELY, f"no population moves so far beyond what was ever seen: {shown}; no known factor fits", [str(row.feature) for row in beyond])
    if rows:
        strong = max(row.effect or 0 for row in rows)
        shown = ", ".join(f"{row.feature} ({row.effect:.2g})" for row in rows)
        support = POSSIBLE + 0.2 * min(strong, 1.0) if not look.hypotheses else WEAK
        look.add("traffic mix", support, f"other rows come: {shown} moved, in standard deviations or shares", map(str, report.drifted_features))
    alone = [pair for pair in report.drifted_pairs if not set(pair) & set(report.drifted_features)]
    if alone:
        names = [name for pair in alone for name in pair]
        culprit = max(dict.fromkeys(names), key=names.count)
        others = ", ".join(str(a if b == culprit else b) for a, b in alone if culprit in (a, b))
        look.add("misjoined rows", LIKELY, f"{culprit} keeps its values and no longer goes with {others}", (culprit,))


def _prediction(case):
    look = _Look()
    if case.scores is None or not case.enough:
        case.lacks("scores of both samples")
        look.seen.append("not looked at: no scores of both samples")
        return look
    own = case.answered()
    own[1] = own[1] & ~case.spoilt
    if min(rows.sum() for rows in own) < LEAST:
        look.seen.append("not looked at: lower layers have spoilt the scores")
        return look
    _threshold(case, look, own)
    version = case.column("version")
    if version is None:
        case.lacks("a log with version")
    before, now = (scores[rows] for scores, rows in zip(case.scores, own))
    ks = merge(before, now).ks
    moved = kolmogorov_p(ks, len(before), len(now)) < case.least_p
    fresh = [] if version is None else sorted(set(map(str, version[1])) - set(map(str, version[0])))
    told_otherwise = any(h.layer == "data" for h in case.below)
    if fresh:
        word = "and its scores moved" if moved else "with scores as ever"
        look.add("release", 0.9 if moved else POSSIBLE, f"version {', '.join(fresh)} answers, {word}")
    elif moved and not told_otherwise:
        look.add("release", POSSIBLE, f"scores moved (KS {ks:.2f}) while the features did not")
    elif moved:
        look.seen.append(f"scores moved with what the model was told (KS {ks:.2f})")
    return look


def _threshold(case, look, own):
    """Decisions that the threshold of before would not have made."""
    decision = case.column("decision")
    if decision is None:
        case.lacks("a log with decision")
        return
    scores = [values[rows] for values, rows in zip(case.scores, own)]
    chosen = [np.asarray(d, dtype=float)[rows] == 1 for d, rows in zip(decision, own)]
    cut = _cut(scores[0], chosen[0])
    other = [(values >= cut) != picked for values, picked in zip(scores, chosen)]
    if _rose(other[0], other[1], case.least_p):
        now = _cut(scores[1], chosen[1])
        look.add("threshold change", SURE, f"scores are cut at {now:.3g}, {cut:.3g} before: {chosen[1].mean():.1%} are chosen instead of {chosen[0].mean():.1%}")


def _cut(scores, chosen):
    """The threshold that fits decisions best: the chosen are those above."""
    order = np.argsort(scores)
    below = np.append(0, np.cumsum(chosen[order]))                   # chosen among the k lowest
    above = (~chosen).sum() - np.append(0, np.cumsum(~chosen[order]))
    k = int((below + above).argmin())
    return float(scores[order[k]]) if k < len(scores) else float(np.nextafter(scores.max(), np.inf))


def _model(case):
    look = _Look()
    if case.labels is None or case.scores is None or not case.enough:
        case.lacks("labels and scores of both samples")
        look.seen.append("not looked at: no labels with scores")
        return look
    _label_arrival(case, look)
    own = case.answered()
    rows = [ok & ~np.isnan(labels) for ok, labels in zip(own, case.labels)]
    rows[1] = rows[1] & ~case.spoilt
    if case.explained() or min(r.sum() for r in rows) < 10 * LEAST or len(np.unique(case.labels[0][rows[0]])) < 2:
        look.seen.append("performance not judged: too few rows with labels that lower layers left clean")
        return look
    _performance(case, look, rows)
    return look


def _label_arrival(case, look):
    """Labels that are missing: of the newest rows, or of those that the model chose."""
    before, now = (np.isnan(labels) for labels in case.labels)
    if not _rose(before, now, case.least_p):
        return
    decision = case.column("decision")
    if decision is not None:
        acted, left = (now[np.asarray(decision[1]) == d] for d in (1, 0))
        if min(len(acted), len(left)) >= LEAST and _rose(left, acted, case.least_p) and acted.mean() > 2 * left.mean():
            look.add("feedback", SURE, f"{acted.mean():.0%} of the rows that the model chose have no label, {left.mean():.0%} of the others")
            return
    where = located(now, case.frames[1]) if case.frames is not None else located(now, _Bare())
    look.add("label delay", SURE if "from row" in where else LIKELY, f"{now.mean():.0%} of the labels have not come, {before.mean():.0%} before{where}")


class _Bare:
    columns = ()


def _performance(case, look, rows):
    """Rates of the label among rows with the same score, then and now."""
    scores, labels = ([values[r] for values, r in zip(pair, rows)] for pair in (case.scores, case.labels))
    strata = _Strata(*scores, *labels)
    everywhere = np.ones(len(labels[1]), dtype=bool)
    decision = case.column("decision")
    acted = ~everywhere if decision is None else np.asarray(decision[1])[rows[1]] == 1
    treated = min(acted.sum(), (~acted).sum()) >= LEAST and strata.z(acted) < -4
    if strata.p(everywhere) >= case.alpha / 3 and not treated:
        look.seen.append("rows with the same score have the same rate of labels as before")
        return
    evidence = f"rows with the same score have label 1 in {labels[1].mean():.2%}, {strata.expected.mean():.2%} expected"
    support = min([LIKELY] + [{"release": WEAK, "traffic mix": POSSIBLE}.get(h.cause, LIKELY) for h in case.below])
    if strata.z(everywhere) < -4 and _fades(strata.residual):
        look.add("label delay", support, f"{evidence}; label 1 fades towards the newest rows")
    elif treated and strata.p(~acted) > case.least_p:
        look.add("feedback", support, f"{evidence}; all of it where the model acted")
    else:
        look.add("concept drift", support, evidence)
        return
    look.add("concept drift", min(support, WEAK), "it could also be another law in those rows alone")


class _Strata:
    """Labels of current rows against the rate of reference rows with about the same score."""

    def __init__(self, before, now, labels_before, labels_now):
        edges = np.unique(np.quantile(before, np.linspace(0, 1, STRATA + 1)[1:-1]))
        self.size = len(edges) + 1
        old, self.cell = (np.searchsorted(edges, values, side="right") for values in (before, now))
        self.n, self.k = np.bincount(old, minlength=self.size), np.bincount(old, labels_before, self.size)
        self.labels = labels_now
        self.expected = ((self.k + 0.5) / (self.n + 1))[self.cell]
        self.residual = labels_now - self.expected

    def p(self, rows):
        """Chance of such a difference in these rows, over all strata, if the rates are as before."""
        cell, labels = self.cell[rows], self.labels[rows]
        m, j = np.bincount(cell, minlength=self.size), np.bincount(cell, labels, self.size)
        use = (m > 0) & (self.n > 0)
        m, j, n, k = m[use], j[use], self.n[use], self.k[use]
        both = (k + j + 0.5) / (n + m + 1)
        chi2 = ((j - m * k / n) ** 2 / (both * (1 - both) * m * (1 + m / n))).sum()
        return float(scipy.special.chdtrc(len(m), chi2))

    def z(self, rows):
        """How far these rows' labels sum up above what is expected, in standard errors."""
        chance = self.expected[rows]
        return float(self.residual[rows].sum() / np.sqrt((chance * (1 - chance)).sum()))


def _fades(residual):
    """Whether the residuals fall in one step, from about none to far below: late positives."""
    n = len(residual)
    left = np.cumsum(residual)[:-1] / np.arange(1, n)
    right = (residual.sum() - np.cumsum(residual)[:-1]) / np.arange(n - 1, 0, -1)
    inner = slice(n // 20, n - n // 20)
    step = (left - right)[inner] * np.sqrt(np.arange(1, n) * np.arange(n - 1, 0, -1) / n)[inner]
    at = int(step.argmax()) + n // 20
    return bool(abs(left[at]) < 0.25 * abs(right[at]))


def _business(case):
    look = _Look()
    if case.business is None or min(len(values) for values in case.business) < 3:
        case.lacks("a business metric, three days or more")
        look.seen.append("not looked at: no metric of both times")
        return look
    before, now = case.business
    n, m = len(before), len(now)
    pooled = np.sqrt(((n - 1) * before.var(ddof=1) + (m - 1) * now.var(ddof=1)) / (n + m - 2))
    change = now.mean() - before.mean()
    if pooled == 0 and change == 0:
        look.seen.append("the metric has not moved")
        return look
    t = change / (pooled * np.sqrt(1 / n + 1 / m)) if pooled else np.inf * np.sign(change)
    p = float(2 * scipy.special.stdtr(n + m - 2, -abs(t)))
    share = change / abs(before.mean()) if before.mean() else np.nan
    word = f"the metric moved by {share:+.1%}" if share == share else f"the metric moved by {change:+.3g}"
    if p >= case.alpha / 3:
        look.seen.append(f"{word}, no more than chance")
    elif case.below:
        look.seen.append(word)
    else:
        look.add("outside the model", POSSIBLE, f"{word}, and no layer below stands out")
    return look


def _rose(before, now, least_p):
    return now.mean() - before.mean() > NOTICED and share_p(int(before.sum()), len(before), int(now.sum()), len(now)) < least_p


def _both(first, second, name):
    if (first is None) != (second is None):
        raise ValueError(f"{name} needs its partner of the other time, got one alone. Pass both, or neither.")
    return None if first is None else [first, second]
