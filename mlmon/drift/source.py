"""What comes in: the columns of a frame, an array or a list, by name."""
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from mlmon.drift.column import read_loosely


@dataclass
class Source:
    """A column as it came, read when it is needed."""

    values: object
    name: str

    def read(self, role):
        return read_loosely(self.values, f"{self.name} ({role})")


def columns(data, chosen, role, least=1):
    """(name, Source) of each watched column.

    Parameters
    ----------
    data : DataFrame or array-like of shape (n,) or (n, k)
    chosen : list or None
        Names of those that are watched; None for all.
    role : str
        What the caller calls the data.
    least : int
        The fewest rows that will do.

    Raises
    ------
    ValueError
        For doubled names, for columns that are not there, and where there is no table.
    """
    if hasattr(data, "__dask_graph__"):
        raise ValueError(f"{role} needs rows in memory, got a Dask {type(data).__name__}. Pass a sample: frame.sample(frac=0.01).compute().")
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        names = distinct(list(data.columns), role)
        pairs = [(name, Source(data[name], str(name))) for name in names]
    else:
        # Objects keep what they are: numpy would turn numbers beside text into text.
        array = data.to_numpy() if hasattr(data, "to_numpy") else data if hasattr(data, "ndim") else np.array(data, dtype=object)
        if array.ndim not in (1, 2):
            raise ValueError(f"{role} needs a table or one column, got shape {array.shape}. Pass rows by features.")
        if array.ndim == 1:
            pairs = [(getattr(data, "name", None) or "value", Source(data, "value"))]
        else:
            pairs = [(f"x{i}", Source(np.ascontiguousarray(array[:, i]), f"x{i}")) for i in range(array.shape[1])]
    rows = len(pairs[0][1].values) if pairs else len(data)
    if not pairs or rows < least:
        raise ValueError(f"{role} needs at least {least} row and 1 column, got {rows} rows and {len(pairs)} columns. Pass data.")
    if chosen is None:
        return pairs
    found = dict(pairs)
    if absent := [name for name in chosen if name not in found]:
        raise ValueError(f"{role} needs the columns {', '.join(map(str, chosen))}, got none called {', '.join(map(str, absent))}. Add them.")
    return [(name, found[name]) for name in chosen]


def distinct(names, role):
    """The names, if each is there once."""
    if doubled := sorted({str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"{role} needs one column of each name, got several of {', '.join(doubled)}. Rename or drop them.")
    return names


def match(names, expected):
    """Refuse a batch that lacks columns of the reference, or has others."""
    absent = [name for name in expected if name not in names]
    extra = [name for name in names if name not in expected]
    if absent or extra:
        came = "; ".join(f"{what}: {', '.join(map(str, some))}" for what, some in (("missing", absent), ("unknown", extra)) if some)
        raise ValueError(f"current needs the reference's columns, got {came}. Add or drop them, or name the features with columns=.")


def plain(value, what):
    """A name or level for JSON: its kind and its text."""
    if isinstance(value, tuple):
        return ["tuple", [plain(part, what) for part in value]]
    for kind, types in (("bool", (bool, np.bool_)), ("int", Integral), ("float", Real), ("str", str)):
        if isinstance(value, types):
            return [kind, str(value)]
    raise ValueError(f"save needs {what} that are text, numbers or booleans, got a {type(value).__name__}. Turn them into text first.")


def unplain(pair):
    """What `plain` was given."""
    kind, text = pair
    if kind == "tuple":
        return tuple(unplain(part) for part in text)
    return {"bool": lambda s: s == "True", "int": int, "float": float, "str": str}[kind](text)
