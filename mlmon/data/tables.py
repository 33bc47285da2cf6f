"""Populations whose truth is known: who comes, P(X), and what happens, P(y|X).

A table draws correlated normal scores, one for each feature, and turns every
score into a value by a formula: a Gaussian copula with stated marginals. The
target follows a logistic law in the same scores. So each cdf, each rank
correlation and each probability has a closed form that tests can check.
"""
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from mlmon import _check
from mlmon.data._stream import stream


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column, its plausible range and its law.

    A numeric value is ``curve(median) + spread * z`` bent back by the curve,
    rounded to `decimals` and held between `low` and `high`, `z` being a
    standard normal score. The curve is the identity (normal), the logarithm
    (lognormal), or the logit of the place between the limits (bounded). A
    category is the step of `shares` that the score falls on.

    Attributes
    ----------
    name, unit, meaning : str
    kind : {"numeric", "categorical", "target"}
    low, high : float or None
        The plausible range: no sampled value leaves it.
    shape : {"normal", "lognormal", "bounded", None}
    median, spread : float or None
        Before rounding; the spread is that of the curve's values.
    decimals : int or None
        Digits kept after the point. At 0 and below the values are integers.
    levels : tuple of str
    shares : tuple of float
        The probability of each level.

    Examples
    --------
    >>> tickets = Column(name="tickets", kind="numeric", unit="count", meaning="tickets a year",
    ...                  low=0, high=40, shape="lognormal", median=0.5, spread=1.0, decimals=0)
    >>> float(tickets.cdf(0)), int(tickets.quantile(0.9))
    (0.5, 2)
    """

    name: str
    kind: str
    unit: str
    meaning: str
    low: float | None = None
    high: float | None = None
    shape: str | None = None
    median: float | None = None
    spread: float | None = None
    decimals: int | None = None
    levels: tuple = ()
    shares: tuple = ()

    def quantile(self, q):
        """The value below or at which a share `q` of the population lies.

        Parameters
        ----------
        q : float or array-like
            From 0 to 1.

        Returns
        -------
        numpy.ndarray
            Numbers; for a category its levels, in their stated order.

        Examples
        --------
        >>> int(customers["income"].quantile(0.5))
        2600
        >>> str(customers["country"].quantile(0.5))
        'FR'
        """
        q = np.asarray(q, dtype=float)
        if not ((q >= 0) & (q <= 1)).all():
            raise ValueError(f"q needs shares from 0 to 1, got {q}. Divide per cents by 100.")
        if self.kind == "categorical":
            return np.asarray(self.levels)[self._codes(ndtri(q))]
        return self._values(ndtri(q))

    def cdf(self, x):
        """The share of the population at or below `x`, rounding included.

        Parameters
        ----------
        x : float or array-like
            In the column's unit.

        Returns
        -------
        numpy.ndarray

        Examples
        --------
        >>> customers["age"].cdf([17, 90]).tolist()
        [0.0, 1.0]
        """
        self._needs_numbers("cdf")
        x = np.asarray(x, dtype=float)
        last = np.floor(np.clip(x, self.low, self.high) * 10.0**self.decimals + 1e-9)
        below = ndtr(self._scores((last + 0.5) / 10.0**self.decimals))
        return np.where(x < self.low, 0.0, np.where(x >= self.high, 1.0, below))

    def score(self, x):
        """The normal score that the law of the target reads off a value.

        Values at or beyond a limit count as half a step inside of it, which
        keeps the score finite.

        Parameters
        ----------
        x : float or array-like

        Returns
        -------
        numpy.ndarray
            Standard normal over the population, but for the rounding.

        Examples
        --------
        >>> float(customers["income"].score(2600))
        0.0
        """
        self._needs_numbers("score")
        half = 0.5 * 10.0**-self.decimals
        return self._scores(np.clip(np.asarray(x, dtype=float), self.low + half, self.high - half))

    def draw(self, z):
        """The values that belong to standard normal scores.

        Parameters
        ----------
        z : array-like of shape (n,)

        Returns
        -------
        numpy.ndarray or pandas.Categorical
            Integers, floats or categories, as the column has it.

        Examples
        --------
        >>> customers["income"].draw([0.0]).tolist()
        [2600]
        """
        z = np.asarray(z, dtype=float)
        if self.kind == "categorical":
            return pd.Categorical.from_codes(self._codes(z), categories=list(self.levels))
        return self._values(z)

    def record(self, x):
        """Values as the table writes them down: rounded, and held within the range.

        Parameters
        ----------
        x : array-like
            Numbers, none missing.

        Returns
        -------
        numpy.ndarray
            Integers where the column has no decimals, else floats.

        Examples
        --------
        >>> customers["income"].record([2604.2, 99_000]).tolist()
        [2600, 25000]
        """
        self._needs_numbers("record")
        kept = np.clip(np.round(x, self.decimals), self.low, self.high)
        return kept if self.decimals > 0 else kept.astype(np.int64)

    def _values(self, z):
        linear = self._curve(self.median) + self.spread * z
        if self.shape == "lognormal":
            linear = np.exp(linear)
        elif self.shape == "bounded":
            linear = self.low + (self.high - self.low) * expit(linear)
        return self.record(linear)

    def _scores(self, x):
        return (self._curve(x) - self._curve(self.median)) / self.spread

    def _curve(self, x):
        if self.shape == "lognormal":
            return np.log(x)
        if self.shape == "bounded":
            with np.errstate(divide="ignore", invalid="ignore"):  # the limits themselves
                return logit((x - self.low) / (self.high - self.low))
        return x

    def _codes(self, z):
        steps = ndtri(np.cumsum(self.shares)[:-1])
        return np.searchsorted(steps, z).astype(np.int8)

    def _needs_numbers(self, verb):
        if self.kind != "numeric":
            raise ValueError(f"{verb} needs a numeric column, got {self.name}, which is {self.kind}. Use its shares.")


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A population with known P(X) and P(y|X).

    Attributes
    ----------
    name : str
    columns : tuple of Column
        The features, then the target.
    correlation : dict
        The correlation of the normal scores of two features; 0 for the rest.
    intercept : float
        The log odds of the target where every score and every level weigh 0.
    weights : dict
        What one unit of a feature's score adds to the log odds, or what each
        level adds. Features that are not named do not matter to the target.

    Examples
    --------
    >>> customers.sample(3, seed=1)[["income", "country", "churned"]].shape
    (3, 3)
    >>> customers["income"].unit
    'EUR a month'
    """

    name: str
    columns: tuple
    intercept: float
    correlation: dict = field(default_factory=dict)
    weights: dict = field(default_factory=dict)

    def __repr__(self):
        return f"Table({self.name}: {len(self.numeric)} numeric, {len(self.categorical)} categorical, target {self.target})"

    def __getitem__(self, name):
        by_name = {column.name: column for column in self.columns}
        return by_name[_check.one_of(name, by_name, "column")]

    @property
    def target(self):
        """The name of the target column."""
        return self._names("target")[0]

    @property
    def numeric(self):
        """The names of the numeric features."""
        return self._names("numeric")

    @property
    def categorical(self):
        """The names of the categorical features."""
        return self._names("categorical")

    @property
    def features(self):
        """The names of all features, in the order of a sample's columns."""
        return self._names("numeric", "categorical")

    def sample(self, n, seed=0):
        """Draw rows of the population, each with its label.

        Parameters
        ----------
        n : int
            How many rows, 0 or more.
        seed : int
            The same seed gives the same rows.

        Returns
        -------
        pandas.DataFrame
            The features, then the target as 0 or 1.

        Examples
        --------
        >>> transactions.sample(1000, seed=3).equals(transactions.sample(1000, seed=3))
        True
        """
        if not isinstance(n, Integral) or n < 0:
            raise ValueError(f"n needs a whole number of 0 or more, got {n!r}. Pass the number of rows.")
        rng = stream(seed, "sample", self.name)
        scores = self._factor @ rng.standard_normal((len(self.features), n))
        frame = pd.DataFrame({name: self[name].draw(z) for name, z in zip(self.features, scores)})
        frame[self.target] = (rng.random(n) < self.probability(frame)).astype(np.int64)
        return frame

    def probability(self, frame):
        """The true P(y = 1 | x) of each row.

        Parameters
        ----------
        frame : pandas.DataFrame
            With every feature that matters, none of it missing.

        Returns
        -------
        numpy.ndarray of shape (n,)

        Examples
        --------
        >>> p = transactions.probability(transactions.sample(10_000))
        >>> bool((p > 0).all() and (p < 1).all())
        True
        """
        logits = np.full(len(frame), float(self.intercept))
        for name, weight in self.weights.items():
            series = _check.frame_column(frame, name)
            if self[name].kind == "categorical":
                logits += _level_weights(series, weight)
            else:
                logits += weight * self[name].score(_check.numeric(series, name, least=0))
        return expit(logits, out=logits)

    def label(self, frame, seed=0):
        """Draw fresh labels for rows by the true P(y|x).

        Parameters
        ----------
        frame : pandas.DataFrame
            As for `probability`.
        seed : int

        Returns
        -------
        numpy.ndarray of shape (n,)
            0 or 1.

        Examples
        --------
        >>> sorted(set(customers.label(customers.sample(100), seed=1).tolist()))
        [0, 1]
        """
        p = self.probability(frame)
        return (stream(seed, "label", self.name).random(len(p)) < p).astype(np.int64)

    def describe(self):
        """The columns as a frame, one row each: name, kind, unit, range, meaning.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        >>> list(customers.describe().columns)
        ['column', 'kind', 'unit', 'range', 'meaning']
        """
        rows = [(c.name, c.kind, c.unit, _range(c), c.meaning) for c in self.columns]
        return pd.DataFrame(rows, columns=["column", "kind", "unit", "range", "meaning"])

    @cached_property
    def _factor(self):
        matrix = np.eye(len(self.features))
        for (a, b), value in self.correlation.items():
            i, j = self.features.index(a), self.features.index(b)
            matrix[i, j] = matrix[j, i] = value
        return np.linalg.cholesky(matrix)

    def _names(self, *kinds):
        return tuple(column.name for column in self.columns if column.kind in kinds)


