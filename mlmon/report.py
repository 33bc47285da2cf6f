"""Evidently's reports and test suites behind a few functions.

Evidently 0.7 takes ten seconds to import, so it is imported inside the
functions, never with this module. Its results are dictionaries that are easy to
misread: the score of a column is sometimes a p-value and sometimes a distance,
results are listed in an order of their own, one empty column ends the whole
report, and a test that could not be computed is not listed among the failed.
Here each result is looked up by metric and column, and what could not be judged
has the status ``"error"`` and never passes.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["DriftResult", "QualityResult", "SuiteResult", "beside", "daily", "data_drift", "quality", "run_tests", "values"]


@dataclass(frozen=True)
class DriftResult:
    """What Evidently says about the drift of each column.

    Attributes
    ----------
    frame : DataFrame
        One row a column: `column`, `kind`, `method`, `score`, `threshold`,
        `drifted` (Evidently's decision; missing where there is none), `status`
        (``"ok"`` or ``"error"``) and `reason`. A score is a p-value or a
        distance, by its method: compare `drifted`, not scores.
    share_limit : float
        The share of drifted columns from which the dataset counts as drifted.
    html : str or None
        Where the HTML report was written.
    """

    frame: pd.DataFrame
    share_limit: float = 0.5
    html: str | None = None

    @property
    def drifted_columns(self):
        """Names of the drifted columns."""
        return tuple(self.frame.loc[self.frame["drifted"].fillna(False), "column"])

    @property
    def errors(self):
        """Names of the columns that could not be judged."""
        return tuple(self.frame.loc[self.frame["status"] == "error", "column"])

    @property
    def drifted_count(self):
        """Number of drifted columns."""
        return len(self.drifted_columns)

    @property
    def drifted_share(self):
        """Drifted columns as a share of those that were judged (nan if none was)."""
        judged = len(self.frame) - len(self.errors)
        return self.drifted_count / judged if judged else float("nan")

    @property
    def status(self):
        """``"drifted"``, ``"error"`` (not drifted, but columns were not judged) or ``"stable"``."""
        if self.drifted_share >= self.share_limit:
            return "drifted"
        return "error" if self.errors else "stable"

    @property
    def drifted(self):
        """Whether Evidently calls the dataset drifted, by the columns it judged."""
        return self.status == "drifted"

    def to_json(self):
        """The same as JSON text; what is not known is null."""
        return _json(
            status=self.status, drifted_count=self.drifted_count, drifted_share=self.drifted_share,
            share_limit=self.share_limit, html=self.html, columns=_records(self.frame),
        )


@dataclass(frozen=True)
class SuiteResult:
    """The outcome of a suite of Evidently tests.

    Attributes
    ----------
    frame : DataFrame
        One row a test: `name`, `column` (missing for tests of the dataset),
        `status` (``"success"``, ``"fail"`` or ``"error"``), `metric`, `value` and
        `reason`. A test that was not computed is an error.
    html : str or None
        Where the HTML report was written.
    """

    frame: pd.DataFrame
    html: str | None = None

    @property
    def passed(self):
        """Whether every test succeeded. An error is never a pass."""
        return bool((self.frame["status"] == "success").all())

    @property
    def failed(self):
        """Names of the tests that failed."""
        return tuple(self.frame.loc[self.frame["status"] == "fail", "name"])

    @property
    def errors(self):
        """Names of the tests that could not be computed."""
        return tuple(self.frame.loc[self.frame["status"] == "error", "name"])

    def to_json(self):
        """The same as JSON text; what is not known is null."""
        return _json(passed=self.passed, html=self.html, tests=_records(self.frame))


@dataclass(frozen=True)
class QualityResult:
    """What Evidently counts in two frames, to be asked by metric and column.

    Attributes
    ----------
    frame : DataFrame
        One row a number: `column` (missing for numbers of the dataset), `metric`,
        `detail` (``"count"`` or ``"share"``, a quantile, a category), `current`,
        `reference`, `status` (``"ok"``, or ``"error"`` where there is no number) and `reason`.
    html : str or None
        Where the HTML report was written.
    """

    frame: pd.DataFrame
    html: str | None = None

    def value(self, metric, column=None, detail=None, *, of="current"):
        """One number, such as ``value("MissingValueCount", "age", "share")``.

        Raises
        ------
        KeyError
            If none, or more than one, goes by these names.
        """
        named = self.frame[self.frame["metric"] == metric]
        named = named[named["column"].isna() if column is None else named["column"] == column]
        found = named if detail is None else named[named["detail"] == str(detail)]
        if len(found) != 1:
            raise KeyError(f"value needs the names of one number, got {len(found)} for {metric!r}, {column!r}, {detail!r}. "
                           f"Choose the detail from {_names(named['detail']) or 'none'}, the metric from {_names(sorted(set(self.frame['metric'])))}.")
        return float(found[of].iloc[0])

    @property
    def errors(self):
        """Names of the columns of which something could not be computed."""
        return tuple(dict.fromkeys(self.frame.loc[self.frame["status"] == "error", "column"].dropna()))

    def to_json(self):
        """The same as JSON text; what is not known is null."""
        return _json(html=self.html, values=_records(self.frame))


def data_drift(reference, current, *, numeric=None, categorical=None, method=None, threshold=None,
               share=0.5, html=None):
    """Compare two frames column by column with Evidently.

    Evidently drops missing and infinite values before it compares, chooses a
    method by the size of the reference (KS and chi-squared up to 1,000 rows,
    distances above) and calls the dataset drifted when half of the columns are.
    Its chi-squared test takes the reference's shares for the truth and so calls
    drift too often. `mlmon.drift` is the detector that keeps a promise.

    Parameters
    ----------
    reference, current : DataFrame
        Both need every column that is compared.
    numeric, categorical : sequence of str, optional
        The columns to compare, by kind. Without either: all columns of
        `reference`, by dtype.
    method : str or dict, optional
        Evidently's name of a method (``"ks"``, ``"psi"``, ``"wasserstein"``, ...)
        for every column, or by column. By default Evidently chooses.
    threshold : float or dict, optional
        Where drift begins, for every column or by column.
    share : float
        The share of drifted columns that makes the dataset drifted.
    html : path, optional
        Write Evidently's HTML report (about 4 MB) there.

    Returns
    -------
    DriftResult
        A column that Evidently cannot compare, an empty one for instance, has
        the status ``"error"`` there, and the others are reported all the same.

    Examples
    --------
    >>> import pandas as pd
    >>> data_drift(pd.DataFrame({"age": [30, 40]}), pd.DataFrame({"income": [2, 3]}))
    Traceback (most recent call last):
    ValueError: data_drift needs column 'age' in current, which has 'income'. Add it, or name the columns to compare in numeric and categorical.
    """
    _frames("data_drift", reference, current)
    numeric, categorical = _kinds("data_drift", reference, current, numeric, categorical)
    kinds = {**dict.fromkeys(numeric, "numeric"), **dict.fromkeys(categorical, "categorical")}
    if not 0 < share <= 1:
        raise ValueError(f"data_drift needs a share above 0 and at most 1, got {share!r}. Pass 0.5, for instance.")
    evidently = _evidently()
    methods = _methods(kinds, _by_column("method", method, kinds))
    thresholds = _by_column("threshold", threshold, kinds)
    metrics = {
        column: evidently.metrics.ValueDrift(
            column=column, method=methods.get(column), threshold=thresholds.get(column))
        for column in kinds
    }
    snapshot, reasons = _run(evidently, metrics, reference, current, numeric, categorical)
    found = _found(snapshot)
    rows = [_drift_row(column, kind, metrics[column], found, reasons) for column, kind in kinds.items()]
    frame = pd.DataFrame(rows).astype({"score": float, "threshold": float, "drifted": "boolean"})
    return DriftResult(frame=frame, share_limit=float(share), html=_save(snapshot, html))


def run_tests(reference, current, tests, *, numeric=None, categorical=None, html=None):
    """Run a suite of Evidently tests on the current frame.

    Parameters
    ----------
    reference, current : DataFrame
        The frame that tests may refer to, and the frame that is tested.
    tests : sequence
        Evidently metrics with the tests they must meet, such as
        ``MissingValueCount(column="income", share_tests=[lte(0.05)])``, or
        metrics without tests, which Evidently then compares with the reference.
    numeric, categorical : sequence of str, optional
        Columns by kind; by default all that both frames have, by dtype.
    html : path, optional
        Write Evidently's HTML report (about 4 MB) there.

    Returns
    -------
    SuiteResult
        A column that current lacks, an exception within Evidently, a value that is
        not a number and a metric that nothing is asked of are errors of that one
        test; the others are run.

    Examples
    --------
    >>> import pandas as pd
    >>> run_tests(pd.DataFrame({"age": [30, 40]}), pd.DataFrame({"age": [31, 42]}), [])
    Traceback (most recent call last):
    ValueError: run_tests needs at least one test, got none. Pass Evidently metrics such as RowCount(tests=[gte(100)]).
    """
    _frames("run_tests", reference, current)
    tests = list(tests)
    if not tests:
        raise ValueError("run_tests needs at least one test, got none. "
                         "Pass Evidently metrics such as RowCount(tests=[gte(100)]).")
    for test in tests:
        column = getattr(test, "column", None)
        if column is not None and column not in reference and column not in current:
            raise ValueError(f"run_tests needs column {column!r} in the frames, which have "
                             f"{_names(reference.columns)}. Correct the name in the test.")
    both = [column for column in reference if column in current]
    numeric, categorical = _kinds("run_tests", reference[both], current[both], numeric, categorical, dates=True)
    evidently = _evidently()
    items = dict(enumerate(tests))
    snapshot, reasons = _run(evidently, items, reference, current, numeric, categorical)
    rows = []
    for key, test in items.items():
        rows += _test_rows(test, snapshot, reasons.get(key))
    frame = pd.DataFrame(rows).astype({"value": float})
    return SuiteResult(frame=frame, html=_save(snapshot, html))


def quality(reference, current, *, numeric=None, categorical=None, html=None):
    """Count rows, duplicates, missing values, extremes, quantiles and categories of two frames with Evidently.

    Parameters
    ----------
    reference, current : DataFrame
        Both need every column that is described.
    numeric, categorical : sequence of str, optional
        Columns by kind; by default all of `reference`, by dtype.
    html : path, optional
        Write Evidently's HTML report (about 4 MB) there.

    Returns
    -------
    QualityResult
        A column that Evidently cannot describe has the status ``"error"`` there.
    """
    _frames("quality", reference, current)
    numeric, categorical = _kinds("quality", reference, current, numeric, categorical)
    evidently = _evidently()
    import evidently.presets

    items = {None: evidently.presets.DatasetStats()}
    items |= {column: evidently.presets.ValueStats(column=column) for column in numeric + categorical}
    snapshot, reasons = _run(evidently, items, reference, current, numeric, categorical)
    found = values(snapshot) if snapshot else pd.DataFrame(columns=["column", "metric", "detail", "current", "reference"])
    empty = found[["current", "reference"]].isna().any(axis=1)
    found = found.assign(status=np.where(empty, "error", "ok"), reason=np.where(empty, "there is no value to compute it from", ""))
    failed = [{"column": column, "metric": type(items[column]).__name__, "detail": "", "current": None, "reference": None,
               "status": "error", "reason": reason} for column, reason in reasons.items()]
    frame = pd.concat([found, pd.DataFrame(failed)], ignore_index=True) if failed else found
    return QualityResult(frame=frame.astype({"current": float, "reference": float}), html=_save(snapshot, html))


def values(snapshot):
    """Every number of an Evidently snapshot, one a row, by metric and column.

    A snapshot lists its results in an order of its own, which changes with what is asked: look
    them up by name, never by position.

    Parameters
    ----------
    snapshot : evidently.core.report.Snapshot
        What ``Report(...).run(current, reference)`` gives.

    Returns
    -------
    DataFrame
        Columns `column` (missing for numbers of the dataset), `metric`, `detail`, `current` and
        `reference` (nan where the snapshot has none).
    """
    rows = []
    for key, result in snapshot.metric_results.items():
        params = result.metric_value_location.metric.params
        more = [str(getattr(value, "value", value)) for name, value in params.items() if name not in ("type", "column", "tests")]
        about = {"column": params.get("column"), "metric": params["type"].rpartition(":")[2]}
        before, now = _before(snapshot.context, key), _details(result)
        rows += [about | {"detail": ", ".join([*more, detail] if detail else more), "current": now.get(detail), "reference": before.get(detail)}
                 for detail in {**before, **now}]
    return pd.DataFrame(rows, columns=["column", "metric", "detail", "current", "reference"]).astype({"current": float, "reference": float})


def beside(result, ours):
    """Evidently's numbers beside those of `mlmon.drift`, column by column, on the same data.

    Parameters
    ----------
    result : DriftResult
        What `data_drift` gave.
    ours : DriftReport
        What ``DataDriftDetector.detect`` gave; any object whose `features` have `feature`, `test`,
        `statistic`, `pvalue`, `corrected_pvalue`, `psi`, `verdict` and `drifted` will do.

    Returns
    -------
    DataFrame
        One row a column of either: Evidently's `method`, `score`, `threshold`, `drifted`; our `test`,
        `statistic`, `pvalue`, `corrected_pvalue`, `psi`, `verdict`; and `agree`, which is missing
        where one of them could not judge.
    """
    names = ("test", "statistic", "pvalue", "corrected_pvalue", "psi")
    rows = [{"column": row.feature} | {name: getattr(row, name) for name in names} | {"verdict": str(row.verdict), "ours": row.drifted}
            for row in ours.features]
    theirs = result.frame[["column", "method", "score", "threshold", "drifted"]]
    order = dict.fromkeys([*theirs["column"], *(row["column"] for row in rows)])
    both = theirs.merge(pd.DataFrame(rows), on="column", how="outer").set_index("column").loc[list(order)].reset_index()
    known = both["drifted"].notna() & both["verdict"].isin(["STABLE", "DRIFTED"])
    both["agree"] = (both["drifted"] == both["ours"].astype("boolean")).where(known).astype("boolean")
    return both.drop(columns="ours")


def daily(reference, batches, folder, **choices):
    """Write one HTML drift report a day, and return an index of them.

    A day that cannot be compared at all, for want of rows or of a column, has the
    status ``"error"`` in the index and no report; the other days are written.
    Running it again writes the same files again.

    Parameters
    ----------
    reference : DataFrame
        What each day is compared with.
    batches : mapping or sequence of DataFrame
        The frame of each day, by its name or date; a sequence is numbered.
    folder : path
        Where the reports go: ``<folder>/<day>.html``. Made if need be.
    **choices
        Passed on to `data_drift`.

    Returns
    -------
    DataFrame
        One row a day: `day`, `status`, `drifted_count`, `drifted_share`,
        `drifted_columns` and `errors` (names), `reason` and `html`.
    """
    pairs = list(batches.items() if hasattr(batches, "items") else enumerate(batches))
    if not pairs:
        raise ValueError("daily needs at least one batch, got none. Pass frames by day, such as {'2026-03-02': frame}.")
    width = len(str(len(pairs) - 1))
    labels = [_label(day, width) for day, _ in pairs]
    if len(set(labels)) < len(labels):
        raise ValueError(f"daily needs one batch a day, got {_names(labels)}. Join the batches of a day first.")
    rows = [_daily_row(reference, batch, label, Path(folder) / f"{label}.html", choices)
            for label, (_, batch) in zip(labels, pairs)]
    return pd.DataFrame(rows).astype({"drifted_count": "Int64", "drifted_share": float})


# --- Evidently ---------------------------------------------------------------

def _evidently():
    """The modules of Evidently, imported now, with its usage reports switched off."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    try:
        import evidently
        import evidently.metrics
    except ImportError as error:
        raise ImportError(f"mlmon.report needs evidently 0.7 with pandas below 3.1, and its import failed: {error}. "
                          "Install it with: pip install 'mlmon[report]'.") from error
    return evidently


def _run(evidently, items, reference, current, numeric, categorical):
    """Run all items in one report; if that fails, leave out those that fail alone.

    Returns the snapshot, or None if no item could run, and the reason of each
    item that could not.
    """
    definition = evidently.DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
    datasets = [evidently.Dataset.from_pandas(_empty_as_float(frame, numeric), data_definition=definition)
                for frame in (current, reference)]   # Evidently takes current first

    def run(parts):
        with np.errstate(divide="ignore", invalid="ignore"):    # of what is empty; its reason is told
            return evidently.Report(list(parts), include_tests=True).run(*datasets)

    try:
        return run(items.values()), {}
    except Exception:   # Evidently raises whatever its parts raise
        reasons = {}
    for key, item in items.items():
        try:
            run([item])
        except Exception as error:
            reasons[key] = _reason(item, error, reference, current)
    rest = [item for key, item in items.items() if key not in reasons]
    return (run(rest) if rest else None), reasons


def _reason(item, error, reference, current):
    """Why an item could not be computed, in the caller's words where the cause is known."""
    column = getattr(item, "column", None)
    for name, frame in (("reference", reference), ("current", current)):
        if column is not None and column not in frame:
            return f"{name} has no column {column!r}"
        if column is not None and _finite(frame[column]).empty:
            return f"column {column!r} of {name} has no value that is not missing"
    return f"Evidently raised {type(error).__name__}: {error}"


def _found(snapshot):
    """Metrics and tests of a snapshot by the identifier of their metric."""
    if snapshot is None:
        return {}
    return {key: (value, list(value.tests)) for key, value in snapshot.metric_results.items()}


def _drift_row(column, kind, metric, found, reasons):
    row = {"column": column, "kind": kind, "method": None, "score": None, "threshold": None, "drifted": None,
           "status": "error", "reason": reasons.get(column, "")}
    result, tests = found.get(metric.to_calculation().id, (None, []))
    if result is None:
        return row
    params = result.metric_value_location.metric.params
    row["method"] = _short_names().get(params["method"], params["method"])
    row["score"], row["threshold"] = float(result.value), float(params["threshold"])
    decisions = [test.status.value for test in tests if test.id == "drift"]
    if len(decisions) != 1 or np.isnan(row["score"]):
        return row | {"score": None, "reason": "Evidently's score is not a number"}
    return row | {"drifted": decisions[0] == "FAIL", "status": "ok"}


def _test_rows(item, snapshot, reason):
    """The rows of one item of a suite: one a test, or one error."""
    column = getattr(item, "column", None)
    metric = type(item).__name__
    blank = {"name": metric if column is None else f"{metric}({column})", "column": column, "status": "error",
             "metric": metric, "value": None, "reason": reason}
    if reason:
        return [blank]
    tests = _tests_of(item, snapshot)
    if not tests:
        return [blank | {"reason": "nothing is asked of this metric: pass tests=[...]"}]
    return [_test_row(blank, test, value) for test, value in tests]


def _tests_of(item, snapshot):
    """The tests that belong to a metric, or to the metrics of a preset, each with the metric's value."""
    metrics = item.metrics(snapshot.context) if hasattr(item, "generate_metrics") else [item]
    return [
        (test, _value(snapshot.metric_results[metric.to_calculation().id], test))
        for metric in metrics
        for test in snapshot.metric_results[metric.to_calculation().id].tests
    ]


def _value(result, test):
    """The number that a test judged, None if the metric is not one number."""
    bound = test.bound_test
    if hasattr(result, "count"):
        result = result.count if getattr(bound, "is_count", True) else result.share
    return float(result.value) if hasattr(result, "value") else None


def _test_row(blank, test, value):
    params = test.metric_config.params
    row = blank | {"name": test.name, "column": params.get("column", blank["column"]), "value": value,
                   "metric": params["type"].rpartition(":")[2], "reason": test.description}
    if value is not None and np.isnan(value):
        return row | {"reason": f"the value is not a number: {test.description}"}
    status = test.status.value
    if status == "SUCCESS":
        return row | {"status": "success"}
    return row | {"status": "fail" if status in ("FAIL", "WARNING") else "error"}


def _before(context, key):
    """The same numbers of the reference; none where the metric is of both frames, as drift is."""
    from evidently.core.report import ReferenceMetricNotFound

    try:
        return _details(context.get_reference_metric_result(key))
    except ReferenceMetricNotFound:
        return {}


def _details(result):
    """The numbers of a result, each by its detail."""
    if hasattr(result, "counts"):      # by category
        return {f"{what} of {label}": float(value.value) for what, of in (("count", result.counts), ("share", result.shares))
                for label, value in of.items()}
    if hasattr(result, "values") and isinstance(result.values, dict):
        return {str(label): float(value.value) for label, value in result.values.items()}
    parts = {name: getattr(result, name) for name in ("count", "share", "mean", "std") if hasattr(result, name)}
    if parts:
        return {name: float(part.value) for name, part in parts.items()}
    return {"": float(result.value)} if np.isscalar(getattr(result, "value", None)) else {}


def _stat_tests():
    """Evidently's drift methods: short name -> StatTest."""
    from evidently.legacy.calculations import stattests
    return {test.name: test for test in vars(stattests).values() if isinstance(test, stattests.StatTest)}


def _short_names():
    return {test.display_name: name for name, test in _stat_tests().items()}


def _methods(kinds, methods):
    """Check that each method exists and fits its column's kind."""
    known = {name: {each.value for each in test.allowed_feature_types} for name, test in _stat_tests().items()}
    for column, method in methods.items():
        kind = {"numeric": "num", "categorical": "cat"}[kinds[column]]
        fitting = ", ".join(sorted(name for name, allowed in known.items() if kind in allowed))
        if method not in known:
            raise ValueError(f"data_drift needs a method that Evidently knows, got {method!r}. "
                             f"For {kinds[column]} column {column!r} choose from {fitting}.")
        if kind not in known[method]:
            raise ValueError(f"data_drift cannot use {method!r} for {kinds[column]} column {column!r}. "
                             f"Pass a dict of methods by column, with one of {fitting} for this one.")
    return methods


def _save(snapshot, path):
    if path is None or snapshot is None:
        return None
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    snapshot.save_html(str(path))
    return str(path)


# --- what comes in -----------------------------------------------------------

def _frames(who, reference, current):
    for name, frame in (("reference", reference), ("current", current)):
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"{who} needs a DataFrame as {name}, got {type(frame).__name__}. Wrap it in pd.DataFrame.")
        if frame.empty:
            raise ValueError(f"{who} needs rows and columns in {name}, got shape {frame.shape}. Check how it was read.")
        other = [column for column in frame if not isinstance(column, str)]
        if other:
            raise TypeError(f"{who} needs column names that are text, {name} has {_names(other)}. "
                            "Rename them with frame.rename(columns=str).")
        twice = frame.columns[frame.columns.duplicated()]
        if len(twice):
            raise ValueError(f"{who} needs each column once, {name} has {_names(twice)} more than once. Rename them.")


