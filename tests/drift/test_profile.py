"""Profiles: sums of chunks that say of data larger than memory what the data themselves would say."""
import gc
import json
import math
import pickle
import weakref

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, ks_2samp

from mlmon.drift import DataDriftDetector, Verdict, chi2_test, psi
from mlmon.drift import ruler
from mlmon.drift.column import merge
from mlmon.drift.profile import ROWS, Profile, shuffled
from mlmon.drift.tail import counted_p, far_edges, fit_tail, tail_p

checked = settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=list(HealthCheck), database=None)


def frame(seed, n, by=0.0):
    """Every kind of column."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "normal": rng.normal(by, 1, n), "count": rng.poisson(3 + by, n), "word": rng.choice(list("xyz"), n), "flag": rng.random(n) < 0.3 + by / 10,
        "level": pd.Categorical(rng.integers(0, 3, n)), "heavy": np.where(rng.random(n) < 0.1, np.nan, rng.standard_t(1.5, n)),
        "cents": rng.lognormal(3 + by, 1, n).round(2), "zeros": rng.exponential(size=n) * (rng.random(n) < 0.3),
    })


def chunks(data, size):
    return (data[i:i + size] for i in range(0, len(data), size))


def same(a, b):
    """Two profiles hold the same: sums to rounding, all else exactly."""
    assert a.key == b.key and a.counts.keys() == b.counts.keys()
    for name in a.counts:
        one, other = (dict(vars(p.counts[name])) for p in (a, b))
        assert one.pop("sums") == pytest.approx(other.pop("sums"), rel=1e-9, abs=1e-9), name
        for what in one:
            assert np.array_equal(one[what], other[what]) if isinstance(one[what], np.ndarray) else one[what] == other[what], (name, what)
        assert list(one["new"]) == list(other["new"])
    assert np.array_equal(a.sample.ids, b.sample.ids)
    for x, y in zip(a.sample.values, b.sample.values):
        assert np.array_equal(x, y, equal_nan=x.dtype.kind == "f")


# --- they add up ---------------------------------------------------------------

@pytest.mark.parametrize("size", [700, 25_000])
def test_the_sum_of_profiles_is_the_profile_of_the_whole(size):
    # Counting is additive, and which rows are kept depends on their numbers alone.
    data, detector = frame(2, 30_000), DataDriftDetector(frame(1, 3000))
    whole = detector.profile(data, start=0)
    parts = [detector.profile(part, start=part.index[0]) for part in chunks(data, size)]
    same(sum(parts), whole)
    same(sum(parts[::-1]), whole)
    assert whole.rows == 30_000 and len(whole.sample.ids) == ROWS


MIXED = st.lists(st.tuples(st.one_of(st.floats(-3, 3), st.sampled_from([math.nan, 0.5, -0.0, 1e149, math.inf])),
                           st.sampled_from(["a", "b", "new", "newer", None, 1, True])), max_size=12)


@checked
@given(one=MIXED, two=MIXED, three=MIXED)
def test_sums_know_no_order_and_no_brackets(one, two, three):
    # Addition of counts is associative and commutative, of rows as well, whatever the chunks hold.
    detector = DataDriftDetector(pd.DataFrame({"x": np.linspace(-1, 1, 40), "c": ["a", "b"] * 20}))
    a, b, c = (detector.profile(pd.DataFrame({"x": np.array([x for x, _ in rows], dtype=float), "c": pd.Series([y for _, y in rows], dtype=object)}))
               for rows in (one, two, three))
    same(a + b, b + a)
    same((a + b) + c, a + (b + c))


def test_new_categories_add_up_by_name():
    # Each chunk numbers its own new levels; the sum tells them apart, in the kept rows too.
    detector = DataDriftDetector(pd.DataFrame({"c": list("ab") * 20}))
    one, two = (detector.profile(pd.DataFrame({"c": list(text)}), start=start) for text, start in (("zza", 0), ("yyyz", 3)))
    total = one + two
    assert total.counts["c"].new == {"y": 3, "z": 3} and total.counts["c"].tally.tolist() == [1, 0]
    assert total.sample.values[0].tolist() == [3, 3, 0, 2, 2, 2, 3]


def test_a_profile_comes_back_from_its_file(tmp_path):
    detector = DataDriftDetector(frame(1, 3000))
    profile = detector.profile(frame(2, 20_000, 0.1).assign(word="new"))
    profile.save(tmp_path / "day.npz")
    same(Profile.load(tmp_path / "day.npz"), profile)
    assert detector.detect(Profile.load(tmp_path / "day.npz")).to_json() == detector.detect(profile).to_json()


def test_the_rows_that_are_kept_are_a_fair_choice():
    # Shuffled numbers are distinct, and each thousandth of the rows gives a binomial share of the kept ones.
    ids = np.arange(200_000, dtype=np.uint64)
    assert len(np.unique(shuffled(ids, 3))) == len(ids) and not np.array_equal(shuffled(ids, 3), shuffled(ids, 4))
    kept = DataDriftDetector(np.zeros(20)).profile(np.zeros(200_000), start=0).sample.ids
    counts = np.bincount((kept // 10_000).astype(int), minlength=20)
    assert binom.ppf(1e-6, ROWS, 0.05) <= counts.min() and counts.max() <= binom.isf(1e-6, ROWS, 0.05)


def test_size_depends_on_features_not_on_rows():
    # Two profiles of other lengths have the size that the docstring states.
    detector = DataDriftDetector(np.random.default_rng(0).normal(size=(300_000, 2)))
    small, large = (detector.profile(np.random.default_rng(1).normal(size=(n, 2)), start=0) for n in (ROWS, 200_000))
    assert small.nbytes == large.nbytes <= 2 * 220_000 + 80_000
    assert len(pickle.dumps(large)) < 1.1 * large.nbytes and len(pickle.dumps(detector.profiler)) < 2e6


# --- what they tell ------------------------------------------------------------

LAWS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "cauchy": lambda rng, n: rng.standard_cauchy(n),
    "lognormal(2)": lambda rng, n: rng.lognormal(0, 2, n),
    "counts": lambda rng, n: rng.poisson(2, n).astype(float),
    "tenths": lambda rng, n: rng.normal(size=n).round(1),
    "counts beside a line": lambda rng, n: np.where(rng.random(n) < 0.5, rng.poisson(2, n), rng.normal(2, 2, n)),
    "outlier": lambda rng, n: np.append(rng.normal(size=n - 1), 1e6),
    "tiny": lambda rng, n: rng.normal(size=n) * 1e-300,
    "constant": lambda rng, n: np.full(n, 7.0),
}
MOVES = {"none": lambda x: x, "a little": lambda x: x + 0.05 * np.ptp(np.quantile(x, [0.25, 0.75])), "far off": lambda x: x + 1e7,
         "half of them": lambda x: np.where(np.arange(len(x)) % 2, x, np.median(x)), "wider": lambda x: 1.2 * x}


@pytest.mark.parametrize("n", [50, 900, 30_000])
@pytest.mark.parametrize("law", LAWS)
def test_ks_lies_within_its_interval_and_the_rest_is_exact(law, n):
    # SciPy's KS of the whole, and the detector's own PSI and out-of-range share of the whole.
    rng = np.random.default_rng([n, len(law)])
    a, b = LAWS[law](rng, n), LAWS[law](rng, 12_000)
    detector = DataDriftDetector(pd.DataFrame({"x": a}))
    for move in MOVES:
        moved = pd.DataFrame({"x": MOVES[move](b)})
        row, whole = detector.detect(chunks(moved, 5000))["x"], detector.detect(moved)["x"]
        ks = ks_2samp(a, moved["x"], method="asymp").statistic
        assert row.statistic - row.bound - 1e-12 <= ks <= row.statistic + row.bound + 1e-12, move
        assert row.bound <= (0 if n < 2000 else 0.002 if move in ("none", "a little") else 1), move
        assert (row.psi, row.out_of_range) == (whole.psi, whole.out_of_range), move
        assert row.effect == pytest.approx(whole.effect, rel=0.02, abs=0.02), move


@pytest.mark.parametrize("n", [300, 30_000])
def test_categories_and_missing_values_are_exact(n):
    # The single measures of the whole columns give the same numbers.
    a, b = frame(1, n), frame(2, 12_000, 0.1).assign(word=lambda d: d["word"].mask(d.index % 50 == 0, "new").mask(d.index % 7 == 0))
    report = DataDriftDetector(a).detect(chunks(b, 1111))
    for name in ("word", "flag", "level"):
        assert report[name].statistic == pytest.approx(chi2_test(a[name], b[name]).statistic), name
    for name in a:
        assert report[name].psi == pytest.approx(psi(a[name], b[name]), rel=1e-12), name
        assert (report[name].missing_reference, report[name].missing_current) == (a[name].isna().mean(), b[name].isna().mean())
    assert report["word"].new_categories == ("new",)


def test_statistics_of_chunks_are_those_that_detect_reports():
    a, b = frame(1, 3000), frame(2, 12_000, 0.1)
    detector = DataDriftDetector(a)
    for row, feature in zip(detector.statistics(chunks(b, 5000)).itertuples(), detector.detect(chunks(b, 5000)).features):
        assert (row.feature, row.statistic, row.pvalue, row.psi) == (feature.feature, feature.statistic, feature.pvalue, feature.psi)


def test_a_summary_gives_the_moments_of_the_whole():
    data = frame(2, 12_000)
    table = sum(DataDriftDetector(frame(1, 500)).profile(part) for part in chunks(data, 999)).to_frame().set_index("feature")
    for name in ("normal", "count", "heavy", "cents"):
        expected = [12_000, data[name].isna().sum(), data[name].min(), data[name].max(), data[name].mean(), data[name].std(ddof=0)]
        assert table.loc[name, ["rows", "missing", "low", "high", "mean", "sd"]].tolist() == pytest.approx(expected, rel=1e-6), name


@pytest.mark.parametrize("push", [0, 0.5, 3, 1e4])
def test_tails_counted_at_edges_are_judged_as_tails_of_values(push):
    # An edge below each value makes p a little larger, never smaller.
    rng = np.random.default_rng(5)
    tail, values = fit_tail(np.sort(rng.normal(size=5000))), rng.normal(size=20_000)
    values[:40] = np.abs(values[:40]) * (1 + push) + push
    edges = far_edges(tail)
    beyond = values[values > edges[0]]
    counted = counted_p(tail, len(values), np.bincount(np.searchsorted(edges, beyond) - 1, minlength=len(edges)))
    exact = tail_p(tail, values)
    assert exact <= counted <= max(3 * exact, 1e-12)


# --- what they decide ----------------------------------------------------------

def test_the_report_does_not_depend_on_where_the_data_are_cut():
    data, detector = frame(2, 12_000, 0.02), DataDriftDetector(frame(1, 3000))
    reports = {detector.detect(chunks(data, size)).to_json() for size in (999, 12_000)}
    assert len(reports) == 1 and reports == {detector.detect([data[:5], data[5:]]).to_json()}


@pytest.mark.parametrize("n, m", [(300, 500), (5000, 4000)])
def test_up_to_ten_thousand_rows_are_judged_as_a_frame_is(n, m):
    # All rows are kept, in their order: the same permutations, the same p.
    a, b = frame(1, n), frame(2, m, 0.02)
    detector = DataDriftDetector(a)
    whole, parts = detector.detect(b), detector.detect(chunks(b, 77))
    assert parts.pvalue == pytest.approx(whole.pvalue)
    assert {(a, b): p for a, b, p in parts.pairs} == pytest.approx({(a, b): p for a, b, p in whole.pairs})
    for f, g in zip(whole.features, parts.features):
        assert (f.verdict, f.reason, f.kind, f.test) == (g.verdict, g.reason, g.kind, g.test)
        assert f.corrected_pvalue == pytest.approx(g.corrected_pvalue, rel=1e-6)


FAULTS = {
    "mean": lambda d: d.assign(normal=d["normal"] + 0.1),
    "spread": lambda d: d.assign(normal=d["normal"] * 1.15),
    "tail": lambda d: d.assign(normal=d["normal"].mask(d["normal"] > 2.2, d["normal"] * 1.5)),
    "missing": lambda d: d.assign(cents=d["cents"].mask(d.index % 40 == 0)),
    "new level": lambda d: d.assign(word=d["word"].mask(d.index % 100 == 0, "new")),
    "pair": lambda d: d.assign(normal=np.sort(d["normal"])[d["cents"].rank(method="first").astype(int) - 1]),
    "far outliers": lambda d: d.assign(normal=d["normal"].mask(d.index % 400 == 0, 6.0)),
    "none": lambda d: d,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_verdicts_of_chunks_are_those_of_the_frame(fault):
    # Each fault that a frame shows is found, and named the same.
    names = ["normal", "cents", "word"]
    reference, data = frame(1, 6000)[names], frame(2, 20_000)[names]
    detector, moved = DataDriftDetector(reference, alpha=0.01), FAULTS[fault](data)
    whole, parts = detector.detect(moved), detector.detect(chunks(moved, 3000))
    assert (parts.verdict, parts.drifted_features, parts.drifted_pairs) == (whole.verdict, whole.drifted_features, whole.drifted_pairs)
    assert parts.drifted == (fault != "none")
    assert [f.reason for f in parts.features] == [f.reason for f in whole.features]


def test_clean_chunks_alarm_as_often_as_promised():
    # Counts of ties, of missing values and of features that go together; more than this has a chance of 1 in a million.
    pairs, alarms = 40, 0
    for seed in range(pairs):
        rng = np.random.default_rng([seed, 8])
        z = rng.normal(size=(12_000, 2))
        data = pd.DataFrame({"a": z[:, 0], "b": (z.sum(axis=1)).round(1), "c": rng.choice(list("pqr"), 12_000)})
        data.loc[rng.random(12_000) < 0.05, "a"] = np.nan
        alarms += DataDriftDetector(data[:1500], seed=seed % 4, threads=1).detect(chunks(data[1500:], 4000)).drifted
    assert alarms <= binom.isf(1e-6, pairs, 0.05)


def test_one_chunk_is_in_memory_at_a_time():
    # When the next chunk is asked for, all but the last are gone.
    made = []

    def stream():
        for seed in range(6):
            gc.collect()
            assert sum(chunk() is not None for chunk in made) <= 1
            chunk = pd.DataFrame({"x": np.random.default_rng(seed).normal(size=1000)})
            made.append(weakref.ref(chunk))
            yield chunk
            del chunk

    assert DataDriftDetector(pd.DataFrame({"x": np.random.default_rng(9).normal(size=500)}), alpha=1e-4).detect(stream()).verdict is Verdict.STABLE


# --- what cannot be judged -----------------------------------------------------

def judged(*parts, reference=None):
    detector = DataDriftDetector(frame(1, 400)[["normal", "word"]] if reference is None else reference, alpha=1e-4)
    return detector.detect(iter(parts))


GOOD = frame(2, 300)[["normal", "word"]]
UNDECIDED = {
    "numbers that became text": (GOOD.assign(normal="1,5"), "normal", "the reference holds numbers, a chunk of the current data categories"),
    "text that became numbers": (GOOD.assign(word=1.5), "word", "the reference holds categories, a chunk of the current data numbers"),
    "dates": (GOOD.assign(normal=pd.Timestamp("2026-03-02")), "normal", "got dates"),
    "infinite": (GOOD.assign(normal=np.inf), "normal", "current has 300 values that are infinite"),
    "lists": (GOOD.assign(word=[[1]] * 300), "word", "got a list"),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_one_bad_chunk_leaves_its_feature_undecided(case):
    # Wherever it stands among good ones; the feature beside it is judged.
    bad, name, reason = UNDECIDED[case]
    for parts in ((GOOD, bad, GOOD), (bad, GOOD), (GOOD, bad)):
        report = judged(*parts)
        row, other = report[name], report[{"normal": "word", "word": "normal"}[name]]
        assert row.verdict is Verdict.UNDECIDED and reason in row.reason, row.reason
        assert other.verdict is Verdict.STABLE and report.verdict is Verdict.UNDECIDED


def test_identifiers_are_undecided_and_take_no_memory_for_ever(monkeypatch):
    # Past a number of new levels they are no longer told apart, and never called fine.
    monkeypatch.setattr(ruler, "NEW", 500)
    names = (GOOD.assign(word=[f"id{i}" for i in range(start, start + 300)]) for start in range(0, 3000, 300))
    detector = DataDriftDetector(frame(1, 400)[["normal", "word"]], alpha=1e-4)
    profile = sum(detector.profile(part) for part in names)
    assert profile.counts["word"].new == {} and profile.counts["word"].crowded
    row = detector.detect(profile)["word"]
    assert row.verdict is Verdict.UNDECIDED and "new categories" in row.reason


def test_empty_chunks_add_nothing():
    report = judged(GOOD[:0], GOOD, GOOD[:0])
    assert report.to_json() == judged(GOOD).to_json() and report.verdict is Verdict.STABLE


def test_a_chunk_whose_column_is_all_missing_counts_as_missing():
    report = judged(GOOD, GOOD.assign(normal=None, word=pd.Series([None] * 300)))
    assert report.drifted_features == ("normal", "word") and report["word"].missing_current == 0.5


@pytest.mark.parametrize("reference, current, verdict", [
    (np.full(400, np.nan), np.arange(300.0), Verdict.DRIFTED), (np.full(400, np.nan), np.full(300, np.nan), Verdict.UNDECIDED),
    (np.full(400, 7.0), np.full(300, 7.0), Verdict.UNDECIDED), (np.full(400, 7.0), np.full(300, 8.0), Verdict.DRIFTED),
    (np.arange(400.0), np.full(300, np.nan), Verdict.DRIFTED), (np.arange(400.0), np.arange(7.0), Verdict.UNDECIDED),
], ids=["came", "never there", "constant", "was constant", "gone", "seven rows"])
def test_dead_columns_are_judged_as_in_a_frame(reference, current, verdict):
    detector = DataDriftDetector(reference)
    assert detector.detect(iter([current[:5], current[5:]])).verdict is detector.detect(current).verdict is verdict


@pytest.mark.parametrize("parts, words", [
    ([], "current needs at least 1 row, got 0 in all chunks"), ([GOOD[:0]], "current needs at least 1 row, got 0 in all chunks"),
    ([GOOD, GOOD[["word"]]], "current needs the reference's columns, got missing: normal"),
    ([GOOD.assign(more=1)], "current needs the reference's columns, got unknown: more"),
    ([pd.concat([GOOD, GOOD], axis=1)], "current needs one column of each name"), ([3], "current needs a table or one column"),
], ids=["none", "empty", "missing", "unknown", "doubled", "a number"])
def test_chunks_of_other_columns_are_refused(parts, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        judged(*parts)


def test_profiles_of_another_reference_are_refused():
    # Their cells lie elsewhere; adding them would mean nothing.
    one, other = DataDriftDetector(np.arange(100.0)), DataDriftDetector(np.arange(101.0))
    with pytest.raises(ValueError, match="^current needs a profile of this reference's cells"):
        one.detect(other.profile(np.arange(50.0)))
    with pytest.raises(ValueError, match="^profile needs another of the same reference"):
        one.profile(np.arange(50.0)) + other.profile(np.arange(50.0))
    with pytest.raises(ValueError, match="^start needs a whole number"):
        one.profile(np.arange(50.0), start=-1)
    with pytest.raises(TypeError):
        one.profile(np.arange(50.0)) + 1


cell = st.one_of(st.floats(-5, 5), st.sampled_from([math.nan, 0.5, 1e-300, -1e149, math.inf]), st.integers(-3, 3).map(float))
word = st.sampled_from(["a", "b", "", "0", None])
columns = st.one_of(st.lists(cell, min_size=1, max_size=30), st.lists(word, min_size=1, max_size=30), st.lists(st.booleans(), min_size=1, max_size=9),
                    st.just([None]), st.just([0.1]), st.integers(10, 40).map(lambda n: [f"id{i}" for i in range(n)]))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@checked
@given(before=columns, after=columns, n=st.integers(8, 60), m=st.integers(0, 60), cut=st.integers(0, 60))
def test_a_stream_is_judged_as_its_frame_or_not_at_all(before, after, n, m, cut):
    # Repeated, short, empty, constant, infinite, unseen: the frame's verdict, or UNDECIDED where a chunk has lost its kind.
    def table(values, rows, seed):
        return pd.DataFrame({"f": pd.Series((values * rows)[:rows], dtype=object if not rows else None), "live": np.sin(np.arange(rows) * 1.7 + seed)})

    reference, current = table(before, n, 0), table(after, m, 1)
    detector = DataDriftDetector(reference)
    if m == 0:
        with pytest.raises(ValueError, match="^current needs at least 1 row"):
            detector.detect(iter([current, current]))
        return
    whole, parts = detector.detect(current), detector.detect(iter([current[:cut], current[cut:]]))
    assert json.loads(parts.to_json(), parse_constant=lambda text: pytest.fail(text))
    for f, g in zip(whole.features, parts.features):
        assert g.verdict is f.verdict or (g.verdict is Verdict.UNDECIDED and "a chunk of the current data" in g.reason), (f, g)
        assert g.reason


# --- over a cluster ------------------------------------------------------------

def dask_frame(parts):
    import dask
    import dask.dataframe as dd

    return dd.from_delayed([dask.delayed(part) for part in parts], meta=parts[0][:0], verify_meta=False)


def test_a_dask_frame_is_judged_without_being_brought_here(monkeypatch):
    # Partitions are profiled where they are, empty ones too; the report is that of the same chunks.
    import dask.dataframe as dd

    data, detector = frame(2, 9000, 0.02), DataDriftDetector(frame(1, 2000))
    parts = [data[:4000], data[:0], data[4000:9000]]
    monkeypatch.setattr(dd.DataFrame, "compute", lambda *_, **__: pytest.fail("the frame was materialised"))
    report = detector.detect(dask_frame(parts))
    assert report.to_json() == detector.detect(iter(parts)).to_json()
    assert detector.detect(dd.from_pandas(data, npartitions=20)).to_json() == report.to_json()


def test_categories_unknown_to_dask_are_each_partitions_own():
    data, detector = frame(2, 3000)[["level", "normal"]], DataDriftDetector(frame(1, 2000)[["level", "normal"]])
    cut = dask_frame([data[:1000].assign(level=pd.Categorical([2, 0] * 500)), data[1000:]])
    expected = detector.detect(pd.concat([data[:1000].assign(level=[2, 0] * 500), data[1000:].astype({"level": int})]).astype({"level": "category"}))
    assert detector.detect(cut.assign(level=cut["level"].cat.as_unknown()))["level"].statistic == pytest.approx(expected["level"].statistic)


def test_a_dask_frame_that_lacks_a_column_is_refused_before_anything_runs():
    import dask
    import dask.dataframe as dd

    never = dask.delayed(lambda: pytest.fail("a partition was read"))()
    data = dd.from_delayed([never], meta=GOOD[["word"]][:0])
    with pytest.raises(ValueError, match="^current needs the reference's columns, got missing: normal"):
        DataDriftDetector(GOOD).detect(data)
    with pytest.raises(ValueError, match="^current needs the reference's columns, got missing: normal"):
        DataDriftDetector(GOOD, columns=["normal"]).detect(data)
    with pytest.raises(ValueError, match="^reference needs rows in memory, got a Dask DataFrame"):
        DataDriftDetector(data)
    with pytest.raises(ValueError, match="^current needs a Dask DataFrame or Series, got a Dask Array"):
        DataDriftDetector(GOOD).detect(dask_frame([GOOD]).to_dask_array())


def test_one_column_of_a_dask_frame_is_a_series_or_is_chosen():
    data = dask_frame([GOOD, GOOD])
    assert DataDriftDetector(GOOD, columns=["normal"], alpha=1e-4).detect(data).verdict is Verdict.STABLE
    assert DataDriftDetector(GOOD["normal"], alpha=1e-4).detect(data["normal"]).verdict is Verdict.STABLE


def test_a_partition_of_another_dtype_leaves_its_feature_undecided():
    report = DataDriftDetector(frame(1, 400)[["normal", "word"]], alpha=1e-4).detect(dask_frame([GOOD, GOOD.assign(normal="1,5")]))
    assert report["normal"].verdict is Verdict.UNDECIDED and report["word"].verdict is Verdict.STABLE


def test_two_processes_of_a_cluster_give_the_report_of_one(tmp_path):
    # The profiler goes to the workers, profiles come back; the rows stay there.
    from distributed import Client, LocalCluster

    data, detector = frame(2, 40_000, 0.1), DataDriftDetector(frame(1, 3000))
    parts = [data[i:i + 4000] for i in range(0, 40_000, 4000)]
    alone = detector.detect(dask_frame(parts)).to_json()
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=str(tmp_path)) as cluster:
        with Client(cluster) as client:
            assert detector.detect(dask_frame(parts)).to_json() == alone
            ran = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert len(ran) == 2 and min(ran.values()) > 0


def test_the_middle_of_the_interval_is_never_far_from_the_sorted_truth():
    # With a reference of 2,000 rows or more the interval is as narrow as one thousandth of it.
    rng = np.random.default_rng(3)
    for law in ("normal", "cauchy", "counts beside a line"):
        a, b = LAWS[law](rng, 50_000), LAWS[law](rng, 50_000)
        detector = DataDriftDetector(a)
        row = detector.detect(chunks(b, 20_000)).features[0]
        assert abs(row.statistic - merge(a, b).ks) <= row.bound <= 0.001
