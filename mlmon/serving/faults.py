"""Faults to inject into a service that runs: what its dashboards and alerts are tried on."""
import time
from threading import Lock

import numpy as np

from mlmon import _check

FAULTS = {
    "latency": "seconds that each prediction takes longer",
    "errors": "share of predictions in which the model raises InjectedError",
    "nonfinite": "share of predictions whose score is nan",
    "drift": "standard deviations that are added to a feature",
    "missing": "share of a feature's values that are lost",
    "concept": "share of labels that come back flipped: the model is right less often",
    "unlabelled": "share of labels that never arrive",
    "stall": "1 while the drift and quality jobs do not run",
}
_SHARES = ("errors", "nonfinite", "missing", "concept", "unlabelled", "stall")


class InjectedError(RuntimeError):
    """What the model raises while the fault "errors" is on."""


class Faults:
    """Which faults are on, and how strong. All are off at first.

    Parameters
    ----------
    feature : str
        The column that "drift" and "missing" are put into.
    spread : float
        Its standard deviation in the reference.
    seed : int
        Of which predictions and labels are hit.
    sleep : callable

    Examples
    --------
    >>> faults = Faults(feature="age", spread=9.0)
    >>> faults.set(latency=0.2, errors=0.1)
    >>> faults.active()
    {'latency': 0.2, 'errors': 0.1}
    """

    def __init__(self, *, feature=None, spread=1.0, seed=0, sleep=time.sleep):
        self.feature, self.spread, self._sleep = feature, spread, sleep
        self._sizes, self._rng, self._lock = dict.fromkeys(FAULTS, 0.0), np.random.default_rng(seed), Lock()

    def set(self, /, **sizes):
        """Give the named faults these sizes; 0 turns one off. All or none are taken."""
        for name, size in sizes.items():
            _check.one_of(name, FAULTS, "fault")
            if name in _SHARES:
                _check.share(size, name)
            elif size != 0:
                _check.positive(size, name)
        with self._lock:
            self._sizes.update({name: float(size) for name, size in sizes.items()})

    def clear(self):
        """Turn all faults off."""
        self.set(**dict.fromkeys(FAULTS, 0.0))

    def active(self):
        """The faults that are on, and their sizes."""
        with self._lock:
            return {name: size for name, size in self._sizes.items() if size}

    def stalled(self):
        """Whether the jobs may not run."""
        return bool(self._sizes["stall"])

    def model(self, model):
        """The model, with the faults "latency", "errors" and "nonfinite" in its answers."""
        return _Faulty(model, self)

    def rows(self, frame):
        """The rows, with the faults "drift" and "missing" in them."""
        drift, missing = self._sizes["drift"], self._sizes["missing"]
        if self.feature is None or not (drift or missing):
            return frame
        values = frame[self.feature].to_numpy(dtype=float, copy=True) + drift * self.spread
        with self._lock:
            values[self._rng.random(len(values)) < missing] = np.nan
        return frame.assign(**{self.feature: values})

    def label(self, label, classes):
        """The label as it comes in: itself, another class, or None for one that never arrives."""
        if self._hits("unlabelled"):
            return None
        return classes[1 - classes.index(label)] if label in classes and self._hits("concept") else label

    def _hits(self, name):
        size = self._sizes[name]
        with self._lock:
            return bool(size) and self._rng.random() < size


class _Faulty:
    """A model whose answers have faults."""

    def __init__(self, model, faults):
        self._model, self._faults = model, faults

    def __getattr__(self, name):
        found = getattr(self.__dict__["_model"], name)
        if name not in ("predict", "predict_proba"):
            return found

        def answer(X):
            if seconds := self._faults._sizes["latency"]:
                self._faults._sleep(seconds)
            if self._faults._hits("errors"):
                raise InjectedError("the fault 'errors' is on")
            given = found(X)
            return np.full(np.shape(given), np.nan) if self._faults._hits("nonfinite") else given

        return answer
