"""Statistical checks that graded cells share.

A graded cell calls the student's function with plain data and hands what came
back to one of these. Each check returns None or raises AssertionError with one
message: the call, what it should give, what it gives, and the likely slip.

Nothing here keeps an object of the student's: a value is read once, turned
into plain Python, and judged.
"""
import copy
import json
import math
from contextvars import ContextVar
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from . import proxy

LARGEST_FILE = 20_000_000   # characters; a drift report of Evidently has four million


def number(got, want, call, slip="", *, within=1e-6):
    """A finite number close to the right one.

    Parameters
    ----------
    got : object
        What the student's function gave.
    want : float
    call : str
        The call as the student would write it.
    slip : str
        The likely slip, as a question or a hint.
    within : float
        The largest distance from `want` that is still right.

    Examples
    --------
    >>> number(0.75, 0.75, "gini([1, 0, 0, 0])")
    >>> number(-0.75, 0.75, "gini([1, 0, 0, 0])", "Did you sort before ranking?")
    Traceback (most recent call last):
    ...
    AssertionError: gini([1, 0, 0, 0]) should be 0.75, yours gives -0.75. Did you sort before ranking?
    """
    value = _number(got, call)
    _hold(abs(value - want) <= within, call, f"be {_show(want)}", value, slip)


def between(got, low, high, call, slip=""):
    """A finite number from `low` to `high`, both included.

    Examples
    --------
    >>> between(0.04, 0, 1, "p")
    >>> between(2.0, 0, 1, "ks_pvalue(0, 10, 10)", "Is it a share?")
    Traceback (most recent call last):
    ...
    AssertionError: ks_pvalue(0, 10, 10) should be from 0 to 1, yours gives 2.0. Is it a share?
    """
    value = _number(got, call)
    _hold(low <= value <= high, call, f"be from {_show(low)} to {_show(high)}", value, slip)


def numbers(got, want, call, slip="", *, within=1e-6):
    """As many finite numbers as wanted, each close to its own.

    Examples
    --------
    >>> numbers((0.5, 0.5), [0.5, 0.5], "shares")
    >>> numbers([0.5], [0.5, 0.5], "shares(a, b)", "Is a bin lost?")
    Traceback (most recent call last):
    ...
    AssertionError: shares(a, b) should be [0.5, 0.5], yours gives [0.5]. Is a bin lost?
    """
    values = _values(got, call)
    right = len(values) == len(want) and all(
        _is_number(v) and math.isfinite(v) and abs(v - w) <= within for v, w in zip(values, want))
    _hold(right, call, f"be {_show(list(want))}", values, slip)


def equal(got, want, call, slip=""):
    """The same plain value: text, bool, None, a number, or a list or dict of them.

    A tuple or an array counts as a list, a NumPy number as a number; True is not 1.

    Examples
    --------
    >>> equal(("age",), ["age"], "drifted")
    >>> equal({"a": [1, 0]}, {"a": [1, 2]}, "count_table(x, y)", "Are new levels counted?")
    Traceback (most recent call last):
    ...
    AssertionError: count_table(x, y) should be {'a': [1, 2]}, yours gives {'a': [1, 0]}. Are new levels counted?
    """
    value, want = _plain(got), _plain(want)
    _hold(_same(value, want), call, f"be {_show(want)}", value, slip)


def same_names(got, want, call, slip=""):
    """The same names, in any order, each once.

    Examples
    --------
    >>> same_names(["b", "a"], ["a", "b"], "drifted")
    """
    values = _values(got, call)
    right = all(isinstance(v, str) for v in values) and sorted(values) == sorted(want)
    _hold(right, call, f"be {_show(list(want))}", values, slip)


def keys(got, needed, call):
    """A dict that has at least these keys.

    Examples
    --------
    >>> keys({"verdict": "stable"}, ["verdict"], "ks_test(a, b)")
    >>> keys(None, ["verdict"], "ks_test(a, b)")
    Traceback (most recent call last):
    ...
    AssertionError: ks_test(a, b) should give a dict, yours gives None. Did you forget to return it?
    """
    slip = "Did you forget to return it?" if got is None else "Return a dict with the keys of the text."
    _hold(isinstance(got, dict), call, "give a dict", got, slip)
    lacking = [key for key in needed if key not in got]
    _hold(not lacking, call, f"have the keys {list(needed)}", list(got), f"Missing: {lacking}.")


