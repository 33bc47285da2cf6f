"""Label drift, the shares before labels, and prediction drift, counted: rates, power, bias (two minutes of CPU).

Writes the section of tests/benchmarks/README.md. Every rate is held to a binomial's limit, once in a million times.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

sys.path.insert(0, str(Path(__file__).parents[2]))
from mlmon.data import inject, tables  # noqa: E402
from mlmon.drift.label import class_conditional_drift, label_drift  # noqa: E402
from mlmon.drift.prediction import PredictionDriftDetector  # noqa: E402
from mlmon.drift.prior import estimate_prior  # noqa: E402
from tests.benchmarks.tables import share, table, write  # noqa: E402

pytestmark = pytest.mark.prove
MEANS = np.array([[0, 0, 0], [2.0, -1.2, 0]])     # of three features in both classes
SHIFTS = [(0.1, 0.009, 0.006), (0.3, 0.012, 0.008), (0.6, 0.015, 0.011)]     # new share, sd of BBSE and of EM
ALPHA = 0.05


def draw(rng, n, shares, means=MEANS):
    y = rng.choice(len(shares), n, p=shares)
    return means[y] + rng.normal(size=(n, 3)), y


def truth(X, shares=(0.7, 0.3), means=MEANS):
    """P(y = 1 | x) by Bayes' rule."""
    density = np.exp(X @ means.T - (means**2).sum(axis=1) / 2) * shares
    return density[:, 1] / density.sum(axis=1)


def covariate(rng, X, y):
    X = X + [0.7, 0, 0]
    return X, (rng.random(len(X)) < truth(X)).astype(int)


def camouflage(rng, X, y):
    return X - 0.8 * y[:, None] * [1, 0, 0], y


def newcomers(rng, X, y):
    some = rng.random(len(X)) < 0.05
    return np.where(some[:, None], rng.normal([3, 3, 0], 0.5, X.shape), X), y


def unit(rng, X, y):
    return np.where((rng.random(len(X)) < 0.1)[:, None] & [True, False, False], 3 * X, X), y


def flip(rng, X, y):
    return X, np.where(rng.random(len(y)) < 0.2, 1 - y, y)


CHANGES = {"rows move, P(y given x) kept, .7 sd": covariate, "class 1 hides, .8 sd of one feature": camouflage, "5 % of an unknown class": newcomers,
           "unit of one feature, 10 % of rows": unit, "labels turn, rows stay (concept drift)": flip}


def estimates(count, n, m, before, now, method, change=None, seed=0):
    for s in range(count):
        rng = np.random.default_rng([seed, s])
        (X, y), (Z, z) = draw(rng, n, before), draw(rng, m, now)
        Z, z = change(rng, Z, z) if change else (Z, z)
        yield estimate_prior(truth(X, before), y, truth(Z, before), method=method, features=(X, Z)), z.mean()


@pytest.fixture(scope="module")
def page():
    """Parts of the section, written when all tests have filled them."""
    parts = {}
    yield parts
    if len(parts) == 5:
        write("label and prediction drift", "\n\n".join(f"{head}\n\n{parts[head]}" for head in sorted(parts, key=lambda head: int(head.split(".")[0].split()[-1]))))


def counted(page, head, columns, rows):
    page[head] = table(columns, rows)


