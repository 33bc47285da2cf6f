"""No input passes in silence: a clear error, or a verdict with its reason."""
import dataclasses
import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlmon import drift
from mlmon.drift import DataDriftDetector, Verdict

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
checked = settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck), database=None)

SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -1e-310, 1e-200, 1.7e308, -1.7e308, 1e150, 1e151, 0.1]
number = st.one_of(st.sampled_from(SPECIAL), st.floats(-5, 5), st.integers(-3, 3), st.floats())
tame = st.one_of(st.floats(-5, 5), st.integers(-3, 3).map(float), st.sampled_from([math.nan, 0.1, 1e-300, 1e149, -1e149]))
word = st.sampled_from(["a", "b", "", "<b>", "missing", "0"])
anything = st.one_of(number, word, st.none(), st.booleans(), st.just(pd.NA), st.just(pd.NaT), st.just(10**400), st.just(1j),
                     st.just([1]), st.just(pd.Timestamp("2020")), st.just(b"x"), st.just((1, 2)))


def several(values, least=0, most=40):
    return st.lists(values, min_size=least, max_size=most)


column = st.one_of(
    several(tame), several(tame, 8), several(tame, 8).map(np.array), several(number).map(lambda v: np.array(v, dtype=float)), several(word), several(word, 8),
    several(anything), several(st.one_of(word, st.none()), 8), several(st.booleans(), 8), several(st.one_of(st.integers(-3, 3), st.none()), 8),
    several(st.one_of(word, st.none()), 8).map(lambda v: pd.Series(v).astype("category")),
    several(st.one_of(st.integers(0, 3), st.none()), 8).map(lambda v: pd.Series(v, dtype="Int64")),
    several(st.one_of(st.booleans(), st.none()), 8).map(lambda v: pd.Series(v, dtype="boolean")),
    several(st.one_of(word, st.none()), 8).map(lambda v: pd.Series(v, dtype="string")),
    st.tuples(st.sampled_from([0.1, 7.0, "a", None, True, math.inf, 5e-324]), st.integers(0, 30)).map(lambda t: [t[0]] * t[1]),
    st.integers(0, 30).map(lambda n: [f"id{i}" for i in range(n)]),
)

TESTS = [drift.ks_test, drift.cvm_test, drift.wasserstein_test, drift.chi2_test, drift.psi_test, drift.missing_test]
DISTANCES = [drift.psi, drift.kl, drift.js, drift.hellinger, drift.total_variation, drift.wasserstein]
FORM = re.compile(r"need.*, got .*\. \S|^psi cuts .*, got .*\. \S", re.DOTALL)


def answer(call):
    """What a call gives, or None where it refuses in the house's form of words."""
    try:
        return call()
    except ValueError as error:
        assert FORM.search(str(error)), str(error)
        return None


def check_row(row, ps):
    assert row.verdict in (Verdict.STABLE, Verdict.DRIFTED, Verdict.UNDECIDED) and row.reason
    assert row.drifted is (row.verdict is Verdict.DRIFTED)
    for name, value in dataclasses.asdict(row).items():
        if isinstance(value, float):
            assert type(value) is float and math.isfinite(value), (name, value)
        assert not isinstance(value, np.generic), name
    for p in ps:
        assert p is None or 0 <= p <= 1
    if row.verdict is not Verdict.UNDECIDED:
        assert None not in ps


@pytest.mark.parametrize("test", TESTS, ids=lambda f: f.__name__)
@checked
@given(a=column, b=column)
def test_every_test_answers_or_refuses(test, a, b):
    # A verdict with a reason and finite plain numbers, or an error that says what to do.
    result = answer(lambda: test(a, b))
    if result is not None:
        check_row(result, [result.pvalue])
        json.dumps(dataclasses.asdict(result), allow_nan=False)
        if test is not drift.missing_test and min(pd.notna(pd.Series(list(x), dtype=object)).sum() for x in (a, b)) < 8:
            assert result.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("distance", DISTANCES, ids=lambda f: f.__name__)
@checked
@given(a=column, b=column)
def test_every_distance_answers_or_refuses(distance, a, b):
    # A finite float of 0 or more, or an error.
    value = answer(lambda: distance(a, b))
    if value is not None:
        assert type(value) is float and math.isfinite(value) and value >= -1e-12


def padded(values, n):
    """The column repeated to n rows, or missing."""
    if not len(values):
        return pd.Series([None] * n)
    if isinstance(values, pd.Series):
        return values.take(np.arange(n) % len(values)).reset_index(drop=True)
    repeated = (list(values) * n)[:n]
    return pd.Series(repeated, dtype=object if 10**400 in [v for v in values if type(v) is int] else None)


def table(columns, n):
    return pd.DataFrame({f"f{i}": padded(values, n)
                         for i, values in enumerate(columns)} | {"live": np.sin(np.arange(n) * 1.7)})


@settings(checked, max_examples=150)
@given(pairs=st.lists(st.tuples(column, column), min_size=1, max_size=4), n=st.integers(8, 45), m=st.integers(8, 45), seed=st.integers(0, 3))
def test_a_report_judges_what_can_be_judged(pairs, n, m, seed):
    # Whatever stands beside it, the live column is judged; whatever cannot be compared is not STABLE.
    a, b = table([p for p, _ in pairs], n), table([q for _, q in pairs], m)
    report = DataDriftDetector(a, seed=seed).detect(b)
    assert report["live"].verdict is not Verdict.UNDECIDED and 0 <= report.pvalue <= 1 and report.reason
    for row in report.features:
        check_row(row, [row.corrected_pvalue])
        assert row.pvalue is None or 0 <= row.pvalue <= 1
        if a[row.feature].isna().all() or b[row.feature].isna().all():
            assert row.verdict is not Verdict.STABLE
    json.loads(report.to_json(), parse_constant=lambda text: pytest.fail(text))
    assert str(report) and report._repr_html_() and len(report.to_frame()) == len(report.features)


@checked
@given(a=st.one_of(column, st.none(), st.integers(), st.text(max_size=3)), b=column)
def test_a_detector_of_anything_answers_or_refuses(a, b):
    # One column in any container, or no table at all.
    detector = answer(lambda: DataDriftDetector(a))
    report = detector and answer(lambda: detector.detect(b))
    if report is not None:
        assert report.reason and (report.pvalue is None) <= (report.verdict is Verdict.UNDECIDED)


@settings(checked, max_examples=8)
@given(a=st.tuples(column, column), b=st.tuples(column, column))
def test_the_classifier_answers_or_refuses(a, b):
    frames = table(a, 40), table(b, 40)
    result = answer(lambda: drift.domain_classifier(*frames))
    if result is not None:
        check_row(result, [result.pvalue])