def verdict(got, want, call, slip=""):
    """A dict whose "verdict" is the right word.

    Examples
    --------
    >>> verdict({"verdict": "drifted"}, "drifted", "ks_test(a, b)")
    """
    keys(got, ["verdict"], call)
    equal(got["verdict"], want, f'{call}["verdict"]', slip)


def plain(got, call, slip="Wrap NumPy's values in bool(), int() or float()."):
    """Plain Python all through, so that the result can be stored as JSON.

    Not a number (nan) is refused as well: JSON has no such value.

    Examples
    --------
    >>> plain({"drifted": True, "pvalue": 0.04}, "ks_test(a, b)")
    >>> plain({"drifted": np.bool_(True)}, "ks_test(a, b)")
    Traceback (most recent call last):
    ...
    AssertionError: ks_test(a, b)["drifted"] should be plain Python, yours is of type numpy.bool. Wrap NumPy's values in bool(), int() or float().
    """
    for place, value in _leaves(got, call):
        kind = f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
        if type(value) not in (bool, int, float, str, type(None)):
            raise AssertionError(f"{place} should be plain Python, yours is of type {kind}. {slip}".rstrip())
        if isinstance(value, float) and not math.isfinite(value):
            raise AssertionError(f"{place} should be a finite number or None, yours is {value}. JSON has no {value}.")
    json.dumps(got, allow_nan=False)


def refuses(call, function, *args, error=ValueError, slip="", **options):
    """The call ends in an error of the right class.

    Examples
    --------
    >>> refuses("float('x')", float, "x")
    >>> refuses("float('1')", float, "1", slip="Text is not a number.")
    Traceback (most recent call last):
    ...
    AssertionError: float('1') should raise ValueError, yours gives 1.0. Text is not a number.
    """
    try:
        got = function(*args, **options)
    except error:
        return
    _hold(False, call, f"raise {error.__name__}", got, slip)


def untouched(call, function, first, *rest, slip=""):
    """The call leaves its first argument, plain data, as it was; gives what the function gives.

    A function of the student's runs in a process of its own and gets a copy: only this check sees what it does to it.

    Examples
    --------
    >>> untouched("sorted(x)", sorted, [2, 1])
    [1, 2]
    >>> untouched("list.sort(x)", list.sort, [2, 1], slip="Work on a copy.")
    Traceback (most recent call last):
    ...
    AssertionError: list.sort(x) should leave x = [2, 1] as it is, yours gives [1, 2]. Work on a copy.
    """
    before = copy.deepcopy(first)
    got, after = proxy.call_and_look(function, first, *rest)
    name = call.partition("(")[2].partition(",")[0].rstrip(")")
    _hold(_same(_plain(after), _plain(before)), call, f"leave {name} = {_show(before)} as it is", after, slip)
    return got


def seldom(alarms, runs, alpha, call, slip="", *, error=1e-7):
    """No more alarms than a rate of `alpha` allows.

    The limit is the binomial one: a right answer passes it but for a chance of `error`.

    Examples
    --------
    >>> seldom(58, 1000, 0.05, "1000 clean batches")
    >>> seldom(480, 1000, 0.05, "1000 clean batches", "Is the reference taken for the truth?")
    Traceback (most recent call last):
    ...
    AssertionError: 1000 clean batches should give at most 89 alarms, yours gives 480. Is the reference taken for the truth?
    """
    from scipy.stats import binom

    most = int(binom.isf(error, runs, alpha))
    _hold(alarms <= most, call, f"give at most {most} alarms", int(alarms), slip)


def often(alarms, runs, power, call, slip="", *, error=1e-7):
    """At least as many alarms as a detector of that power gives.

    Examples
    --------
    >>> often(95, 100, 0.9, "100 drifted batches")
    >>> often(3, 100, 0.9, "100 drifted batches", "Are missing values dropped in silence?")
    Traceback (most recent call last):
    ...
    AssertionError: 100 drifted batches should give at least 72 alarms, yours gives 3. Are missing values dropped in silence?
    """
    from scipy.stats import binom

    least = int(binom.ppf(error, runs, power))
    _hold(alarms >= least, call, f"give at least {least} alarms", int(alarms), slip)


