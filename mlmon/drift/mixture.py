"""Is today a mixture of the old classes? Cells of predictions and features, and what a mixture leaves over in them.

Under a pure label shift every cell holds what the classes of the reference put there, weighted by their new shares. The
shares were estimated from the same rows, so what is left over is judged by each row's cell less the row's influence on
the shares, carried through: that is what chance makes of it.
"""
import numpy as np
import scipy

from mlmon.drift.column import same_kind
from mlmon.drift.source import columns

ROWS = 20                # values of both samples that a cell needs
CUTS = tuple(i / 10 for i in range(1, 10))       # cells of a score or a number, by quantiles of both samples
TAILS, MANY = (0.02, 0.05, 0.95, 0.98), 1000     # and further ones where both samples have so many rows
LEVELS = 10              # levels of a category that have a cell of their own


def blocks(p, q, features):
    """Names and cells (reference, current) of all that is to be checked."""
    judged = range(1, 2) if p.shape[1] == 2 else range(p.shape[1])
    found = [("predictions", *_cells(p[:, i], q[:, i])) for i in judged] if min(len(p), len(q)) else []
    if features is None:
        return found
    if not (isinstance(features, (tuple, list)) and len(features) == 2):
        raise ValueError(f"features needs a pair (reference, current), got {type(features).__name__}. Pass both frames.")
    before = columns(features[0], None, "features of the reference")
    now = dict(columns(features[1], [name for name, _ in before], "features of the current sample"))
    for name, source in before:
        ref, cur = source.read(str(name)), now[name].read(str(name))
        if len(ref) != len(p) or len(cur) != len(q):
            came = f"{len(ref)} and {len(cur)} for {len(p)} and {len(q)}"
            raise ValueError(f"features needs a row for each prediction, got {came}. Pass the same rows.")
        found.append((str(name), *_coded(ref, cur)))
    return found


def leftover_p(before, now, y, solved):
    """p-value of what the mixture leaves over in the cells of one block; None where nothing can be left."""
    cells = np.concatenate([before, now])
    kept = [cell for cell, count in zip(*np.unique(cells, return_counts=True)) if ROWS <= count]
    a, b = ((codes[:, None] == np.array(kept)).astype(float)[:, 1:] for codes in (before, now))
    if a.shape[1] == 0:
        return None
    means, size = class_means(a, y)
    left = b.mean(axis=0) - means @ solved.shares
    ours = b - b.mean(axis=0) - solved.current @ means.T
    theirs = -(solved.shares / size)[y][:, None] * len(y) * (a - means.T[y]) - solved.reference @ means.T
    error = ours.T @ ours / len(b) ** 2 + theirs.T @ theirs / len(a) ** 2
    scale = np.concatenate([a, b]).var(axis=0).max() / len(b)
    values, vectors = np.linalg.eigh(error)
    live = values > 1e-6 * scale
    if not live.any():
        return None
    # Hotelling's F instead of its limit, chi-squared: `error` is estimated too.
    squared, d, rows = np.sum((left @ vectors[:, live]) ** 2 / values[live]), int(live.sum()), min(len(a), len(b)) - 1
    return float(scipy.special.fdtrc(d, rows - d + 1, squared * (rows - d + 1) / (rows * d)))


def class_means(values, y):
    """Mean rows of each class, one column each, and the sizes of the classes."""
    size = np.bincount(y)
    return np.stack([values[y == c].mean(axis=0) for c in range(len(size))], axis=1), size


def _coded(ref, cur):
    if same_kind(ref, cur) == "numeric":
        return _cells(*(column.values if column.kind == "numeric" else np.full(len(column), np.nan) for column in (ref, cur)))
    ref, cur = (column if column.kind == "categorical" else None for column in (ref, cur))
    levels = list(dict.fromkeys(level for column in (ref, cur) if column for level in column.levels))
    place = {level: i for i, level in enumerate(levels)}
    codes = [np.append([place[level] for level in column.levels], -1).astype(int)[column.codes] for column in (ref, cur)]
    counts = np.bincount(np.concatenate(codes) + 1, minlength=len(levels) + 1)
    order = np.argsort(-counts[1:], kind="stable")[:LEVELS]
    own = np.full(len(levels) + 1, 0)                    # 0: rare levels and missing values
    own[order] = 1 + np.arange(len(order))
    return tuple(own[code] for code in codes)


def _cells(a, b):
    """Numbers as cells between quantiles of both samples, missing ones in a cell of their own."""
    both, least = np.concatenate([a, b]), min(len(a), len(b))
    both = both[np.isfinite(both)]
    most = np.clip(least // ROWS, 2, len(CUTS) + 1)
    cuts = [*CUTS, *TAILS] if least >= MANY else np.arange(1, most) / most
    # A sample may hold one value many times: its cell ends just above it.
    edges = np.unique(np.quantile(both, cuts)) if len(both) else np.empty(0)
    return tuple(np.where(np.isnan(x), len(edges) + 1, np.searchsorted(edges, x)) for x in (a, b))