def _kinds(who, reference, current, numeric, categorical, dates=False):
    """Columns by kind: as the caller says, else by the dtype in reference, and present in both frames."""
    if numeric is None and categorical is None:
        numeric, categorical = _by_dtype(who, reference, dates)
    numeric, categorical = _listed("numeric", numeric), _listed("categorical", categorical)
    both = sorted(set(numeric) & set(categorical))
    if both:
        raise ValueError(f"{who} needs each column in one kind, got {_names(both)} as numeric and categorical. "
                         "Leave one out.")
    for column in numeric + categorical:
        for name, frame in (("reference", reference), ("current", current)):
            if column not in frame:
                raise ValueError(f"{who} needs column {column!r} in {name}, which has {_names(frame.columns)}. "
                                 "Add it, or name the columns to compare in numeric and categorical.")
            if column in numeric and not _is_number(frame[column]):
                raise ValueError(f"{who} needs numbers in numeric column {column!r}, {name} holds "
                                 f"{frame[column].dtype}. Convert it with pd.to_numeric, or name it in categorical.")
    return numeric, categorical


def _by_dtype(who, frame, dates):
    """Numbers are numeric, all else is categorical; dates are neither."""
    times = [name for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])
             or pd.api.types.is_timedelta64_dtype(frame[name])]
    if times and not dates:
        raise ValueError(f"{who} compares numbers and categories, got dates in {_names(times)}. "
                         "Drop them, or name the columns to compare in numeric and categorical.")
    numeric = [name for name in frame if name not in times and not pd.api.types.is_bool_dtype(frame[name])
               and pd.api.types.is_numeric_dtype(frame[name])]
    return numeric, [name for name in frame if name not in times and name not in numeric]


