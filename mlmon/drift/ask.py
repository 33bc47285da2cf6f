"""Ask detectors about scenarios: what a detector is, what it is shown, and what it says day by day.

A detector is anything that learns a reference and is then asked batch by batch::

    detector(reference)   ->  watcher
    watcher(batch)        ->  True, False, a Verdict, or a result with .verdict or .drifted
    watcher.detect(batch)     is asked instead where the watcher has it

So `DataDriftDetector` is one as it stands. `compares` makes one of a function of
``(reference, batch)``, `learns` says what else than the features a detector sees,
and `steps` asks a detector of streams batch by batch.

Nothing that a detector does can pass for a verdict: what it raises is written down, and
so is an answer that is none.
"""
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from mlmon import _check
from mlmon.drift.verdict import Verdict

VIEWS = ("features", "labels", "scores", "outcomes", "errors", "rows")
_MODEL = 100_000    # first seed of the rows that the model learns from: no day has it


@dataclass(frozen=True)
class Detector:
    """A detector of the report card, and what it sees of each row.

    Parameters
    ----------
    make : callable
        ``make(reference)`` gives the watcher.
    sees : str
        See `learns`.
    """

    make: object
    sees: str = "features"

    def __post_init__(self):
        _check.one_of(self.sees, VIEWS, "sees")
        if not callable(self.make):
            raise ValueError(f"detector needs a function or a class, got {type(self.make).__name__}. Pass what makes the detector.")


def learns(make, sees="features"):
    """A detector that learns its reference once, and what it is shown.

    Parameters
    ----------
    make : callable
        ``make(reference)`` returns what is asked with each batch.
    sees : {"features", "labels", "scores", "outcomes", "errors", "rows"}
        - "features": a DataFrame without the target, as before any label arrives;
        - "labels": the target as a Series;
        - "scores": a model's scores as an array;
        - "outcomes": a DataFrame with the columns `label` and `score`;
        - "errors": an array in order of arrival, 1 where the score is on the wrong side of 0.5;
        - "rows": the scenario's frame as it is.

    Returns
    -------
    Detector

    Examples
    --------
    >>> learns(lambda labels: (lambda batch: abs(batch.mean() - labels.mean()) > 0.1), "labels").sees
    'labels'
    """
    return Detector(make, sees)


def compares(test, sees="features"):
    """A detector from a function of the reference and a batch.

    Parameters
    ----------
    test : callable
        ``test(reference, batch)`` returns a bool, a Verdict or a result.
    sees : str
        What both arguments are; see `learns`.

    Returns
    -------
    Detector

    Examples
    --------
    >>> from mlmon.drift import chi2_test
    >>> watcher = compares(chi2_test, "labels").make([0] * 90 + [1] * 10)
    >>> watcher([0] * 70 + [1] * 30).drifted
    True
    """
    if not callable(test):
        raise ValueError(f"test needs a function of (reference, batch), got {type(test).__name__}. Pass one.")
    return Detector(partial(partial, test), sees)


def steps(make, sees="errors"):
    """A detector from one of streams, which takes a value at a time and keeps what it has seen.

    Parameters
    ----------
    make : callable
        ``make(reference)`` returns a detector whose ``update(value)`` says whether it alarms
        now, by itself or in `.drifted` or `.drift_detected`. Where it has `update_many`, that is asked.
    sees : str
        What its values are: "errors", "scores" or "labels".

    Returns
    -------
    Detector
        A day alarms where any of its values does.
    """
    _check.one_of(sees, ("errors", "scores", "labels"), "sees")
    if not callable(make):
        raise ValueError(f"make needs a function of the reference, got {type(make).__name__}. Pass what makes the detector.")
    return Detector(partial(_Steps, make), sees)


@dataclass(frozen=True)
class Run:
    """What one detector said of one scenario, day by day.

    Parameters
    ----------
    detector, scenario, drift : str
        `drift` is the kind of fault, "none" for a control.
    control : str
        Name of the control that the card holds for this scenario; None where there is none.
    seed : int
        None for a scenario that came ready made.
    strength : tuple of float
        The truth: how strong the drift is on each day, from 0 to 1.
    said : tuple of Verdict
        None on a day that raised.
    error : str
        The first message; empty where nothing raised.
    """

    detector: str
    scenario: str
    drift: str
    control: str | None
    seed: int | None
    strength: tuple
    said: tuple
    error: str

    @property
    def start(self):
        """The first drifted day, counted from 0; the number of days without drift."""
        return next((day for day, strength in enumerate(self.strength) if strength > 0), len(self.strength))

    @property
    def delay(self):
        """Days from the start of the drift to the first alarm on a drifted day; None if there is none."""
        days = (day for day, said in enumerate(self.said) if said is Verdict.DRIFTED and self.strength[day] > 0)
        return next((day - self.start for day in days), None)


