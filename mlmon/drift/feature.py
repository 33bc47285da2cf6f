"""One feature of a detector: its reference, prepared once, and what a comparison with it gives."""
import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from mlmon.drift import calibration
from mlmon.drift.column import HUGE, Categories, Numbers, in_deviations, merge, spread
from mlmon.drift.distance import psi_of_counts, quantile_edges
from mlmon.drift.grid import COARSE, Grid
from mlmon.drift.ruler import NEW, WORDS, Levels, Nothing, Ruler
from mlmon.drift.source import plain, unplain
from mlmon.drift.tail import counted_p, fit_tail, tail_p
from mlmon.drift.twosample import LEAST, chi2_of, kolmogorov_p

LONG, WIDE = 20_000, 0.005      # the least values for a grid; certified: the widest interval of KS


class Reference:
    """One feature of the reference, prepared for comparison."""

    def __init__(self, name, source, bins, mode):
        self.name, self.bins, self.mode, self.reason = name, bins, mode, None
        try:
            self.column = copy.deepcopy(source.read("reference"))     # whatever becomes of the caller's frame
        except ValueError as error:
            self.column, self.reason = Numbers(np.full(len(source.values), np.nan)), str(error)
        self._prepare()

    def _prepare(self):
        self.tails, self.edges, self.grid = (None, None), None, None
        if self.reason or self.column.infinite or self.column.kind != "numeric" or not len(self.column.present):
            return
        ordered = np.sort(self.column.present)
        self.sd = spread(ordered)
        self.edges = quantile_edges(ordered, min(self.bins, len(ordered)))
        upper = self.edges[1:]
        self.cuts = np.append(np.nextafter(np.nextafter(self.edges[0], -np.inf), -np.inf), upper)
        self.counts = np.diff(np.searchsorted(ordered, upper, side="right"), prepend=0)
        self.tails = fit_tail(ordered), fit_tail(-ordered[::-1])
        if len(ordered) >= LONG:
            self.grid = Grid.of(ordered)

    def state(self):
        column, about = self.column, {"name": plain(self.name, "names"), "kind": self.column.kind, "reason": self.reason}
        if column.kind == "numeric":
            return column.values, about
        return column.codes, about | {"levels": [plain(level, f"levels of {self.name}") for level in column.levels]}

    @classmethod
    def restore(cls, about, values, bins, mode):
        reference = cls.__new__(cls)
        reference.name, reference.reason, reference.bins, reference.mode = unplain(about["name"]), about["reason"], bins, mode
        if about["kind"] == "numeric":
            reference.column = Numbers(values)
        else:
            levels = np.empty(len(about["levels"]), dtype=object)
            levels[:] = [unplain(level) for level in about["levels"]]
            reference.column = Categories(values, levels)
        reference._prepare()
        return reference

    def rows(self, rows):
        column = self.column
        return column.kind, (column.values if column.kind == "numeric" else column.codes)[rows]

    @cached_property
    def ruler(self):
        """What counts chunks of this feature."""
        if self.reason or self.column.infinite or not len(self.column.present):
            return Nothing(self.column.kind)
        if self.column.kind == "categorical":
            return Levels(self.column.levels, self.column.counts)
        ordered = np.sort(self.column.present)
        return Ruler(ordered, self.cuts, self.grid or Grid.of(ordered), self.tails)

    def compare(self, source, judged):
        """This feature of the reference against the current one, which is one of `judged`; 0 asks for no decision."""
        try:
            current = source.read("current")
            reason = self.reason or _why_not(self.column, current)
        except ValueError as error:
            current, reason = None, str(error)
        if reason:
            return Compared(self, current, reason)
        if not len(current.present) or not len(self.column.present):
            return Compared(self, current, None, len(current), gone=True)
        if self.column.kind == "categorical":
            known = {level: i for i, level in enumerate(self.column.levels)}
            place = np.array([known.setdefault(level, len(known)) for level in current.levels], dtype=np.int64)
            counts = np.zeros(len(known), dtype=np.int64)
            counts[place] = current.counts
            found = Compared(self, current, None, len(current), values=lambda: np.append(place, -1)[current.codes])
            return self._categories(found, counts, tuple(known)[len(self.column.levels):], judged)
        found = Compared(self, current, None, len(current), values=lambda: current.values)
        merged = self._merge(current.present) if judged else self._gap(current.present)
        cells = self._numbers(found, merged)
        if judged:
            self._decide(found, merged, merged.wasserstein, [
                tail_p(tail, sign * current.present, judged) if tail and count else 1.0
                for tail, sign, count in zip(self.tails, (1, -1), (cells[-1], cells[0]))
            ])
        return found

    def compare_counts(self, counts, held, judged):
        """As `compare`, from the counts of a profile and the values in the rows that it keeps."""
        reason = self.reason or counts.reason or _why_not(self.column, counts)
        if counts.crowded:
            reason = reason or f"current has more than {NEW:,} new categories; pass coarser ones, or leave identifiers out"
        if reason:
            return Compared(self, counts, reason)
        if not counts.counted or not len(self.column.present):
            return Compared(self, counts, None, len(held), gone=True)
        found = Compared(self, counts, None, len(held), values=lambda: held)
        if self.column.kind == "categorical":
            cur = np.append(counts.tally, [*counts.new.values()]).astype(np.int64)
            return self._categories(found, cur, tuple(counts.new), judged)
        merged = self.ruler.merged(counts)
        self._numbers(found, merged)
        if judged:
            beyond = float(counts.sums[2:].sum()) / merged.m      # cells end where the reference does
            self._decide(found, merged, merged.wasserstein + beyond, [
                counted_p(tail, merged.m, far, judged) if tail and far.any() else 1.0
                for tail, far in zip(self.tails, counts.far)
            ])
        return found

    def _numbers(self, found, merged):
        """Fill in what is reported of a number; the current counts in PSI's cells."""
        upto = merged.current_at
        cells = np.concatenate([[upto[0]], np.diff(upto), [merged.m - upto[-1]]])
        found.statistic, found.bound = merged.ks, merged.bound
        found.pvalue = kolmogorov_p(merged.ks, merged.n, merged.m)
        counts = np.concatenate([[0], self.counts, [0, self.column.missing]])
        found.psi = float(psi_of_counts(counts, np.append(cells, found.current.missing)))
        found.out_of_range = float((cells[0] + cells[-1]) / merged.m)
        return cells

    def _decide(self, found, merged, distance, tails):
        """Fill in what decides."""
        found.effect = in_deviations(distance, self.sd) if self.sd > 0 else float(distance > 0)
        found.z, found.tail = calibration.merged_z(merged), min(tails)

    def _categories(self, found, cur, new, judged):
        """Fill in all of a category: `cur` counts the reference's levels first, then the new ones."""
        ref = np.append(self.column.counts, np.zeros(len(new), dtype=np.int64))
        found.statistic, found.pvalue = _chi2(ref, cur)
        found.psi = float(psi_of_counts(np.append(ref, self.column.missing), np.append(cur, found.current.missing)))
        found.effect = float(np.abs(ref / ref.sum() - cur / cur.sum()).sum() / 2)
        found.new_categories, found.out_of_range = new, float(cur[len(self.column.levels):].sum() / cur.sum())
        if judged:
            found.z = _level_z(ref, cur)
        return found

    def _gap(self, current):
        """KS and counts at the cuts, by the grid where both samples are long."""
        if self.grid is not None and len(current) >= LONG:
            gap = self.grid.gap(current, self.cuts, WIDE / 2 if self.mode == "certified" else 0.0)
            if gap is not None:
                return gap
        return merge(self.column.present, current, self.cuts)

    def _merge(self, current):
        """As `_gap`, with the order of both samples together."""
        if self.mode == "certified" and self.grid is not None and self.grid.coarsest <= COARSE and len(current) >= LONG:
            merged = self.grid.merge(current, self.cuts)
            if merged.bound <= WIDE / 2:
                return merged
        return merge(self.column.present, current, self.cuts)


