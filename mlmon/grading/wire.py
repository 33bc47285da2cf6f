"""Plain data between two processes, one of which trusts the other in nothing.

`pack` writes a value as a JSON tree followed by raw buffers, `unpack` reads it back, `Channel` does both
over a socket. Nothing is pickled or evaluated: what arrives is made here, of types that are named here,
so no code of the sender runs. A subclass travels as the plain type below it. An object that isn't plain
stays where it is and is known on the other side by a number, its handle.

A buffer belongs to one value and is used up in order, so a short frame can't unfold into much.
"""
import json
import re
import struct
import sys
import threading
from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import prod
from pathlib import Path, PurePath
from time import monotonic
from zoneinfo import ZoneInfo

import numpy as np

LARGEST = 64 * 2**20         # bytes of one frame
MOST_BYTES = 2 * 2**30       # of all frames that a channel brings
DEEPEST = 100                # lists within lists
MOST_ITEMS = 2_000_000       # values of one frame, those inside arrays not counted
HEAVY = 100                  # values that a pandas or Arrow object counts for, such as a Timestamp
MOST_DIGITS = 4300           # of an int or a Decimal: Python's own limit
LONGEST_RANGE = 10_000_000
LONGEST_PATH = 4096
LONGEST_TEXT = 1000          # characters of a text within the tree; a longer one is a buffer
MOST_EQUAL_HASHES = 64       # keys of one hash: more would make a dict quadratic
MOST_LEVELS = 20_000         # of a categorical or a MultiIndex, unless they ascend; as above
LONGEST_FREQ = 100_000       # dates whose frequency is told: it is checked date by date
_FEW = 32                    # fewer floats than this stay in the tree

