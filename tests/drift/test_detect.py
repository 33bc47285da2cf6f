"""The detector: what it finds, how often it errs, and what it does with columns that cannot be judged."""
import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ks_2samp

from mlmon.data import inject, scenarios, tables
from mlmon.drift import BUDGET, DataDriftDetector, Verdict, chi2_test, psi
from mlmon.drift.detect import POOL

N = 400
rng0 = np.random.default_rng(0)


def frame(seed, n=N, **columns):
    """A live column, and what else is asked for."""
    return pd.DataFrame({"x": np.random.default_rng([seed, 9]).normal(size=n)} | columns)


def judge(before, after, **settings):
    """One feature's row, the live one's beside it checked to be judged."""
    report = DataDriftDetector(frame(1, len(before), f=before), **settings).detect(frame(2, len(after), f=after))
    assert report["x"].verdict is Verdict.STABLE
    return report["f"]


def test_the_budget_is_spent_once():
    assert sum(BUDGET.values()) == pytest.approx(1)


# --- what it finds -------------------------------------------------------------

FAULTS = {
    "mean_shift": ("income", 0.5), "scale": ("income", 1.6), "tail": ("income", 0.05), "out_of_range": ("income", 0.05),
    "unit_change": ("income", 12), "frequencies": ("contract", 0.15), "new_category": ("contract", 0.05),
    "missing": ("income", 0.1), "stale": ("income", 0.5), "flip_correlation": (("income", "amount"), 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_where_it_was_put(fault):
    # Every fault that features can show, at a size that matters, names its column.
    table = tables.applicants
    column, size = FAULTS[fault]
    if fault == "flip_correlation":
        numbers = table.sample(1000, 1)[list(table.numeric)].corr("spearman").abs().to_numpy(copy=True)
        np.fill_diagonal(numbers, 0)
        column = tuple(np.array(table.numeric)[list(np.unravel_index(numbers.argmax(), numbers.shape))])
    features = list(table.features)
    reference, current = table.sample(1500, 1), table.sample(800, 2)
    report = DataDriftDetector(reference[features]).detect(getattr(inject, fault)(current, column, size)[features])
    if fault == "flip_correlation":
        assert any(set(column) & set(pair) for pair in report.drifted_pairs)
    else:
        assert column in report.drifted_features


@pytest.mark.parametrize("name", [n for n in scenarios.names() if not n.endswith(("-none", "-concept"))])
def test_scenarios_are_judged_as_their_truth_says(name):
    # Batches at full strength are found; the healthy days before alarm no more than a binomial's share.
    scenario = scenarios.make(name, seed=3, days=8)
    watched = [*scenario.table.features, *([scenario.table.target] if "prior" in name else [])]
    detector = DataDriftDetector(scenario.reference[watched])
    drifted = [detector.detect(batch[watched]).drifted for batch in scenario.batches]
    truth = np.array(scenario.truth.strength)
    assert sum(np.array(drifted)[truth == 0]) <= binom.isf(1e-4, int((truth == 0).sum()), 0.05)
    assert np.mean(np.array(drifted)[truth == 1]) >= 0.75


@pytest.mark.parametrize("name", ["customers-none", "applicants-none", "transactions-none"])
def test_controls_are_silent_within_the_promise(name):
    # Twenty days without drift.
    scenario = scenarios.make(name, seed=4, n=500)
    detector = DataDriftDetector(scenario.reference[list(scenario.table.features)])
    alarms = sum(detector.detect(batch[list(scenario.table.features)]).drifted for batch in scenario.batches)
    assert alarms <= binom.isf(1e-6, 20, 0.07)


# --- how often it errs ---------------------------------------------------------

LAWS = [
    lambda rng, n: rng.normal(size=n), lambda rng, n: rng.lognormal(0, 1, n), lambda rng, n: rng.poisson(2, n).astype(float),
    lambda rng, n: rng.choice(list("abc"), n, p=[0.6, 0.3, 0.1]), lambda rng, n: np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
]


def clean(seed, n, k, laws=LAWS):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({f"x{i}": laws[i % len(laws)](rng, n) for i in range(k)})


def alarms(n, m, k, pairs, laws=LAWS):
    # Four seeds: the detector keeps as many of its nulls, and drawing one takes a third of the time.
    return sum(
        DataDriftDetector(clean([s, n, 1], n, k, laws), threads=1, seed=s % 4).detect(clean([s, m, 2], m, k, laws)).drifted for s in range(pairs)
    )


@pytest.mark.parametrize("n, m, k, pairs", [
    (50, 50, 1, 300), (50, 50, 5, 120), (50, 50, 20, 40), (500, 500, 1, 80), (500, 500, 5, 40), (500, 500, 20, 20),
    (50_000, 50, 5, 8),
])
def test_clean_pairs_alarm_no_more_than_promised(n, m, k, pairs):
    # At most 7 % of clean batches at alpha 5 %, few rows or many, equal sizes or not.
    assert alarms(n, m, k, pairs) <= binom.isf(1e-6, pairs, 0.07)


def test_the_level_is_used():
    # At least 3 % where the data allow it: a test that never alarms has no power.
    assert alarms(100, 100, 1, 300, LAWS[:1]) >= binom.isf(1 - 1e-4, 300, 0.03)


def rare(rng, n):
    return rng.binomial(1, 0.02, n).astype(float)


def test_rare_levels_against_a_short_reference_keep_the_level():
    # A null drawn from the 50 reference rows alone alarmed in half of these pairs.
    assert alarms(50, 20_000, 5, 20, [rare]) <= binom.isf(1e-4, 20, 0.07)


def ten(rng, n, rho=0.5, gaps=0.0):
    x = rng.normal(size=(n, 8))
    x[:, 1] = rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1]
    data = pd.DataFrame(x, columns=[f"x{i}" for i in range(8)])
    data.loc[rng.random(n) < gaps, "x7"] = np.nan
    return data.assign(c0=pd.Categorical(rng.choice(list("abc"), n, p=[0.5, 0.3, 0.2])), c1=pd.Categorical(rng.choice(list("pqrst"), n)))


def new_level(data, rng):
    return data.assign(c0=data["c0"].astype(object).mask(rng.random(len(data)) < 0.05, "new"))


TARGETS = {
    "mean .25": (0.78, {}, lambda d, rng: d.assign(x4=d["x4"] + 0.25)),
    "variance x1.5": (0.75, {}, lambda d, rng: d.assign(x4=d["x4"] * np.sqrt(1.5))),
    "tail 2.5 %": (0.90, {}, lambda d, rng: d.assign(x4=d["x4"] + 2.5 * (d["x4"] > 1.96))),
    "missing 5 to 15 %": (0.90, {"gaps": 0.15}, None),
    "new level 5 %": (0.90, {}, new_level),
    "correlation flip": (0.90, {"rho": -0.5}, None),
}


@pytest.mark.parametrize("name", TARGETS)
def test_one_drift_among_ten_features_is_seen(name):
    # 500 rows against 500; measured power within four standard errors of its target.
    target, changes, change = TARGETS[name]
    hits, reps = 0, 100
    for seed in range(reps):
        rng = np.random.default_rng([seed, 5])
        before = {"gaps": 0.05} if "missing" in name else {}
        reference, current = ten(rng, 500, **before), ten(rng, 500, **{**before, **changes})
        hits += DataDriftDetector(reference, threads=1, seed=seed % 4).detect(current if change is None else change(current, rng)).drifted
    assert hits / reps >= target - 4 * np.sqrt(target * (1 - target) / reps)


# --- what is reported ----------------------------------------------------------

def mixed(seed, n=300, by=0.0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "a": rng.normal(by, 1, n), "b": rng.poisson(3, n), "c": rng.choice(list("xyz"), n), "d": rng.random(n) < 0.3,
        "e": pd.Categorical(rng.integers(0, 3, n)), "f": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
    })


