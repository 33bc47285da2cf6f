"""Random numbers that two callers with the same seed do not share."""
from numbers import Integral
from zlib import crc32

import numpy as np


def stream(seed, *words):
    """A generator of its own for each seed and each run of words.

    A table and a fault are both made with seed 0 more often than not. Were
    they to draw the same numbers, the fault would follow the features.

    Parameters
    ----------
    seed : int or sequence of int
        None below 0.
    *words : str
        Who draws, and for what.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> bool(stream(0, "missing").random() == stream(0, "stale").random())
    False
    """
    seeds = list(seed) if isinstance(seed, (list, tuple)) else [seed]
    if not seeds or not all(isinstance(s, Integral) and not isinstance(s, bool) and s >= 0 for s in seeds):
        raise ValueError(f"seed needs a whole number of 0 or more, got {seed!r}. Pass one, such as 0.")
    return np.random.default_rng([*map(int, seeds), *(crc32(str(word).encode()) for word in words)])