def test_label_drift_has_the_power_of_chi_squared_and_fisher(page):
    # Summed over all likely outcomes, so exact: within 0.02 of both, and no more false alarms than 0.06.
    rows = []
    for before, now, n in [(0.05, 0.05, 500), (0.3, 0.3, 500), (0.5, 0.5, 20), (0.05, 0.10, 500), (0.3, 0.36, 500), (0.001, 0.01, 2000), (0.01, 0.05, 500)]:
        ks, js = (np.arange(*(binom.ppf((1e-6, 1 - 1e-6), n, p) + (0, 1)).astype(int)) for p in (before, now))
        chance = np.outer(binom.pmf(ks, n, before), binom.pmf(js, n, now))
        ours = np.array([[label_drift(np.repeat([0, 1], [n - k, k]), np.repeat([0, 1], [n - j, j])).drifted if (k + j) % 3 == 0 or n < 50 else -1
                          for j in js] for k in ks])
        fisher = np.array([[fisher_exact([[k, n - k], [j, n - j]]).pvalue <= ALPHA if seen >= 0 else -1 for j, seen in zip(js, line)] for k, line in zip(ks, ours)])
        k, j = np.meshgrid(ks, js, indexing="ij")
        both = np.maximum((k + j) * (2 * n - k - j), 1)
        chi2 = (k - j) ** 2 * 2 * n / both >= 3.841
        taken = np.where(ours >= 0, chance, 0) / chance[ours >= 0].sum()
        chapter = (taken * (np.abs(k - j) / n > 0.1)).sum()
        power = [(taken * alarm).sum() for alarm in (ours == 1, chi2, fisher == 1)]
        rows.append((f"{before:g} to {now:g}, {n} rows", share(chapter), *map(share, power)))
        if before == now:
            assert power[0] <= 0.06
        else:
            assert power[0] >= max(power[2], power[1] - 0.02) - 1e-9
    counted(page, "Labels, 1. Share of pairs called drift, two classes, alpha .05 (every third outcome, summed by its chance).",
            ("shares", "limit of 0.1", "label_drift", "chi-squared", "Fisher"), rows)


def test_p_of_x_given_y_keeps_its_rate_under_label_shift():
    # The bank's defaults from 7 to 15 %, all features, 40 pairs.
    bank, alarms = tables.applicants, 0
    for s in range(40):
        before = bank.sample(2000, [1, s])
        now = inject.prior_shift(bank.sample(6000, [2, s]), "defaulted", 0.15, n=2000, seed=s)
        features = list(bank.features)
        alarms += class_conditional_drift(before[features], before["defaulted"], now[features], now["defaulted"]).drifted
    assert alarms <= binom.isf(1e-6, 40, ALPHA)


def test_new_shares_are_found_within_the_stated_errors(page):
    # 30 shifts, 5,000 rows each: no estimate beyond 4 sd, mean within 4 sd / sqrt(30), sd no larger than a third more.
    rows = []
    for now, *sds in SHIFTS:
        for method, sd in zip(("bbse", "em"), sds):
            found = list(estimates(30, 5000, 5000, (0.7, 0.3), (1 - now, now), method, seed=1))
            error = np.array([r.raw[1] - now for r, _ in found])
            cover = np.mean([r.low[1] <= now <= r.high[1] for r, _ in found if r.prior])
            rows.append((f"0.3 to {now:g}", method, f"{error.mean():+.4f}", f"{error.std(ddof=1):.4f}", share(cover)))
            assert np.abs(error).max() < 4 * sd and abs(error.mean()) < 4 * sd / np.sqrt(30) and error.std(ddof=1) < 1.35 * sd
    counted(page, "Shares before labels, 2. Error of the estimated share, 30 shifts, 5,000 and 5,000 rows, three features.",
            ("shift", "method", "bias", "sd", "covered by its interval"), rows)


def test_pure_label_shift_is_refused_no_oftener_than_alpha(page):
    # 250 shifts of each kind.
    rows = []
    for n, m, before, now in [(5000, 5000, 0.3, 0.6), (1000, 500, 0.3, 0.1), (2000, 500, 0.03, 0.1), (200, 200, 0.3, 0.5)]:
        for method in ("bbse", "em"):
            count = 250 if n < 5000 else 60
            found = list(estimates(count, n, m, (1 - before, before), (1 - now, now), method, seed=2))
            refused = sum(r.prior is None for r, _ in found)
            kept = [r for r, _ in found if r.prior]
            rows.append((f"{before:g} to {now:g}, {n} and {m} rows", method, str(count), share(refused / count), share(np.mean([r.low[1] <= now <= r.high[1] for r in kept]))))
            assert refused <= binom.isf(1e-6, count, ALPHA)
            assert sum(not r.low[1] <= now <= r.high[1] for r in kept) <= binom.isf(1e-6, len(kept), 0.07)
    counted(page, "Shares before labels, 3. Pure label shift: how often the estimate is refused (promised: .05), and covered where not.",
            ("shift", "method", "shifts", "refused", "covered"), rows)


