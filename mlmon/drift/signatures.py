"""Signatures of broken data: what a fault does to a column that no population does by itself.

Each function looks at a reference and a current column, or at whole frames, and gives a
`Finding` or None. A finding says what was seen, in which rows and features.
"""
from dataclasses import dataclass

import numpy as np

from mlmon.drift.column import read
from mlmon.drift.twosample import kolmogorov_p, share_p

NOTICED = 0.01          # a share that moved by less is not worth a hypothesis
# Seconds, hours, months, weeks, per cents, thousands; miles, inches, feet, pounds; and the ways back.
FACTORS = (10.0, 100.0, 1000.0, 1e6, 12.0, 24.0, 60.0, 3600.0, 7.0, 30.44, 365.25, 4.345, 1.609, 2.54, 3.281, 2.205)
APART, CLEAR = 2.5, 5   # factors below the first leave no gap between changed and unchanged rows, beyond the second a wide one
POINTS = 400            # at which two distribution functions are compared
RARELY = 1e-6           # chance that a healthy feed shows so long a run of one value
WORDS = 6               # values in a row that mark a place in the reference


@dataclass(frozen=True)
class Finding:
    """What one signature saw.

    Parameters
    ----------
    cause : str
    evidence : str
        One sentence.
    features : tuple of str
    rows : numpy.ndarray of bool
        The current rows that it touches.
    """

    cause: str
    evidence: str
    features: tuple
    rows: np.ndarray


def columns_lost(reference, current):
    """Columns that no longer come."""
    lost = [str(c) for c in reference.columns if c not in current.columns]
    if not lost:
        return None
    new = [str(c) for c in current.columns if c not in reference.columns]
    beside = f"; new: {', '.join(new)}" if new else ""
    return Finding("column dropped", f"{', '.join(lost)} no longer come{'s' * (len(lost) == 1)}{beside}", tuple(lost), _all(current))


def other_type(name, reference, current):
    """Numbers that come as text, or text as numbers."""
    kinds = [read(column, str(name)) for column in (reference, current)]
    if kinds[0].kind == kinds[1].kind or not all(len(column.present) for column in kinds):
        return None
    was, comes = ("numbers", "text") if kinds[0].kind == "numeric" else ("text", "numbers")
    return Finding("type change", f"{name} held {was} and comes as {comes}, such as {_plain(current.dropna().iloc[0])}", (str(name),), _all(current))


def copies(reference, current, least_p):
    """Rows that come twice."""
    if not len(reference.columns):
        return None
    before, now = (frame.duplicated().to_numpy() for frame in (reference, current))
    if _rose(before, now, least_p):
        return Finding("duplicated rows", f"{now.mean():.1%} of the rows repeat another one, {before.mean():.1%} did before", (), now)
    return None


def differs_offline(current, offline):
    """Features that are not what the training pipeline makes of the same rows."""
    if len(offline) != len(current):
        raise ValueError(f"offline needs one row a current row, {len(current)}, got {len(offline)}. Compute it for the same rows.")
    rows, named = np.zeros(len(current), dtype=bool), []
    for name in current.columns:
        if name in offline.columns:
            other = _unequal(current[name], offline[name])
            if other.mean() > NOTICED:
                named.append((str(name), other.mean()))
                rows |= other
    if not named:
        return None
    listed = ", ".join(f"{name} in {share:.0%} of the rows" for name, share in named)
    return Finding("training-serving skew", f"served and offline values differ: {listed}", tuple(name for name, _ in named), rows)


def lost_values(reference, current, least_p):
    """Missing values: one column's burst, or several columns gone on the same rows."""
    gone = {}
    for name in reference.columns:
        before, now = reference[name].isna().to_numpy(), current[name].isna().to_numpy()
        if _rose(before, now, least_p):
            gone[name] = now
    found = []
    while gone:
        first = next(iter(gone))
        together = [name for name, rows in gone.items() if (rows & gone[first]).sum() > 0.8 * max((rows | gone[first]).sum(), 1)]
        rows = np.logical_or.reduce([gone.pop(name) for name in together])
        cause, names, where = "join loss", tuple(map(str, together)), located(rows, current)
        evidence = f"{', '.join(names)} are missing together on {rows.mean():.1%} of the rows{where}"
        if len(together) == 1:
            cause, evidence = "null burst", f"{first} is missing in {rows.mean():.1%} of the rows{where}, {reference[first].isna().mean():.1%} before"
        found.append(Finding(cause, evidence, names, rows))
    return found