def names():
    """The names of the tables.

    Returns
    -------
    list of str

    Examples
    --------
    >>> names()
    ['customers', 'applicants', 'transactions']
    """
    return [table.name for table in _TABLES]


def get(name):
    """The table of that name.

    Parameters
    ----------
    name : str

    Returns
    -------
    Table

    Examples
    --------
    >>> get("transactions")
    Table(transactions: 8 numeric, 3 categorical, target fraud)
    """
    by_name = {table.name: table for table in _TABLES}
    return by_name[_check.one_of(name, by_name, "table")]


def _level_weights(series, weights):
    codes = series.astype("category").cat.set_categories(list(weights)).cat.codes.to_numpy()
    if (codes < 0).any():
        odd = series[codes < 0].iloc[0]
        raise ValueError(
            f"{series.name} needs one of {', '.join(weights)} in each row, got {odd!r}. "
            "Ask for probabilities before values are lost or levels added."
        )
    return np.asarray(list(weights.values()))[codes]


def _range(column):
    if column.kind == "numeric":
        return f"{column.low} to {column.high}"
    return ", ".join(map(str, column.levels))


def _number(name, unit, shape, median, spread, low, high, decimals, meaning):
    return Column(name=name, kind="numeric", unit=unit, meaning=meaning, low=low, high=high,
                  shape=shape, median=median, spread=spread, decimals=decimals)


