"""Argument checks with one message form: what is needed, what came, what to do.

Each check gives the value back in the form that the caller computes with, or
raises ValueError. The first word of a message is the caller's own name for it.
"""
from numbers import Integral, Real

import numpy as np

_KINDS = {
    "numeric": ("iuf", "numbers", "Pass a numeric column, or turn this one into numbers first."),
    "categorical": ("Ob", "categories or text", "Convert it with .astype('category') first."),
}


def numeric(values, name, *, least=1, finite=True):
    """Values as a float64 array of one dimension.

    Parameters
    ----------
    values : array-like of shape (n,)
        Numbers or booleans. None and pandas' NA count as missing (nan).
    name : str
        What the caller calls them.
    least : int
        The fewest values that will do.
    finite : bool
        Refuse missing and infinite values.

    Returns
    -------
    numpy.ndarray of shape (n,)

    Examples
    --------
    >>> numeric([1, 2, True], "ages")
    array([1., 2., 1.])
    >>> numeric([1, float("nan")], "ages")
    Traceback (most recent call last):
    ...
    ValueError: ages needs finite numbers, got 1 missing and 0 infinite of 2. Drop or fill them first.
    """
    array = _floats(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name} needs one dimension, got shape {array.shape}. Pass one column.")
    if len(array) < least:
        raise ValueError(f"{name} needs at least {least} value{'s' * (least > 1)}, got {len(array)}. Collect more.")
    if finite and not np.isfinite(array).all():
        missing, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
        raise ValueError(
            f"{name} needs finite numbers, got {missing} missing and {infinite} infinite of {len(array)}. "
            "Drop or fill them first."
        )
    return array


def share(value, name):
    """A share from 0 to 1, as a float.

    Examples
    --------
    >>> share(0.25, "size")
    0.25
    >>> share(25, "size")
    Traceback (most recent call last):
    ...
    ValueError: size needs a share from 0 to 1, got 25. Divide per cents by 100.
    """
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name} needs a share from 0 to 1, got {value!r}. Divide per cents by 100.")
    return float(value)


def positive(value, name):
    """A finite number above 0, as a float.

    Examples
    --------
    >>> positive(3, "factor")
    3.0
    """
    if not _is_number(value) or not 0 < value < np.inf:
        raise ValueError(f"{name} needs a finite number above 0, got {value!r}. Pass one, such as 1.0.")
    return float(value)


def open_share(value, name):
    """A share above 0 and below 1, as a float.

    Examples
    --------
    >>> open_share(0.05, "alpha")
    0.05
    >>> open_share(1, "alpha")
    Traceback (most recent call last):
    ...
    ValueError: alpha needs a share between 0 and 1, got 1. Pass one, such as 0.05.
    """
    if not 0 < share(value, name) < 1:
        raise ValueError(f"{name} needs a share between 0 and 1, got {value!r}. Pass one, such as 0.05.")
    return float(value)


def whole(value, name, least=0):
    """A whole number of at least `least`, as an int.

    Examples
    --------
    >>> whole(3, "seed")
    3
    >>> whole(2.5, "bins", 1)
    Traceback (most recent call last):
    ...
    ValueError: bins needs a whole number of 1 or more, got 2.5. Pass one, such as 1.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} needs a whole number of {least} or more, got {value!r}. Pass one, such as {least}.")
    return int(value)


def one_of(value, options, name):
    """The value, if it is among the options.

    Examples
    --------
    >>> one_of("exact", ["exact", "certified"], "mode")
    'exact'
    """
    options = list(options)
    if not any(value is option or (type(value) is type(option) and value == option) for option in options):
        listed = ", ".join(map(repr, options))
        raise ValueError(f"{name} needs one of {listed}, got {value!r}. Pick one of them.")
    return value


def table(value, name):
    """The value, if it is a frame with one column of each name.

    Examples
    --------
    >>> table([1, 2], "reference")
    Traceback (most recent call last):
    ...
    ValueError: reference needs a DataFrame, got list. Wrap it in pd.DataFrame.
    """
    if not hasattr(value, "columns"):
        raise ValueError(f"{name} needs a DataFrame, got {type(value).__name__}. Wrap it in pd.DataFrame.")
    if not value.columns.is_unique:
        raise ValueError(f"{name} needs one column of each name, got {list(value.columns)}. Rename or drop some.")
    return value


def frame_column(frame, column, kind=None):
    """One column of a frame, by its name.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : hashable
        Its name, which the frame has once.
    kind : {"numeric", "categorical", None}
        What the column must hold. Booleans and text count as categorical.

    Returns
    -------
    pandas.Series

    Examples
    --------
    >>> import pandas as pd
    >>> frame_column(pd.DataFrame({"age": [31, 45]}), "age", "numeric").tolist()
    [31, 45]
    """
    if not hasattr(frame, "columns"):
        raise ValueError(f"frame needs a pandas DataFrame, got {type(frame).__name__}. Wrap it in pd.DataFrame.")
    found = list(frame.columns).count(column)
    if found == 0:
        listed = ", ".join(map(repr, frame.columns))
        raise ValueError(f"column needs one of {listed}, got {column!r}. Pick one of them.")
    if found > 1:
        raise ValueError(f"{column} needs to name one column, got {found} of that name. Rename or drop the others.")
    series = frame[column]
    if kind is not None:
        kinds, needed, advice = _KINDS[kind]
        if series.dtype.kind not in kinds:
            raise ValueError(f"{column} needs {needed}, got {series.dtype}. {advice}")
    return series


def _floats(values, name):
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array.astype(float, copy=False)
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    if kind in set("biuf") and hasattr(values, "to_numpy"):
        return values.to_numpy(dtype=float, na_value=np.nan)
    odd = next((v for v in array.ravel() if not (v is None or isinstance(v, Real))), None)
    if array.dtype.kind != "O" or odd is not None:
        came = odd.item() if isinstance(odd, np.generic) else odd
        raise ValueError(f"{name} needs numbers, got {came!r}. Pass a numeric column, or turn this one into numbers first.")
    return array.astype(float)


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
