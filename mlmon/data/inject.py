"""Faults to put into a frame, one a function, each of a stated size.

Every fault is ``fault(frame, column, size, *, seed=0)``, returns a new frame
and leaves its input alone, so faults chain by ``frame.pipe``. At its neutral
size a fault changes nothing: 0 for most, 1 for the two factors (`scale`,
`unit_change`), the present rate for `prior_shift`. Rows are chosen by seed;
a larger size chooses the same rows and more.

Missing values stay missing. An integer column stays integer where it can
(as int64, once a value moves): moves are rounded up or down by lot, so that
they keep their mean.
"""
import numpy as np
import pandas as pd

from mlmon import _check
from mlmon.data._stream import stream


def names():
    """The names of the faults.

    Returns
    -------
    list of str

    Examples
    --------
    >>> len(names()), "mean_shift" in names()
    (12, True)
    """
    return [fault.__name__ for fault in _FAULTS]


def mean_shift(frame, column, size, *, seed=0):
    """Move every value by `size` standard deviations of the column.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        A numeric column that varies.
    size : float
        In standard deviations; below 0 moves down.
    seed : int
        Rounds the moves of an integer column.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"income": [1.0, 3.0]})
    >>> frame.pipe(mean_shift, "income", 2)["income"].tolist()
    [3.0, 5.0]
    """
    size = _number(size, "size")
    values = _values(frame, column)
    moves = np.full(len(values), size * _sd(values, column))
    return _move(frame, column, values, moves, stream(seed, "mean_shift", column))


def scale(frame, column, size, *, seed=0):
    """Stretch the column about its mean: the standard deviation grows `size` fold.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        A numeric column that varies.
    size : float
        The factor, above 0. 1 changes nothing.
    seed : int
        Rounds the moves of an integer column.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"income": [1.0, 3.0]})
    >>> frame.pipe(scale, "income", 2)["income"].tolist()
    [0.0, 4.0]
    """
    size = _check.positive(size, "size")
    values = _values(frame, column)
    _sd(values, column)
    moves = (size - 1) * (values - np.nanmean(values))
    return _move(frame, column, values, moves, stream(seed, "scale", column))


def tail(frame, column, size, *, by=2.5, seed=0):
    """Move the largest values, a share `size` of them, further up; the rest stays.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        A numeric column that varies.
    size : float
        The share of the present values that moves, from 0 to 1.
    by : float
        How far, in standard deviations of the column.
    seed : int
        Draws lots among equal values.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"income": [1.0, 3.0]})
    >>> frame.pipe(tail, "income", 0.5, by=2)["income"].tolist()
    [1.0, 5.0]
    """
    size, by = _check.share(size, "size"), _number(by, "by")
    values = _values(frame, column)
    rng = stream(seed, "tail", column)
    upwards = np.lexsort((rng.random(len(values)), np.nan_to_num(values, nan=-np.inf)))
    moves = np.zeros(len(values))
    moves[upwards[len(values) - _count(size, np.isfinite(values).sum()):]] = by * _sd(values, column)
    return _move(frame, column, values, moves, rng)


def out_of_range(frame, column, size, *, limit=None, seed=0):
    """Move a share `size` of the values above a limit, by up to one standard deviation.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        A numeric column that varies.
    size : float
        The share of the present values that moves, from 0 to 1.
    limit : float or None
        What they exceed: the largest value of the frame, unless it is given.
    seed : int
        Chooses the rows.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [20, 30, 40, 50]})
    >>> int((frame.pipe(out_of_range, "age", 0.5)["age"] > 50).sum())
    2
    """
    size = _check.share(size, "size")
    values = _values(frame, column)
    limit = np.nanmax(values) if limit is None else _number(limit, "limit")
    rng = stream(seed, "out_of_range", column)
    rows = _some(np.isfinite(values), size, rng)
    beyond = limit + _sd(values, column) * (1 - rng.random(len(rows)))  # (0, 1]: above the limit, not at it
    if _is_integer(frame[column]):
        beyond = np.floor(beyond) + (np.floor(beyond) <= limit)
    return _replace(frame, column, rows, beyond)


def unit_change(frame, column, size, *, seed=0):
    """Multiply the column by `size`, as if it came in another unit.

    An integer column becomes float unless the factor is a whole number.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        A numeric column.
    size : float
        The factor, above 0. 1 changes nothing.
    seed : int
        Not used: nothing is left to chance.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"income": [2600, 3100]})
    >>> frame.pipe(unit_change, "income", 0.001)["income"].tolist()
    [2.6, 3.1]
    """
    size = _check.positive(size, "size")
    _values(frame, column)
    if size == 1:
        return frame.copy()
    return _with(frame, column, _roomy(frame[column]) * (int(size) if size.is_integer() else size))


