"""The report card of a detector: how often it cries wolf, what it finds, and how late.

What a detector answers (see `mlmon.drift.ask`) is counted against the truth of the
scenarios. A day without a verdict is UNDECIDED, a day that raised is an error, and each
has its own column. Neither is an alarm, so neither finds anything; and neither is calm,
so false alarms are counted among the days with a verdict.
"""
from dataclasses import asdict, dataclass
from html import escape
from numbers import Integral

import numpy as np
import scipy

from mlmon import _check
from mlmon.drift.ask import Detector, ask
from mlmon.drift.show import aligned
from mlmon.drift.verdict import Verdict


@dataclass(frozen=True)
class CardRow:
    """One detector on one scenario, over all seeds.

    Parameters
    ----------
    detector, scenario, drift : str
    runs : int
    clean_days, drifted_days : int
        Days with a verdict before the drift; days at its full strength.
    false_alarms, false_low, false_high : float
        Share of the clean days that alarm, with its interval; None without such days.
    power, power_low, power_high : float
        Share of the drifted days that alarm, with its interval. What was UNDECIDED or raised
        has not been found. None without such days.
    found : float
        Share of the runs in which the drift is found on any day.
    delay, delay_low, delay_high : float
        Median of the days until it is found, with its interval; None where that is never.
    undecided, errors : float
        Shares of all days.
    error : str
        The first message of what raised.
    """

    detector: str
    scenario: str
    drift: str
    runs: int
    clean_days: int
    false_alarms: float | None
    false_low: float
    false_high: float
    drifted_days: int
    power: float | None
    power_low: float
    power_high: float
    found: float | None
    delay: float | None
    delay_low: float | None
    delay_high: float | None
    undecided: float
    errors: float
    error: str


