"""Tests of one feature, and of whole frames by a classifier: each gives a `TestResult`.

They take missing values as what they are: left out of the comparison of values,
counted by `missing_test`. Too few values, one level only or a constant reference
are UNDECIDED, never STABLE.
"""
import numpy as np
import scipy

from mlmon import _check
from mlmon.drift.calibration import draw_rows
from mlmon.drift.column import as_series, in_deviations, merge, read, same_kind, spread
from mlmon.drift.distance import _categorical_shares, psi_of_counts, shares, wasserstein
from mlmon.drift.verdict import TestResult, Verdict, severity

LEAST = 8               # values a sample needs for a verdict
PERMUTED = 10_000       # values of both samples up to which a null is drawn by permutation
DRAWS = 999
SAME = "every sample of these levels gives the same statistic: each level is too rare"
FEW = 5                 # an expected count below this is too small for the chi-squared limit


def ks_test(reference, current, *, alpha=0.05, seed=0):
    """Kolmogorov-Smirnov: have the values of a number another distribution?

    The statistic is the largest gap between both empirical distribution functions,
    ``max |F(x) - G(x)|``. Its p-value is exact up to 10,000 values without ties, drawn
    by permutation with ties (where the usual one is far too large), and from
    Kolmogorov's limit with Stephens' correction above.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Numbers of one unit; missing values are left out (see `missing_test`).
    alpha : float
        Chance of a false alarm.
    seed : int
        Of the permutations.

    Returns
    -------
    TestResult
        `effect` is the earth mover's distance in standard deviations of the reference.

    Raises
    ------
    ValueError
        For categories, infinite values or more than one dimension.

    References
    ----------
    Smirnov (1939); Stephens (1970), J. R. Stat. Soc. B 32(1), 115-122.

    Examples
    --------
    >>> result = ks_test(range(20), range(10, 30))
    >>> result.statistic, round(result.pvalue, 3), result.verdict
    (0.5, 0.014, <Verdict.DRIFTED: 'DRIFTED'>)
    """
    a, b = _numbers(reference, current, alpha)
    if reason := _too_few(a, b):
        return _undecided("ks", reason)
    merged = merge(a, b)
    if len(a) + len(b) > PERMUTED:
        p = kolmogorov_p(merged.ks, len(a), len(b))
    elif merged.tied:
        p = _permutation_p(a, b, seed, _ks_of)
    else:
        from scipy.stats import ks_2samp

        p = ks_2samp(a, b, method="exact").pvalue
    return _numeric_result("ks", merged.ks, p, a, b, alpha)


def cvm_test(reference, current, *, alpha=0.05, seed=0):
    """Cramer-von Mises: as KS, by the mean squared gap instead of the largest one.

    The statistic is ``n m / (n + m)^2 * sum (F(x) - G(x))^2`` over all values of both;
    its p-value is drawn by permutation (of a random 10,000 values where there are more).

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Numbers of one unit; missing values are left out.
    alpha : float
        Chance of a false alarm.
    seed : int
        Of the permutations.

    Returns
    -------
    TestResult
        `effect` is the earth mover's distance in standard deviations of the reference.

    References
    ----------
    Anderson (1962), Ann. Math. Stat. 33(3), 1148-1159.

    Examples
    --------
    >>> cvm_test(range(20), range(10, 30)).drifted
    True
    """
    return _permuted("cvm", reference, current, alpha, seed, _cvm_of)


def wasserstein_test(reference, current, *, alpha=0.05, seed=0):
    """Earth mover's distance, tested by permutation: sensitive to how far values move.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Numbers of one unit; missing values are left out.
    alpha : float
        Chance of a false alarm.
    seed : int
        Of the permutations.

    Returns
    -------
    TestResult
        `statistic` is in the feature's unit, `effect` in standard deviations of the
        reference.

    References
    ----------
    Ramdas, Garcia Trillos and Cuturi (2017), Entropy 19(2), 47.

    Examples
    --------
    >>> wasserstein_test(range(20), range(10, 30)).statistic
    10.0
    """
    return _permuted("wasserstein", reference, current, alpha, seed, _wasserstein_of)