def test_reported_numbers_are_those_of_the_single_measures():
    # KS is scipy's, chi-squared and PSI are the module's own, on the same columns.
    a, b = mixed(1, by=0.2), mixed(2)
    report = DataDriftDetector(a).detect(b)
    assert report["a"].statistic == pytest.approx(ks_2samp(a["a"], b["a"]).statistic)
    assert report["c"].statistic == pytest.approx(chi2_test(a["c"], b["c"]).statistic)
    assert report["c"].pvalue == pytest.approx(chi2_test(a["c"], b["c"]).pvalue)
    for name in a:
        assert report[name].psi == pytest.approx(psi(a[name], b[name])), name
    statistics = DataDriftDetector(a).statistics(b)
    assert statistics["statistic"].tolist() == [f.statistic for f in report.features]


def test_order_of_rows_and_columns_does_not_matter():
    # Reported statistics see sets of rows; the verdict of a clear drift does too.
    a, b = mixed(1, by=1), mixed(2)
    shuffled = b.sample(frac=1, random_state=0)[list(b.columns[::-1])]
    one, other = (DataDriftDetector(a).detect(x) for x in (b, shuffled))
    for f, g in zip(one.features, other.features):
        assert (f.statistic, f.pvalue, f.psi, f.effect, f.out_of_range) == pytest.approx((g.statistic, g.pvalue, g.psi, g.effect, g.out_of_range))
    assert one.drifted_features == other.drifted_features == ("a",)


