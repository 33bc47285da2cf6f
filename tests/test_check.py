import numpy as np
import pandas as pd
import pytest

from mlmon import _check

FRAME = pd.DataFrame({"age": [31, 45], "country": pd.Categorical(["DE", "FR"])})


def test_numbers_in_any_holder_become_floats():
    # A list, a tuple, a Series and a nullable Series of the same numbers are the same.
    for holder in ([1, 2], (1, 2), pd.Series([1, 2]), pd.Series([1, 2], dtype="Int64"), np.array([1, 2], dtype="uint8")):
        out = _check.numeric(holder, "x")
        assert out.dtype == float and out.tolist() == [1, 2]


def test_missing_values_pass_when_they_may():
    # None, nan and NA are one thing: missing.
    for holder in ([1, None], [1, float("nan")], pd.Series([1, None], dtype="Int64")):
        assert np.isnan(_check.numeric(holder, "x", finite=False)[1])


@pytest.mark.parametrize("values, words", [
    ([], "x needs at least 1 value, got 0"),
    ([[1, 2], [3, 4]], "x needs one dimension, got shape (2, 2)"),
    (3.0, "x needs one dimension, got shape ()"),
    ([1, np.nan, np.inf, -np.inf], "got 1 missing and 2 infinite of 4"),
    (["1", "2"], "x needs numbers, got '1'"),
    ([1, "a"], "x needs numbers, got"),
    (pd.Series(["a", "b"]), "x needs numbers, got 'a'"),
    (pd.Series(["a", "b"], dtype="category"), "x needs numbers, got 'a'"),
    (np.array(["2026-01-01"], dtype="datetime64[D]"), "x needs numbers, got"),
    ([1 + 2j], "x needs numbers, got"),
])
def test_what_is_not_a_column_of_numbers_is_refused(values, words):
    # The message says what is needed and what came; its last sentence says what to do.
    with pytest.raises(ValueError) as caught:
        _check.numeric(values, "x")
    assert words in str(caught.value)
    assert str(caught.value).count(". ") >= 1


def test_large_finite_numbers_whose_sum_overflows_are_finite():
    # The sum of two such numbers is infinite, each of them is not.
    assert len(_check.numeric([1.7e308, 1.7e308], "x")) == 2


def test_too_few_values_are_refused_by_count():
    # Two are fewer than three.
    with pytest.raises(ValueError, match="x needs at least 3 values, got 2"):
        _check.numeric([1, 2], "x", least=3)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, "0.5", None, True])
def test_share_takes_numbers_from_0_to_1_only(value):
    # Everything else is a slip: a per cent, a text, a truth value.
    assert _check.share(0, "s") == 0 and _check.share(1, "s") == 1 and _check.share(np.float32(0.5), "s") == 0.5
    with pytest.raises(ValueError, match="s needs a share from 0 to 1, got"):
        _check.share(value, "s")


@pytest.mark.parametrize("value", [0, -1, np.inf, np.nan, "1", True])
def test_positive_takes_finite_numbers_above_0_only(value):
    # Zero is the border, and it is out.
    with pytest.raises(ValueError, match="p needs a finite number above 0, got"):
        _check.positive(value, "p")


@pytest.mark.parametrize("value", ["fast", None, 1, True])
def test_one_of_names_the_options(value):
    # 1 and True are equal in Python, and still not what was asked.
    assert _check.one_of("a", ["a", "b"], "mode") == "a"
    with pytest.raises(ValueError, match="mode needs one of 'a', 'b', got"):
        _check.one_of(value, ["a", "b"], "mode")


def test_frame_column_gives_the_column():
    # The very Series of the frame, of the kind that was asked for.
    assert _check.frame_column(FRAME, "age", "numeric").tolist() == [31, 45]
    assert _check.frame_column(FRAME, "country", "categorical").tolist() == ["DE", "FR"]
    assert _check.frame_column(FRAME.astype({"country": "str"}), "country", "categorical").tolist() == ["DE", "FR"]


@pytest.mark.parametrize("frame, column, kind, words", [
    ([1, 2], "age", None, "frame needs a pandas DataFrame, got list"),
    (FRAME, "aeg", None, "column needs one of 'age', 'country', got 'aeg'"),
    (pd.concat([FRAME, FRAME], axis=1), "age", None, "age needs to name one column, got 2"),
    (FRAME, "country", "numeric", "country needs numbers, got category"),
    (FRAME, "age", "categorical", "age needs categories or text, got int64"),
])
def test_frame_column_says_what_is_wrong(frame, column, kind, words):
    # A list, a typing slip, a name held twice, and both wrong kinds.
    with pytest.raises(ValueError) as caught:
        _check.frame_column(frame, column, kind)
    assert words in str(caught.value)
