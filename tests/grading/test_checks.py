"""The checks that graded cells share: silent on right values, one clear message on wrong ones."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from mlmon.grading import checks


def message(check, *args, **options):
    with pytest.raises(AssertionError) as caught:
        check(*args, **options)
    return str(caught.value)


def test_a_message_says_the_call_the_right_value_the_given_one_and_the_slip():
    said = message(checks.number, 0.12, 0.36, "psi(a, b)", "Did out-of-range values drop out of the histogram?")
    assert said == "psi(a, b) should be 0.36, yours gives 0.12. Did out-of-range values drop out of the histogram?"


@pytest.mark.parametrize("value", [None, True, np.True_, "0.5", [0.5], np.array([0.5]), float("nan"), np.nan, float("inf"), 1j])
def test_only_a_finite_number_is_a_number(value):
    # nan compares false with everything, so a check that looks for a distance alone would let it through.
    assert "number" in message(checks.number, value, 0.5, "f(x)", within=10)
    assert "number" in message(checks.between, value, -1e9, 1e9, "f(x)")


@pytest.mark.parametrize("value", [1, 1.0, np.float64(1), np.float32(1), np.int64(1)])
def test_numpy_numbers_are_numbers(value):
    checks.number(value, 1, "f(x)")


@pytest.mark.parametrize("values", [[1.0, 2.0], (1, 2), np.array([1, 2]), pd.Series([1.0, 2.0])])
def test_lists_tuples_arrays_and_series_hold_the_same_numbers(values):
    checks.numbers(values, [1, 2], "f(x)")
    checks.equal(values, [1, 2], "f(x)")


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], [2.0, 1.0], [1.0, np.nan], [1.0, None], "12", {1: 2}, None])
def test_numbers_differ_by_length_order_and_kind(values):
    message(checks.numbers, values, [1, 2], "f(x)")


def test_a_number_just_outside_the_tolerance_is_wrong():
    checks.number(1.0999, 1, "f(x)", within=0.1)
    message(checks.number, 1.1001, 1, "f(x)", within=0.1)
    message(checks.number, 0.8999, 1, "f(x)", within=0.1)


@pytest.mark.parametrize("got, want", [(True, 1), (1, True), (0, False), ("1", 1), (None, False), ([], None), ({"a": 1}, {"a": 1, "b": 2})])
def test_values_of_another_kind_are_not_equal(got, want):
    message(checks.equal, got, want, "f(x)")


def test_equal_forgives_rounding_only():
    checks.equal({"rate": 1 - 0.85, "name": "ks"}, {"rate": 0.15, "name": "ks"}, "f(x)")
    message(checks.equal, {"rate": 0.1501}, {"rate": 0.15}, "f(x)")


def test_an_always_equal_object_is_not_equal():
    class Yes:
        def __eq__(self, other):
            return True

        __hash__ = None

    for want in ("drifted", 1, 0.5, None):
        message(checks.equal, Yes(), want, "f(x)")


def test_names_may_come_in_any_order_but_each_once():
    checks.same_names({"a", "b"}, ["b", "a"], "f(x)")
    checks.same_names(np.array(["a", "b"]), ["b", "a"], "f(x)")
    for wrong in (["a"], ["a", "a", "b"], ["a", 1], "ab", None):
        message(checks.same_names, wrong, ["a", "b"], "f(x)")


def test_a_forgotten_return_is_named():
    for check in (checks.number, checks.numbers, checks.same_names):
        assert "forget to return" in message(check, None, [1], "f(x)")
    assert "forget to return" in message(checks.keys, None, ["a"], "f(x)")


def test_a_verdict_is_read_from_its_key():
    checks.verdict({"verdict": "stable"}, "stable", "f(x)")
    assert 'f(x)["verdict"] should be' in message(checks.verdict, {"verdict": "drifted"}, "stable", "f(x)")
    assert "Missing: ['verdict']" in message(checks.verdict, {}, "stable", "f(x)")


@pytest.mark.parametrize("value", [np.bool_(True), np.float64(0.5), np.int64(3), np.array([1]), float("nan"), float("inf"), {1, 2}, pd.NA, object()])
def test_plain_refuses_what_json_refuses_and_numpy_in_disguise(value):
    # np.float64 is a float to json, but its repr is not: nbgrader reads such a score as full marks.
    checks.plain({"a": [1, 2.5, "x", None, True]}, "f(x)")
    assert 'f(x)["a"][0]' in message(checks.plain, {"a": [value]}, "f(x)")


def test_untouched_looks_at_the_first_argument_and_gives_what_the_function_gives():
    assert checks.untouched("f(state)", lambda state: {**state, "step": 2}, {"step": 1}) == {"step": 2}
    for change in (lambda x: x["seen"].append(1), lambda x: x.update(step=2), lambda x: x.clear()):
        said = message(checks.untouched, "f(state, 3)", lambda x, _: change(x), {"step": 1, "seen": []}, 3, slip="Copy it.")
        assert said.startswith("f(state, 3) should leave state = {'step': 1, 'seen': []} as it is, yours gives ") and said.endswith("Copy it.")
    assert checks.untouched("f(x)", lambda x: x + 1, np.arange(3)).tolist() == [1, 2, 3]
    assert "leave x = [0, 1, 2]" in message(checks.untouched, "f(x)", lambda x: x.__iadd__(1), np.arange(3))


def test_refuses_judges_an_error_by_its_class():
    def stub():
        raise NotImplementedError

    checks.refuses("float('x')", float, "x")
    with pytest.raises(NotImplementedError):
        checks.refuses("stub()", stub)
    message(checks.refuses, "int('1')", int, "1")


@pytest.mark.parametrize("runs, rate", [(100, 0.05), (1000, 0.05), (400, 0.01)])
def test_the_limits_come_from_the_binomial_law(runs, rate):
    limit = next(k for k in range(runs) if binom.sf(k, runs, rate) <= 1e-7)
    checks.seldom(limit, runs, rate, "f")
    message(checks.seldom, limit + 1, runs, rate, "f")
    checks.often(runs - limit, runs, 1 - rate, "f")
    message(checks.often, runs - limit - 1, runs, 1 - rate, "f")


def test_columns_are_looked_up_in_frames_only():
    checks.columns(pd.DataFrame({"a": [1], "b": [2]}), ["b", "a"], "f(x)")
    assert "Missing: ['c']" in message(checks.columns, pd.DataFrame({"a": [1]}), ["a", "c"], "f(x)")
    assert "DataFrame" in message(checks.columns, [{"a": 1}], ["a"], "f(x)")


def test_a_file_is_read_below_the_working_folder_only(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "reports").mkdir(parents=True)
    monkeypatch.chdir(home)
    (home / "reports" / "day.html").write_text("drift")
    (tmp_path / "outside.html").write_text("other")
    (home / "link.html").symlink_to(tmp_path / "outside.html")
    (home / "inner.html").symlink_to(home / "reports" / "day.html")
    assert checks.read_text("reports/day.html", "f(x)") == "drift"
    for wrong in ("../outside.html", str(tmp_path / "outside.html"), "link.html", "inner.html"):
        assert "below the working folder" in message(checks.read_text, wrong, "f(x)")
    assert "no file" in message(checks.read_text, "reports", "f(x)")
    assert "as text" in message(checks.read_text, home / "reports" / "day.html", "f(x)")


def test_a_huge_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("big.html", "wb") as file:
        file.truncate(checks.LARGEST_FILE + 1)
    assert "less than 20 MB" in message(checks.read_text, "big.html", "f(x)")


def test_a_long_value_is_cut_in_the_message():
    assert len(message(checks.equal, list(range(10_000)), [1], "f(x)")) < 400
