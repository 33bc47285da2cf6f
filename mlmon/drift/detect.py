"""Has the data drifted? Many features, one answer, one budget of error.

Which statistics decide, and why
--------------------------------
KS, chi-squared and PSI are what is reported and taught; they do not decide, since
KS is weak outside the centre, PSI's 0.2 is blind to the sample size, and none
sees a second feature. The decision on a number joins three views of its ranks:
Anderson-Darling (any change of shape), Klotz's squared normal scores (spread)
and contrasts between the outermost ranks and the next ones (a pushed tail). A
category is judged by chi-squared and by its most changed level. Their joint null
is drawn by permuting rows, so it holds for ties, small samples and features that
go together. Beside these marginals stand a check for values farther out than
the reference's tail reaches, one for missing values, and one for the dependence
between features, which no single feature shows. `BUDGET` says what each gets of
`alpha`; what does not apply to the data goes back to the others.
"""
import json
import os
from functools import cached_property, lru_cache
from numbers import Real

import numpy as np

from mlmon import _check
from mlmon.drift import dependence, source
from mlmon.drift.calibration import POOL, Pool, corrected, draw_rows
from mlmon.drift.dependence import pair_p
from mlmon.drift.feature import Reference
from mlmon.drift.profile import Profile, Profiler, chunked
from mlmon.drift.report import DriftReport, FeatureResult
from mlmon.drift.twosample import LEAST, share_p
from mlmon.drift.verdict import Verdict, severity

BUDGET = {"marginal": 0.75, "tail": 0.05, "missing": 0.10, "dependence": 0.10}


