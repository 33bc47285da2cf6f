"""Everything that imports Evidently (ten seconds) is tested in this one file."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlmon import report


def frame(seed, n=400, shift=0.0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "income": rng.normal(3 + shift, 1, n),
        "age": rng.normal(40, 10, n),
        "city": rng.choice(["Basel", "Bern", "Zug"], n),
    })


REFERENCE, CURRENT = frame(1), frame(2, shift=1)


def row(result, column):
    return result.frame.set_index("column").loc[column]


# --- the module --------------------------------------------------------------

def test_importing_the_module_does_not_import_evidently():
    # Evidently costs ten seconds, so only a call may pay for it.
    code = "import sys, mlmon.report; assert not any(name.partition('.')[0] == 'evidently' for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_module_imports_nothing_else_of_mlmon():
    tree = ast.parse(Path(report.__file__).read_text())
    names = [node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in names if name.startswith(("mlmon", "."))]


def test_evidently_is_told_not_to_report_its_use(monkeypatch):
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    report.data_drift(REFERENCE, CURRENT, numeric=["age"])
    assert report.os.environ["DO_NOT_TRACK"] == "1"


def test_without_evidently_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "evidently", None)
    with pytest.raises(ImportError, match=r"pip install 'mlmon\[report\]'"):
        report.data_drift(REFERENCE, CURRENT)


# --- data_drift: the numbers -------------------------------------------------

def test_ks_score_is_scipys_pvalue():
    # Up to 1,000 rows Evidently takes KS for numbers, and SciPy computes it.
    result = row(report.data_drift(REFERENCE, CURRENT), "income")
    assert result["score"] == pytest.approx(stats.ks_2samp(REFERENCE["income"], CURRENT["income"]).pvalue, rel=1e-9)
    assert (result["method"], result["threshold"], result["drifted"]) == ("ks", 0.05, True)


def test_chi_squared_score_takes_the_reference_for_the_truth():
    # SciPy's one-sample test against the reference's shares gives Evidently's p-value.
    counts, shares = CURRENT["city"].value_counts(), REFERENCE["city"].value_counts(normalize=True)
    expected = stats.chisquare(counts, shares.reindex(counts.index) * len(CURRENT)).pvalue
    result = row(report.data_drift(REFERENCE, CURRENT), "city")
    assert (result["method"], result["score"]) == ("chisquare", pytest.approx(expected, rel=1e-9))


def test_wasserstein_score_is_scipys_distance_in_reference_deviations():
    scaled = stats.wasserstein_distance(REFERENCE["income"], CURRENT["income"]) / REFERENCE["income"].std(ddof=0)
    result = row(report.data_drift(REFERENCE, CURRENT, numeric=["income"], method="wasserstein"), "income")
    assert result["score"] == pytest.approx(scaled, rel=1e-2)


def test_threshold_decides_by_the_methods_own_direction():
    # One method drifts below its threshold and the other above: Evidently's decision is kept for both.
    result = report.data_drift(REFERENCE, CURRENT, numeric=["income", "age"],
                               method={"income": "ks", "age": "wasserstein"}, threshold={"age": 5.0})
    assert row(result, "income")["score"] < 0.05 and row(result, "income")["drifted"]
    assert row(result, "age")["score"] < 5.0 and not row(result, "age")["drifted"]


def test_columns_are_looked_up_by_name_not_by_position():
    # Results do not depend on the order in which columns are listed.
    forth = report.data_drift(REFERENCE, CURRENT, numeric=["income", "age"], categorical=["city"]).frame
    back = report.data_drift(REFERENCE[["city", "age", "income"]], CURRENT, numeric=["age", "income"],
                             categorical=["city"]).frame
    pd.testing.assert_frame_equal(forth.sort_values("column", ignore_index=True),
                                  back.sort_values("column", ignore_index=True))


def test_count_and_share_are_evidentlys_own():
    from evidently import Report
    from evidently.metrics import DriftedColumnsCount
    [metric] = Report([DriftedColumnsCount()]).run(CURRENT, REFERENCE).dict()["metrics"]
    result = report.data_drift(REFERENCE, CURRENT)
    assert {"count": result.drifted_count, "share": result.drifted_share} == pytest.approx(metric["value"])


def test_dataset_drifts_at_the_share_that_is_asked_for():
    half = report.data_drift(REFERENCE, CURRENT, numeric=["income", "age"], share=0.5)
    more = report.data_drift(REFERENCE, CURRENT, numeric=["income", "age"], share=0.6)
    assert half.drifted_columns == ("income",)
    assert (half.status, half.drifted, more.status, more.drifted) == ("drifted", True, "stable", False)


def test_category_and_nullable_dtypes_score_like_plain_ones():
    def cast(data):
        return data.assign(city=data["city"].astype("category"), age=data["age"].astype("Float64"))
    plain, typed = (report.data_drift(*pair).frame for pair in
                    ((REFERENCE, CURRENT), (cast(REFERENCE), cast(CURRENT))))
    pd.testing.assert_frame_equal(plain, typed)


# --- data_drift: columns that cannot be judged -------------------------------

@pytest.mark.parametrize("empty", [np.nan, None, np.inf], ids=["nan", "object", "infinite"])
def test_an_empty_column_is_an_error_of_its_own_and_the_others_are_reported(empty):
    # Evidently alone raises and reports nothing at all.
    current = CURRENT.assign(age=empty)
    result = report.data_drift(REFERENCE, current, numeric=["income", "age"], categorical=["city"])
    assert result.errors == ("age",)
    assert row(result, "age")["reason"] == "column 'age' of current has no value that is not missing"
    whole = report.data_drift(REFERENCE, CURRENT, numeric=["income"], categorical=["city"])
    assert row(result, "income")["score"] == row(whole, "income")["score"]
    assert row(result, "city")["score"] == row(whole, "city")["score"]


def test_a_column_that_was_not_judged_is_never_a_pass():
    result = report.data_drift(REFERENCE.assign(age=np.nan), REFERENCE, numeric=["income", "age"])
    assert (result.status, result.drifted, result.drifted_count) == ("error", False, 0)
    assert pd.isna(row(result, "age")["drifted"])


def test_all_columns_empty_still_gives_a_report(tmp_path):
    result = report.data_drift(REFERENCE.assign(age=np.nan), CURRENT, numeric=["age"], html=tmp_path / "no.html")
    assert (result.status, result.html, np.isnan(result.drifted_share)) == ("error", None, True)


def test_json_holds_plain_scalars_and_null_for_what_is_not_known():
    result = json.loads(report.data_drift(REFERENCE, CURRENT.assign(age=np.nan)).to_json())
    by_column = {each["column"]: each for each in result["columns"]}
    assert by_column["income"]["drifted"] is True
    assert by_column["age"]["score"] is None and by_column["age"]["drifted"] is None


def test_html_is_written_where_asked(tmp_path):
    path = tmp_path / "new" / "drift.html"
    result = report.data_drift(REFERENCE, CURRENT, html=path)
    assert result.html == str(path)
    assert "Drift in column &#39;income&#39;" in path.read_text() or "Drift in column 'income'" in path.read_text()


# --- data_drift: wrong input -------------------------------------------------

def wrong(match, *args, error=ValueError, **kwargs):
    with pytest.raises(error, match=match):
        report.data_drift(*args, **kwargs)


def test_a_missing_column_is_named():
    wrong("needs column 'age' in current, which has 'income', 'city'", REFERENCE, CURRENT.drop(columns="age"))


def test_text_in_a_numeric_column_is_refused():
    wrong("needs numbers in numeric column 'age', current holds (object|str)", REFERENCE,
          CURRENT.assign(age=CURRENT["age"].astype(str)))


def test_dates_are_not_guessed_to_be_features():
    wrong("got dates in 'day'", REFERENCE.assign(day=pd.Timestamp("2026-03-02")), CURRENT)


def test_a_column_of_two_kinds_is_refused():
    wrong("each column in one kind, got 'age'", REFERENCE, CURRENT, numeric=["age"], categorical=["age"])


def test_a_name_in_place_of_a_list_is_refused():
    wrong("Pass \\['age'\\]", REFERENCE, CURRENT, numeric="age", error=TypeError)


def test_columns_of_one_name_are_refused():
    twice = pd.concat([CURRENT, CURRENT[["age"]]], axis=1)
    wrong("current has 'age' more than once", REFERENCE, twice)


def test_a_frame_without_rows_is_refused():
    wrong(r"needs rows and columns in current, got shape \(0, 3\)", REFERENCE, CURRENT.head(0))


def test_an_array_is_refused():
    wrong("needs a DataFrame as current, got ndarray", REFERENCE, CURRENT.to_numpy(), error=TypeError)


def test_column_names_that_are_numbers_are_refused():
    wrong("column names that are text, current has 7", REFERENCE, CURRENT.rename(columns={"age": 7}), error=TypeError)


def test_an_unknown_method_lists_those_that_are_known():
    wrong("got 'kolmogorov'. For numeric column 'income' choose from .*, ks, ", REFERENCE, CURRENT, method="kolmogorov")


def test_a_method_of_the_other_kind_is_refused():
    wrong("cannot use 'ks' for categorical column 'city'", REFERENCE, CURRENT, method="ks")


def test_a_choice_for_a_column_that_is_not_compared_is_refused():
    wrong("got 'wage'", REFERENCE, CURRENT, threshold={"wage": 0.1})


def test_a_share_above_one_is_refused():
    wrong("needs a share above 0 and at most 1, got 50", REFERENCE, CURRENT, share=50)


# --- run_tests ---------------------------------------------------------------

def suite(*names):
    """Evidently metrics by short names, made at call time."""
    from evidently.metrics import MeanValue, MissingValueCount, RowCount, UniqueValueCount
    from evidently.tests import Reference, eq, gte, lte
    made = {
        "rows": RowCount(tests=[gte(100)]),
        "too many rows": RowCount(tests=[gte(10_000)]),
        "not critical": RowCount(tests=[gte(10_000, is_critical=False)]),
        "age missing": MissingValueCount(column="age", share_tests=[lte(0.05)]),
        "age mean": MeanValue(column="age", tests=[lte(1000)]),
        "income mean": MeanValue(column="income", tests=[eq(Reference(relative=0.1))]),
        "nothing asked": UniqueValueCount(column="city"),
        "city mean": MeanValue(column="city", tests=[lte(1)]),
        "typo": MeanValue(column="wage", tests=[lte(1)]),
    }
    return [made[name] for name in names]


def statuses(current, *names):
    return list(report.run_tests(REFERENCE, current, suite(*names)).frame["status"])


def test_a_suite_that_holds_passes():
    result = report.run_tests(REFERENCE, REFERENCE, suite("rows", "age missing", "income mean"))
    assert result.passed and not result.failed and not result.errors
    assert list(result.frame.loc[1:, "column"]) == ["age", "income"]


def test_a_test_that_does_not_hold_fails_and_is_named():
    current = CURRENT.assign(age=CURRENT["age"].mask(np.arange(len(CURRENT)) < 40))
    result = report.run_tests(REFERENCE, current, suite("rows", "age missing"))
    [name] = result.failed
    assert "'age' missing values" in name and not result.passed
    assert row(result, "age")["value"] == pytest.approx(0.1)   # 40 of 400


def test_a_failure_that_is_not_critical_is_still_no_pass():
    # Evidently calls it WARNING.
    assert statuses(CURRENT, "rows", "not critical") == ["success", "fail"]


def test_a_column_that_current_lacks_is_an_error_and_the_rest_is_tested():
    # Evidently alone ends in a bare KeyError.
    result = report.run_tests(REFERENCE, CURRENT.drop(columns="age"), suite("rows", "age mean", "too many rows"))
    assert list(result.frame["status"]) == ["success", "error", "fail"]
    assert result.frame.loc[1, "reason"] == "current has no column 'age'"
    assert not result.passed and result.errors == ("MeanValue(age)",)


def test_an_error_alone_is_no_pass():
    result = report.run_tests(REFERENCE, CURRENT.drop(columns="age"), suite("age mean"))
    assert not result.passed and not result.failed and result.errors


def test_a_value_that_is_not_a_number_is_an_error():
    assert statuses(CURRENT.assign(age=np.nan), "age mean") == ["error"]


def test_a_metric_of_which_nothing_is_asked_is_an_error():
    assert statuses(CURRENT, "nothing asked") == ["error"]


def test_an_exception_within_evidently_is_an_error_with_its_message():
    result = report.run_tests(REFERENCE, CURRENT, suite("city mean", "rows"))
    assert list(result.frame["status"]) == ["error", "success"]
    assert "Evidently raised TypeError" in result.frame.loc[0, "reason"]


def test_a_column_that_no_frame_has_is_a_slip_of_the_suite():
    with pytest.raises(ValueError, match="needs column 'wage' in the frames, which have 'income', 'age', 'city'"):
        report.run_tests(REFERENCE, CURRENT, suite("typo"))


def test_every_test_of_a_preset_has_its_row():
    from evidently.presets import DataDriftPreset
    result = report.run_tests(REFERENCE, CURRENT, [DataDriftPreset(columns=["income", "age"])])
    assert list(result.frame["column"].fillna("dataset")) == ["dataset", "income", "age"]
    assert list(result.frame["status"]) == ["fail", "fail", "success"]


def test_suite_json_holds_plain_scalars(tmp_path):
    result = report.run_tests(REFERENCE, CURRENT, suite("rows", "city mean"), html=tmp_path / "tests.html")
    out = json.loads(result.to_json())
    assert (out["passed"], [test["value"] for test in out["tests"]]) == (False, [400.0, None])
    assert Path(out["html"]).stat().st_size > 1_000_000


# --- quality -----------------------------------------------------------------

GAPS = CURRENT.assign(age=CURRENT["age"].mask(np.arange(len(CURRENT)) < 40))


@pytest.fixture(scope="module")
def counted():
    return report.quality(REFERENCE, GAPS)


def test_quality_gives_the_numbers_of_pandas(counted):
    # Counts and moments have one right answer, of each frame.
    for of, data in (("current", GAPS), ("reference", REFERENCE)):
        for metric, detail, expected in [
            ("MissingValueCount", "count", data["age"].isna().sum()), ("MissingValueCount", "share", data["age"].isna().mean()),
            ("MinValue", None, data["age"].min()), ("MaxValue", None, data["age"].max()), ("MeanValue", None, data["age"].mean()),
            ("StdValue", None, data["age"].std(ddof=0)),
        ]:
            assert counted.value(metric, "age", detail, of=of) == pytest.approx(expected, rel=0.01 if metric == "StdValue" else 1e-9), metric
        assert counted.value("UniqueValueCount", "city", "count of Bern", of=of) == (data["city"] == "Bern").sum()
        assert counted.value("RowCount", of=of) == len(data)
    assert counted.errors == ()


def test_a_quantile_is_asked_for_by_its_own_name(counted):
    assert counted.value("QuantileValue", "income", 0.25) <= counted.value("QuantileValue", "income", 0.75)
    with pytest.raises(KeyError, match="needs the names of one number, got 3 .* Choose the detail from '0.25', '0.5', '0.75'"):
        counted.value("QuantileValue", "income")
    with pytest.raises(KeyError, match="got 0 for 'MeanValue', 'city'"):
        counted.value("MeanValue", "city")


def test_what_cannot_be_counted_is_an_error_of_its_column():
    result = report.quality(REFERENCE, CURRENT.assign(age=np.nan))
    assert result.errors == ("age",) and np.isnan(result.value("MeanValue", "age"))
    assert result.value("MissingValueCount", "age", "share") == 1 and result.value("MeanValue", "income") == pytest.approx(CURRENT["income"].mean())
    assert {each["current"] for each in json.loads(result.to_json())["values"] if each["metric"] == "MeanValue"} > {None}


def test_quality_writes_html_where_asked(tmp_path):
    result = report.quality(REFERENCE, CURRENT, numeric=["age"], html=tmp_path / "quality.html")
    assert "age" in Path(result.html).read_text() and set(result.frame["column"].dropna()) == {"age"}


def test_quality_refuses_a_missing_column():
    with pytest.raises(ValueError, match="quality needs column 'age' in current"):
        report.quality(REFERENCE, CURRENT.drop(columns="age"))


def test_values_of_a_snapshot_do_not_depend_on_the_order_in_which_they_were_asked():
    # The third result of one order is not the third of another; the mean of age is the mean of age.
    from evidently import Report
    from evidently.metrics import MeanValue, MissingValueCount, RowCount
    metrics = [RowCount(), MeanValue(column="age"), MissingValueCount(column="age"), MeanValue(column="income")]
    forth, back = (report.values(Report(order).run(CURRENT, REFERENCE)) for order in (metrics, metrics[::-1]))
    names = ["metric", "column", "detail"]
    pd.testing.assert_frame_equal(*(found.sort_values(names, ignore_index=True) for found in (forth, back)))
    [mean] = forth.query("metric == 'MeanValue' and column == 'age'")[["current", "reference"]].to_numpy()
    assert mean == pytest.approx([CURRENT["age"].mean(), REFERENCE["age"].mean()])


def test_values_without_a_reference_are_those_of_current():
    from evidently import Report
    from evidently.metrics import MeanValue
    [row_] = report.values(Report([MeanValue(column="age")]).run(CURRENT)).to_dict("records")
    assert row_["current"] == pytest.approx(CURRENT["age"].mean()) and np.isnan(row_["reference"])


# --- beside ------------------------------------------------------------------

def feature(name, verdict, **numbers):
    about = {"test": "ks", "statistic": 0.1, "pvalue": 0.2, "corrected_pvalue": 0.3, "psi": 0.04} | numbers
    return SimpleNamespace(feature=name, verdict=verdict, drifted=verdict == "DRIFTED", **about)


def test_numbers_stand_beside_each_other_by_name():
    # One row a column of either; who could not judge does not agree and does not disagree.
    theirs = report.DriftResult(pd.DataFrame({
        "column": ["a", "b", "c", "d"], "method": "ks", "score": [0.01, 0.5, None, 0.4], "threshold": 0.05,
        "drifted": pd.array([True, False, None, False], dtype="boolean")}))
    ours = SimpleNamespace(features=[
        feature("b", "DRIFTED"), feature("a", "DRIFTED"), feature("c", "STABLE"), feature("d", "UNDECIDED", statistic=None), feature("e", "STABLE")])
    table = report.beside(theirs, ours).set_index("column")
    assert list(table.index) == list("abcde")
    assert table["agree"].loc[list("ab")].tolist() == [True, False] and table["agree"].loc[list("cde")].isna().all()
    assert table.loc["a", ["score", "psi", "verdict"]].tolist() == [0.01, 0.04, "DRIFTED"]


def test_evidentlys_ks_and_ours_are_one_number():
    # Two implementations of one definition, on the same columns.
    from mlmon.drift import DataDriftDetector
    table = report.beside(report.data_drift(REFERENCE, CURRENT), DataDriftDetector(REFERENCE).detect(CURRENT)).set_index("column")
    for name in ("income", "age"):
        assert table.loc[name, "score"] == pytest.approx(table.loc[name, "pvalue"], abs=0.02)   # exact p, and its limit
    assert table["agree"].all()


# --- daily -------------------------------------------------------------------

def test_daily_writes_a_report_a_day_and_an_index(tmp_path):
    days = {pd.Timestamp("2026-03-02"): REFERENCE, pd.Timestamp("2026-03-03"): CURRENT}
    index = report.daily(REFERENCE, days, tmp_path / "reports", numeric=["income"])
    assert list(index["day"]) == ["2026-03-02", "2026-03-03"]
    assert list(index["status"]) == ["stable", "drifted"]
    assert [Path(path).name for path in index["html"]] == ["2026-03-02.html", "2026-03-03.html"]
    assert all(Path(path).exists() for path in index["html"])


def test_a_bad_day_does_not_stop_the_others_and_leaves_no_old_report(tmp_path):
    (tmp_path / "day-0.html").write_text("yesterday's run")
    index = report.daily(REFERENCE, [CURRENT.head(0), CURRENT], tmp_path, numeric=["age"])
    assert list(index["status"]) == ["error", "stable"]
    assert "needs rows" in index.loc[0, "reason"] and not (tmp_path / "day-0.html").exists()


def test_a_day_that_cannot_name_a_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="days that can name a file, got '../monday'"):
        report.daily(REFERENCE, {"../monday": CURRENT}, tmp_path)


def test_a_day_named_twice_is_refused(tmp_path):
    noon = {pd.Timestamp("2026-03-02 00:00"): CURRENT, pd.Timestamp("2026-03-02 12:00"): CURRENT}
    with pytest.raises(ValueError, match="one batch a day"):
        report.daily(REFERENCE, noon, tmp_path)


def test_no_batches_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one batch, got none"):
        report.daily(REFERENCE, [], tmp_path)
