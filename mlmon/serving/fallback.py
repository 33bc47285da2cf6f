"""What answers when the model does not: a simpler model, the last score of the same row, a default.

A fallback has a `kind`, under which its use is counted, `answer(method, X, classes)`, which gives
what the model's `method` would have given or raises, and `remember(method, X, answer)`, which is
told of every answer of the model.
"""
import time
import warnings
from collections import OrderedDict
from threading import Lock

import numpy as np

from mlmon import _check


class FallbackWarning(UserWarning):
    """A default was served in place of a prediction."""


class SimplerModel:
    """Another model, such as last month's or one of three features.

    Parameters
    ----------
    model : estimator
        With the same methods and classes as the main one.

    Examples
    --------
    >>> class Mean:
    ...     def predict(self, X):
    ...         return np.full(len(X), 7.0)
    >>> SimplerModel(Mean()).answer("predict", [[1], [2]], None)
    array([7., 7.])
    """

    kind = "model"

    def __init__(self, model):
        self.model = model

    def answer(self, method, X, classes):
        return getattr(self.model, method)(X)

    def remember(self, method, X, answer):
        pass


class CachedScore:
    """The model's last answer for the very same row, if it is not too old.

    A call of several rows is answered only if all of them are known.

    Parameters
    ----------
    seconds : float
        How long an answer may be served.
    size : int
        Rows that are kept; the oldest answer goes first.
    clock : callable
        Gives seconds that never go back.

    Examples
    --------
    >>> cache = CachedScore(seconds=60)
    >>> cache.remember("predict", [[1.0, 2.0]], np.array([0.3]))
    >>> cache.answer("predict", [[1.0, 2.0]], None)
    array([0.3])
    """

    kind = "cache"

    def __init__(self, *, seconds=300.0, size=10_000, clock=time.monotonic):
        self.seconds, self.size, self.clock = _check.positive(seconds, "seconds"), size, clock
        self._rows, self._lock = OrderedDict(), Lock()

    def answer(self, method, X, classes):
        oldest = self.clock() - self.seconds
        with self._lock:
            found = [self._rows.get((method, key), (-np.inf, None)) for key in _keys(X)]
        if not found or any(when < oldest for when, _ in found):
            raise LookupError(f"cache needs every row to be known for less than {self.seconds:g} s. Ask the next fallback.")
        return np.array([value for _, value in found])

    def remember(self, method, X, answer):
        now = self.clock()
        with self._lock:
            for key, value in zip(_keys(X), answer):
                self._rows[method, key] = now, np.array(value)      # not a view that keeps its whole batch
                self._rows.move_to_end((method, key))
            while len(self._rows) > self.size:
                self._rows.popitem(last=False)


class Default:
    """The same answer for everybody, with a warning: the base rate, or what errs on the safe side.

    Parameters
    ----------
    value : float or sequence of float
        A regressor's prediction; a classifier's probability of its last class, if it has two, or
        the probabilities of all its classes.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True):
    ...     Default(0.25).answer("predict_proba", [[1], [2]], [0, 1])
    array([[0.75, 0.25],
           [0.75, 0.25]])
    """

    kind = "default"

    def __init__(self, value):
        self.value = _check.numeric(np.atleast_1d(value), "value")

    def answer(self, method, X, classes):
        warnings.warn(f"default of {self.value.tolist()} served in place of a prediction", FallbackWarning, stacklevel=3)
        if classes is None:
            return np.full(len(X), self.value[0])
        shares = np.array([1 - self.value[0], self.value[0]]) if len(self.value) == 1 else self.value
        if len(shares) != len(classes):
            raise ValueError(f"value needs one probability for each of {len(classes)} classes, got {len(shares)}. Pass them all.")
        if method == "predict":
            return np.full(len(X), np.asarray(classes)[shares.argmax()])
        return np.tile(shares, (len(X), 1))

    def remember(self, method, X, answer):
        pass


def _keys(X):
    """Something hashable for each row, in which missing values are equal."""
    rows = X.itertuples(index=False, name=None) if hasattr(X, "itertuples") else np.asarray(X).tolist()
    return [tuple(None if value != value else value for value in row) for row in rows]