class DataDriftDetector:
    """Compares batches of features with a reference, which it learns once.

    On clean data the dataset verdict is DRIFTED in about `alpha` of the batches, whatever
    the features' distributions, ties, missing values and mutual dependence (counted with
    one to a hundred features and 50 to 50,000 rows). Where the data are too coarse to reach
    that level, such as one rare 0/1 feature with 50 rows, it is less.

    Parameters
    ----------
    reference : DataFrame of shape (n, k), or array-like of shape (n,) or (n, k)
        Numbers, categories (text, booleans, pandas categories), missing values.
    alpha : float
        Chance of a false alarm for the whole dataset, per call of `detect`.
    min_effect : float
        A feature drifts only if it has also moved this far: numbers in standard
        deviations of the reference (earth mover's distance), categories and missing
        values in shares. 0 decides by significance alone.
    columns : list, optional
        Features to watch; then the current batch may hold others as well.
    bins : int
        Cells of PSI.
    mode : {"exact", "certified"}
        "certified" counts long columns on a grid that is set once: KS is then known within
        an interval that is proved from the counts (`FeatureResult.statistic` give or take
        `bound`), and PSI is cut at the grid's edges. A column for which the interval is
        wider than 0.005, or with fewer than 20,000 values, is compared as in "exact".
    threads : int, optional
        Threads over columns. By default as many as there are cores, if the data are large.
    seed : int
        Of the permutations: the same frames give the same report.

    Raises
    ------
    ValueError
        Empty reference, duplicate names, unknown columns.

    See Also
    --------
    mlmon.drift.ks_test, mlmon.drift.chi2_test, mlmon.drift.psi_test : one feature at a time.

    References
    ----------
    Westfall and Young (1993), Resampling-based multiple testing (the joint null).
    Anderson and Darling (1952); Klotz (1962), Ann. Math. Stat. 33(2), 498-512.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> january = pd.DataFrame({"age": rng.normal(40, 9, 500), "spend": rng.lognormal(3, 1, 500)})
    >>> july = pd.DataFrame({"age": rng.normal(46, 9, 500), "spend": rng.lognormal(3, 1, 500)})
    >>> report = DataDriftDetector(january).detect(july)
    >>> report.drifted, report.drifted_features
    (True, ('age',))
    """

    def __init__(self, reference, *, alpha=0.05, min_effect=0.0, columns=None, bins=10, mode="exact", threads=None, seed=0):
        self.alpha = _check.open_share(alpha, "alpha")
        if not (isinstance(min_effect, Real) and min_effect >= 0):
            raise ValueError(f"min_effect needs a number of 0 or more, got {min_effect!r}. 0 decides by significance alone.")
        self.min_effect, self.seed = float(min_effect), _check.whole(seed, "seed", 0)
        self.mode = _check.one_of(mode, ("exact", "certified"), "mode")
        self.bins, self.threads = _check.whole(bins, "bins", 1), None if threads is None else _check.whole(threads, "threads", 1)
        self._chosen = columns is not None
        if columns is not None:
            columns = [columns] if isinstance(columns, str) else list(columns)
            if not columns or len(set(columns)) < len(columns):
                raise ValueError(f"columns needs different names, at least one, got {columns}. List each feature once.")
        found = source.columns(reference, columns, "reference")
        self._references = [Reference(name, column, self.bins, self.mode) for name, column in found]
        self._nulls = {}

    @property
    def columns(self):
        """Names of the features that are watched."""
        return tuple(reference.name for reference in self._references)

    def detect(self, current):
        """Compare a batch with the reference.

        Parameters
        ----------
        current : DataFrame or array-like, iterator of them, Dask DataFrame, or Profile
            As the reference. A feature that cannot be compared (dates, other kind, all
            missing, infinite, too short) is UNDECIDED with the reason; the others are judged.

            Chunks of an iterator (or a list of frames) and the partitions of a Dask frame are
            counted one by one and forgotten: memory stays bounded, whatever the rows. PSI,
            chi-squared and all counts are those of the whole data; KS is known within
            `FeatureResult.bound`, which is 0 for a reference of less than 2,000 rows. Up to
            10,000 rows in all are judged as a frame is. Of more, marginals, tails and missing
            values are judged by counts, and dependence by 10,000 rows drawn at random, as in a
            frame.

        Returns
        -------
        DriftReport

        Raises
        ------
        ValueError
            Where columns are missing, unknown or doubled, or there are no rows.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> detector = DataDriftDetector(rng.normal(size=(5000, 2)))
        >>> chunks = (rng.normal(0.1, 1, size=(5000, 2)) for _ in range(10))
        >>> detector.detect(chunks).drifted_features
        ('x0', 'x1')
        """
        with _one_blas_thread():
            compared = self._compare(current, full=True)
            return _report(self, compared, [c for c in compared if c.reason is None])

    def statistics(self, current):
        """KS or chi-squared, its p-value and PSI of each feature, with no decision.

        The same numbers as `detect` reports, several times as fast on long columns: only
        the values among which the largest gap can lie are sorted.

        Returns
        -------
        pandas.DataFrame
            Columns feature, statistic, pvalue, psi; nan where a feature cannot be compared.
        """
        import pandas

        rows = [(c.name, c.statistic, c.pvalue, c.psi) for c in self._compare(current, full=False)]
        return pandas.DataFrame(rows, columns=["feature", "statistic", "pvalue", "psi"])

    @cached_property
    def profiler(self):
        """What counts chunks by this reference's cells: a `Profiler`, without the rows, to be sent where the data are."""
        return Profiler({r.name: r.ruler for r in self._references}, self._chosen, self.seed)

    def profile(self, chunk, *, start=None):
        """Count a chunk: a `Profile`, which adds up with others and which `detect` takes.

        Parameters
        ----------
        chunk : DataFrame or array-like
            As the reference; it may be empty.
        start : int, optional
            Number of its first row among all rows of the data: the same rows are kept then
            however the data are cut.

        Returns
        -------
        Profile
        """
        return self.profiler.profile(chunk, start=start, over=self._over)

    def save(self, path):
        """Write the detector, its reference included, to a file that `load` reads (npz, no pickle).

        Names and levels must be text, numbers or booleans, or names tuples of them.
        """
        arrays, features = {}, []
        for i, reference in enumerate(self._references):
            arrays[f"values{i}"], about = reference.state()
            features.append(about)
        settings = {"alpha": self.alpha, "min_effect": self.min_effect, "bins": self.bins, "mode": self.mode, "seed": self.seed}
        header = json.dumps({"format": 1, "settings": settings, "chosen": self._chosen, "features": features})
        with open(path, "wb") as file:
            np.savez_compressed(file, header=np.array(header), **arrays)

    @classmethod
    def load(cls, path):
        """Read a detector that `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            detector = cls.__new__(cls)
            detector.__dict__.update(header["settings"], threads=None, _chosen=header["chosen"], _nulls={})
            detector._references = [
                Reference.restore(about, file[f"values{i}"], detector.bins, detector.mode)
                for i, about in enumerate(header["features"])
            ]
        return detector

    def __repr__(self):
        n = len(self._references[0].column)
        return f"DataDriftDetector({len(self._references)} features, {n} reference rows, alpha={self.alpha:g})"

    def _compare(self, current, full):
        judged = len(self._references) if full else 0
        if isinstance(current, Profile) or chunked(current) or hasattr(current, "__dask_graph__"):
            return self._compare_profile(self._profile(current), judged)
        columns = dict(source.columns(current, list(self.columns) if self._chosen else None, "current"))
        source.match(columns, self.columns)

        def one(reference):
            return reference.compare(columns[reference.name], judged)

        return self._over(one, self._references, len(columns) * len(next(iter(columns.values())).values))

    def _compare_profile(self, profile, judged):
        if profile is None or profile.rows == 0:
            raise ValueError("current needs at least 1 row, got 0 in all chunks. Wait for data.")
        if profile.key != self.profiler.key:
            raise ValueError("current needs a profile of this reference's cells, got one of another. Make it with this detector.")
        kept = dict(zip(profile.counts, profile.sample.values))
        return [r.compare_counts(profile.counts[r.name], kept[r.name], judged) for r in self._references]

    def _profile(self, current):
        """The profile of what comes in parts."""
        if isinstance(current, Profile):
            return current
        if hasattr(current, "__dask_graph__"):
            return self.profiler.total_of_dask(current)
        return self.profiler.total(current, self._over)

    def _over(self, work, items, cells):
        """`work` on all items, over threads where the data are large."""
        threads = self.threads or (os.cpu_count() if cells > 500_000 else 1)
        if threads == 1:
            return [work(item) for item in items]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, items))

    def _least(self, live):
        """Least p of every feature, and the sorted null of the smallest of them.

        Few rows: drawn from the very rows of both samples. Many: the statistics have
        reached their limit, and the null is drawn from 5,000 rows, once where the reference
        has as many; which sample is called the current one does not matter to it.
        """
        n, m, held = len(live[0].reference.column), len(live[0].current), live[0].held
        if n + m <= POOL:
            both = [(a[0], np.concatenate([a[1], b[1]])) for a, b in (c.rows() for c in live)]
            pool = Pool(both, draw_rows(n + m, m, self.seed))
            return pool.observed(np.arange(n + m) >= n), self._smallest(pool)
        least, small = np.array([c.least() for c in live]), min(n, m, POOL // 4)
        if n < POOL // 2:
            rows = [_some(n, self.seed, POOL // 2), _some(held, self.seed, POOL // 2 - n)]
            both = [(a[0], np.concatenate([a[1], b[1]])) for a, b in (c.rows(*rows) for c in live)]
            return least, self._smallest(Pool(both, draw_rows(POOL // 2, small, self.seed)))
        key = tuple(c.name for c in live), small
        if key not in self._nulls:
            rows = _some(n, self.seed, POOL // 2)
            pool = Pool([c.reference.rows(rows) for c in live], draw_rows(POOL // 2, small, self.seed))
            self._nulls[key] = self._smallest(pool)
        return least, self._nulls[key]

    def _smallest(self, pool):
        least = self._over(pool.least, range(len(pool)), pool.size)
        return np.sort(np.minimum.reduce(least))


def _report(detector, compared, live):
    marginal, tail, missing, pairs = {}, {}, {}, []
    if live:
        n = len(live[0].reference.column)
        least, null = detector._least(live)
        marginal = dict(zip((c.name for c in live), corrected(least, null)))
        tail = _shared({c.name: c.tail for c in live if any(c.reference.tails)})
        missing = _shared({c.name: share_p(*c.missing) for c in live if c.missing[0] + c.missing[2]})
        some = [_some(size, detector.seed, dependence.ROWS) for size in (n, live[0].held)]
        pairs = pair_p([c.rows(*some) for c in live], detector.seed)
    families = {"marginal": marginal, "tail": tail, "missing": missing, "dependence": pairs}
    total = sum(BUDGET[name] for name, family in families.items() if len(family))
    weight = {name: BUDGET[name] / total for name, family in families.items() if len(family)}
    features = tuple(_feature(detector, c, families, weight) for c in compared)
    names = [c.name for c in live]
    found = tuple((names[i], names[j], min(1.0, float(p / weight["dependence"]))) for i, j, p in pairs)
    return DriftReport.of(features, found, detector.alpha)


def _feature(detector, c, families, weight):
    column = c.reference.column
    missing = (column.missing / max(len(column), 1), None if c.current is None else c.current.missing / max(len(c.current), 1))
    about = dict(
        feature=c.name, kind=c.kind, test="ks" if c.kind == "numeric" else "chi2", statistic=c.statistic, bound=c.bound, pvalue=c.pvalue,
        effect=c.effect, psi=c.psi, missing_reference=missing[0], missing_current=missing[1],
        out_of_range=c.out_of_range, new_categories=c.new_categories,
    )
    if c.reason:
        return FeatureResult(**about, corrected_pvalue=None, severity="unknown", verdict=Verdict.UNDECIDED, reason=c.reason)
    p = {f: float(families[f][c.name] / weight[f]) for f in ("marginal", "tail", "missing") if c.name in families[f]}
    source = min(p, key=p.get)
    least = min(1.0, p[source])
    moved = max(c.effect or 0.0, abs(missing[1] - missing[0]))
    verdict, reason = _judge(detector, c, least, source, moved)
    level = severity(c.psi) if c.psi is not None and verdict is Verdict.DRIFTED else "none"
    return FeatureResult(**about, corrected_pvalue=least, severity=level, verdict=verdict, reason=reason)


def _judge(detector, c, p, source, moved):
    if p <= detector.alpha:
        if moved < detector.min_effect:
            return Verdict.STABLE, f"significant, but it moved {moved:.3g}, less than the {detector.min_effect:g} asked for"
        if source == "missing":
            return Verdict.DRIFTED, f"missing values went from {c.missing[0] / c.missing[1]:.1%} to {c.missing[2] / c.missing[3]:.1%}"
        if source == "tail":
            return Verdict.DRIFTED, "values lie farther out than the reference's tail reaches"
        if c.kind == "numeric" and c.reference.sd == 0:
            return Verdict.DRIFTED, "the reference holds one value only, the current batch others"
        if c.new_categories:
            return Verdict.DRIFTED, f"shares of categories changed; {c.out_of_range:.1%} are new ones"
        return Verdict.DRIFTED, "shares of categories changed" if c.kind == "categorical" else f"values moved by {c.effect:.2g} sd"
    if c.gone:
        return Verdict.UNDECIDED, "all values are missing in the reference or in the current batch"
    for column, role in ((c.reference.column, "reference"), (c.current, "current")):
        if (present := len(column) - column.missing) < LEAST:
            return Verdict.UNDECIDED, f"{role} needs at least {LEAST} present values, got {present}"
    if c.kind == "numeric" and c.reference.sd == 0:
        return Verdict.UNDECIDED, "the reference is constant, so nothing is known of its spread"
    if c.kind == "categorical" and len(c.z[1]) < 2:
        return Verdict.UNDECIDED, "one level only, or every level is rare: shares cannot be compared"
    return Verdict.STABLE, "no more than chance"


def _one_blas_thread():
    """BLAS kept to one thread: more wait for each other by spinning, seconds on a busy machine."""
    return _blas().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _blas():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _some(size, seed, most):
    """All of `size` rows, or a random choice of `most` of them."""
    return slice(None) if size <= most else np.random.default_rng(seed).choice(size, most, replace=False)


def _shared(p):
    """Bonferroni's correction within a family."""
    return {name: min(1.0, len(p) * value) for name, value in p.items()}