@dataclass
class Compared:
    """What the comparison of one feature gave; decisions come later.

    `held` rows of the current sample are at hand: all of them, or those that a profile keeps; `values()` gives them.
    """

    reference: Reference
    current: object
    reason: str | None
    held: int = 0
    values: object = None
    gone: bool = False
    statistic: float | None = None
    bound: float = 0.0
    pvalue: float | None = None
    psi: float | None = None
    effect: float | None = None
    out_of_range: float | None = None
    new_categories: tuple = ()
    z: object = None
    tail: float = 1.0

    @property
    def name(self):
        return self.reference.name

    @property
    def kind(self):
        return self.reference.column.kind

    @property
    def missing(self):
        """Missing values and rows: reference, then current."""
        ref, cur = self.reference.column, self.current
        return ref.missing, len(ref), cur.missing, len(cur)

    def rows(self, of_reference=slice(None), of_current=slice(None)):
        """(kind, values) of this feature in some rows of both samples."""
        ref = self.reference.column
        if self.gone:
            values = np.full(len(ref), np.nan), np.full(self.held, np.nan)
        else:
            values = ref.values if self.kind == "numeric" else ref.codes, self.values()
        kind = "numeric" if self.gone else self.kind
        return (kind, values[0][of_reference]), (kind, values[1][of_current])

    def least(self):
        """Least p of this feature, as `calibration` defines it."""
        if self.gone:
            return 1.0
        if self.kind == "numeric":
            return float(calibration.numeric_p(self.z))
        z, kept = self.z
        return float(calibration.categorical_p(z, kept)) if len(kept) > 1 else 1.0


def _why_not(reference, current):
    """Why two samples of a feature cannot be compared, or None."""
    for column, role in ((reference, "reference"), (current, "current")):
        if column.infinite:
            return f"{role} has {column.infinite} values that are infinite or beyond {HUGE:g}; mark them missing or drop them"
        if len(column) < LEAST:
            return f"{role} needs at least {LEAST} rows, got {len(column)}"
    if len(reference) == reference.missing or len(current) == current.missing:
        return None
    if reference.kind != current.kind:
        return f"the reference holds {WORDS[reference.kind]}, the current batch {WORDS[current.kind]}"
    return None


def _chi2(ref, cur):
    """Chi-squared over pooled levels, and its p; (0, 1) where one level is left."""
    group, groups = calibration.common_levels(ref + cur)
    if groups < 2:
        return 0.0, 1.0
    statistic, _ = chi2_of(np.stack([np.bincount(group, x, groups) for x in (ref, cur)]))
    return statistic, float(scipy.special.chdtrc(groups - 1, statistic))


def _level_z(ref, cur):
    group, groups = calibration.common_levels(ref + cur)
    table = np.stack([np.bincount(group, x, groups) for x in (ref, cur)])
    m, total = table[1].sum(), table.sum()
    kept = table.sum(axis=0) / total
    return calibration.standardise(table[1] - m * kept, total * kept * (1 - kept), m, total), kept