def ask(detectors, scenario, *, control=None, seed=None, model=None):
    """Show every batch of a scenario to every detector.

    Parameters
    ----------
    detectors : dict of str to Detector
    scenario : mlmon.data.scenarios.Scenario
    control : str, optional
        Written into the runs.
    seed : int, optional
        Of the rows that the model learns from.
    model : sklearn classifier, optional
        What gives the scores; a logistic regression by default.

    Returns
    -------
    list of Run
        One a detector.
    """
    show = _Views(scenario, seed, model)
    about = dict(scenario=scenario.name, drift=scenario.truth.kind, control=control, seed=seed, strength=tuple(scenario.truth.strength))
    return [Run(name, **about, **_asked(detector, show)) for name, detector in detectors.items()]


def _asked(detector, show):
    """What a detector says day by day. Whatever it raises is written down, never taken for calm."""
    said, errors = [], []
    try:
        watcher = detector.make(show(detector.sees, None))
        ask = watcher.detect if hasattr(watcher, "detect") else watcher
    except Exception as error:
        return dict(said=(None,) * len(show), error=_words(error))
    for day in range(len(show)):
        batch = show(detector.sees, day)
        try:
            said.append(_verdict(ask(batch)))
        except Exception as error:
            said.append(None)
            errors.append(_words(error))
    return dict(said=tuple(said), error=errors[0] if errors else "")


def _verdict(answer):
    said = getattr(answer, "verdict", answer)
    if isinstance(said, str) and said in list(Verdict):
        return Verdict(said)
    for value in (said, getattr(answer, "drifted", None)):
        if isinstance(value, (bool, np.bool_)):
            return Verdict.DRIFTED if value else Verdict.STABLE
    raise TypeError(f"the answer needs to be True, False, a Verdict or a result with .verdict or .drifted, got {answer!r:.80}. Return one of them.")


def _words(error):
    return f"{type(error).__name__}: {error}"


class _Views:
    """A scenario as detectors see it. Each asks for a copy of its own, so none can spoil another's."""

    def __init__(self, scenario, seed, model):
        self.scenario, self.seed, self.model = scenario, seed, model
        self._scored = {}

    def __len__(self):
        return len(self.scenario.batches)

    def __call__(self, sees, day):
        rows = self.scenario.reference if day is None else self.scenario.batches[day]
        if sees == "rows":
            return rows.copy()
        if sees == "features":
            return rows[list(self.scenario.table.features)].copy()
        if sees == "labels":
            return rows[self.scenario.table.target].copy()
        if day not in self._scored:
            self._scored[day] = self._score(rows)
        outcomes = self._scored[day].copy()
        if sees == "outcomes":
            return outcomes
        if sees == "scores":
            return outcomes["score"].to_numpy(copy=True)
        return ((outcomes["score"] >= 0.5) != (outcomes["label"] == 1)).to_numpy(dtype=np.int64)

    def _score(self, rows):
        import pandas

        table = self.scenario.table
        if "model" not in self._scored:
            learned = _default if self.model is None else partial(_fitted, self.model)
            self._scored["model"] = learned(table, len(self.scenario.reference), self.seed or 0)
        score = self._scored["model"].predict_proba(rows[list(table.features)])[:, 1]
        return pandas.DataFrame({"label": rows[table.target].to_numpy(), "score": score})


def _fitted(model, table, rows, seed):
    from sklearn.base import clone

    train = table.sample(rows, (seed, _MODEL))
    return clone(model).fit(train[list(table.features)], train[table.target])


@lru_cache(maxsize=256)
def _default(table, rows, seed):
    """The default model; scenarios of one table and seed share it."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), list(table.numeric)),
        (OneHotEncoder(handle_unknown="ignore"), list(table.categorical)),
    )
    return _fitted(make_pipeline(columns, LogisticRegression(max_iter=1000)), table, rows, seed)


class _Steps:
    """Asks a detector of streams with the values of a batch, in order."""

    def __init__(self, make, reference):
        self.detector = make(reference)

    def __call__(self, batch):
        values = np.asarray(batch, dtype=float)
        if hasattr(self.detector, "update_many"):
            return bool(np.size(self.detector.update_many(values)))
        return any([self._one(value) for value in values.tolist()])

    def _one(self, value):
        said = self.detector.update(value)
        for name in ("drifted", "drift_detected"):
            said = getattr(self.detector, name, said)
        return bool(said)
