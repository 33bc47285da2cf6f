"""What five checks see in two samples of scores, as numbers: for the rows as they came, and for any other choice of current rows.

Scores are skewed, bounded and lumped, so the error of the log variance ratio comes from their own fourth moments, and the
p-values are limits that order the draws; what decides is their joint law under permutation, in `prediction`.
"""
from dataclasses import dataclass

import numpy as np
import scipy

from mlmon.drift.calibration import COMMON
from mlmon.drift.column import spread
from mlmon.drift.twosample import _ks_of, kolmogorov_p, share_p

GRAIN = 1000            # scores that agree to a thousandth of the reference's deviation are one value
LUMPS, LUMP = 50, 0.01  # how many values may be lumps, and the least share of all rows in one
TINY = 1e-10            # variances below this part of the whole count as this part


@dataclass
class Here:
    """The checks' p by their limit laws, and what is reported of each."""

    p: np.ndarray
    about: dict
    n: int
    m: int

    def own(self, ks):
        """Each check's own p; None where it has nothing to look at."""
        self.about["ks"]["statistic"] = ks
        values = dict(zip(self.about, self.p)) | {"ks": kolmogorov_p(ks, self.n, self.m)}
        return [None if "reason" in about else float(values[name]) for name, about in self.about.items()]


class Look:
    """Both samples together, and what the checks see of any choice of current rows among them."""

    def __init__(self, a, b, sd, threshold):
        self.n, self.m, self.sd, self.threshold = len(a), len(b), sd, threshold
        self.both = np.concatenate([a, b])
        x = (self.both - self.both.mean()) / (spread(self.both) or 1.0)
        lumps = _lumps(np.round(self.both / sd * GRAIN) if sd > 1e-100 else self.both)
        self.above = np.full(len(x), np.nan) if threshold is None else (self.both > threshold).astype(float)
        self.columns = np.column_stack([x, x**2, x**3, x**4, lumps, self.above])

    def smallest(self, drawn):
        """The smallest p of all checks for each line of `drawn` (1 where a row is current)."""
        return np.min(self.p(drawn)[0], axis=0)

    def observed(self):
        drawn = np.r_[np.zeros(self.n), np.ones(self.m)][None, :]
        p, seen = self.p(drawn)
        t, z, lump0, lump1 = (float(value[0]) for value in seen)
        sides = np.split(self.both, [self.n])
        means, deviations = [side.mean() for side in sides], [spread(side) * np.sqrt(len(side) / (len(side) - 1)) for side in sides]
        about = {
            "ks": dict(reference=None, current=None),
            "mean": dict(reference=means[0], current=means[1], statistic=t),
            "spread": dict(reference=deviations[0], current=deviations[1], statistic=z),
            "collapse": dict(reference=lump0, current=lump1, statistic=lump1 - lump0),
        }
        if self.threshold is not None:
            before, now = (float(part.mean()) for part in np.split(self.above, [self.n]))
            about["above"] = dict(reference=before, current=now, statistic=now - before)
            if before == now and before in (0.0, 1.0):
                which = "no" if before == 0 else "every"
                about["above"]["reason"] = f"{which} score of either sample lies above {self.threshold:g}"
        return Here(np.array([value[0] for value in p]), about, self.n, self.m)

    def p(self, drawn):
        m = int(drawn[0].sum())
        n = len(self.both) - m
        root = np.sqrt(n * m / (n + m))
        ks = scipy.special.kolmogorov((root + 0.12 + 0.11 / root) * _ks_of(self.both, drawn))
        now = np.concatenate([part.astype(float) @ self.columns for part in np.array_split(drawn, -(-len(drawn) // 100))])
        before = self.columns.sum(axis=0) - now
        t, z = _moments(before[:, :4] / n, now[:, :4] / m, n, m)
        *lumps, lump_p = _risen(before[:, 4:-1], now[:, 4:-1], n, m)
        p = [ks, 2 * scipy.special.ndtr(-np.abs(t)), 2 * scipy.special.ndtr(-np.abs(z)), lump_p]
        if self.threshold is not None:
            both, counts = int(self.above.sum()), np.round(now[:, -1]).astype(int)
            counts, place = np.unique(counts, return_inverse=True)
            p.append(np.array([share_p(both - int(j), n, int(j), m) for j in counts])[place])
        return p, (t, z, *lumps)


def _moments(before, now, n, m):
    """Welch's t, and the log ratio of the variances over its error, from mean powers of shape (..., 4)."""
    (mean0, var0, fourth0), (mean1, var1, fourth1) = (_central(powers) for powers in (before, now))
    within = (n * var0 + m * var1) / (n + m)
    floor = np.maximum(TINY * within, 1e-300)
    t = (mean1 - mean0) / np.sqrt(var0 / (n - 1) + var1 / (m - 1) + floor)
    kurtosis = np.maximum((n * fourth0 + m * fourth1) / (n + m) / np.maximum(within**2, 1e-300), 1.0)
    ratio = np.log(np.maximum(var1, floor) * m / (m - 1)) - np.log(np.maximum(var0, floor) * n / (n - 1))
    return t, ratio / np.sqrt((kurtosis - 1 + 2 / min(n, m)) * (1 / n + 1 / m))


def _central(powers):
    mean, second, third, fourth = np.moveaxis(powers, -1, 0)
    variance = np.maximum(second - mean**2, 0)
    return mean, variance, np.maximum(fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4, variance**2)


def _lumps(values):
    """Marks of the values that many rows share, one column each."""
    levels, code, counts = np.unique(values, return_inverse=True, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:LUMPS]
    common = common[counts[common] >= max(COMMON, LUMP * len(values))]
    return (code[:, None] == common).astype(float)


def _risen(before, now, n, m):
    """Shares of the value that has risen most, before and now, and p of such a rise among all lumps."""
    if before.shape[1] == 0:
        return np.zeros(len(now)), np.zeros(len(now)), np.ones(len(now))
    total, size = before + now, n + m
    error = np.sqrt(total * (size - total) * n * m / (size**2 * (size - 1)))
    z = np.divide(now - total * m / size, error, out=np.zeros_like(now), where=error > 0)
    most = z.argmax(axis=1)[:, None]
    seen = (np.take_along_axis(counts / rows, most, axis=1)[:, 0] for counts, rows in ((before, n), (now, m)))
    return *seen, np.minimum(1.0, before.shape[1] * scipy.special.ndtr(-z.max(axis=1)))