@dataclass(frozen=True, repr=False)
class ReportCard:
    """What detectors did on scenarios: see `report_card`.

    Parameters
    ----------
    rows : tuple of CardRow
        One a detector and scenario.
    runs : tuple of Run
        Every answer, day by day.
    confidence : float
        Of the intervals.
    """

    rows: tuple
    runs: tuple
    confidence: float

    @property
    def detectors(self):
        """Names of the detectors, in their order."""
        return tuple(dict.fromkeys(row.detector for row in self.rows))

    @property
    def scenarios(self):
        """Names of the scenarios, controls first."""
        return tuple(dict.fromkeys(row.scenario for row in self.rows))

    @property
    def false_alarms(self):
        """Rate of false alarms of each detector over all controls, with its interval: a DataFrame."""
        import pandas

        shares = {name: _share(self._of(name), _clean, self.confidence)[1:] for name in self.detectors}
        return pandas.DataFrame.from_dict(shares, orient="index", columns=["rate", "low", "high"], dtype=float)

    @property
    def power(self):
        """Share of the fully drifted days that alarm: a DataFrame of detectors by scenarios."""
        return self._grid("power", [row.scenario for row in self.rows if row.drifted_days])

    @property
    def seen(self):
        """Where a detector sees: its power lies above its false alarms, intervals apart. A DataFrame of bools."""
        low = self._grid("power_low", list(self.power))
        return low.gt(self.false_alarms["high"], axis=0) & self.power.notna()

    def __getitem__(self, key):
        """The row of (detector, scenario)."""
        for row in self.rows:
            if (row.detector, row.scenario) == key:
                return row
        raise KeyError(f"no {key!r} in this card; it has {', '.join(self.detectors)} on {', '.join(self.scenarios)}")

    def to_frame(self):
        """One row a detector and scenario, as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame([asdict(row) for row in self.rows])

    def summary(self):
        """One row a detector, as a pandas DataFrame.

        Columns: the rate of false alarms with its interval, the mean power, in how many
        scenarios it sees, where it is blind, and the shares of days without a verdict.
        """
        import pandas

        seen, rate = self.seen, self.false_alarms
        rows = {}
        for name in self.detectors:
            of = [row for row in self.rows if row.detector == name]
            rows[name] = {
                "false_alarms": rate.loc[name, "rate"], "low": rate.loc[name, "low"], "high": rate.loc[name, "high"],
                "power": self.power.loc[name].mean(), "sees": int(seen.loc[name].sum()), "of": seen.shape[1],
                "undecided": float(np.mean([row.undecided for row in of])), "errors": float(np.mean([row.errors for row in of])),
                "blind": ", ".join(seen.columns[~seen.loc[name]]),
            }
        return pandas.DataFrame.from_dict(rows, orient="index")

    def __str__(self):
        return "\n".join([*aligned(self._cells()), *self._errors()])

    __repr__ = __str__

    def _repr_html_(self):
        head, *body = self._cells()
        shade = {(row.scenario, row.detector): row.power if row.drifted_days else row.false_alarms for row in self.rows}
        lines = ["<tr>" + "".join(f"<th style='text-align:left'>{escape(cell)}</th>" for cell in head) + "</tr>"]
        for scenario, cells in zip(self.scenarios, body):
            tds = (
                f"<td style='text-align:left;background:rgba(31,90,158,{0.6 * (shade[scenario, name] or 0):.2f})'>{escape(cell)}</td>"
                for name, cell in zip(self.detectors, cells[1:])
            )
            lines.append(f"<tr><th style='text-align:left'>{escape(cells[0])}</th>{''.join(tds)}</tr>")
        notes = "".join(f"<p style='color:#5c1018'>{escape(line)}</p>" for line in self._errors())
        return f"<div><table>{''.join(lines)}</table>{notes}</div>"

    def _of(self, detector):
        """The runs of a detector in which clean days count: the controls, and what has none."""
        return [run for run in self.runs if run.detector == detector and run.control in (None, run.scenario)]

    def _grid(self, field, columns):
        import pandas

        cells = {(row.detector, row.scenario): getattr(row, field) for row in self.rows}
        columns = list(dict.fromkeys(columns))
        values = [[cells[name, scenario] for scenario in columns] for name in self.detectors]
        return pandas.DataFrame(values, index=list(self.detectors), columns=columns, dtype=float)

    def _cells(self):
        rows = {(row.scenario, row.detector): row for row in self.rows}
        body = [[name, *(_cell(rows[name, detector]) for detector in self.detectors)] for name in self.scenarios]
        return [["scenario", *self.detectors], *body]

    def _errors(self):
        first = {row.detector: row for row in reversed(self.rows) if row.error}
        return [f"{name} raised on {row.scenario}: {row.error}" for name, row in sorted(first.items())]


def report_card(detectors, scenarios, seeds, *, days=20, n=None, confidence=0.95, model=None, executor=None):
    """Ask detectors about scenarios whose truth is known, and count.

    Each scenario is drawn once a seed; all detectors see the same rows. The control of each
    named scenario, the same without drift, comes in by itself. Days of one run share a
    reference, so they are not independent: intervals are Clopper and Pearson's with the
    number of days that would be as informative were they independent.

    Parameters
    ----------
    detectors : dict of str to callable or Detector
        By name. A plain callable is ``detector(reference)`` and sees the features alone;
        see `mlmon.drift.compares`, `learns` and `steps` for others. One that draws numbers needs a seed
        of its own, or the card differs from run to run.
    scenarios : list of str or mlmon.data.scenarios.Scenario
        Names from `mlmon.data.scenarios.names()`, or scenarios ready made. Several of one
        name are draws of the same scenario; seeds do not change them, and without a control the days
        before their drift serve as clean ones.
    seeds : int or iterable of int
        How many, or which.
    days, n : int
        Batches of a scenario, and rows of each; see `mlmon.data.scenarios.make`. With ``days=2``,
        one before and one after, the runs' days are independent.
    confidence : float
        Of the intervals.
    model : sklearn classifier, optional
        What gives the scores: by default a logistic regression. It learns from rows of its own.
    executor : concurrent.futures.Executor, optional
        Spreads the runs; processes need detectors that can be pickled.

    Returns
    -------
    ReportCard
        The same for the same seeds, with or without an executor.

    Raises
    ------
    ValueError
        For no detectors, unknown scenarios, no seeds. What a *detector* raises is kept in the card.

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24(2), 193-201 (the intervals).

    Examples
    --------
    >>> from mlmon.drift.ask import compares
    >>> def income_rose(reference, batch):
    ...     return batch["income"].mean() > 1.1 * reference["income"].mean()
    >>> card = report_card({"income rose": compares(income_rose)}, ["customers-sudden-mean"], seeds=3, days=4)
    >>> row = card["income rose", "customers-sudden-mean"]
    >>> row.power, row.delay, row.drifted_days
    (1.0, 0.0, 6)
    """
    detectors = _detectors(detectors)
    confidence = _check.open_share(confidence, "confidence")
    tasks = [(detectors, *task, days, n, model) for task in _tasks(scenarios, seeds)]
    from tqdm import tqdm

    answers = map(_run, tasks) if executor is None else executor.map(_run, tasks)
    runs = [run for found in tqdm(answers, total=len(tasks), unit="run", disable=None) for run in found]
    groups = {}
    for run in runs:
        groups.setdefault((run.detector, run.scenario), []).append(run)
    order = {name: place for place, name in enumerate(detectors)}
    rows = sorted((_row(group, confidence) for group in groups.values()), key=lambda row: order[row.detector])
    return ReportCard(tuple(rows), tuple(runs), confidence)


def share_interval(hits, days, confidence=0.95):
    """A share over runs of days that go together, with its interval.

    ``p`` is all hits over all days. Its variance is taken from how the runs differ; ``p (1 - p)``
    over that variance is the number of independent days worth as much, at most all of them, and
    Clopper and Pearson's interval is taken for it. A single run, or one where every day is alike, counts
    its days as independent.

    Parameters
    ----------
    hits, days : array-like of shape (runs,)
    confidence : float

    Returns
    -------
    tuple of (float or None, float, float)
        The share, None without days; and its interval, (0, 1) without days.

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24(2), 193-201.

    Examples
    --------
    >>> [round(x, 3) for x in share_interval([1], [20])]
    [0.05, 0.001, 0.249]
    """
    hits, days = np.asarray(hits, dtype=float), np.asarray(days, dtype=float)
    k, n, runs = hits.sum(), days.sum(), np.count_nonzero(days)
    if n == 0:
        return None, 0.0, 1.0
    p, tail = k / n, (1 - confidence) / 2
    if runs > 1 and 0 < k < n:
        variance = runs / (runs - 1) * np.sum((hits - p * days) ** 2) / n**2
        student = (scipy.special.ndtri(tail) / scipy.special.stdtrit(runs - 1, tail)) ** 2
        n = min(n, student * p * (1 - p) / variance) if variance > 0 else n
    k = p * n
    low = scipy.special.betaincinv(k, n - k + 1, tail) if k > 0 else 0.0
    high = scipy.special.betaincinv(k + 1, n - k, 1 - tail) if p < 1 else 1.0
    return float(p), float(low), float(high)


def median_interval(delays, confidence=0.95):
    """Median of delays of which some never end, with its interval from order statistics.

    Parameters
    ----------
    delays : list of float or None
        None: never found.
    confidence : float

    Returns
    -------
    tuple of (float or None, float, float or None)
        Median, low, high; None where it lies among the delays that never end, or where too
        few were seen to bound it.

    Examples
    --------
    >>> median_interval([0, 1, 1, 2, None])
    (1.0, 0.0, None)
    >>> median_interval([3, None, None])
    (None, 0.0, None)
    """
    ordered = np.sort([np.inf if delay is None else float(delay) for delay in delays])
    size = len(ordered)
    # So many may lie below the median at least as often as the interval may fail on this side.
    beyond = int(scipy.special.bdtrik((1 - confidence) / 2, size, 0.5)) if 0.5**size <= (1 - confidence) / 2 else -1
    low, high = (ordered[beyond], ordered[size - 1 - beyond]) if beyond >= 0 else (0.0, np.inf)
    middle = ordered[[(size - 1) // 2, size // 2]].mean() if size else np.inf
    return _ends(middle), _ends(low), _ends(high)


# ------------------------------------------------------------------ counting

def _run(task):
    """Every detector on one scenario and seed: a list of `Run`."""
    detectors, source, control, seed, days, n, model = task
    if isinstance(source, str):
        from mlmon.data import scenarios

        source = scenarios.make(source, seed, n=n, days=days)
    return ask(detectors, source, control=control, seed=seed, model=model)


def _clean(run):
    """Days with a verdict before any drift, and those that alarm."""
    said = [s for s in run.said[:run.start] if s in (Verdict.STABLE, Verdict.DRIFTED)]
    return sum(s is Verdict.DRIFTED for s in said), len(said)


def _drifted(run):
    """Days at full strength, and those that alarm."""
    said = [s for s, strength in zip(run.said, run.strength) if strength == 1]
    return sum(s is Verdict.DRIFTED for s in said), len(said)


def _share(runs, count, confidence):
    """Days, share, low and high over runs."""
    hits, days = zip(*map(count, runs)) if runs else ((), ())
    return (sum(days), *share_interval(hits, days, confidence))


def _row(runs, confidence):
    first, said = runs[0], [s for run in runs for s in run.said]
    clean, drifted = _share(runs, _clean, confidence), _share(runs, _drifted, confidence)
    drifts = any(strength > 0 for strength in first.strength)
    delays = [run.delay for run in runs]
    delay = median_interval(delays, confidence) if drifts else (None, None, None)
    return CardRow(
        first.detector, first.scenario, first.drift, len(runs), *clean, *drifted,
        float(np.mean([d is not None for d in delays])) if drifts else None, *delay,
        undecided=said.count(Verdict.UNDECIDED) / len(said), errors=said.count(None) / len(said),
        error=next((run.error for run in runs if run.error), ""),
    )


def _cell(row):
    if row.drifted_days:
        text = f"{row.power:.2f}, " + ("never" if row.delay is None else f"day {row.delay:g}")
    elif row.false_alarms is None:
        text = "no verdict"
    else:
        text = f"{row.false_alarms:.3f} ({row.false_low:.3f} to {row.false_high:.3f})"
    notes = [f"{share:.0%} {what}" for share, what in ((row.undecided, "undecided"), (row.errors, "errors")) if share]
    return ", ".join([text, *notes])


def _ends(value):
    return float(value) if np.isfinite(value) else None


# ------------------------------------------------------------------ what is asked for

def _detectors(detectors):
    if not isinstance(detectors, dict) or not detectors:
        raise ValueError(f"detectors needs a dict of at least one name and detector, got {detectors!r:.80}. Name each.")
    return {str(name): one if isinstance(one, Detector) else Detector(one) for name, one in detectors.items()}


def _tasks(sources, seeds):
    """(name or scenario, its control, seed) of each run; controls first."""
    from mlmon.data import scenarios

    sources = [sources] if isinstance(sources, (str, scenarios.Scenario)) else list(sources)
    if not sources:
        raise ValueError("scenarios needs at least one name or scenario, got none. See mlmon.data.scenarios.names().")
    named = [source for source in sources if not isinstance(source, scenarios.Scenario)]
    controls = {name: scenarios.control(name) for name in named}
    seeds = _seeds(seeds)
    ready = [(source, None, None) for source in sources if isinstance(source, scenarios.Scenario)]
    made = dict.fromkeys([*controls.values(), *named])
    return [(name, scenarios.control(name), seed) for name in made for seed in seeds] + ready


def _seeds(seeds):
    whole = isinstance(seeds, Integral) and not isinstance(seeds, bool)
    seeds = list(range(seeds)) if whole else list(seeds) if hasattr(seeds, "__iter__") else [seeds]
    odd = [seed for seed in seeds if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0]
    if not seeds or odd or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds needs different whole numbers, at least one, got {seeds}. Pass how many, or which.")
    return seeds