def _category(name, meaning, **shares):
    levels = tuple(level.replace("_", " ") for level in shares)
    return Column(name=name, kind="categorical", unit="level", meaning=meaning,
                  levels=levels, shares=tuple(shares.values()))


def _target(name, meaning):
    return Column(name=name, kind="target", unit="0 or 1", meaning=meaning, low=0, high=1, levels=(0, 1))


customers = Table(
    name="customers",
    columns=(
        _number("age", "years", "bounded", 40, 0.8, 18, 90, 0, "age"),
        _number("income", "EUR a month", "lognormal", 2600, 0.5, 400, 25000, -1, "household income after tax"),
        _number("tenure", "months", "bounded", 40, 1.1, 0, 180, 0, "time since the first order"),
        _number("orders", "count", "lognormal", 3, 1.0, 0, 120, 0, "orders in the last 12 months"),
        _number("basket", "EUR", "lognormal", 48, 0.55, 3, 900, 2, "mean value of an order"),
        _number("visits", "count", "lognormal", 7, 0.9, 0, 300, 0, "visits to the shop in the last 30 days"),
        _number("recency", "days", "lognormal", 30, 1.0, 0, 365, 0, "time since the last order, a year at most"),
        _number("returns", "share", "bounded", 0.08, 1.1, 0, 1, 2, "share of orders sent back"),
        _number("rating", "points", "bounded", 4.0, 0.9, 1, 5, 1, "mean rating given to the orders"),
        _number("tickets", "count", "lognormal", 0.5, 1.0, 0, 40, 0, "support tickets in the last 12 months"),
        _category("country", "where orders go", DE=0.38, FR=0.24, ES=0.16, IT=0.14, NL=0.08),
        _category("device", "device used most", mobile=0.58, desktop=0.34, tablet=0.08),
        _category("channel", "how the customer came", social=0.18, search=0.34, direct=0.28, email=0.13, referral=0.07),
        _target("churned", "1 if no order follows within 90 days"),
    ),
    correlation={
        ("age", "income"): 0.25, ("age", "tenure"): 0.30, ("age", "device"): 0.35, ("age", "channel"): 0.30,
        ("income", "basket"): 0.45, ("tenure", "orders"): 0.35, ("orders", "visits"): 0.60,
        ("orders", "recency"): -0.50, ("visits", "recency"): -0.40, ("orders", "tickets"): 0.30,
        ("returns", "rating"): -0.25, ("rating", "tickets"): -0.35,
    },
    intercept=-1.9,
    weights={
        "recency": 0.8, "orders": -0.5, "visits": -0.4, "tenure": -0.35, "rating": -0.35, "tickets": 0.25,
        "returns": 0.15, "age": -0.1,
        "channel": {"social": 0.4, "search": 0.1, "direct": -0.2, "email": -0.3, "referral": 0.0},
    },
)