@pytest.mark.parametrize("rows", [300, POOL])
def test_same_frames_same_report(rows):
    # Permutations are seeded; threads and repeats change nothing.
    a, b = mixed(1, rows), mixed(2, rows)
    reports = [DataDriftDetector(a, threads=threads).detect(b).to_json() for threads in (1, 2, None)]
    detector = DataDriftDetector(a)
    assert len({*reports, detector.detect(b).to_json(), detector.detect(b).to_json()}) == 1


def test_a_saved_detector_gives_an_identical_report(tmp_path):
    # Every kind of level and name comes back as it was.
    a = mixed(1).assign(g=pd.Categorical(np.tile([0.5, 1.5, 2.5], 100)), gone=np.nan, when=pd.date_range("2020", periods=300))
    b = mixed(2).assign(g=pd.Categorical(np.tile([0.5, 1.5, 3.5], 100)), gone=np.nan, when=pd.date_range("2021", periods=300))
    a, b = (data.rename(columns={"a": 7, "b": ("pair", 1)}) for data in (a, b))
    detector = DataDriftDetector(a, alpha=0.01, min_effect=0.02, bins=7, seed=5, columns=list(a))
    detector.save(tmp_path / "detector.npz")
    loaded = DataDriftDetector.load(tmp_path / "detector.npz")
    assert loaded.detect(b).to_json() == detector.detect(b).to_json() and loaded.columns == detector.columns
    assert loaded.detect(b)["g"].new_categories == (3.5,) and loaded.detect(b)["d"].new_categories == ()


def test_levels_that_a_file_cannot_hold_are_refused_at_once(tmp_path):
    # Read back as text they would all be new, and drift for ever.
    with pytest.raises(ValueError, match="save needs levels of f that are text, numbers or booleans, got a Interval"):
        DataDriftDetector(frame(1, f=pd.cut(frame(1)["x"], 3))).save(tmp_path / "x.npz")


def test_the_reference_is_learned_once():
    # What becomes of the caller's frame later is not the detector's reference.
    a, b = normals(1), normals(2)
    detector = DataDriftDetector(a)
    before = detector.detect(b).to_json()
    a[:] = 99
    assert detector.detect(b).to_json() == before


def test_min_effect_asks_for_size_too():
    # A tenth of a deviation is significant with 20,000 rows, and less than the 0.2 asked for.
    a, b = mixed(1, 20_000, by=0.1)[["a"]], mixed(2, 20_000)[["a"]]
    assert DataDriftDetector(a).detect(b).drifted
    row = DataDriftDetector(a, min_effect=0.2).detect(b)["a"]
    assert row.verdict is Verdict.STABLE and "less than the 0.2 asked for" in row.reason


def test_columns_name_the_features():
    # Others may come along; arrays have x0, x1, ...
    detector = DataDriftDetector(mixed(1), columns=["a", "c"])
    assert [f.feature for f in detector.detect(mixed(2).assign(more=1)).features] == ["a", "c"]
    assert DataDriftDetector(np.ones((20, 3)), columns=["x1"]).columns == ("x1",)


def test_certified_mode_knows_ks_within_its_bound():
    # The exact KS lies within statistic +- bound, on columns long enough for a grid; short ones are exact.
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(25_000, 2)), rng.normal(0.02, 1, (22_000, 2))
    a[:, 1], b[:, 1] = np.round(a[:, 1]), np.round(b[:, 1])
    exact, certified = (DataDriftDetector(a, mode=mode).detect(b) for mode in ("exact", "certified"))
    for one, other in zip(exact.features, certified.features):
        assert one.bound == 0 and abs(one.statistic - other.statistic) <= other.bound + 1e-12 <= 0.005
        assert other.psi == pytest.approx(one.psi, abs=0.01)
    assert certified["x0"].bound > 0 and certified["x1"].bound == 0
    assert certified.drifted == exact.drifted


def long(seed, n, by=0.0):
    """Every kind of column, long enough to be counted on a grid."""
    rng = np.random.default_rng(seed)
    return mixed(seed, n, by).assign(
        heavy=rng.standard_t(1.5, n), zeros=rng.exponential(size=n) * (rng.random(n) < 0.3), text=pd.Series(rng.choice(["u", "v", None], n), dtype="str")
    )


