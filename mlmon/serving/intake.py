"""What a request of the service may say: reading it, and telling clearly what is wrong with it."""
import json
from math import isfinite
from numbers import Real
from uuid import uuid4

import numpy as np

MOST_ROWS, MOST_BYTES, MOST_LETTERS = 1000, 1_000_000, 200
_LONG = 500      # letters of a message


class Refused(Exception):
    """A request that cannot be answered, by the fault of the one who sent it.

    Parameters
    ----------
    status_code : int
        Of HTTP, from 400 to 499.
    detail : str
        What is needed, what came, what to do.
    """

    headers = None

    def __init__(self, status_code, detail):
        shown = detail.encode("utf-8", "backslashreplace").decode()      # what came may be no text that can be sent
        super().__init__(shown)
        self.status_code, self.detail = status_code, shown if len(shown) <= _LONG else f"{shown[:_LONG]} ..."


async def read(request):
    """The JSON object that a request brings.

    Parameters
    ----------
    request : starlette.requests.Request

    Returns
    -------
    dict

    Raises
    ------
    Refused
        400 for what is no JSON or ends early, 413 for what is too long, 415 for other content, 422 for no object.
    """
    from starlette.requests import ClientDisconnect

    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, f"content-type needs application/json, got {kind}. Send JSON.")
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > MOST_BYTES:
                raise Refused(413, f"body needs at most {MOST_BYTES:,} bytes, got more. Send fewer rows at a time.")
    except ClientDisconnect:
        raise Refused(400, "body needs to be whole, got its beginning only. Send it again.") from None
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"body needs JSON, got something else: {error}. Send an object.") from None
    if not isinstance(body, dict):
        raise Refused(422, f"body needs a JSON object, got {type(body).__name__}. Put it in braces.")
    return body


def instances(body, columns):
    """The rows to predict for, and their ids.

    Parameters
    ----------
    body : dict
        ``{"instances": [{feature: value or null}, ...], "ids": [text, ...]}``, ids optional.
    columns : dict
        Name and kind of each feature.

    Returns
    -------
    (list of dict, list of str)

    Raises
    ------
    Refused
    """
    _only(body, ("instances", "ids"))
    rows = _objects(body, "instances")
    for i, row in enumerate(rows):
        if row.keys() != columns.keys():
            absent, extra = (", ".join(sorted(names)) for names in (columns.keys() - row.keys(), row.keys() - columns.keys()))
            came = "; ".join(f"{what} {names}" for what, names in (("without", absent), ("unknown", extra)) if names)
            raise Refused(422, f"instances[{i}] needs {len(columns)} features, got {came}. Send each, null where it is missing.")
        for name, kind in columns.items():
            _cell(row[name], kind, f"instances[{i}].{name}")
    return rows, _ids(body.get("ids"), len(rows))


def labels(body):
    """The labels that are fed back.

    Parameters
    ----------
    body : dict
        ``{"id": text, "label": class or number, "value": euros}``, value optional, or
        ``{"labels": [...]}`` with several of those.

    Returns
    -------
    list of dict

    Raises
    ------
    Refused
    """
    if "labels" in body:
        _only(body, ("labels",))
    found = _objects(body, "labels") if "labels" in body else [body]
    for each in found:
        if not {"id", "label"} <= each.keys() <= {"id", "label", "value"}:
            raise Refused(422, f"feedback needs id and label, and may have value, got {', '.join(each) or 'nothing'}. Send those.")
        if not _is_id(each["id"]):
            raise Refused(422, f"id needs text, got {each['id']!r}. Send the id that /predict gave.")
        if not isinstance(each["label"], (str, Real)):
            raise Refused(422, f"label needs a class or a number, got {each['label']!r}. Send the true one.")
    return found


def frame(rows, columns):
    """The rows as a frame: columns in order, numbers as floats, categories as objects.

    Examples
    --------
    >>> frame([{"age": None, "land": "FR"}], {"land": "categorical", "age": "numeric"}).to_dict("records")
    [{'land': 'FR', 'age': nan}]
    """
    import pandas

    def column(name, kind):
        values = [np.nan if row[name] is None else row[name] for row in rows]
        return np.array(values, dtype=float) if kind == "numeric" else pandas.Series(values, dtype=object)

    return pandas.DataFrame({name: column(name, kind) for name, kind in columns.items()})


def _only(body, names):
    if unknown := sorted(set(body) - set(names)):
        raise Refused(422, f"body needs {' and '.join(names)}, got {', '.join(unknown)} as well. Leave it out.")


def _objects(body, name):
    found = body.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        came = f"{len(found)} values" if isinstance(found, list) else type(found).__name__
        raise Refused(422, f"{name} needs a list of objects, at least one, got {came}. Send [{{...}}].")
    if len(found) > MOST_ROWS:
        raise Refused(413, f"{name} needs at most {MOST_ROWS} objects, got {len(found)}. Send them in parts.")
    return found


def _cell(value, kind, where):
    if value is None:
        return
    if kind == "categorical" and not isinstance(value, str):
        raise Refused(422, f"{where} needs text or null, got {value!r}. Put it in quotes.")
    if kind == "numeric" and (not isinstance(value, Real) or isinstance(value, bool) or not _finite(value)):
        raise Refused(422, f"{where} needs a finite number or null, got {value!r}. Send a number.")


def _finite(value):
    try:
        return isfinite(value)
    except OverflowError:      # a whole number beyond every float
        return False


def _ids(ids, n):
    if ids is None:
        return [uuid4().hex for _ in range(n)]
    if not isinstance(ids, list) or not all(map(_is_id, ids)) or len(ids) != n or len(set(ids)) < n:
        needed = f"{n} different texts of 1 to {MOST_LETTERS} printable letters"
        raise Refused(422, f"ids needs {needed}, one an instance, got {str(ids)[:100]}. Send those, or none.")
    return ids


def _is_id(id):
    return isinstance(id, str) and 0 < len(id) <= MOST_LETTERS and id.isprintable()
