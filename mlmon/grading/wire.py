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
DEEPEST = 100                # lists within lists
MOST_ITEMS = 2_000_000       # values of one frame, those inside arrays not counted
MOST_DIGITS = 4300           # of an int or a Decimal: Python's own limit
LONGEST_RANGE = 10_000_000
LONGEST_TEXT = 1000          # characters of a text within the tree; a longer one is a buffer
MOST_EQUAL_HASHES = 64       # keys of one hash: more would make a dict quadratic
_FEW = 32                    # fewer floats than this stay in the tree

_NUMBERS = {float, np.bool_, *(np.dtype(name).type for name in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"))}
_BARE = {type(None), bool, int, float}
_DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f2|f4|f8|f16|c8|c16|c32|[SU][1-9]\d{0,7}"
                    r"|[mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)")
_ZONE = re.compile(r"[\w+-]{1,40}(/[\w+-]{1,40}){0,2}", re.ASCII)
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
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, WireError) else WireError(f"The value can't cross: {error}") from None
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
    that timed out in the middle of a frame, or a frame longer than `largest`, the channel is closed.

    Examples
    --------
    >>> import socket
    >>> here, there = map(Channel, socket.socketpair())
    >>> here.send([1, 2])
    >>> there.receive(deadline=monotonic() + 1)
    [1, 2]
    """

    def __init__(self, sock, largest=LARGEST):
        self.largest = largest
        self._sock, self._read, self._lock = sock, bytearray(), threading.RLock()

    def send(self, value, keep=None, deadline=None):
        """Send one value; `keep` as in `pack`."""
        data = pack(value, keep, largest=self.largest)
        with self._lock:  # a frame of another thread comes before or after
            self._wait(deadline)
            try:
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
        self._fill(8 + length, deadline)
        data, self._read = memoryview(self._read)[8:], bytearray()
        return unpack(data, handle, callback)

    def close(self):
        """Close the socket."""
        self._sock.close()

    def _fill(self, size, deadline):
        while len(self._read) < size:
            self._wait(deadline)
            try:
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


class _Writer:
    def __init__(self, keep, largest):
        self.keep, self.left, self.items_left, self.buffers = keep, largest, MOST_ITEMS, []

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
        self.items_left -= len(values)
        _hold(self.items_left >= 0, f"A value may hold {MOST_ITEMS:,} values, this one holds more. Send arrays.")
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


class _Reader:
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
        handles, self.handles = self.handles, self.handles if name in _CONTAINERS else {}
        lists = [self.items(part, depth + 1) for part in parts]
        self.handles = handles
        return build(*lists)

    def items(self, node, depth):
        if type(node) is str:
            kind, size = node.split(" ")
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
    _hold(tree.count(b",") + tree.count(b"[") <= 2 * MOST_ITEMS, f"A value may hold {MOST_ITEMS:,} values, this one holds more. Send arrays.")


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


def _decimal(text):
    number = Decimal(text)
    _hold(len(text) <= MOST_DIGITS and (not number.is_finite() or abs(number.adjusted()) <= MOST_DIGITS),
          f"A Decimal may have {MOST_DIGITS} digits.")
    return number


def _range(*ends, kind=range):
    made = kind(*ends)
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
    "path": _record(Path, str),
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

    masked = {pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray}
    array = (np.ndarray, pd.api.extensions.ExtensionArray)

    def values(data):
        return data.to_numpy() if isinstance(data.dtype, np.dtype) else data.array

    def index_parts(index):
        freq = getattr(index, "freqstr", None)
        return "pandas.Index", [values(index), index.name, freq if freq and _FREQ.fullmatch(freq) else None]

    def index(data, name, freq):
        _unlike(data.tolist() if data.dtype == object else [])
        made = pd.Index(data, dtype=data.dtype, name=name, tupleize_cols=False)
        if freq is not None:
            _hold(_FREQ.fullmatch(freq), "A frequency is written like 15min.")
            made.freq = freq
        return made

    def frame(index, columns, parts):
        _hold(all(isinstance(part, array) for part in parts), "A column is an array.")
        made = pd.DataFrame({n: pd.Series(part, index, part.dtype) for n, part in enumerate(parts)}, index)
        made.columns = columns
        return made

    def masked_parts(data):
        return "pandas.masked", [data.to_numpy(data.dtype.numpy_dtype, na_value=0), data.isna()]

    def masked_array(data, missing):
        kind = {"b": "Boolean", "f": "Floating"}.get(data.dtype.kind, "Integer")
        return getattr(pd.arrays, kind + "Array")(data, missing)

    def text_parts(data):
        nan = data.dtype.na_value is not pd.NA
        return "pandas.text", [[None if gone else text for text, gone in zip(data.tolist(), data.isna())], data.dtype.storage, nan]

    def text_array(texts, storage, nan):
        _hold(set(map(type, texts)) <= {str, type(None)}, "A column of text holds text.")
        return pd.array(texts, dtype=pd.StringDtype(storage, np.nan if nan else pd.NA))

    def moments(data):
        plain = data if data.tz is None else data.tz_convert("UTC").tz_localize(None)
        return "pandas.moments", [np.asarray(plain), _plain_zone(data.tz)]

    def moment(stamp, zone):
        return pd.Timestamp(stamp) if zone is None else pd.Timestamp(stamp, tz="UTC").tz_convert(zone)

    _ENCODERS.update(dict.fromkeys(masked, masked_parts))
    _ENCODERS.update({
        pd.Series: lambda data: ("pandas.Series", [values(data), data.index, data.name]),
        pd.DataFrame: lambda data: ("pandas.DataFrame", [data.index, data.columns, [values(part) for _, part in data.items()]]),
        pd.Index: index_parts,
        pd.RangeIndex: lambda data: ("pandas.RangeIndex", [data.start, data.stop, data.step, data.name]),
        pd.MultiIndex: lambda data: ("pandas.MultiIndex", [list(data.levels), [np.asarray(part) for part in data.codes], list(data.names)]),
        pd.Categorical: lambda data: ("pandas.Categorical", [data.codes, data.categories, data.ordered]),
        pd.arrays.IntervalArray: lambda data: ("pandas.intervals", [data.left, data.right, data.closed]),
        pd.arrays.DatetimeArray: moments,
        pd.api.extensions.ExtensionArray: lambda data: text_parts(data) if isinstance(data.dtype, pd.StringDtype) else None,
        pd.Interval: lambda data: ("pandas.Interval", [data.left, data.right, data.closed]),
        pd.Timestamp: lambda data: ("pandas.Timestamp", [data.asm8, _plain_zone(data.tz)]),
        pd.Timedelta: lambda data: ("pandas.Timedelta", [data.asm8]),
        type(pd.NaT): lambda data: ("pandas.NaT", []),
        type(pd.NA): lambda data: ("pandas.NA", []),
    })
    _BUILDERS.update({
        "pandas.Series": _record(lambda data, index, name: pd.Series(data, index, data.dtype, name), array, pd.Index, object),
        "pandas.DataFrame": _record(frame, pd.Index, pd.Index, list),
        "pandas.Index": _record(index, array, object, (str, type(None))),
        "pandas.RangeIndex": _record(lambda *parts: _range(*parts[:3], kind=pd.RangeIndex).rename(parts[3]), int, int, int, object),
        "pandas.MultiIndex": _record(lambda levels, codes, names: pd.MultiIndex(levels, codes, names=names), list, list, list),
        "pandas.Categorical": _record(lambda codes, categories, ordered: pd.Categorical.from_codes(codes, categories, ordered),
                                      np.ndarray, pd.Index, bool),
        "pandas.masked": _record(masked_array, np.ndarray, np.ndarray),
        "pandas.text": _record(text_array, list, str, bool),
        "pandas.intervals": _record(pd.arrays.IntervalArray.from_arrays, pd.Index, pd.Index, str),
        "pandas.moments": _record(lambda data, zone: pd.DatetimeIndex(data).tz_localize("UTC").tz_convert(zone).array, np.ndarray, _ZONED),
        "pandas.Interval": _record(pd.Interval, object, object, str),
        "pandas.Timestamp": _record(moment, np.datetime64, _ZONED),
        "pandas.Timedelta": _record(pd.Timedelta, np.timedelta64),
        "pandas.NaT": _record(lambda: pd.NaT),
        "pandas.NA": _record(lambda: pd.NA),
    })


@lru_cache(1)
def _learn_arrow():
    """Add Arrow to the tables."""
    import pyarrow as pa

    def parts(table):
        return "pyarrow.Table", [table.column_names, [column.combine_chunks() for column in table.columns]]

    def array_parts(array):
        kind = str(array.type)
        if not _ARROW.fullmatch(kind):
            return None
        array = array.take(pa.array(np.arange(len(array))))  # without what a slice leaves out
        return "pyarrow.Array", [kind, len(array), [None if part is None else part.to_pybytes() for part in array.buffers()]]

    def array(kind, size, buffers):
        _hold(_ARROW.fullmatch(kind), f"No Arrow array is of the type {kind[:40]!r}.")
        made = pa.Array.from_buffers(pa.type_for_alias(kind), size, [None if part is None else pa.py_buffer(part) for part in buffers])
        made.validate(full=True)
        return made

    def table(names, columns):
        return pa.table(columns, names=names)

    _ENCODERS.update({pa.Table: parts, pa.Array: array_parts})
    _BUILDERS.update({"pyarrow.Table": _record(table, list, list), "pyarrow.Array": _record(array, str, int, list)})


_LIBRARIES = {"pandas": _learn_pandas, "pyarrow": _learn_arrow}