@pytest.mark.parametrize("by", [0, 0.03, 2])
def test_statistics_are_those_that_detect_reports(by):
    # One looks at a few values, the other sorts them all; the numbers are the same to the last bit.
    a, b = long(1, 30_000), long(2, 25_000, by)
    detector = DataDriftDetector(a)
    found, report = detector.statistics(b), detector.detect(b)
    for row, feature in zip(found.itertuples(), report.features):
        assert (row.feature, row.statistic, row.pvalue, row.psi) == (feature.feature, feature.statistic, feature.pvalue, feature.psi)
    for name in ("a", "b", "f", "heavy", "zeros"):
        assert found.set_index("feature")["statistic"][name] == pytest.approx(ks_2samp(a[name].dropna(), b[name].dropna(), method="asymp").statistic, abs=1e-12)


def test_certified_statistics_are_within_the_widest_interval():
    # Columns too coarse for an interval of 0.005 are refined until they are exact.
    a, b = long(1, 30_000), long(2, 25_000, 0.03)
    exact, certified = (DataDriftDetector(a, mode=mode).statistics(b) for mode in ("exact", "certified"))
    assert (certified["statistic"] - exact["statistic"]).abs().max() <= 0.0025
    coarse = certified["feature"].isin(["b", "zeros"])
    assert certified[coarse].equals(exact[coarse])


# --- columns that cannot be judged, and those that can --------------------------

def normals(seed, n=N):
    return np.random.default_rng(seed).normal(size=n)