_NUMBERS = {float, *(np.dtype(kind).type for kind in "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split())}
_CROWD = f"{MOST_ITEMS:,} values may cross at once, here are more. Send arrays."
_BARE = {type(None), bool, int, float}
_DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f2|f4|f8|f16|c8|c16|c32|[SU][1-9]\d{0,7}"
                    r"|[mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)")
_ZONE = re.compile(r"[\w+-]{1,40}(/[\w+-]{1,40}){0,3}", re.ASCII)
_FREQ = re.compile(r"-?\d{0,6}[A-Za-z]{1,4}(-[A-Z]{3})?")
_ARROW = re.compile(r"bool|u?int(8|16|32|64)|halffloat|float|double|(large_)?(string|binary)|date32\[day\]|date64\[ms\]"
                    r"|(time32|time64|timestamp|duration)\[(s|ms|us|ns)\]")


class WireError(ValueError):
    """Data that can't cross, or bytes that hold none."""


class WireTimeout(WireError):
    """The other side took too long."""


class WireClosed(WireError):
    """The other side is gone."""


class _Foreign(WireError):
    """A value, or a part of it, is not plain."""


def pack(value, keep=None, *, largest=LARGEST):
    """Write a plain value as bytes.

    Parameters
    ----------
    value : object
        None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, range, slice, Path,
        Decimal, Fraction, date, time, datetime, timedelta, NumPy numbers and arrays, pandas Series, frames,
        indexes, arrays and scalars, Arrow tables of flat columns.
    keep : callable, optional
        `keep(object)` keeps what is not plain and gives `(id, type name)`, or `(id, type name, "callback")`
        for an object that lives with the caller of the other side's code.
    largest : int
        Bytes that the result may have.

    Raises
    ------
    WireError
        The value is not plain and there is no `keep`, is too large or too deep, or holds itself.

    Examples
    --------
    >>> unpack(pack({"shares": (0.5, float("inf"))}))
    {'shares': (0.5, inf)}
    """
    writer = _Writer(keep, largest)
    try:
        tree = _dump(writer.node(value, 0)).encode("utf-8", "surrogatepass")
    except WireError:
        raise
    except Exception as error:  # a number of too many digits, a time zone without a name
        raise WireError(f"The value can't cross: {type(error).__name__}: {str(error)[:200]}") from None
    _check_tree(tree)
    data = b"".join((struct.pack("<I", len(tree)), tree, *writer.buffers))
    _hold(len(data) <= largest, f"A value may take {largest:,} bytes, this one takes {len(data):,}. Send less of it.")
    return data


def unpack(data, handle=None, callback=None):
    """Read the value that `pack` wrote.

    Parameters
    ----------
    data : bytes-like
        From anybody: it is checked throughout.
    handle, callback : callable, optional
        `handle(id, type name)` gives what stands here for a kept object; so does `callback` for one that was
        kept as a callback. Without it such an object is refused.

    Raises
    ------
    WireError
        And nothing else, whatever the bytes are.
    """
    try:
        return _Reader(data, {"handle": handle, "callback": callback}).whole()
    except WireError:
        raise
    except Exception as error:  # whatever a library says of hostile data
        raise WireError(f"The data can't be read: {type(error).__name__}: {str(error)[:200]}") from None


class Channel:
    """Values over a connected stream socket, each a length of eight bytes and that many bytes.

    A deadline is a value of `time.monotonic()`. Reading that timed out can be taken up again; after a `send`
    that timed out in the middle of a frame, a frame longer than `largest`, or more than `MOST_BYTES` in all, the channel
    is closed.

    Examples
    --------
    >>> import socket
    >>> here, there = map(Channel, socket.socketpair())
    >>> here.send([1, 2])
    >>> there.receive(deadline=monotonic() + 1)
    [1, 2]
    """

    def __init__(self, sock, largest=LARGEST):
        self.largest, self.left = largest, MOST_BYTES
        self._sock, self._read, self._lock = sock, bytearray(), threading.RLock()

    def send(self, value, keep=None, deadline=None):
        """Send one value; `keep` as in `pack`."""
        data = pack(value, keep, largest=self.largest)
        with self._lock:  # a frame of another thread comes before or after
            try:
                self._wait(deadline)
                self._sock.sendall(struct.pack("<Q", len(data)) + data)
            except TimeoutError:
                self.close()
                raise WireTimeout("The other side did not read in time.") from None
            except OSError as error:
                raise WireClosed(f"The other side is gone: {error}") from None

    def receive(self, deadline=None, handle=None, callback=None):
        """Wait for the next value; `handle` and `callback` as in `unpack`."""
        self._fill(8, deadline)
        length, = struct.unpack("<Q", self._read[:8])
        if length > self.largest:
            self.close()
            raise WireError(f"A frame may have {self.largest:,} bytes, one of {length:,} came.")
        if length > self.left:
            self.close()
            raise WireError(f"A channel may bring {MOST_BYTES:,} bytes in all, and more came.")
        self._fill(8 + length, deadline)
        data, self._read = memoryview(self._read)[8:], bytearray()
        self.left -= length
        return unpack(data, handle, callback)

    def close(self):
        """Close the socket; from then on both `send` and `receive` raise WireClosed."""
        self._read = bytearray()
        self._sock.close()

    def _fill(self, size, deadline):
        while len(self._read) < size:
            try:
                self._wait(deadline)
                part = self._sock.recv(min(size - len(self._read), 2**20))
            except TimeoutError:
                raise WireTimeout("The other side did not answer in time.") from None
            except OSError as error:
                raise WireClosed(f"The other side is gone: {error}") from None
            if not part:
                raise WireClosed("The other side has closed the channel.")
            self._read += part

    def _wait(self, deadline):
        left = None if deadline is None else deadline - monotonic()
        if left is not None and left <= 0:
            raise WireTimeout("The time was up before the channel was used.")
        self._sock.settimeout(left)


class _Budget:
    """How many values may still come."""

    values_left = MOST_ITEMS

    def spend(self, count):
        self.values_left -= count
        _hold(self.values_left >= 0, _CROWD)


class _Writer(_Budget):
    def __init__(self, keep, largest):
        self.keep, self.left, self.buffers = keep, largest, []

    def node(self, value, depth):
        kind = type(value)
        if kind in _BARE:
            return value
        if kind is str:
            return value if len(value) <= LONGEST_TEXT else self.raw("text", value.encode("utf-8", "surrogatepass"))
        if kind is bytes:
            return self.raw("bytes", value)
        encode = _ENCODERS.get(kind) or _encoder(kind)
        plain = encode and encode(value)
        if plain is None:
            return self.foreign(value)
        if type(plain) is not tuple:
            return self.node(plain, depth)
        _hold(depth < DEEPEST, f"A value may be {DEEPEST} levels deep, this one is deeper or holds itself.")
        name, *lists = plain
        self.spend(HEAVY if "." in name else 0)
        if name in _CONTAINERS:
            return [name, *(self.items(values, depth + 1) for values in lists)]
        return self.record(value, name, lists, depth)

    def record(self, value, name, lists, depth):
        """An array, a frame and so on is plain throughout, or is kept as a whole."""
        keep, self.keep, left, count = self.keep, None, self.left, len(self.buffers)
        try:
            return [name, *(self.items(values, depth + 1) for values in lists)]
        except _Foreign:
            if keep is None:
                raise
            del self.buffers[count:]
            self.left, self.keep = left, keep
            return self.foreign(value)
        finally:
            self.keep = keep

    def items(self, values, depth):
        """A list of nodes, or the type and number of what a buffer holds."""
        self.spend(len(values))
        kinds = set(map(type, values))
        if len(values) >= _FEW and len(kinds) == 1 and kinds <= _NUMBERS:
            array = np.array(values)
            self.raw("numbers", array.tobytes())
            return f"{'float' if kinds == {float} else array.dtype.str} {len(values)}"
        if kinds <= _BARE or kinds == {str} and max(map(len, values)) <= LONGEST_TEXT:
            return values
        return [self.node(value, depth) for value in values]

    def raw(self, name, data):
        self.left -= len(data)
        _hold(self.left >= 0, "The value is too large for one frame. Send less of it.")
        self.buffers.append(data)
        return [name, len(data)]

    def foreign(self, value):
        name = str(type(value).__name__)[:100]
        if self.keep is None:
            raise _Foreign(f"Only plain data can cross: numbers, text, lists, dicts, arrays, frames. Got a value of type {name}.")
        number, name, *role = self.keep(value)
        return [*(role or ["handle"]), number, name]


class _Reader(_Budget):
    def __init__(self, data, handles):
        self.data, self.handles, self.at = memoryview(data), handles, 4

    def whole(self):
        size, = struct.unpack_from("<I", self.data)
        tree = self.take(size)
        _check_tree(tree)
        value = self.value(_load(tree.decode("utf-8", "surrogatepass")), 0)
        _hold(self.at == len(self.data), "The data are longer than the value.")
        return value

    def take(self, size):
        _hold(type(size) is int and 0 <= size <= len(self.data) - self.at, "The data are shorter than they say.")
        self.at += size
        return bytes(self.data[self.at - size:self.at])

    def value(self, node, depth):
        if type(node) is not list:
            return node
        _hold(depth < DEEPEST, f"A value may be {DEEPEST} levels deep, this one is deeper.")
        name, *parts = node
        if name == "bytes" or name == "text":
            data = self.take(*parts)
            return data if name == "bytes" else data.decode("utf-8", "surrogatepass")
        if name == "handle" or name == "callback":
            return self.handle(self.handles.get(name), *parts)
        build = _builder(name)
        self.spend(HEAVY if "." in name else 0)
        handles, self.handles = self.handles, self.handles if name in _CONTAINERS else {}
        lists = [self.items(part, depth + 1) for part in parts]
        self.handles = handles
        return build(*lists)

    def items(self, node, depth):
        if type(node) is str:
            kind, size = node.split(" ")
            self.spend(int(size))
            dtype = _dtype("<f8" if kind == "float" else kind)
            array = _array(dtype.str, [int(size)], self.take(int(size) * dtype.itemsize))
            return array.tolist() if kind == "float" else list(array)
        _hold(type(node) is list, "A list is needed.")
        if list not in set(map(type, node)):
            return node
        return [self.value(part, depth) for part in node]

    def handle(self, make, number, name):
        _hold(make is not None, "An object of the other side can't cross here.")
        _hold(type(number) is int and type(name) is str and len(name) <= 200, "A handle is a number and a name.")
        return make(number, name)


def _hold(right, message):
    if not right:
        raise WireError(message)


def _no_object(pairs):
    raise WireError("The tree holds lists only.")


_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_load = json.JSONDecoder(parse_constant=float, object_pairs_hook=_no_object).decode


def _check_tree(tree):
    """Bound what the tree can take when it is read."""
    _hold(tree.count(b",") + tree.count(b"[") <= 2 * MOST_ITEMS, _CROWD)


def _encoder(kind):
    """How to write values of a type that has no entry of its own: as the nearest type above it."""
    for library, learn in _LIBRARIES.items():
        if library in sys.modules:
            learn()
    return next((_ENCODERS[base] for base in kind.__mro__ if base in _ENCODERS), None)


def _builder(name):
    if name not in _BUILDERS:
        _LIBRARIES.get(str(name).partition(".")[0], lambda: None)()
    _hold(name in _BUILDERS, f"No value is of the kind {str(name)[:40]!r}.")
    return _BUILDERS[name]


def _record(build, *types):
    """A builder of one list of parts that checks their number and types first."""
    def checked(parts):
        _hold(len(parts) == len(types) and all(map(isinstance, parts, types)), "A part is missing or of a wrong type.")
        return build(*parts)
    return checked


def _unlike(keys):
    """The same keys, unless so many share a hash that a table of them would be slow."""
    if set(map(type, keys)) != {str}:
        _hold(not keys or max(Counter(map(hash, keys)).values()) <= MOST_EQUAL_HASHES, "Too many keys share one hash.")
    return keys


def _dict(keys, values):
    made = dict(zip(_unlike(keys), values, strict=True))
    _hold(len(made) == len(keys), "A key comes twice.")
    return made


def _path(text):
    _hold(len(text) <= LONGEST_PATH, f"A path may have {LONGEST_PATH} characters.")
    return Path(text)


def _decimal(text):
    number = Decimal(text)
    _hold(len(text) <= MOST_DIGITS and (not number.is_finite() or abs(number.adjusted()) <= MOST_DIGITS),
          f"A Decimal may have {MOST_DIGITS} digits.")
    return number


def _range(start, stop, step, kind=range):
    made = kind(start, stop, step)
    _hold(abs(made.stop - made.start) // abs(made.step) <= LONGEST_RANGE, f"A range may have {LONGEST_RANGE:,} numbers.")
    return made


def _zone(key):
    _hold(_ZONE.fullmatch(key), "A time zone is named like Europe/Berlin.")
    return ZoneInfo(key)


def _plain_zone(zone):
    """The same zone as one that can cross."""
    return zone if zone is None or type(zone) in _ENCODERS else _zone(str(zone))


def _clock(value):
    zone = value.tzinfo if type(value.tzinfo) in _ENCODERS else value.tzinfo and timezone(value.utcoffset())
    return [value.replace(tzinfo=None).isoformat(), zone, value.fold]


@lru_cache(256)
def _dtype(text):
    _hold(_DTYPE.fullmatch(text), f"No array is of the type {text[:40]!r}.")
    return np.dtype(text)


def _array_parts(array):
    array = np.asarray(array)
    if array.dtype == object:
        return "objects", [list(array.shape), array.ravel().tolist()]
    if not _DTYPE.fullmatch(array.dtype.str):
        return None
    _hold(array.nbytes <= LARGEST, f"An array may have {LARGEST:,} bytes, this one has {array.nbytes:,}.")
    return "array", [array.dtype.str, list(array.shape), array.tobytes()]


def _array(text, shape, data):
    dtype = _dtype(text)
    _hold(all(type(n) is int and n >= 0 for n in shape) and prod(shape) * dtype.itemsize == len(data),
          "The size of an array and its data differ.")
    array = np.ndarray(shape, dtype, data).copy()
    if dtype.kind == "b":
        _hold(not (array.view("u1") > 1).any(), "A bool is 0 or 1.")
    if dtype.kind == "U":
        _hold(not (array.reshape(-1).view(dtype.str[0] + "u4") > sys.maxunicode).any(), "A character is out of range.")
    return array


def _objects(shape, values):
    _hold(all(type(n) is int and n >= 0 for n in shape), "A size is a whole number.")
    return np.fromiter(values, object, len(values)).reshape(shape)


def _values(data):
    """The array of a Series or an Index."""
    return data.to_numpy() if isinstance(data.dtype, np.dtype) else data.array


def _index_parts(index):
    freq = getattr(index, "freqstr", None)
    told = freq and len(index) <= LONGEST_FREQ and _FREQ.fullmatch(freq)
    return "pandas.Index", [_values(index), index.name, freq if told else None]


def _index(data, name, freq):
    import pandas as pd

    if data.dtype == object:
        _unlike(data.tolist())
    made = pd.Index(data, dtype=data.dtype, name=name, tupleize_cols=False)
    if freq is not None:
        _hold(hasattr(made, "freqstr") and _FREQ.fullmatch(freq) and len(data) <= LONGEST_FREQ, "A frequency is like 15min.")
        made.freq = freq
    return made


def _multi_index_parts(index):
    return "pandas.MultiIndex", [list(index.levels), [np.asarray(codes) for codes in index.codes], list(index.names)]


def _multi_index(levels, codes, names):
    import pandas as pd

    return pd.MultiIndex([_levels(level) for level in levels], codes, names=names)


def _levels(index):
    """The same index; pandas is about to look for repeats, by a hash that a stranger can foil."""
    _hold(len(index) <= MOST_LEVELS or (index[1:] > index[:-1]).all() and index.is_monotonic_increasing,
          f"More than {MOST_LEVELS:,} levels or categories must ascend.")
    return index


def _frame_parts(frame):
    return "pandas.DataFrame", [frame.index, frame.columns, [_values(column) for _, column in frame.items()]]


def _frame(index, columns, arrays):
    import pandas as pd

    made = pd.DataFrame({n: pd.Series(array, index, array.dtype) for n, array in enumerate(arrays)}, index)
    made.columns = columns
    return made


def _masked_parts(array):
    return "pandas.masked", [array.to_numpy(array.dtype.numpy_dtype, na_value=0), array.isna()]


def _masked(data, missing):
    from pandas import arrays

    _hold(data.ndim == 1, "A column has one dimension.")
    return {"b": arrays.BooleanArray, "f": arrays.FloatingArray}.get(data.dtype.kind, arrays.IntegerArray)(data, missing)


def _text_parts(array):
    """Text with its missing values; other extension types can't cross."""
    import pandas as pd

    if isinstance(array.dtype, pd.StringDtype):
        texts = [None if missing else text for text, missing in zip(array.tolist(), array.isna())]
        return "pandas.text", [texts, array.dtype.storage, array.dtype.na_value is pd.NA]


def _text(texts, storage, na):
    import pandas as pd

    _hold(set(map(type, texts)) <= {str, type(None)}, "A column of text holds text.")
    return pd.array(texts, dtype=pd.StringDtype(storage, pd.NA if na else np.nan))


def _moments_parts(array):
    return "pandas.moments", [np.asarray(array.tz_convert("UTC").tz_localize(None)), _plain_zone(array.tz)]


def _moments(data, zone):
    import pandas as pd

    return pd.DatetimeIndex(data).tz_localize("UTC").tz_convert(zone).array


def _stamp(moment, zone):
    import pandas as pd

    return pd.Timestamp(moment) if zone is None else pd.Timestamp(moment, tz="UTC").tz_convert(zone)


def _arrow_parts(array):
    import pyarrow as pa

    if _ARROW.fullmatch(str(array.type)):
        array = array.take(pa.array(np.arange(len(array))))  # without what a slice leaves out
        buffers = [None if part is None else part.to_pybytes() for part in array.buffers()]
        return "pyarrow.Array", [str(array.type), len(array), buffers]


def _arrow(kind, size, buffers):
    import pyarrow as pa

    _hold(_ARROW.fullmatch(kind), f"No Arrow array is of the type {kind[:40]!r}.")
    buffers = [None if part is None else pa.py_buffer(part) for part in buffers]
    array = pa.Array.from_buffers(pa.type_for_alias(kind), size, buffers)
    array.validate(full=True)
    return array


def _table(names, columns):
    import pyarrow as pa

    table = pa.Table.from_arrays(columns, names)
    table.validate(full=True)
    return table


_CONTAINERS = {"list", "tuple", "dict", "set", "frozenset"}
_ENCODERS = {  # type -> value -> (kind, list of parts, ...), or the same value as a plainer type, or None
    int: int.__int__,
    float: float.__float__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    list: lambda value: ("list", list.copy(value)),
    tuple: lambda value: ("tuple", list(tuple.__iter__(value))),
    dict: lambda value: ("dict", list(dict.keys(value)), list(dict.values(value))),
    set: lambda value: ("set", list(set.__iter__(value))),
    frozenset: lambda value: ("frozenset", list(frozenset.__iter__(value))),
    complex: lambda value: ("complex", [value.real, value.imag]),
    range: lambda value: ("range", [value.start, value.stop, value.step]),
    slice: lambda value: ("slice", [value.start, value.stop, value.step]),
    PurePath: lambda value: ("path", [str(value)]),
    Decimal: lambda value: ("decimal", [Decimal.__str__(value)]),
    Fraction: lambda value: ("fraction", [value.numerator, value.denominator]),
    date: lambda value: ("date", [date.isoformat(value)]),
    time: lambda value: ("time", _clock(value)),
    datetime: lambda value: ("datetime", _clock(value)),
    timedelta: lambda value: ("timedelta", [value.days, value.seconds, value.microseconds]),
    timezone: lambda value: ("timezone", [value.utcoffset(None)]),
    ZoneInfo: lambda value: ("zone", [value.key]) if value.key else None,
    np.generic: lambda value: (plain := _array_parts(value)) and ("scalar", plain[1]),
    np.str_: lambda value: ("np.str", [str.__str__(value)]),
    np.bytes_: lambda value: ("np.bytes", [bytes(value)]),
    np.ndarray: _array_parts,
}
_ZONED = (timezone, ZoneInfo, type(None))
_BUILDERS = {  # kind -> lists of parts -> value
    "list": list,
    "tuple": tuple,
    "dict": _dict,
    "set": lambda values: set(_unlike(values)),
    "frozenset": lambda values: frozenset(_unlike(values)),
    "complex": _record(complex, float, float),
    "range": _record(_range, int, int, int),
    "slice": _record(slice, object, object, object),
    "path": _record(_path, str),
    "decimal": _record(_decimal, str),
    "fraction": _record(Fraction, int, int),
    "date": _record(date.fromisoformat, str),
    "time": _record(lambda text, zone, fold: time.fromisoformat(text).replace(tzinfo=zone, fold=fold), str, _ZONED, int),
    "datetime": _record(lambda text, zone, fold: datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold), str, _ZONED, int),
    "timedelta": _record(timedelta, int, int, int),
    "timezone": _record(timezone, timedelta),
    "zone": _record(_zone, str),
    "array": _record(_array, str, list, bytes),
    "objects": _record(_objects, list, list),
    "scalar": _record(lambda *parts: _array(*parts)[()], str, list, bytes),
    "np.str": _record(np.str_, str),
    "np.bytes": _record(np.bytes_, bytes),
}


@lru_cache(1)
def _learn_pandas():
    """Add pandas to the tables."""
    import pandas as pd
    from pandas import arrays
    from pandas.api.extensions import ExtensionArray

    _ENCODERS.update({
        pd.Series: lambda series: ("pandas.Series", [_values(series), series.index, series.name]),
        pd.DataFrame: _frame_parts,
        pd.Index: _index_parts,
        pd.RangeIndex: lambda index: ("pandas.RangeIndex", [index.start, index.stop, index.step, index.name]),
        pd.MultiIndex: _multi_index_parts,
        pd.Categorical: lambda array: ("pandas.Categorical", [array.codes, array.categories, array.ordered]),
        **dict.fromkeys((arrays.IntegerArray, arrays.FloatingArray, arrays.BooleanArray), _masked_parts),
        arrays.IntervalArray: lambda array: ("pandas.intervals", [_values(array.left), _values(array.right), array.closed]),
        arrays.DatetimeArray: _moments_parts,
        ExtensionArray: _text_parts,
        pd.Interval: lambda value: ("pandas.Interval", [value.left, value.right, value.closed]),
        pd.Timestamp: lambda value: ("pandas.Timestamp", [value.asm8, _plain_zone(value.tz)]),
        pd.Timedelta: lambda value: ("pandas.Timedelta", [value.asm8]),
        type(pd.NaT): lambda value: ("pandas.NaT", []),
        type(pd.NA): lambda value: ("pandas.NA", []),
    })
    array = (np.ndarray, ExtensionArray)
    _BUILDERS.update({
        "pandas.Series": _record(lambda data, index, name: pd.Series(data, index, data.dtype, name), array, pd.Index, object),
        "pandas.DataFrame": _record(_frame, pd.Index, pd.Index, list),
        "pandas.Index": _record(_index, array, object, (str, type(None))),
        "pandas.RangeIndex": _record(lambda *parts: _range(*parts[:3], pd.RangeIndex).rename(parts[3]), int, int, int, object),
        "pandas.MultiIndex": _record(_multi_index, list, list, list),
        "pandas.Categorical": _record(lambda codes, index, ordered: pd.Categorical.from_codes(codes, _levels(index), ordered),
                                      np.ndarray, pd.Index, bool),
        "pandas.masked": _record(_masked, np.ndarray, np.ndarray),
        "pandas.text": _record(_text, list, str, bool),
        "pandas.intervals": _record(arrays.IntervalArray.from_arrays, array, array, str),
        "pandas.moments": _record(_moments, np.ndarray, _ZONED),
        "pandas.Interval": _record(pd.Interval, object, object, str),
        "pandas.Timestamp": _record(_stamp, np.datetime64, _ZONED),
        "pandas.Timedelta": _record(pd.Timedelta, np.timedelta64),
        "pandas.NaT": _record(lambda: pd.NaT),
        "pandas.NA": _record(lambda: pd.NA),
    })


@lru_cache(1)
def _learn_arrow():
    """Add Arrow to the tables."""
    import pyarrow as pa

    _ENCODERS.update({
        pa.Table: lambda table: ("pyarrow.Table", [table.column_names, [column.combine_chunks() for column in table.columns]]),
        pa.Array: _arrow_parts,
    })
    _BUILDERS.update({
        "pyarrow.Table": _record(_table, list, list),
        "pyarrow.Array": _record(_arrow, str, int, list),
    })


_LIBRARIES = {"pandas": _learn_pandas, "pyarrow": _learn_arrow}