def columns(frame, needed, call):
    """A pandas frame that has at least these columns.

    Examples
    --------
    >>> import pandas as pd
    >>> columns(pd.DataFrame({"rate": [0.1]}), ["rate"], "compare(...)")
    """
    names = getattr(frame, "columns", None)
    _hold(names is not None, call, "give a pandas DataFrame", frame, "Did you wrap the rows in pd.DataFrame?")
    lacking = [name for name in needed if name not in list(names)]
    _hold(not lacking, call, f"have the columns {list(needed)}", list(names), f"Missing: {lacking}.")


def read_text(path, call):
    """The text of a file that the student's function wrote below the working folder.

    Links, files elsewhere and files above 20 MB are refused.

    Examples
    --------
    >>> read_text("no/such.html", "daily_report(...)")
    Traceback (most recent call last):
    ...
    AssertionError: daily_report(...) should write a file, yours gives no file at 'no/such.html'. Is the path that you return the one that you wrote?
    """
    _hold(isinstance(path, str), call, "give the path as text", path, "Use str(path).")
    problem, found = _file.get()(path)
    if problem == "missing":
        slip = "Is the path that you return the one that you wrote?"
        raise AssertionError(f"{call} should write a file, yours gives no file at {path!r}. {slip}")
    if problem == "outside":
        raise AssertionError(f"{call} should write below the working folder, yours gives {path!r}. Use the folder given.")
    if problem == "large":
        raise AssertionError(f"{call} should write less than 20 MB, yours gives {found} bytes.")
    return found.decode("utf-8", errors="replace")


def _from_disk(path):
    """A file's bytes, or its problem: "missing", "outside", or "large" and its size."""
    file, home = Path(path), Path.cwd().resolve()
    if not file.is_file():
        return "missing", None
    if file.is_symlink() or not file.resolve().is_relative_to(home):
        return "outside", None
    if (size := file.stat().st_size) > LARGEST_FILE:
        return "large", size
    return "", file.read_bytes()


# Where the student's files are read: on this disk, or by the grader in the student's process.
_file = ContextVar("file", default=_from_disk)


# ------------------------------------------------------------------ reading what came back

def _hold(right, call, should, got, slip):
    if not right:
        raise AssertionError(f"{call} should {should}, yours gives {_show(got)}. {slip}".rstrip())


def _number(got, call):
    if not _is_number(got):
        slip = "Did you forget to return it?" if got is None else "Return one float."
        raise AssertionError(f"{call} should give a number, yours gives {_show(got)}. {slip}")
    value = float(got)
    if not math.isfinite(value):
        raise AssertionError(f"{call} should give a finite number, yours gives {value}. Is something divided by 0?")
    return value


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def _values(got, call):
    value = _plain(got)
    if not isinstance(value, list):
        slip = "Did you forget to return it?" if got is None else "Return a list."
        raise AssertionError(f"{call} should give a list, yours gives {_show(got)}. {slip}")
    return value


def _plain(value):
    """NumPy's and pandas' values as Python's; tuples, sets of text and arrays as lists."""
    if isinstance(value, dict):
        return {_plain(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray) or hasattr(value, "to_list"):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def _same(a, b):
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return _is_number(a) and _is_number(b) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return type(a) in (int, str, type(None)) and a == b


def _leaves(value, place):
    if type(value) is dict:
        for key, item in value.items():
            yield from _leaves(key, f"a key of {place}")
            yield from _leaves(item, f"{place}[{key!r}]".replace("'", '"'))
    elif type(value) in (list, tuple):
        for i, item in enumerate(value):
            yield from _leaves(item, f"{place}[{i}]")
    else:
        yield place, value


def _show(value):
    value = _plain(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) and value == int(value) else f"{value:.6g}"
    if isinstance(value, list) and value and all(isinstance(v, float) for v in value):
        text = "[" + ", ".join(f"{v:.4g}" for v in value) + "]"
    else:
        text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