def frequencies(frame, column, size, *, seed=0):
    """Move a share `size` of the present values from the commonest level to the rarest.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        A categorical or text column with two levels or more.
    size : float
        At most the share of the commonest level.
    seed : int
        Chooses the rows.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"country": ["DE", "DE", "DE", "FR"]})
    >>> frame.pipe(frequencies, "country", 0.25)["country"].value_counts().to_dict()
    {'DE': 2, 'FR': 2}
    """
    size = _check.share(size, "size")
    series = _check.frame_column(frame, column, "categorical")
    counts = series.value_counts()
    counts = counts[counts > 0]
    if len(counts) < 2:
        raise ValueError(f"{column} needs two levels or more, got {list(counts.index)}. Use new_category to add one.")
    wanted = _count(size, series.notna().sum())
    if wanted > counts.iloc[0]:
        raise ValueError(
            f"size needs at most {counts.iloc[0] / counts.sum():.3g}, the share of {counts.index[0]!r}, got {size:.3g}. "
            "Move less."
        )
    rows = stream(seed, "frequencies", column).permutation(_where(series, counts.index[0]))[:wanted]
    return _replace(frame, column, rows, counts.index[-1])


def new_category(frame, column, size, *, level="new", seed=0):
    """Give a share `size` of the rows a level that the column never had.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        A categorical or text column.
    size : float
        The share of the present values that changes, from 0 to 1.
    level : str
        The new level.
    seed : int
        Chooses the rows.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"country": ["DE", "FR"]})
    >>> sorted(frame.pipe(new_category, "country", 0.5, level="PL")["country"])[-1]
    'PL'
    """
    size = _check.share(size, "size")
    series = _check.frame_column(frame, column, "categorical")
    if len(_where(series, level)):
        raise ValueError(f"level needs a name that {column} does not have, got {level!r}. Pass another.")
    rows = _some(series.notna().to_numpy(), size, stream(seed, "new_category", column))
    if len(rows):
        frame = _with(frame, column, _with_level(series, level))
    return _replace(frame, column, rows, level)


def missing(frame, column, size, *, seed=0):
    """Lose a share `size` of the present values, whatever they are.

    An integer column becomes float, and a boolean one becomes object, as soon as one value is lost.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        Any column.
    size : float
        The share of the present values that is lost, from 0 to 1.
    seed : int
        Chooses the rows.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [20, 30, 40, 50]})
    >>> int(frame.pipe(missing, "age", 0.5)["age"].isna().sum())
    2
    """
    size = _check.share(size, "size")
    series = _check.frame_column(frame, column)
    lost = np.zeros(len(series), dtype=bool)
    lost[_some(series.notna().to_numpy(), size, stream(seed, "missing", column))] = True
    return _with(frame, column, series.mask(lost) if lost.any() else series)


def flip_correlation(frame, column, size, *, seed=0):
    """Turn the association of two columns around, with the values of each kept.

    Among the chosen rows, the second column's value of rank r from below
    gives way to the value of rank r from above. With all rows chosen and no
    ties, its rank correlation with every other column changes sign. Each
    column holds the same values as before.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : pair of str
        The names of two numeric columns; the values of the second move.
    size : float
        The share of the rows that is re-paired, from 0 to 1.
    seed : int
        Chooses the rows, and draws lots among equal values.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"orders": [1, 2, 3], "visits": [10, 20, 30]})
    >>> frame.pipe(flip_correlation, ("orders", "visits"), 1)["visits"].tolist()
    [30, 20, 10]
    """
    size = _check.share(size, "size")
    if not isinstance(column, (tuple, list)) or len(column) != 2 or column[0] == column[1]:
        raise ValueError(f"column needs a pair of different names, got {column!r}. Pass two, such as ('a', 'b').")
    first, second = (_values(frame, name) for name in column)
    rng = stream(seed, "flip_correlation", *column)
    rows = _some(np.isfinite(first) & np.isfinite(second), size, rng)
    upwards = rows[np.lexsort((rng.random(len(rows)), second[rows]))]
    return _replace(frame, column[1], upwards, second[upwards[::-1]])


def stale(frame, column, size, *, seed=0):
    """Freeze the column: the last rows, a share `size`, repeat the last fresh value.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its rows in the order of time.
    column : str
        Any column.
    size : float
        The share of the rows that is stale, from 0 to 1. At 1 all repeat the first.
    seed : int
        Not used: nothing is left to chance.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"visits": [4, 7, 1, 3]})
    >>> frame.pipe(stale, "visits", 0.5)["visits"].tolist()
    [4, 7, 7, 7]
    """
    size = _check.share(size, "size")
    series = _check.frame_column(frame, column)
    fresh = len(series) - _count(size, len(series))
    present = np.flatnonzero(series.notna())
    if fresh == len(series) or not len(present):
        return frame.copy()
    source = present[max(np.searchsorted(present, max(fresh, 1)) - 1, 0)]
    return _replace(frame, column, np.arange(fresh, len(series)), series.iloc[source])