def test_other_shifts_are_refused(page):
    # 40 of each; with 4,000 rows all but the one that cannot be seen are refused nine times in ten.
    rows = []
    for name, change in CHANGES.items():
        for n in (500, 1000, 4000):
            found = list(estimates(40, n, n, (0.7, 0.3), (0.7, 0.3), "bbse", change, seed=3))
            refused, off = np.mean([r.prior is None for r, _ in found]), np.mean([r.raw[1] - true for r, true in found])
            rows.append((name, str(n), f"{off:+.3f}", share(refused)))
            if change is flip:
                assert sum(r.prior is None for r, _ in found) <= binom.isf(1e-6, 40, ALPHA) and abs(off) > 0.05
            elif n == 4000:
                assert refused >= binom.ppf(1e-3, 40, 0.9) / 40
    counted(page, "Shares before labels, 4. What is refused, and how far the share would have been off, 40 pairs each (bbse, scores and three features).",
            ("what changed", "rows of each", "off by", "refused"), rows)


LAWS = {
    "Beta(2, 5)": lambda rng, n: rng.beta(2, 5, n), "low prevalence, Beta(.2, 15)": lambda rng, n: rng.beta(0.2, 15, n),
    "two decimals": lambda rng, n: rng.beta(2, 5, n).round(2), "U, Beta(.3, .3)": lambda rng, n: rng.beta(0.3, 0.3, n),
    "0 or 1": lambda rng, n: (rng.random(n) < 0.1) * 1.0, "7 in 10 are 0": lambda rng, n: rng.beta(1, 20, n) * (rng.random(n) < 0.3),
    "10 % missing": lambda rng, n: np.where(rng.random(n) < 0.1, np.nan, rng.beta(2, 5, n)),
}
DRIFTS = {
    "mean +.25 sd": lambda rng, n: rng.beta(2, 5, n) + 0.04, "spread x 1.3": lambda rng, n: (rng.beta(2, 5, n) - 2 / 7) * 1.3 + 2 / 7,
    "spread x .8": lambda rng, n: (rng.beta(2, 5, n) - 2 / 7) * 0.8 + 2 / 7, "5 % share one value": lambda rng, n: np.where(rng.random(n) < 0.05, 2 / 7, rng.beta(2, 5, n)),
    "2 % go to .9": lambda rng, n: np.where(rng.random(n) < 0.02, 0.9, rng.beta(2, 5, n)), "all low, Beta(1, 30)": lambda rng, n: rng.beta(1, 30, n),
}


def test_prediction_drift_keeps_its_rate_and_sees_what_it_should(page):
    # Clean pairs of each law at three sizes; then six drifts, 1,000 against 500, beside KS and the chapter's z alone.
    rows, total = [], [0, 0]
    for name, law in LAWS.items():
        cells = []
        for n, m, count in ((60, 40, 200), (1000, 500, 100), (9000, 3000, 25)):
            alarms = 0
            for s in range(count):
                rng = np.random.default_rng([n, s])
                alarms += PredictionDriftDetector(law(rng, n)).detect(law(rng, m)).drifted
            cells.append(share(alarms / count))
            total = [total[0] + alarms, total[1] + count]
            assert alarms <= binom.isf(1e-6, count, ALPHA)
        rows.append((name, *cells, "", ""))
    assert total[0] <= binom.isf(1e-4, total[1], 0.055)
    for name, law in DRIFTS.items():
        hits, ks, z = 0, 0, 0
        for s in range(60):
            rng = np.random.default_rng([7, s])
            a, b = rng.beta(2, 5, 1000), law(rng, 500)
            report = PredictionDriftDetector(a).detect(b)
            hits, ks = hits + report.drifted, ks + (report["ks"].pvalue <= ALPHA)
            z += abs(b.mean() - a.mean()) / a.std() > 3
        assert hits >= binom.ppf(1e-3, 60, 0.9 if name != "2 % go to .9" else 0.5)
        rows.append((f"*{name}*", "", share(hits / 60), "", share(ks / 60), share(z / 60)))
    counted(page, "Predictions, 5. Alarms without drift (200, 100 and 25 pairs), and, in italics, with drift of Beta(2, 5) scores (60 pairs).",
            ("scores", "60 and 40", "1,000 and 500", "9,000 and 3,000", "KS alone", "the chapter's z"), rows)