applicants = Table(
    name="applicants",
    columns=(
        _number("age", "years", "bounded", 37, 0.75, 18, 80, 0, "age"),
        _number("income", "EUR a month", "lognormal", 2500, 0.45, 500, 20000, -1, "income after tax"),
        _number("loan", "EUR", "lognormal", 9000, 0.7, 500, 75000, -2, "amount asked for"),
        _number("credit_score", "points", "bounded", 690, 0.8, 300, 850, 0, "score of the credit bureau"),
        _number("debt_ratio", "share", "bounded", 0.28, 0.7, 0, 1, 3, "monthly debt payments over income"),
        _number("utilisation", "share", "bounded", 0.32, 1.2, 0, 1, 2, "credit used over credit granted"),
        _number("employment", "years", "lognormal", 5, 0.9, 0, 45, 0, "time in the present job"),
        _number("late_payments", "count", "lognormal", 0.35, 1.0, 0, 24, 0, "late payments in the last 24 months"),
        _number("enquiries", "count", "lognormal", 0.9, 0.8, 0, 20, 0, "credit enquiries in the last 6 months"),
        _category("purpose", "what the loan is for", car=0.32, home=0.24, debt=0.22, education=0.08, other=0.14),
        _category("housing", "how the applicant lives", own=0.18, mortgage=0.34, rent=0.48),
        _category("contract", "kind of work contract", permanent=0.68, temporary=0.14, self_employed=0.12, retired=0.06),
        _target("defaulted", "1 if 90 days late within the first year"),
    ),
    correlation={
        ("age", "income"): 0.25, ("age", "employment"): 0.50, ("age", "housing"): -0.35, ("income", "loan"): 0.50,
        ("loan", "debt_ratio"): 0.25, ("credit_score", "utilisation"): -0.55, ("credit_score", "late_payments"): -0.60,
        ("credit_score", "enquiries"): -0.30, ("utilisation", "late_payments"): 0.40, ("debt_ratio", "utilisation"): 0.30,
    },
    intercept=-3.25,
    weights={
        "credit_score": -0.6, "debt_ratio": 0.4, "utilisation": 0.3, "late_payments": 0.35, "income": -0.3,
        "loan": 0.25, "employment": -0.2, "enquiries": 0.15,
        "housing": {"own": -0.2, "mortgage": -0.1, "rent": 0.15},
        "contract": {"permanent": -0.1, "temporary": 0.35, "self employed": 0.25, "retired": 0.0},
    },
)