def stand_in(name, reference, current):
    """One value far outside the reference's range, over and over: a code for 'unknown'.

    Far is beyond the range by its own width, or below 0 where nothing was.
    """
    low, high = np.nanmin(reference), np.nanmax(reference)
    beyond = (current < low - (high - low)) | (current > high + (high - low)) | ((current < 0) & (low >= 0))
    values, counts = np.unique(current[beyond], return_counts=True)
    if not len(counts) or counts.max() < max(5, NOTICED * len(current)) or counts.max() < 0.8 * counts.sum():
        return None
    value = values[counts.argmax()]
    rows = current == value
    return Finding("sentinel", f"{name} is {value:g} in {rows.mean():.1%} of the rows; it lay between {low:g} and {high:g}", (str(name),), rows)


def stuck(name, reference, current):
    """The longest run of one value is longer than chance makes it."""
    starts = np.flatnonzero(np.append(True, current[1:] != current[:-1]))
    lengths = np.diff(np.append(starts, len(current)))
    longest = lengths.argmax()
    value, length = current[starts[longest]], int(lengths[longest])
    elsewhere = ((current == value).sum() - length) / max(len(current) - length, 1)
    share = max((reference == value).mean(), elsewhere, 1 / len(reference))
    if value != value or share >= 1 or len(current) * share**length > RARELY or length < NOTICED * len(current):
        return None
    rows = np.zeros(len(current), dtype=bool)
    rows[starts[longest]:starts[longest] + length] = True
    return Finding("stale feature", f"{name} is {_plain(value)} in {length} rows in a row", (str(name),), rows)


def played_again(name, reference, current):
    """A stretch of the reference comes once more, in its order."""
    if len(np.unique(reference)) < 8 or min(len(reference), len(current)) < 10 * WORDS:
        return None
    old, new = _places(reference), _places(current)
    order = np.argsort(old, kind="stable")
    at = np.searchsorted(old[order], new)
    at[at == len(old)] = 0
    hits = np.flatnonzero(old[order][at] == new)
    if not len(hits):
        return None
    offsets, votes = np.unique(order[at[hits]] - hits, return_counts=True)
    if votes.max() < 0.1 * len(current):
        return None
    place = np.arange(len(current)) + offsets[votes.argmax()]
    inside = (place >= 0) & (place < len(reference))
    rows = inside & (reference[np.clip(place, 0, len(reference) - 1)] == current)
    return Finding("stale feature", f"{name} repeats {rows.mean():.0%} of its values from the reference, in the same order", (str(name),), rows)


def other_unit(name, reference, current, least_p=1e-3):
    """All rows, or a part of them, are multiplied by one factor."""
    ref, cur = np.sort(reference[np.isfinite(reference)]), np.sort(current[np.isfinite(current)])
    if kolmogorov_p(np.abs(_below(ref, cur) - _below(cur, cur)).max(), len(ref), len(cur)) > least_p:
        return None
    middle, now = np.median(ref), np.median(cur)
    best = _best_factor(ref, cur, [factor for known in FACTORS for factor in (known, 1 / known)])
    if best is None and middle * now > 0 and not 1 / 1.5 < now / middle < 1.5:
        best = _best_factor(ref, cur, [now / middle])
    if best is None:
        return None
    left, factor, part = best
    x = np.quantile(cur, np.linspace(0, 1, POINTS))
    moved = np.abs(_below(ref + now - middle, x) - _below(cur, x)).max()
    if left > 0.5 * moved:        # adding a number explains it as well: people, not units
        return None
    shown = f"{factor:g}" if factor >= 1 else f"1/{1 / factor:.4g}"
    rows = np.ones(len(current), dtype=bool) if part == 1 else _nearer(reference, current, factor)
    amount = "all rows" if part == 1 else f"{part:.0%} of the rows"
    return Finding("unit change", f"{name} is multiplied by {shown} in {amount}", (str(name),), rows)


