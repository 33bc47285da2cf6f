"""How alike the answers of two students are, whatever they called their variables.

Winnowing: the tokens of the answers, own names made equal, are hashed in overlapping runs of `RUN`, and of
each `WINDOW` neighbouring hashes the smallest is kept. Any passage of ``RUN + WINDOW - 1`` tokens that two
answers share leaves a hash that they share. What the release holds counts for nobody, and what many students
write counts little: a hash weighs the logarithm of the class's size over the number of those who have it.

References
----------
Schleimer, Wilkerson and Aiken (2003), Winnowing: local algorithms for document fingerprinting, SIGMOD, 76-85.
Spärck Jones (1972), A statistical interpretation of term specificity, J. Documentation 28(1), 11-21.
"""

import builtins
import keyword
import re
import zlib
from dataclasses import dataclass

import numpy as np

RUN = 12
WINDOW = 8
_ROWS = 500  # students compared with all others at a time

_TOKEN = re.compile(
    r"""#[^\n]*|\s+"""
    r"""|(?P<text>[rbfu]{0,2}(?:'{3}.*?'{3}|"{3}.*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))"""
    r"""|(?P<name>\.?\s*[^\W\d]\w*)|(?P<number>\d[\w.]*)|(?P<sign>.)""",
    re.IGNORECASE | re.DOTALL,
)
_KNOWN = {*keyword.kwlist, *dir(builtins)}
_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Likeness:
    """How much of a student's answers the most alike classmate has too, from 0 to 1."""

    share: float
    student: str


def tokens(source):
    """Cut Python, whole or broken, into tokens that renaming and rewording do not change.

    Parameters
    ----------
    source : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> tokens("total = np.sum(x) / len('abc')  # the mean")
    ['N', '=', 'N', '.sum', '(', 'N', ')', '/', 'len', '(', 'T', ')']
    """
    return [_plain(found) for found in _TOKEN.finditer(source) if found.lastgroup]


def _plain(found):
    kind, text = found.lastgroup, "".join(found[0].split())
    if kind == "name":
        return text if text in _KNOWN or text.startswith(".") else "N"
    return {"text": "T", "number": "0"}.get(kind, text)


def fingerprint(sources, release=()):
    """Reduce a student's answers to a few hashes.

    Parameters
    ----------
    sources : iterable of str
        The code of each answer.
    release : array of hashes
        What students were given, as by `hashes`.

    Returns
    -------
    numpy.ndarray
        Sorted, each once.
    """
    kept = [_winnow(_runs(tokens(source))) for source in sources]
    return np.setdiff1d(np.concatenate([np.empty(0, np.uint64), *kept]), release)


def hashes(sources):
    """All hashes of some code, winnowed or not: what to leave out of a fingerprint."""
    return np.unique(np.concatenate([np.empty(0, np.uint64), *(_runs(tokens(source)) for source in sources)]))


def _runs(words):
    """A hash for each run of `RUN` tokens; one for all of them when there are fewer."""
    codes = np.array([zlib.crc32(word.encode("utf-8", "replace")) for word in words], np.uint64)
    length = min(RUN, len(codes))
    if not length:
        return codes
    total = np.zeros(len(codes) - length + 1, np.uint64)
    for shift in range(length):  # unsigned numbers wrap around, as a hash may
        total = total * _BASE + codes[shift : len(codes) - length + shift + 1]
    return total ^ (total >> np.uint64(29))


def _winnow(runs):
    """Of each `WINDOW` neighbours the smallest."""
    if len(runs) <= WINDOW:
        return runs[:0] if not len(runs) else runs.min(keepdims=True)
    return np.lib.stride_tricks.sliding_window_view(runs, WINDOW).min(axis=1)


def compare(fingerprints):
    """Find for each student the classmate whose answers are most alike.

    Parameters
    ----------
    fingerprints : dict of str to numpy.ndarray
        By student, as by `fingerprint`.

    Returns
    -------
    dict of str to Likeness
        Those who wrote something, and share some of it with somebody.

    Examples
    --------
    >>> one, two = "def gap(a, b): return max(a, b) - min(a, b)", "def gap(u, v): return max(u, v) - min(u, v)"
    >>> compare({"anna": fingerprint([one]), "ben": fingerprint([two])})["anna"]
    Likeness(share=1.0, student='ben')
    """
    from scipy.sparse import csr_matrix

    students = list(fingerprints)
    rows = np.repeat(np.arange(len(students)), [len(fingerprints[student]) for student in students])
    if not len(rows):
        return {}
    _, columns, holders = np.unique(
        np.concatenate(list(fingerprints.values())), return_inverse=True, return_counts=True
    )
    weights = np.log((len(students) + 1) / holders)
    has = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(students), len(holders)))
    whole = has @ weights
    found = {}
    for start in range(0, len(students), _ROWS):
        part = slice(start, start + _ROWS)
        shared = (has[part].multiply(weights).tocsr() @ has.T).toarray()
        shared[np.arange(len(shared)), np.arange(start, start + len(shared))] = 0  # nobody is compared with themselves
        for number, best in enumerate(shared.argmax(axis=1)):
            if shared[number, best] > 0:
                share = min(1.0, float(shared[number, best] / whole[start + number]))
                found[students[start + number]] = Likeness(round(share, 3), students[best])
    return found
