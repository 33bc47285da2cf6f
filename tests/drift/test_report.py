"""Reports as text, HTML, JSON and frames."""
import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from mlmon.drift import DataDriftDetector, FeatureResult, Verdict
from mlmon.drift.report import DriftReport
from mlmon.drift.verdict import severity

NASTY = "<script>alert('x & y')</script>"


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)

    def frame(by, levels):
        return pd.DataFrame({
            NASTY: rng.normal(by, 1, 200), "city": rng.choice(levels, 200), "fixed": np.ones(200),
            "when": pd.date_range("2020", periods=200),
        })
    return DataDriftDetector(frame(0, ["a", "b"])).detect(frame(1, ["a", "b", "<new>"]))


def test_a_report_names_what_drifted(report):
    # One feature moved, one got a level, one cannot be judged, one cannot be read.
    assert report.drifted and report.drifted_features == (NASTY, "city")
    assert [f.verdict.value for f in report.features] == ["DRIFTED", "DRIFTED", "UNDECIDED", "UNDECIDED"]
    assert report["city"].new_categories == ("<new>",)
    with pytest.raises(KeyError, match="no feature 'age' in this report; it has"):
        report["age"]


def test_text_has_a_line_for_each_feature(report):
    # The verdict, the heads, and one line each.
    lines = str(report).splitlines()
    assert len(lines) == 6 and lines[0].startswith("DRIFTED (drifted: ")
    assert all(f.feature in line and str(f.verdict) in line for f, line in zip(report.features, lines[2:]))


def test_html_escapes_what_came_in(report):
    # A column name is text, not markup.
    html = report._repr_html_()
    assert "<script" not in html and "&lt;script&gt;" in html and html.count("<tr") == 5


def test_json_comes_back_as_it_went(report):
    # Strict JSON, numbers as numbers, everything that the report holds.
    def no(text):
        raise AssertionError(text)
    back = json.loads(report.to_json(), parse_constant=no)
    assert back["verdict"] == "DRIFTED" and back["alpha"] == 0.05 and back["pvalue"] == report.pvalue
    assert back["drifted_features"] == list(report.drifted_features)
    for row, feature in zip(back["features"], report.features):
        assert row == {**dataclasses.asdict(feature), "new_categories": list(feature.new_categories), "verdict": str(feature.verdict)}


def test_to_frame_has_a_row_a_feature_and_a_column_a_field(report):
    frame = report.to_frame()
    assert list(frame.columns) == [f.name for f in dataclasses.fields(FeatureResult)]
    assert frame["feature"].tolist() == [f.feature for f in report.features]


def row(name, verdict, p=0.5):
    return FeatureResult(name, "numeric", "ks", 0.1, 0.0, p, p, 0.1, 0.1, 0.0, 0.0, 0.0, (), "none", verdict, "because")


@pytest.mark.parametrize("verdicts, pairs, expected", [
    ("STABLE STABLE", (), "STABLE"), ("STABLE UNDECIDED", (), "UNDECIDED"), ("UNDECIDED DRIFTED", (), "DRIFTED"),
    ("STABLE STABLE", (("a", "b", 0.05),), "DRIFTED"), ("STABLE STABLE", (("a", "b", 0.051),), "STABLE"),
])
def test_the_dataset_is_as_its_worst_feature(verdicts, pairs, expected):
    # DRIFTED before UNDECIDED before STABLE; a pair at alpha is drift.
    rows = tuple(row(name, Verdict(v)) for name, v in zip("ab", verdicts.split()))
    report = DriftReport.of(rows, pairs, 0.05)
    assert report.verdict == expected and report.reason
    assert report.drifted == (expected == "DRIFTED")


def test_results_are_frozen(report):
    with pytest.raises(dataclasses.FrozenInstanceError):
        report["city"].verdict = Verdict.STABLE


def test_severity_uses_the_customary_limits():
    # Under 0.1 none, up to 0.2 small, above large.
    assert [severity(x) for x in (0, 0.0999, 0.1, 0.2, 0.2001)] == ["none", "none", "small", "small", "large"]