transactions = Table(
    name="transactions",
    columns=(
        _number("amount", "EUR", "lognormal", 28, 1.1, 0.5, 10000, 2, "amount paid"),
        _number("amount_ratio", "ratio", "lognormal", 1.0, 0.8, 0.01, 100, 2, "amount over the card's usual amount"),
        _number("hour", "hours", "bounded", 14, 1.0, 0, 23, 0, "hour of the day, local time"),
        _number("gap", "minutes", "lognormal", 700, 1.5, 0, 43200, 0, "time since the card's last payment, 30 days at most"),
        _number("recent", "count", "lognormal", 1.6, 0.7, 0, 60, 0, "payments of the card in the last 24 hours"),
        _number("distance", "km", "lognormal", 7, 1.7, 0, 20000, 1, "distance from the holder's home"),
        _number("card_age", "months", "bounded", 30, 1.0, 0, 120, 0, "time since the card was issued"),
        _number("merchant_risk", "points", "bounded", 18, 0.9, 0, 100, 0, "risk score of the merchant"),
        _category("merchant", "trade of the merchant", grocery=0.32, restaurant=0.20, fuel=0.13, fashion=0.12,
                  services=0.11, electronics=0.07, travel=0.05),
        _category("entry", "how the card was read", contactless=0.46, chip=0.24, online=0.28, stripe=0.02),
        _category("country", "where the merchant is", home=0.88, europe=0.09, elsewhere=0.03),
        _target("fraud", "1 if the holder disputes the payment and is right"),
    ),
    correlation={
        ("amount", "amount_ratio"): 0.70, ("gap", "recent"): -0.70, ("distance", "country"): 0.60,
        ("merchant_risk", "merchant"): 0.50, ("amount", "merchant"): 0.30, ("merchant_risk", "entry"): 0.25,
        ("amount", "distance"): 0.20,
    },
    intercept=-6.4,
    weights={
        "amount_ratio": 1.0, "distance": 0.6, "merchant_risk": 0.8, "gap": -0.4, "recent": 0.3, "card_age": -0.3,
        "hour": -0.2,
        "entry": {"contactless": -0.5, "chip": -0.3, "online": 0.6, "stripe": 1.0},
        "country": {"home": 0.0, "europe": 0.3, "elsewhere": 0.8},
    },
)

_TABLES = (customers, applicants, transactions)
