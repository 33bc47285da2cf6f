"""Pairs of frames, clean or with one known drift, for mlmon and every peer alike.

Needs numpy and pandas and nothing else, so that each peer draws the same pairs in
an environment of its own.
"""

from collections import namedtuple

import numpy as np
import pandas as pd

Pair = namedtuple("Pair", "reference current drifted")   # drifted: names of the features that drift


# --- clean pairs: reference and current from one population ------------------

def _correlated(rng, size, common):
    return np.sqrt(0.5) * common + np.sqrt(0.5) * rng.normal(size=size)


def _levels(count):
    """A categorical with `count` levels whose shares fall off as 1/rank."""
    shares = 1 / np.arange(1, count + 1)

    def draw(rng, size, common=None):
        codes = rng.choice(count, size, p=shares / shares.sum())
        return pd.Categorical.from_codes(codes, [f"level {i:02d}" for i in range(count)])
    return draw


def _rounded(rng, size, common=None):
    return rng.normal(size=size).round(1)


def _zeros(rng, size, common=None):
    """Amounts that are zero four times out of five."""
    return rng.exponential(size=size) * (rng.random(size) < 0.2)


def _gaps(draw, share):
    def with_gaps(rng, size, common=None):
        values = pd.Series(draw(rng, size, common))
        return values.mask(rng.random(size) < share)
    return with_gaps


def _plain(name, *args):
    return lambda rng, size, common=None: getattr(rng, name)(*args, size=size)


FAMILIES = {
    "normal": _plain("normal"),
    "lognormal": _plain("lognormal", 0, 0.7),
    "uniform": _plain("random"),
    "correlated": _correlated,
    "heavy t(2)": _plain("standard_t", 2),
    "heavy lognormal(2)": _plain("lognormal", 0, 2),
    "heavy Cauchy": _plain("standard_cauchy"),
    "tied counts": _plain("poisson", 2),
    "tied tenths": _rounded,
    "tied zeros": _zeros,
    "tied 0/1": _plain("binomial", 1, 0.3),
    "rare 0/1": _plain("binomial", 1, 0.02),
    "2 levels": _levels(2),
    "3 levels": _levels(3),
    "8 levels": _levels(8),
    "20 levels": _levels(20),
    "normal, 10 % missing": _gaps(_plain("normal"), 0.1),
    "counts, 5 % missing": _gaps(_plain("poisson", 2), 0.05),
    "3 levels, 20 % missing": _gaps(_levels(3), 0.2),
}

KINDS = {
    "normal": ["normal"],
    "numeric": ["normal", "lognormal", "uniform"],
    "correlated": ["correlated"],
    "heavy": ["heavy t(2)", "heavy lognormal(2)", "heavy Cauchy"],
    "tied": ["tied counts", "tied tenths", "tied zeros", "tied 0/1"],
    "categorical": ["2 levels", "3 levels", "8 levels", "20 levels"],
    "missing": ["normal, 10 % missing", "counts, 5 % missing", "3 levels, 20 % missing"],
    "mixed": list(FAMILIES),
} | {family: [family] for family in FAMILIES}


def clean(kind, n, features, seed, reference_n=None):
    """A pair from one population: `features` columns of a kind, `n` rows (or `reference_n` in the reference)."""
    rng = np.random.default_rng([seed, 1])
    families = [KINDS[kind][i % len(KINDS[kind])] for i in range(features)]

    def frame(size):
        common = rng.normal(size=size)
        return pd.DataFrame({f"x{i}": FAMILIES[family](rng, size, common) for i, family in enumerate(families)})
    return Pair(frame(reference_n or n), frame(n), ())


# --- drifted pairs: ten features, of which one drifts ------------------------

CUT = 1.959963984540054   # the normal's upper 2.5 %


def _ten(rng, size, correlation=0.5, gaps=0.0):
    """Eight standard normal features, the first two correlated, and two categorical ones."""
    x = rng.normal(size=(size, 8))
    x[:, 1] = correlation * x[:, 0] + np.sqrt(1 - correlation**2) * x[:, 1]
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(8)])
    frame.loc[rng.random(size) < gaps, "x7"] = np.nan
    frame["c0"] = pd.Categorical.from_codes(rng.choice(3, size, p=[0.5, 0.3, 0.2]), list("abc"))
    frame["c1"] = pd.Categorical.from_codes(rng.choice(5, size), list("pqrst"))
    return frame