def chi2_test(reference, current, *, alpha=0.05, seed=0):
    """Chi-squared test of homogeneity: have the shares of categories changed?

    The statistic is ``sum (observed - expected)^2 / expected`` over both samples, which
    are treated alike: the reference is a sample too. A level that one sample lacks is a
    level like others. Where a count under 5 is expected, the p-value is drawn from the
    tables with the same margins instead of the chi-squared limit.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Categories; missing values are left out (see `missing_test`).
    alpha : float
        Chance of a false alarm.
    seed : int
        Of the drawn tables.

    Returns
    -------
    TestResult
        `effect` is the total variation distance: the share of rows that changed level.

    References
    ----------
    Pearson (1900), Phil. Mag. 50(302), 157-175.

    Examples
    --------
    >>> result = chi2_test(["a"] * 40 + ["b"] * 60, ["a"] * 60 + ["b"] * 40)
    >>> result.statistic, round(result.pvalue, 4), round(result.effect, 6)
    (8.0, 0.0047, 0.2)
    """
    ref, cur = _read(reference, current, alpha)
    if same_kind(ref, cur) == "numeric":
        ref, cur = _as_levels(ref), _as_levels(cur)
    if reason := _too_few(ref.present, cur.present):
        return _undecided("chi2", reason)
    table = np.stack([counts[:-1] for counts in _level_counts(ref, cur)])
    if table.shape[1] < 2:
        return _undecided("chi2", "one level only: there are no shares to compare")
    statistic, expected = chi2_of(table)
    if expected.min() >= FEW:
        p = float(scipy.special.chdtrc(table.shape[1] - 1, statistic))
    else:
        null = _chi2_null(table, seed)
        if np.ptp(null) <= 1e-9 * statistic:
            return _undecided("chi2", SAME)
        p = _rank_p(statistic, null)
    share = table / table.sum(axis=1, keepdims=True)
    effect = float(np.abs(share[0] - share[1]).sum() / 2)
    return _result("chi2", statistic, p, effect, _level_psi(ref, cur), alpha)


def psi_test(reference, current, *, alpha=0.05, bins=10, seed=0):
    """PSI against what chance alone gives at these sample sizes.

    The customary limit of 0.2 is passed by half of the clean batches with 100 rows and by
    no batch with 100,000 that moved by a fifth of a deviation. Here the limit is the
    ``1 - alpha`` quantile of PSI without drift: for numbers, cells between quantiles of the
    reference have Dirichlet shares whatever the distribution; for categories, tables with the
    same margins are drawn. Missing values count as a cell.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Numbers of one unit, or categories.
    alpha : float
        Chance of a false alarm.
    bins : int
        Cells for numbers.
    seed : int
        Of the draws.

    Returns
    -------
    TestResult
        `threshold` is the critical value; `severity` uses the customary 0.1 and 0.2;
        `effect` is PSI itself.

    References
    ----------
    Yurdakul (2018), Statistical properties of population stability index.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> result = psi_test(rng.normal(size=100), rng.normal(size=100))
    >>> result.statistic > 0.1, result.drifted
    (True, False)
    """
    ref, cur = _read(reference, current, alpha)
    kind = same_kind(ref, cur)
    if reason := _too_few(ref.present, cur.present):
        return _undecided("psi", reason)
    cut = shares(reference, current, bins=min(bins, len(ref.present)) if kind == "numeric" else bins)
    a, b = cut.reference, cut.current
    if (a + b > 0).sum() < 2:
        return _undecided("psi", "one cell only: there are no shares to compare")
    rng = np.random.default_rng(seed)
    # Ties and levels have no spacings: draw tables with the same margins. The spacing
    # beyond either end of the reference counts as one of its n + 1.
    if kind == "numeric" and len(np.unique(ref.present)) == len(ref.present):
        cells = rng.dirichlet(_spacings(a[:-1]), size=DRAWS)
        drawn = rng.multinomial(b[:-1].sum(), cells)
        gone = rng.hypergeometric(a[-1] + b[-1], len(ref.present) + len(cur.present), len(cur), size=DRAWS)
        drawn = np.column_stack([drawn, gone])
        left = np.column_stack([np.tile(a[:-1], (DRAWS, 1)), a[-1] + b[-1] - gone])
    else:
        drawn = rng.multivariate_hypergeometric(a + b, b.sum(), size=DRAWS)
        left = a + b - drawn
    statistic, null = float(psi_of_counts(a, b)), psi_of_counts(left, drawn)
    if np.ptp(null) <= 1e-9 * statistic:
        return _undecided("psi", SAME)
    threshold = float(np.quantile(null, 1 - alpha))
    return _result("psi", statistic, _rank_p(statistic, null), statistic, statistic, alpha, threshold)