def _listed(name, columns):
    if isinstance(columns, str):
        raise TypeError(f"{name} needs a list of column names, got the text {columns!r}. Pass [{columns!r}].")
    return list(columns or [])


def _by_column(name, choice, kinds):
    """A choice for every column, or a dict of choices by column, as a dict."""
    if choice is None:
        return {}
    if not isinstance(choice, dict):
        return dict.fromkeys(kinds, choice)
    unknown = [column for column in choice if column not in kinds]
    if unknown:
        raise ValueError(f"{name} needs columns that are compared, got {_names(unknown)}. "
                         f"Choose from {_names(kinds)}.")
    return choice


def _is_number(column):
    """Whether a column holds numbers; an all-missing one may have any dtype."""
    return pd.api.types.is_numeric_dtype(column) or column.isna().all()


def _empty_as_float(frame, numeric):
    """All-missing numeric columns as float: one of another dtype ends Evidently's whole report."""
    return frame.assign(**{column: np.nan for column in numeric if frame[column].isna().all()})


def _finite(column):
    return column.replace([np.inf, -np.inf], np.nan).dropna()


def _names(names):
    return ", ".join(repr(name) for name in names)


# --- what goes out -----------------------------------------------------------

def _label(day, width):
    """A file name for a day: 2026-03-02 for dates, day-07 for numbers, text as it is."""
    if isinstance(day, (int, np.integer)):
        return f"day-{day:0{width}d}"
    label = day.strftime("%Y-%m-%d") if hasattr(day, "strftime") else str(day)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", label):
        raise ValueError(f"daily needs days that can name a file, got {label!r}. Use dates, "
                         "or letters, digits, '_', '.' and '-'.")
    return label


def _daily_row(reference, batch, label, path, choices):
    row = {"day": label, "status": "error", "drifted_count": None, "drifted_share": None, "drifted_columns": (), "errors": (),
           "reason": "", "html": None}
    try:
        result = data_drift(reference, batch, html=path, **choices)
    except (TypeError, ValueError) as error:
        path.unlink(missing_ok=True)   # an earlier run's report would speak for this day
        return row | {"reason": str(error)}
    reasons = "; ".join(result.frame.loc[result.frame["status"] == "error", "reason"])
    return row | {"status": result.status, "drifted_count": result.drifted_count,
                  "drifted_share": result.drifted_share, "drifted_columns": result.drifted_columns,
                  "errors": result.errors, "reason": reasons, "html": result.html}


def _records(frame):
    return [{name: _scalar(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _scalar(value):
    """A plain Python scalar; None for what is missing or not finite."""
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _json(**parts):
    return json.dumps({name: _scalar(part) for name, part in parts.items()}, allow_nan=False)