def prior_shift(frame, column, size, *, n=None, seed=0):
    """Resample rows so that a share `size` has target 1, with P(X|y) kept.

    Rows of a class are taken once each while they last, then once more, and
    so on. At the present rate the frame comes back as it was.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        The target, 0 or 1.
    size : float
        The new share of 1, from 0 to 1.
    n : int or None
        How many rows to return: as many as came, unless it is given. Fewer
        spare a rare class its copies.
    seed : int
        Chooses the rows.

    Returns
    -------
    pandas.DataFrame
        Its rows in the order in which they came.

    Examples
    --------
    >>> frame = pd.DataFrame({"amount": [9, 20, 35, 80], "fraud": [0, 0, 0, 1]})
    >>> frame.pipe(prior_shift, "fraud", 0.5)["fraud"].tolist()
    [0, 0, 1, 1]
    """
    size = _check.share(size, "size")
    labels = _labels(frame, column)
    n = len(labels) if n is None else int(_check.positive(n, "n"))
    rng = stream(seed, "prior_shift", column)
    ones = _count(size, n)
    rows = np.concatenate([
        _take(np.flatnonzero(labels == value), count, f"{column} = {value}", rng)
        for value, count in ((1, ones), (0, n - ones))
    ])
    new = frame.iloc[np.sort(rows)]
    return new.set_axis(frame.index) if n == len(frame) else new.reset_index(drop=True)


def concept_flip(frame, column, size, *, seed=0):
    """Turn the labels of a share `size` of the rows around, with P(X) kept.

    P(y = 1 | x) goes from p to ``(1 - size) * p + size * (1 - p)``: at 0.5
    the features say nothing any more, at 1 they say the opposite. The rate
    of a rare target rises.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str
        The target, 0 or 1.
    size : float
        The share of the rows, from 0 to 1.
    seed : int
        Chooses the rows.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame = pd.DataFrame({"churned": [0, 0, 1]})
    >>> frame.pipe(concept_flip, "churned", 1)["churned"].tolist()
    [1, 1, 0]
    """
    size = _check.share(size, "size")
    labels = _labels(frame, column)
    rows = _some(np.ones(len(labels), dtype=bool), size, stream(seed, "concept_flip", column))
    return _replace(frame, column, rows, 1 - labels[rows])


_FAULTS = (
    mean_shift, scale, tail, out_of_range, unit_change, frequencies, new_category, missing, flip_correlation, stale,
    prior_shift, concept_flip,
)


def _number(value, name):
    return float(_check.numeric([value], name)[0])


def _values(frame, column):
    values = _check.numeric(_check.frame_column(frame, column, "numeric"), column, least=0, finite=False)
    if np.isinf(values).any():
        raise ValueError(f"{column} needs finite numbers, got {np.isinf(values).sum()} infinite. Drop or cap them first.")
    return values


def _labels(frame, column):
    labels = _check.numeric(_check.frame_column(frame, column, "numeric"), column)
    if not np.isin(labels, (0, 1)).all():
        odd = labels[~np.isin(labels, (0, 1))][0]
        raise ValueError(f"{column} needs labels 0 and 1, got {odd:g}. Pass the name of a binary target.")
    return labels.astype(np.int64)


def _sd(values, column):
    present = values[np.isfinite(values)]
    if len(present) == 0 or present.min() == present.max():
        got = "no value" if len(present) == 0 else f"{present[0]:g} alone"
        raise ValueError(f"{column} needs two different values to have a spread, got {got}. Pick another column.")
    return present.std()


def _count(share, n):
    return int(np.floor(share * n + 0.5))


def _some(eligible, share, rng):
    rows = np.flatnonzero(eligible)
    return rng.permutation(rows)[:_count(share, len(rows))]


def _take(rows, count, meaning, rng):
    if count and not len(rows):
        raise ValueError(f"prior_shift needs a row with {meaning} to draw {count}, got none. Pass more rows.")
    rounds, rest = divmod(count, max(len(rows), 1))
    return np.concatenate([np.tile(rows, rounds), rng.permutation(rows)[:rest]]).astype(int)


def _where(series, level):
    return np.flatnonzero((series == level).to_numpy(dtype=bool, na_value=False))


def _with_level(series, level):
    if not isinstance(series.dtype, pd.CategoricalDtype):
        return series.astype(object) if series.dtype.kind == "b" else series
    return series if level in series.cat.categories else series.cat.add_categories([level])


def _is_integer(series):
    return series.dtype.kind in "iu"


def _roomy(series):
    if not _is_integer(series):
        return series
    return series.astype("int64" if isinstance(series.dtype, np.dtype) else "Int64")


def _move(frame, column, values, moves, rng):
    moving = np.flatnonzero(np.isfinite(values) & (moves != 0))
    moves = moves[moving]
    if _is_integer(frame[column]):  # evenly spread lots keep the mean of equal moves to 1/n
        moves = np.floor(moves + (rng.permutation(len(moves)) + 0.5) / max(len(moves), 1))
    return _replace(frame, column, moving, values[moving] + moves)


def _replace(frame, column, rows, values):
    series = frame[column].copy()
    if len(rows):
        series = _roomy(series)
        series.iloc[rows] = values if np.ndim(values) == 0 else pd.Series(values).astype(series.dtype).to_numpy()
    return _with(frame, column, series)


def _with(frame, column, series):
    new = frame.copy()
    new[column] = series
    return new
