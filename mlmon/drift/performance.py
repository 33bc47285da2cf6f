"""Concept drift: has the model become worse than it was when it was let out?

P(y|X) can only be seen with labels, and labels are few and late. So a window of labelled predictions is
compared with a held-out baseline, both with their errors, and only windows that are old enough for their
labels to have come are compared at all.
"""
import json
import time
from dataclasses import asdict, dataclass, fields
from html import escape
from numbers import Integral, Real

import numpy as np

from mlmon import _check
from mlmon.drift.late import duration, nanoseconds
from mlmon.drift.metric import NAMES, Estimate, Trend, difference, evaluate, mann_kendall
from mlmon.drift.show import as_html, as_text, number
from mlmon.drift.verdict import Verdict

BETTER = dict.fromkeys(NAMES, "higher") | dict.fromkeys(("brier", "log_loss", "cost"), "lower") | dict.fromkeys(
    ("calibration_slope", "calibration_intercept"), "neither")
MOST = 10_000       # windows of one report


class ConceptDriftDetector:
    """Compares the performance in windows of labelled predictions with that of a held-out baseline.

    A window has drifted when the interval of *window minus baseline* lies beyond `margin` on the worse side. The
    baseline is a sample too, and its error is in the interval. Where nothing has changed, a call of `detect`
    gives DRIFTED in about `alpha` of the cases, however many windows it looks at, with as few as ten positives.

    Parameters
    ----------
    baseline : (y_true, score), (value, se) or Estimate
        Labels and scores of rows that the model has not learned from. Or a number with its standard error:
        ``(0.89, 0)`` is a target that nobody measured.
    metric : str or callable
        As in `evaluate`.
    margin : float
        How much worse, in the metric's unit, is still fine. 0 decides by significance alone.
    alpha : float
        Chance of a false alarm, per call.
    window : int, timedelta, text such as "1D", or None
        Predictions a window; or its length, windows starting at multiples of it since 1970 (so "1D" are days of UTC);
        or all rows as one.
    better : {"higher", "lower", "neither"}, optional
        Known for named metrics. "neither": a change either way is drift (calibration). "higher" for a callable.
    correction : {"bonferroni", "none"}
        "bonferroni" shares `alpha` out among the windows of one call; with "none" each window errs with `alpha`.
    min_labels : int
        Fewer are UNDECIDED.
    min_share : float
        A window in which a smaller share of the predictions has labels is UNDECIDED: who is labelled is then not chance.
    rule_out : float, optional
        A change this much worse than the margin must be ruled out for STABLE; else too few labels are UNDECIDED.
    maturity : timedelta or text such as "7D", optional
        Predictions younger than this wait, and so do windows in time that are not old enough to their last row.
    clock : callable
        Gives the time now, in seconds since 1970 or as a datetime.
    threshold, costs : see `evaluate`
    seed : int
        Of the bootstrap.

    Raises
    ------
    ValueError
        For a baseline without error, or one for which the metric has no value.

    See Also
    --------
    mlmon.drift.DataDriftDetector : P(X), which needs no labels and does not see this.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def day(n, signal):
    ...     y = rng.random(n) < 0.2
    ...     return y, rng.normal(signal * y, 1)
    >>> detector = ConceptDriftDetector(day(5000, 2.0), metric="auc")
    >>> report = detector.detect(*day(1000, 1.0))
    >>> report.drifted, report.windows[0].n
    (True, 1000)
    >>> detector.detect([0] * 100, [0.5] * 100).reason
    'all: one class only: all 100 labels are 0'
    """

    def __init__(self, baseline, *, metric="auc", margin=0.0, alpha=0.05, window=None, better=None, correction="bonferroni",
                 min_labels=30, min_share=0.5, rule_out=None, maturity=None, clock=time.time, threshold=0.5, costs=None, seed=0):
        if not callable(metric):
            _check.one_of(metric, NAMES, "metric")
        if not isinstance(margin, Real) or not 0 <= margin < np.inf:
            raise ValueError(f"margin needs a number of 0 or more, got {margin!r}. 0 decides by significance alone.")
        self.metric, self.margin, self.alpha = metric, float(margin), _check.open_share(alpha, "alpha")
        self.better = _check.one_of(better or (BETTER[metric] if not callable(metric) else "higher"), ("higher", "lower", "neither"), "better")
        self.correction = _check.one_of(correction, ("bonferroni", "none"), "correction")
        self.min_labels, self.min_share = _check.whole(min_labels, "min_labels", 1), _check.share(min_share, "min_share")
        self.rule_out = None if rule_out is None else _check.positive(rule_out, "rule_out")
        self._by_count = isinstance(window, (Integral, float)) or window is None
        self.window = window if window is None else _check.whole(window, "window", 1) if self._by_count else duration(window, "window")
        self.maturity = None if maturity is None else duration(maturity, "maturity")
        self.clock = clock
        self._options = {"threshold": threshold, "costs": costs, "seed": seed}
        self.baseline = self._read(baseline)

    @property
    def name(self):
        """The metric's name."""
        return self.metric if isinstance(self.metric, str) else getattr(self.metric, "__name__", type(self.metric).__name__)

    def detect(self, y_true, score, *, at=None):
        """Judge labelled predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            nan where the label has not come.
        score : array-like of shape (n,)
        at : array-like of times, optional
            When each prediction was made: datetimes, text, or seconds since 1970. Without it rows are in order of time.

        Returns
        -------
        PerformanceReport

        Raises
        ------
        ValueError
            For infinite labels, labels other than 0 and 1, missing scores, unequal lengths, and where a window or
            maturity in time has no `at`.
        """
        y = _check.numeric(y_true, "y_true", least=0, finite=False)
        score = np.asarray(score) if np.ndim(score) == 2 else _check.numeric(score, "score", least=0)
        if len(y) != len(score):
            raise ValueError(f"score needs one row for each label, got {len(score)} for {len(y)}. Use PredictionLog to join them.")
        if at is None:
            if not self._by_count or self.maturity is not None:
                raise ValueError("at needs the time of each prediction for a window or maturity in time, got None. Pass it.")
            return self._judge(None, y, score, 0, ())
        at = nanoseconds(at, "at")
        if len(at) != len(y):
            raise ValueError(f"at needs one time for each prediction, got {len(at)} for {len(y)}. Pass as many.")
        order = np.argsort(at, kind="stable")
        at, y, score = at[order], y[order], score[order]
        ripe = np.ones(len(at), dtype=bool) if self.maturity is None else at <= self._now() - self.maturity
        return self._judge(at[ripe], y[ripe], score[ripe], int((~ripe).sum()), ())

    def judge(self, log):
        """Judge what a `PredictionLog` holds, as far as it is old enough.

        Labels that took longer than the maturity time do not count, for old cohorts as for young ones; so a cohort's
        verdict does not change once it has been given.

        Parameters
        ----------
        log : PredictionLog

        Returns
        -------
        PerformanceReport
            Its `remarks` count repeated, conflicting, unknown, early, late, corrected and doubtful rows.

        Examples
        --------
        >>> from mlmon.drift.late import PredictionLog
        >>> rng = np.random.default_rng(1)
        >>> y, log = rng.random(300) < 0.3, PredictionLog()
        >>> log.predict(range(300), rng.normal(2 * y, 1), at="2026-03-01")
        >>> log.label(range(300), y, at="2026-03-05")
        >>> detector = ConceptDriftDetector((0.92, 0.01), maturity="7D", clock=lambda: "2026-03-09")
        >>> detector.judge(log).verdict, ConceptDriftDetector((0.92, 0.01), maturity="7D", clock=lambda: "2026-03-07").judge(log).pending
        (<Verdict.STABLE: 'STABLE'>, 300)
        """
        import pandas

        wait = None if self.maturity is None else pandas.Timedelta(self.maturity, unit="ns")
        joined = log.joined(maturity=wait, now=self.clock())
        return self._judge(joined.at, joined.y_true, joined.score, joined.young, joined.remarks)

    def __repr__(self):
        return f"ConceptDriftDetector({self.name}, baseline {self.baseline!r}, margin={self.margin:g}, alpha={self.alpha:g})"

    def _read(self, baseline):
        if isinstance(baseline, Estimate):
            found = baseline
        elif isinstance(baseline, (tuple, list)) and len(baseline) == 2 and all(np.ndim(part) == 0 for part in baseline):
            found = Estimate.given(*baseline)
        elif isinstance(baseline, (tuple, list)) and len(baseline) == 2:
            found = evaluate(self.metric, *baseline, **self._options)
        else:
            came = baseline if isinstance(baseline, Real) else type(baseline).__name__
            raise ValueError(f"baseline needs held-out (y_true, score), or (value, standard error), got {came!r}. "
                             "A number alone hides its own error; pass (0.89, 0) for a target that nobody measured.")
        if found.value is None:
            raise ValueError(f"baseline needs rows for which {self.name} has a value, got none: {found.reason}. Hold out more rows.")
        return found

    def _now(self):
        return int(nanoseconds(self.clock(), "clock")[0])

    def _judge(self, at, y, score, young, remarks):
        if np.isinf(y).any():
            raise ValueError(f"y_true needs labels or nan, got {int(np.isinf(y).sum())} infinite. Drop those rows.")
        if self.maturity is not None and not self._by_count:
            whole = at < (self._now() - self.maturity) // self.window * self.window      # of windows that are old enough to their last row
            at, y, score, young = at[whole], y[whole], score[whole], young + int((~whole).sum())
        cuts, waiting = self._cut(at, len(y))
        found = [self._estimate(y[rows], score[rows]) for _, _, rows in cuts]
        judged = sum(estimate.value is not None for estimate in found)
        level = self.alpha / max(judged, 1) if self.correction == "bonferroni" else self.alpha
        tail = level / 2 if self.better == "neither" else level
        windows = tuple(self._row(*cut, y, estimate, tail, level / self.alpha) for cut, estimate in zip(cuts, found))
        trend = mann_kendall([np.nan if w.value is None else w.value for w in windows])
        return PerformanceReport.of(self, windows, trend, young + waiting, tuple(remarks))

    def _cut(self, at, n):
        """(start, end, rows) of each window, and how many rows wait for a full one."""
        if n == 0:
            return [], 0
        if self._by_count:
            size = n if self.window is None else self.window
            ends = range(size, n + 1, size)
            return [(*self._span(at, end - size, end), slice(end - size, end)) for end in ends], n % size
        first, last = int(at[0] // self.window), int(at[-1] // self.window)
        if last - first >= MOST:
            raise ValueError(f"window needs at most {MOST} windows from first to last prediction, got {last - first + 1}. Pass a longer one.")
        edges = np.arange(first, last + 2, dtype=np.int64) * self.window
        places = np.searchsorted(at, edges)
        return [(_text(edges[i]), _text(edges[i + 1]), slice(places[i], places[i + 1])) for i in range(len(edges) - 1)], 0

    def _span(self, at, start, end):
        if at is None:
            return ("all", "all") if self.window is None else (f"row {start}", f"row {end - 1}")
        return _text(at[start]), _text(at[end - 1])

    def _estimate(self, y, score):
        known = ~np.isnan(y)
        n, labels = len(y), int(known.sum())
        if n == 0:
            return Estimate(None, None, None, 0, "none", "no predictions")
        if labels < self.min_share * n:
            return Estimate(None, None, None, labels, "none", f"{labels / n:.0%} of the predictions have labels, at least {self.min_share:.0%} are needed")
        if labels < self.min_labels:
            return Estimate(None, None, None, labels, "none", f"needs at least {self.min_labels} labels, got {labels}")
        return evaluate(self.metric, y[known], score[known], **self._options)

    def _row(self, start, end, rows, y, estimate, tail, share):
        labels = int((~np.isnan(y[rows])).sum())
        about = dict(start=start, end=end, predictions=len(y[rows]), n=labels)
        if estimate.value is None:
            return WindowResult(**about, verdict=Verdict.UNDECIDED, reason=estimate.reason)
        low, high = estimate.interval(1 - 2 * tail)
        change = difference(estimate, self.baseline, confidence=1 - 2 * tail)
        worse = {"higher": [-change.high], "lower": [change.low], "neither": [change.low, -change.high]}[self.better]
        sides = {"higher": [-1], "lower": [1], "neither": [1, -1]}[self.better]
        p = min(1.0, len(sides) * min(change.tail(s * self.margin) if s * change.value > self.margin else 1.0 for s in sides))
        verdict, reason = self._verdict(estimate, change, max(worse))
        return WindowResult(
            **about, value=estimate.value, low=low, high=high, change=change.value, change_low=change.low, change_high=change.high,
            pvalue=p, corrected_pvalue=min(1.0, p / share), verdict=verdict, reason=reason)

    def _verdict(self, estimate, change, worse):
        moved = f"{self.name} went from {self.baseline.value:.3g} to {estimate.value:.3g}"
        span = f"change {change.value:+.3g}, {change.low:+.3g} to {change.high:+.3g}"
        if worse > self.margin:
            return Verdict.DRIFTED, f"{moved} ({span}), beyond the margin of {self.margin:g}"
        possible = {"higher": -change.low, "lower": change.high, "neither": max(-change.low, change.high)}[self.better]
        if self.rule_out is not None and possible > self.margin + self.rule_out:
            return Verdict.UNDECIDED, f"too few labels: a change for the worse of {possible:.2g} is possible ({span})"
        return Verdict.STABLE, f"no more than chance; a change for the worse of more than {max(possible, 0):.2g} is ruled out"


@dataclass(frozen=True)
class WindowResult:
    """One window's row of a report.

    Parameters
    ----------
    start, end : str
        Times in UTC, or rows.
    predictions, n : int
        Predictions made in the window, and how many of them have labels.
    value, low, high : float
        The metric and its interval; None where UNDECIDED for want of labels.
    change, change_low, change_high : float
        Window minus baseline, and its interval, whose ends decide.
    pvalue, corrected_pvalue : float
        That the window is no worse than the margin allows; corrected for the windows of the call.
    verdict : Verdict
    reason : str
    """

    start: str
    end: str
    predictions: int
    n: int
    verdict: Verdict
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    pvalue: float | None = None
    corrected_pvalue: float | None = None

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def label_share(self):
        """Share of the window's predictions that have labels; None without predictions."""
        return self.n / self.predictions if self.predictions else None


@dataclass(frozen=True, repr=False)
class PerformanceReport:
    """The comparison of windows with the baseline.

    Parameters
    ----------
    verdict : Verdict
        DRIFTED if any window is; else UNDECIDED if any window is, or there is none; else STABLE.
    reason : str
    metric : str
    baseline : Estimate
    windows : tuple of WindowResult
    trend : Trend
        Of the windows' values, by Mann and Kendall: it does not decide.
    pending : int
        Predictions that wait, for a full window or for their labels to mature.
    remarks : tuple of (str, int)
        What joining labels found; see `PredictionLog`.
    margin, alpha : float
    correction : str
    """

    verdict: Verdict
    reason: str
    metric: str
    baseline: Estimate
    windows: tuple
    trend: Trend
    pending: int
    remarks: tuple
    margin: float
    alpha: float
    correction: str

    @classmethod
    def of(cls, detector, windows, trend, pending, remarks):
        """The report on these windows."""
        drifted = [w for w in windows if w.drifted]
        undecided = [w for w in windows if w.verdict is Verdict.UNDECIDED]
        if drifted:
            more = f" and {len(drifted) - 1} more" if len(drifted) > 1 else ""
            verdict, reason = Verdict.DRIFTED, f"{drifted[0].start}{more}: {drifted[0].reason}"
        elif undecided:
            verdict, reason = Verdict.UNDECIDED, f"{undecided[0].start}: {undecided[0].reason}"
        elif not windows:
            verdict, reason = Verdict.UNDECIDED, f"no window is complete: {pending} predictions wait" if pending else "no predictions"
        else:
            verdict, reason = Verdict.STABLE, "no more than chance"
        return cls(verdict, reason, detector.name, detector.baseline, windows, trend, pending, remarks,
                   detector.margin, detector.alpha, detector.correction)

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def drifted_windows(self):
        """Places of the windows that drifted."""
        return tuple(i for i, w in enumerate(self.windows) if w.drifted)

    def to_frame(self):
        """One row a window, as a pandas DataFrame."""
        import pandas

        names = [f.name for f in fields(WindowResult)]
        frame = pandas.DataFrame([{name: getattr(w, name) for name in names} for w in self.windows], columns=names)
        return frame.astype({f.name: float for f in fields(WindowResult) if "float" in str(f.type)})

    def to_json(self):
        """The whole report as JSON text."""
        estimate = {name: getattr(self.baseline, name) for name in ("value", "low", "high", "n", "method", "confidence")}
        about = {
            "verdict": str(self.verdict), "reason": self.reason, "metric": self.metric, "margin": self.margin, "alpha": self.alpha, "correction": self.correction,
            "baseline": estimate, "trend": asdict(self.trend), "pending": self.pending, "remarks": dict(self.remarks),
            "windows": [asdict(w) for w in self.windows],
        }
        return json.dumps(about, default=str)

    def __str__(self):
        return as_text(self.verdict, self.reason, _HEADS, [_cells(w) for w in self.windows]) + "\n" + self._about()

    __repr__ = __str__

    def _repr_html_(self):
        return as_html(self.verdict, self.reason, _HEADS, [_cells(w) for w in self.windows]) + f"<p>{escape(self._about())}</p>"

    def _about(self):
        """The line that says what was compared."""
        whole = "the whole table" if self.correction == "bonferroni" else "each window"
        parts = [f"{self.metric}, baseline {self.baseline!r}, margin {self.margin:g}, alpha {self.alpha:g} for {whole}"]
        if self.trend.tau is not None:
            parts.append(f"trend {self.trend.slope:+.2g} a window (p = {number(self.trend.pvalue)})")
        if self.pending:
            parts.append(f"{self.pending} predictions wait")
        return "; ".join(parts + [f"{count} {name}" for name, count in self.remarks])


_HEADS = ("from", "predictions", "labels", "value", "interval", "change", "its interval", "corrected p", "verdict", "reason")


def _cells(row):
    if row.value is None:
        numbers = ("",) * 5
    else:
        numbers = (f"{row.value:.3g}", f"{row.low:.3g} to {row.high:.3g}", f"{row.change:+.3g}",
                   f"{row.change_low:+.3g} to {row.change_high:+.3g}", number(row.corrected_pvalue))
    return (row.start, str(row.predictions), str(row.n), *numbers, str(row.verdict), row.reason)


def _text(moment):
    """A time in UTC as short as it can be said."""
    text = str(np.datetime64(int(moment), "ns"))[:19].replace("T", " ")
    return text.removesuffix(":00").removesuffix(" 00:00")