def _shift(by):
    return lambda frame, rng: frame.assign(x4=frame["x4"] + by)


def _tail(frame, rng):
    return frame.assign(x4=frame["x4"] + 2.5 * (frame["x4"] > CUT))


def _beyond(frame, rng):
    """One row in ten lies beyond anything seen: six to seven deviations."""
    return frame.assign(x4=frame["x4"].mask(rng.random(len(frame)) < 0.1, 6 + rng.random(len(frame))))


def _frequencies(frame, rng):
    """A fifth of the first level's rows become the second: .5, .3 turn into .4, .4."""
    move = (frame["c0"] == "a") & (rng.random(len(frame)) < 0.2)
    return frame.assign(c0=frame["c0"].mask(move, "b"))


def _new_level(frame, rng):
    column = frame["c0"].cat.add_categories("new")
    return frame.assign(c0=column.mask(rng.random(len(frame)) < 0.05, "new"))


# name -> (what happens, the features it happens to, how the current frame is drawn)
DRIFTS = {
    "none": ("nothing", (), {}, None),
    "mean .1": ("mean up by 0.1 sd", ("x4",), {}, _shift(0.1)),
    "mean .25": ("mean up by 0.25 sd", ("x4",), {}, _shift(0.25)),
    "mean .5": ("mean up by 0.5 sd", ("x4",), {}, _shift(0.5)),
    "var x1.5": ("variance times 1.5", ("x4",), {},
                 lambda frame, rng: frame.assign(x4=frame["x4"] * np.sqrt(1.5))),
    "tail 2.5 %": ("the top 2.5 % up by 2.5 sd", ("x4",), {}, _tail),
    "out of range": ("10 % of the rows 6 to 7 sd out", ("x4",), {}, _beyond),
    "frequencies": ("levels .5, .3, .2 become .4, .4, .2", ("c0",), {}, _frequencies),
    "new level": ("5 % of the rows in a level never seen", ("c0",), {}, _new_level),
    "missing": ("missing share 5 -> 15 %", ("x7",), {"gaps": 0.15}, None),
    "correlation": ("correlation .5 -> -.5, same marginals", ("x0", "x1"), {"correlation": -0.5}, None),
}


def drifted(name, n, seed, reference_n=None):
    """Ten features, `n` rows (or `reference_n` in the reference), of which one (or one pair) drifts as `name` says."""
    _, features, changes, change = DRIFTS[name]
    rng = np.random.default_rng([seed, 2])
    before = {"gaps": 0.05} if name == "missing" else {}
    reference, current = _ten(rng, reference_n or n, **before), _ten(rng, n, **{**before, **changes})
    return Pair(reference, current if change is None else change(current, rng), features)


# --- the data of the speed tables --------------------------------------------

SIZES = {
    "a": {"rows": 100_000, "numeric": 20, "levels": (3, 5, 8, 12, 20)},
    "b": {"rows": 1_000_000, "numeric": 50, "levels": ()},
}
SPEED = ["normal", "lognormal", "normal", "uniform", "normal", "heavy t(2)", "tied counts", "normal"]


def speed_arrays(name, which, rows=None):
    """Numbers of shape (columns, rows) and codes of the levels, for reference (0) or current (1)."""
    size = SIZES[name]
    rng = np.random.default_rng([7, which])
    rows = rows or size["rows"]
    numbers = np.empty((size["numeric"], rows))
    for i in range(size["numeric"]):
        numbers[i] = FAMILIES[SPEED[i % len(SPEED)]](rng, rows)
    codes = np.array([rng.choice(count, rows) for count in size["levels"]], dtype=np.int8).reshape(-1, rows)
    return numbers, codes


def speed_frame(numbers, codes):
    """The frame that every library is timed on: float64 columns without a copy, and strings."""
    frame = pd.DataFrame(numbers.T, columns=[f"x{i}" for i in range(len(numbers))], copy=False)
    for i, column in enumerate(codes):
        levels = pd.Series([f"level {j:02d}" for j in range(column.max() + 1)], dtype="str")
        frame[f"c{i}"] = levels.to_numpy(dtype=object)[column] if pd.__version__ < "3" else \
            levels.take(column).reset_index(drop=True)
    return frame