UNDECIDED = {
    "all missing": (np.full(N, np.nan), np.full(N, np.nan), "all values are missing"),
    "constant": (np.full(N, 0.1), np.full(N, 0.1), "constant"),
    "one level": (["a"] * N, ["a"] * N, "one level only"),
    "infinite": (normals(1), np.r_[normals(2, N - 1), np.inf], "current has 1 values that are infinite"),
    "infinite reference": (np.r_[normals(1, N - 1), -np.inf], normals(2), "reference has 1 values"),
    "beyond any scale": (normals(1) * 1e307, normals(2) * 1e307, "beyond 1e\\+150"),
    "dates": (pd.date_range("2020", periods=N), pd.date_range("2021", periods=N), "got dates"),
    "objects of dates": (list(pd.date_range("2020", periods=N).date), list(pd.date_range("2020", periods=N).date), "got dates"),
    "lists": ([[1]] * N, [[1]] * N, "got a list"),
    "dicts": ([{}] * N, [{}] * N, "got a dict"),
    "complex": (normals(1) * 1j, normals(2) * 1j, "complex"),
    "numbers then text": (normals(1), ["a", "b"] * (N // 2), "holds numbers, the current batch categories"),
    "numbers then mixed": (normals(1), pd.Series([1.5, "?"] * (N // 2), dtype=object), "holds numbers, the current batch categories"),
    "identifiers": ([f"r{i}" for i in range(N)], [f"c{i}" for i in range(N)], "every level is rare"),
    "three values": (np.r_[1, 2, 3, np.full(N - 3, np.nan)], np.r_[4, 5, 6, np.full(N - 3, np.nan)], "at least 8 present values, got 3"),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_what_cannot_be_compared_is_undecided_for_that_feature_alone(case):
    # The reason says why; the live feature beside it is judged.
    before, after, reason = UNDECIDED[case]
    row = judge(before, after)
    assert row.verdict is Verdict.UNDECIDED and row.severity in ("unknown", "none")
    assert pd.Series([row.reason]).str.contains(reason).all(), row.reason


DRIFTED = {
    "gone": (normals(1), np.full(N, np.nan), "missing values went from 0.0% to 100.0%"),
    "gone as None": (["a", "b"] * (N // 2), [None] * N, "missing values went"),
    "came": (np.full(N, np.nan), normals(1), "missing values went from 100.0% to 0.0%"),
    "became constant": (normals(1), np.zeros(N), "values moved"),
    "was constant": (np.zeros(N), normals(1), "one value only"),
    "a new level": (["a", "b"] * (N // 2), ["a", "b", "a", "b", "a", "b", "a", "c"] * (N // 8), "12.5% are new ones"),
}


@pytest.mark.parametrize("case", DRIFTED)
def test_a_live_column_that_dies_has_drifted(case):
    before, after, reason = DRIFTED[case]
    row = judge(before, after)
    assert row.drifted and reason in row.reason


words = list("ab") * (N // 2)
STABLE = {
    "Int64": (pd.array(rng0.poisson(3, N), dtype="Int64"), pd.array([None, *rng0.poisson(3, N - 1)], dtype="Int64"), "numeric"),
    "Float64": (pd.array(normals(1), dtype="Float64"), pd.array([None, *normals(2, N - 1)], dtype="Float64"), "numeric"),
    "float32 and int8": (rng0.poisson(3, N).astype(np.float32), rng0.poisson(3, N).astype(np.int8), "numeric"),
    "object numbers": (pd.Series([1, None, 2.5, 4] * (N // 4), dtype=object), pd.Series([1, np.nan, 2.5, 4] * (N // 4)), "numeric"),
    "boolean": (pd.array(normals(1) > 0, dtype="boolean"), pd.Series([None, *(normals(2, N - 1) > 0)], dtype=object), "categorical"),
    "bool": (normals(1) > 0, normals(2) > 0, "categorical"),
    "string": (pd.array(words, dtype="string"), pd.Series(words, dtype=object), "categorical"),
    "Arrow string": (pd.array(words, dtype="string[pyarrow]"), pd.Series(words, dtype="category"), "categorical"),
    "category in another order": (pd.Categorical(words, categories=["a", "b", "z"]), pd.Categorical(words, categories=["b", "a"]), "categorical"),
    "a new level of one row": (words, [*words[:-1], "c"], "categorical"),
    "tiny numbers": (normals(1) * 1e-200, normals(2) * 1e-200, "numeric"),
}


@pytest.mark.parametrize("case", STABLE)
def test_types_do_not_make_drift(case):
    # The same population in another dtype is the same population.
    before, after, kind = STABLE[case]
    row = judge(before, after, alpha=0.001)
    assert row.verdict is Verdict.STABLE and row.kind == kind


@pytest.mark.parametrize("reference, words", [
    (pd.DataFrame(), "at least 1 row"), (pd.DataFrame({"a": []}), "at least 1 row"), (pd.DataFrame(index=range(5)), "1 column"),
    (pd.DataFrame(np.ones((9, 2)), columns=["a", "a"]), "one column of each name, got several of a"),
    (np.zeros((3, 3, 3)), "a table or one column"), (3, "a table or one column"), (None, "a table or one column"), ("abc", "a table or one column"),
], ids=str)
def test_a_reference_that_is_none_is_refused(reference, words):
    with pytest.raises(ValueError, match=f"^reference needs .*{words}"):
        DataDriftDetector(reference)


@pytest.mark.parametrize("settings, words", [
    ({"alpha": 0}, "alpha"), ({"alpha": 5}, "alpha"), ({"alpha": "a"}, "alpha"), ({"min_effect": -1}, "min_effect"),
    ({"min_effect": "a"}, "min_effect"), ({"min_effect": np.nan}, "min_effect"), ({"bins": 0}, "bins"), ({"bins": 2.5}, "bins"),
    ({"mode": "fast"}, "mode"), ({"threads": 0}, "threads"), ({"seed": None}, "seed"), ({"seed": -1}, "seed"),
    ({"columns": ["no"]}, "reference"), ({"columns": []}, "columns"), ({"columns": ["x", "x"]}, "columns"),
], ids=str)
def test_settings_are_checked_at_the_door(settings, words):
    with pytest.raises(ValueError, match=rf"^{words} needs .*, got .*\."):
        DataDriftDetector(frame(1), **settings)


@pytest.mark.parametrize("current, words", [
    (pd.DataFrame({"y": [1.0]}), "missing: x; unknown: y"), (frame(1).assign(y=1), "unknown: y"), (frame(1).iloc[:0], "at least 1 row"),
    (pd.concat([frame(1), frame(1)], axis=1), "one column of each name"), (np.zeros((3, 3, 3)), "a table or one column"),
], ids=["other", "more", "empty", "doubled", "3-D"])
def test_a_batch_of_other_columns_is_refused(current, words):
    with pytest.raises(ValueError, match=f"^current needs .*{words}"):
        DataDriftDetector(frame(1)).detect(current)


def test_too_few_rows_are_undecided():
    # Seven rows are no batch, in either place.
    for report in (DataDriftDetector(frame(1)).detect(frame(2, 7)), DataDriftDetector(frame(1, 7)).detect(frame(2))):
        assert report.verdict is Verdict.UNDECIDED and "at least 8 rows, got 7" in report.reason and report.pvalue is None


def test_lists_of_rows_keep_numbers_and_text_apart():
    # Rows of mixed kinds are a table of columns.
    rows = [[i % 7, "ab"[i % 2]] for i in range(60)]
    report = DataDriftDetector(rows).detect(rows)
    assert [f.kind for f in report.features] == ["numeric", "categorical"] and json.loads(report.to_json())