def missing_test(reference, current, *, alpha=0.05):
    """Has the share of missing values changed? Two binomial counts, compared exactly.

    Parameters
    ----------
    reference, current : array-like of shape (n,) and (m,)
        Any column.
    alpha : float
        Chance of a false alarm.

    Returns
    -------
    TestResult
        `statistic` and `effect` are the change of the missing share.

    References
    ----------
    Lancaster (1961), J. Am. Stat. Assoc. 56(294), 223-234 (the mid-p-value).

    Examples
    --------
    >>> missing_test([1.0] * 95 + [None] * 5, [1.0] * 80 + [None] * 20).drifted
    True
    """
    _check.share(alpha, "alpha")
    (k, n), (j, m) = _gaps_in(reference, "reference"), _gaps_in(current, "current")
    if min(n, m) < LEAST:
        return _undecided("missing", f"needs at least {LEAST} rows in each sample, got {n} and {m}")
    change, p = j / m - k / n, share_p(k, n, j, m)
    return _result("missing", change, p, abs(change), abs(change), alpha)


def domain_classifier(reference, current, *, alpha=0.05, seed=0):
    """Can a classifier tell the two frames apart? It sees what no single feature shows.

    Half of the rows train gradient-boosted trees to tell current from reference; on the
    other half the area under its ROC curve is 1/2 without drift, and its p-value is that of
    the Mann-Whitney statistic.

    Parameters
    ----------
    reference, current : DataFrame
        The same columns in both.
    alpha : float
        Chance of a false alarm.
    seed : int
        Of the split.

    Returns
    -------
    TestResult
        `statistic` is the AUC on rows not trained on, `effect` its distance from 1/2,
        doubled.

    Raises
    ------
    ValueError
        For other columns, columns of one name, dates, infinite values and the like.

    References
    ----------
    Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests, ICLR.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(400, 2))
    >>> same, flipped = x[:, [0, 0]] + x / 3, x[:, [0, 0]] * [1, -1] + x / 3
    >>> domain_classifier(pd.DataFrame(same, columns=["a", "b"]), pd.DataFrame(flipped, columns=["a", "b"])).drifted
    True
    """
    import pandas
    from sklearn.ensemble import HistGradientBoostingClassifier

    _check.share(alpha, "alpha")
    for frame, role in ((reference, "reference"), (current, "current")):
        if not hasattr(frame, "columns"):
            raise ValueError(f"{role} needs a DataFrame, got {type(frame).__name__}. Wrap it in pd.DataFrame.")
        if not frame.columns.is_unique:
            raise ValueError(f"{role} needs one column of each name, got {list(frame.columns)}. Rename or drop some.")
    if list(reference.columns) != list(current.columns):
        raise ValueError(f"current needs the columns {list(reference.columns)}, got {list(current.columns)}. Select them.")
    if min(len(reference), len(current)) < 4 * LEAST:
        return _undecided("domain_classifier", f"needs at least {4 * LEAST} rows in each frame, got {len(reference)} and {len(current)}")
    both = pandas.concat([reference, current], ignore_index=True)
    columns = [_codes(read(both[name], str(name))) for name in both]
    columns = [column for column in columns if len(np.unique(column)) > 1]
    if not columns:
        return _undecided("domain_classifier", "no column varies: there is nothing to tell the frames apart by")
    x = np.column_stack(columns)
    y = np.arange(len(both)) >= len(reference)
    train = np.zeros(len(both), dtype=bool)
    rng = np.random.default_rng(seed)
    for rows in (np.flatnonzero(~y), np.flatnonzero(y)):
        train[rng.permutation(rows)[: len(rows) // 2]] = True
    model = HistGradientBoostingClassifier(max_iter=60, random_state=seed).fit(x[train], y[train])
    score, held = model.predict_proba(x[~train])[:, 1], y[~train]
    from scipy.stats import mannwhitneyu

    test = mannwhitneyu(score[held], score[~held], alternative="greater")
    auc = float(test.statistic) / (held.sum() * (~held).sum())
    effect = abs(2 * auc - 1)
    return _result("domain_classifier", auc, float(test.pvalue), effect, effect, alpha)


def kolmogorov_p(ks, n, m):
    """Upper tail of KS by Kolmogorov's series with Stephens' correction: within 0.004 of the exact p where that is under 0.2."""
    root = np.sqrt(n * m / (n + m))
    return float(scipy.special.kolmogorov((root + 0.12 + 0.11 / root) * ks))


def share_p(k, n, j, m):
    """Two-sided mid-p that `k` of `n` and `j` of `m` come from one share.

    Hypergeometric given ``k + j``, normal where that is large.
    """
    both = k + j
    if both in (0, n + m):
        return 1.0
    low, high = max(0, both - n), min(both, m)
    if high - low > 2_000:
        mean = both * m / (n + m)
        sd = np.sqrt(mean * n / (n + m) * (n + m - both) / (n + m - 1))
        return float(2 * scipy.special.ndtr(-abs(j - mean) / sd))
    support = np.arange(low, high + 1)
    log = _log_choose(m, support) + _log_choose(n, both - support)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    here = chance[j - low]
    less, same = chance < here * (1 - 1e-7), np.abs(chance - here) <= here * 1e-7
    return float(min(1.0, chance[less].sum() + chance[same].sum() / 2))


def chi2_of(table):
    """Chi-squared of tables of shape (..., 2, levels), and the expected counts."""
    table = np.asarray(table, dtype=float)
    expected = table.sum(-1, keepdims=True) * table.sum(-2, keepdims=True) / table.sum((-1, -2), keepdims=True)
    statistic = ((table - expected) ** 2 / np.where(expected > 0, expected, 1)).sum((-1, -2))
    return (float(statistic) if statistic.ndim == 0 else statistic), expected


def _chi2_null(table, seed):
    """Chi-squared of random tables with the same margins: 9,999, or 999 of a wide one."""
    rng, margins, m = np.random.default_rng(seed), table.sum(axis=0), table[1].sum()
    draws = 9_999 if len(margins) <= 100 else DRAWS
    method = "count" if margins.sum() < 10 * len(margins) else "marginals"
    null = []
    for size in np.diff(np.append(np.arange(0, draws, max(1, 1_000_000 // len(margins))), draws)):
        drawn = rng.multivariate_hypergeometric(margins, m, size=size, method=method)
        null.append(chi2_of(np.stack([margins - drawn, drawn], axis=1))[0])
    return np.concatenate(null)


def _read(reference, current, alpha):
    _check.share(alpha, "alpha")
    return read(reference, "reference"), read(current, "current")


def _numbers(reference, current, alpha):
    columns = _read(reference, current, alpha)
    for column, name in zip(columns, ("reference", "current")):
        if column.kind != "numeric":
            raise ValueError(f"{name} needs numbers, got categories. Use chi2_test for categories.")
    return tuple(column.present for column in columns)


def _gaps_in(values, name):
    """How many values are missing, of how many."""
    missing = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else False
    missing = as_series(values, name).isna().to_numpy() | missing
    return int(missing.sum()), len(missing)


def _too_few(a, b):
    if min(len(a), len(b)) < LEAST:
        return f"needs at least {LEAST} present values in each sample, got {len(a)} and {len(b)}"
    return None


def _permuted(test, reference, current, alpha, seed, statistic_of):
    a, b = _numbers(reference, current, alpha)
    if reason := _too_few(a, b):
        return _undecided(test, reason)
    both = np.concatenate([a, b])
    statistic = float(statistic_of(both, np.r_[np.zeros(len(a)), np.ones(len(b))][None, :])[0])
    rng = np.random.default_rng(seed)
    if len(both) > PERMUTED:
        # A permutation null barely changes with n once scaled; draw it from fewer rows.
        part = max(1, PERMUTED * len(a) // len(both)), max(1, PERMUTED * len(b) // len(both))
        some = np.concatenate([rng.choice(x, size, replace=False) for x, size in zip((a, b), part)])
        scale = _rate(test, len(a), len(b)) / _rate(test, *part)
        null = scale * statistic_of(some, draw_rows(len(some), part[1], seed, DRAWS))
    else:
        null = statistic_of(both, draw_rows(len(both), len(b), seed, DRAWS))
    return _numeric_result(test, statistic, _rank_p(statistic, null), a, b, alpha)


def _permutation_p(a, b, seed, statistic_of):
    both = np.concatenate([a, b])
    observed = statistic_of(both, np.r_[np.zeros(len(a)), np.ones(len(b))][None, :])[0]
    return _rank_p(observed, statistic_of(both, draw_rows(len(both), len(b), seed, DRAWS)))


def _rate(test, n, m):
    """How the null of a statistic shrinks with the sample sizes."""
    return np.sqrt((n + m) / (n * m)) if test == "wasserstein" else 1.0


def _gaps(both, drawn, block=100):
    """Gaps between the distribution functions after each different value, for blocks of draws."""
    order = np.argsort(both, kind="stable")
    x = both[order]
    ends = np.append(np.flatnonzero(x[1:] != x[:-1]), len(x) - 1)
    for start in range(0, len(drawn), block):
        marks = drawn[start:start + block][:, order]
        m = marks[0].sum()
        below = np.cumsum(marks, axis=1, dtype=float)[:, ends]
        yield below / m - (ends + 1 - below) / (len(x) - m), x[ends], np.diff(ends, prepend=-1)


def _ks_of(both, drawn):
    return np.concatenate([np.abs(gap).max(axis=1) for gap, _, _ in _gaps(both, drawn)])


def _cvm_of(both, drawn):
    m, n = drawn[0].sum(), len(both) - drawn[0].sum()
    return np.concatenate([gap**2 @ size for gap, _, size in _gaps(both, drawn)]) * n * m / (n + m) ** 2


def _wasserstein_of(both, drawn):
    return np.concatenate([np.abs(gap[:, :-1]) @ np.diff(x) for gap, x, _ in _gaps(both, drawn)])


def _rank_p(statistic, null):
    """Share of the null at or above the statistic, the observed one counted in."""
    return float((1 + np.sum(null >= statistic * (1 - 1e-6))) / (1 + len(null)))


def _numeric_result(test, statistic, p, a, b, alpha):
    sd = spread(a)
    cut = shares(a, b, bins=min(10, len(a)))
    if sd == 0 and not p <= alpha:
        return _undecided(test, "the reference is constant, so nothing is known of its spread")
    effect = in_deviations(wasserstein(a, b), sd) if sd > 0 else float(np.mean(b != a[0]))
    return _result(test, statistic, p, effect, float(psi_of_counts(cut.reference, cut.current)), alpha)


def _result(test, statistic, p, effect, psi, alpha, threshold=None):
    drifted = p <= alpha
    reason = f"p = {p:.2g} {'is at most' if drifted else 'is above'} {alpha:g}"
    verdict = Verdict.DRIFTED if drifted else Verdict.STABLE
    return TestResult(test, float(statistic), float(p), float(effect), severity(psi), verdict, reason, threshold)


def _undecided(test, reason):
    return TestResult(test, None, None, None, "unknown", Verdict.UNDECIDED, reason)


def _codes(column):
    """Numbers as they are, categories as numbers, nan where missing."""
    return column.values if column.kind == "numeric" else np.where(column.codes < 0, np.nan, column.codes)


def _as_levels(column):
    from mlmon.drift.column import Categories

    levels, codes = np.unique(column.present, return_inverse=True)
    full = np.full(len(column), -1)
    full[~np.isnan(column.values)] = codes
    return Categories(full, levels.astype(object))


def _level_counts(ref, cur):
    cut = _categorical_shares(ref, cur)
    return cut.reference, cut.current


def _level_psi(ref, cur):
    a, b = _level_counts(ref, cur)
    return psi_of_counts(a[:-1], b[:-1])


def _spacings(counts):
    """How many of the spacings between reference values each cell holds: below, cells, above."""
    spacings = counts.astype(float)
    spacings[0] = spacings[-1] = 1.0
    spacings[1] -= 1 if spacings[1] > 1 else 0
    return spacings


def _log_choose(n, k):
    return scipy.special.gammaln(n + 1) - scipy.special.gammaln(k + 1) - scipy.special.gammaln(n - k + 1)
