"""Evidently 0.7: a Report of the same statistics, or its default drift preset."""

import os

from serve import serve

os.environ["DO_NOT_TRACK"] = "1"


def make(task, reference, numeric, categorical, direct=False):
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift
    from evidently.presets import DataDriftPreset

    if direct:
        return (lambda current: current), lambda current: decisions(reference, current, numeric, categorical), verdict
    definition = DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
    learnt = Dataset.from_pandas(reference, data_definition=definition)
    metrics = [DataDriftPreset()] if task == "detect" else [
        ValueDrift(column=name, method=method)
        for names, test in ((numeric, "ks"), (categorical, "chisquare"))
        for name in names for method in (test, "psi")
    ]

    def run(current):
        return Report(metrics, include_tests=True).run(
            Dataset.from_pandas(current, data_definition=definition), learnt)

    def read(snapshot):
        if task == "statistics":
            return {}
        return verdict({test.metric_config.params["column"]: test.status.value == "FAIL"
                        for test in snapshot.tests_results if test.id == "drift"})

    return (lambda current: current), run, read


def decisions(reference, current, numeric, categorical):
    """The decisions of the Report by the same stat tests, called without its pictures (twenty times faster)."""
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType
    found = {}
    for names, kind in ((numeric, ColumnType.Numerical), (categorical, ColumnType.Categorical)):
        for name in names:
            before, now = reference[name].dropna(), current[name].dropna()
            found[name] = bool(get_stattest(before, now, kind, None)(before, now, kind, None).drifted)
    return found


def verdict(found):
    features = [name for name, drifted in found.items() if drifted]
    return {"drifted": len(features) >= 0.5 * len(found), "features": features}


if __name__ == "__main__":
    serve(make)