def other_levels(name, reference, current):
    """A level that never came: an old one under another name, or a new one."""
    old, counts = np.unique(reference, return_counts=True)
    share = dict(zip(old, counts / len(reference)))
    new, fresh = np.unique(current, return_counts=True)
    best = max(((n, level) for level, n in zip(new, fresh) if level not in share), default=None)
    if best is None or best[0] < max(5, NOTICED * len(current)):
        return None
    count, level = best
    rows = current == level
    since = current[np.flatnonzero(rows)[count // 100]:]
    for former in sorted(share, key=share.get, reverse=True):
        left, here = (since == former).mean(), (since == level).mean()
        error = np.sqrt(here * (1 - here) / len(since) + share[former] * (1 - share[former]) / len(reference))
        if left < 0.1 * share[former] and abs(share[former] - left - here) < 4 * error:
            return Finding("renamed category", f"{former!r} of {name} ({share[former]:.1%}) is gone, and {level!r} came ({here:.1%})", (str(name),), rows)
    return Finding("new category", f"{name} has a level that it never had: {level!r}, {rows.mean():.1%} of the rows, at the cost of no single other", (str(name),), rows)


def located(rows, frame):
    """Where the rows lie, in words to append: one level of a category, one stretch of time, or nothing."""
    share = rows.mean()
    if not 0 < share < 1:
        return ""
    for name in frame.columns:
        column = frame[name]
        if column.dtype.kind not in "Ob":
            continue
        for level in column.value_counts().index[:30]:
            there = (column == level).to_numpy(dtype=bool)
            if not there.all() and rows[there].mean() > 0.9 and rows[there].sum() > 0.9 * rows.sum():
                return f", all with {name} = {level}"
    first = int(rows.argmax())
    return f", from row {first} on" if first and rows[first:].mean() > 0.95 else ""


def _rose(before, now, least_p):
    return now.mean() - before.mean() > NOTICED and share_p(int(before.sum()), len(before), int(now.sum()), len(now)) < least_p


def _all(frame):
    return np.ones(len(frame), dtype=bool)


def _unequal(served, offline):
    both_gone = served.isna().to_numpy() & offline.isna().to_numpy()
    if all(column.dtype.kind in "iufb" for column in (served, offline)):
        a, b = (column.to_numpy(dtype=float, na_value=np.nan) for column in (served, offline))
        return ~(np.isclose(a, b, rtol=1e-6, atol=1e-9) | both_gone)
    return ~((served.astype(object).to_numpy() == offline.astype(object).to_numpy()) | both_gone)


def _places(values):
    """A fingerprint of each run of `WORDS` values."""
    code = np.asarray(values, dtype=float).view(np.uint64).copy()
    mixed = np.zeros(len(code) - WORDS + 1, dtype=np.uint64)
    for k in range(WORDS):
        mixed = mixed * np.uint64(6364136223846793005) + (code[k:len(code) - WORDS + 1 + k] ^ (code[k:len(code) - WORDS + 1 + k] >> np.uint64(29)))
    return mixed


def _below(ordered, x):
    return np.searchsorted(ordered, x, side="right") / len(ordered)


def _best_factor(ref, cur, factors):
    """The factor that explains current values best: (what is left unexplained, factor, share of the rows), or None."""
    noise = 1.8 * np.sqrt(1 / len(ref) + 1 / len(cur))      # two samples of one law gape wider once in 300 times
    fits = []
    for factor in factors:
        x = np.unique(np.quantile(np.concatenate([ref, ref * factor]), np.linspace(0, 1, POINTS)))
        plain, scaled, seen = _below(ref, x), _below(ref, x / factor), _below(cur, x)
        before, direction = seen - plain, scaled - plain
        part = float(np.clip(before @ direction / max(direction @ direction, 1e-12), 0, 1))
        left, gap, whole = (float(np.abs(d).max()) for d in (before - part * direction, before, seen - scaled))
        if part > 0.95 or whole <= noise:
            part, left = 1.0, whole
        limit = max(0.2 * gap, noise) if part == 1 or not 1 / CLEAR < factor < CLEAR else noise
        if left <= limit and part >= 0.03 and (part == 1 or not 1 / APART < factor < APART):
            fits.append((left, factor, part))
    return min(fits, default=None)


def _nearer(reference, current, factor):
    """Rows that look more like the reference times the factor than like the reference."""
    middle = np.nanmedian(np.log(np.abs(reference[reference != 0])))
    with np.errstate(divide="ignore"):
        away = np.log(np.abs(current)) - middle
    return np.nan_to_num(np.abs(away - np.log(factor)) < np.abs(away), nan=False).astype(bool)


def _plain(value):
    return f"{value:g}" if isinstance(value, (float, np.floating)) else repr(value.item() if isinstance(value, np.generic) else value)
