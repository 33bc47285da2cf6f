"""Shifts of scikit-learn's handwritten digits, after the protocol of Failing Loudly (Rabanser and others, 2019).

What shifts (noise, a lost class, a turned image), how much, and how many rows: each a scenario of the
report card. The watchers look at pixels through principal components, at a classifier's outputs
(black box shift detection), at all components at once (MMD), or at all pixels through a classifier of domains.
"""

from functools import lru_cache, partial

import numpy as np
import pandas as pd

from mlmon.data.scenarios import Scenario, Truth
from mlmon.drift import DataDriftDetector, domain_classifier, ks_test
from mlmon.drift.ask import compares

TRAIN, REFERENCE = 600, 600     # images that the models learn from, and that are the reference; the rest is drawn from
PIXELS = [f"p{i}" for i in range(64)]
ALPHA = 0.05


class _Table:
    features, target = tuple(PIXELS), "digit"


@lru_cache(maxsize=1)
def images():
    from sklearn.datasets import load_digits

    digits = load_digits()
    frame = pd.DataFrame(digits.data / 16, columns=PIXELS).assign(digit=digits.target)
    return frame.sample(frac=1, random_state=0).reset_index(drop=True)


@lru_cache(maxsize=1)
def models():
    """Sixteen principal components, and a classifier of digits."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    train = images()[:TRAIN]
    return PCA(16, random_state=0).fit(train[PIXELS]), LogisticRegression(max_iter=500).fit(train[PIXELS], train["digit"])


# ------------------------------------------------------------------ shifts

def noise(frame, size, rng):
    """Normal noise on each pixel, written down as pixels are: in sixteenths from 0 to 1."""
    noisy = frame[PIXELS] + size * rng.normal(size=(len(frame), 64))
    return frame.assign(**(noisy * 16).round().clip(0, 16) / 16)


def knock_out(frame, size, rng):
    """A share of the zeros is gone."""
    zeros = frame.index[frame["digit"] == 0]
    return frame.drop(rng.permutation(zeros)[: round(size * len(zeros))])


def turn(frame, size, rng):
    """Every image turned by so many degrees."""
    from scipy.ndimage import rotate

    pixels = frame[PIXELS].to_numpy().reshape(-1, 8, 8)
    return frame.assign(**pd.DataFrame(rotate(pixels, size, axes=(1, 2), reshape=False, order=1).reshape(-1, 64), columns=PIXELS, index=frame.index))


def scenario(shift, size, n, seed):
    """One clean batch and one shifted; reference and batches are drawn anew by seed, without a common image."""
    rng = np.random.default_rng([seed, n])
    rest = images()[TRAIN:].sample(frac=1, random_state=int(rng.integers(2**31))).reset_index(drop=True)
    clean, pool = rest[REFERENCE : REFERENCE + n], rest[REFERENCE + n :]
    shifted = shift(pool, size, rng)[:n]
    truth = Truth(shift.__name__, tuple(PIXELS), float(size), "sudden", (0.0, 1.0))
    return Scenario(f"{shift.__name__} {size:g}, {n} rows", rest[:REFERENCE], (clean, shifted), truth, _Table)


# ------------------------------------------------------------------ watchers

class Components:
    def __init__(self, reference):
        self.look = models()[0].transform
        self.detector = DataDriftDetector(self.look(reference), alpha=ALPHA)

    def detect(self, batch):
        return self.detector.detect(self.look(batch))


def outputs(reference, batch):
    """KS on each of the classifier's ten outputs, 5 % shared out."""
    a, b = (models()[1].predict_proba(frame).T for frame in (reference, batch))
    return min(ks_test(x, y).pvalue for x, y in zip(a, b)) < ALPHA / 10


def mmd(reference, batch, draws=99):
    """Maximum mean discrepancy of the components, Gaussian kernel of median width, by permutation."""
    from scipy.spatial.distance import cdist

    both = np.concatenate([models()[0].transform(frame[PIXELS]) for frame in (reference, batch)])
    apart = cdist(both, both, "sqeuclidean")
    kernel, n = np.exp(-apart / np.median(apart)), len(reference)
    rng, values = np.random.default_rng(0), []
    for draw in range(draws + 1):
        marks = np.r_[np.full(n, 1 / n), np.full(len(batch), -1 / len(batch))]
        marks = rng.permutation(marks) if draw else marks
        values.append(marks @ kernel @ marks)
    return bool(np.mean(np.array(values) >= values[0]) <= ALPHA)


WATCHERS = {"components": Components, "outputs": compares(outputs), "mmd": compares(mmd),
            "domains": compares(partial(domain_classifier, alpha=ALPHA))}
