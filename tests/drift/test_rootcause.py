"""What moved the number: terms that add up, land on the truth, and refuse where the data cannot tell."""
import json
import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binom, chi2, norm

from mlmon.data import tables
from mlmon.drift import Verdict
from mlmon.drift.domain import encode, tell_apart
from mlmon.drift.ledger import slices
from mlmon.drift.rootcause import disde, shapley

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
checked = settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=list(HealthCheck), database=None)
WEIGHTS = np.array([1.5, -1.2, 0.75])


def frame(x):
    return pd.DataFrame(x, columns=list("abc")[: x.shape[1]])


def world(kind, seed, n=1500):
    """Two samples and whether a fixed rule errs on each row: the law's own sign, before anything changes."""
    rng = np.random.default_rng([seed, 5])
    before, now = rng.normal(size=(2, n, 3))
    law = WEIGHTS * [1, -1, 1] if kind in ("concept", "both") else WEIGHTS
    if kind in ("covariate", "both"):
        now[:, 0] *= 0.5
    logits = now @ law
    if kind == "new":
        far = np.arange(n) < 0.3 * n
        now[far, 2] = rng.normal(4, 0.5, far.sum())
        logits = now @ WEIGHTS * np.where(far, -1, 1)
    labels = rng.random(n) < expit(before @ WEIGHTS), rng.random(n) < expit(logits)
    wrong = [(y != (x @ WEIGHTS > 0)).astype(float) for x, y in zip((before, now), labels)]
    return frame(before), frame(now), *wrong


def gaussian(seed, n=2000, shift=0.0, sd=1.0, now=lambda x: x**2):
    """One feature, loss x**2 + noise of mean 1 before; another place, spread and loss afterwards."""
    rng = np.random.default_rng([seed, 6])
    a, b = rng.normal(size=n), rng.normal(shift, sd, n)
    noise = rng.exponential(1, (2, n))
    return frame(a[:, None]), frame(b[:, None]), a**2 + noise[0], now(b) + noise[1]


# --- the terms ------------------------------------------------------------------

@pytest.mark.parametrize("split", [disde, shapley])
@checked
@given(seed=st.integers(0, 10**6), n=st.integers(50, 200), m=st.integers(50, 200), shift=st.floats(-2, 2), size=st.floats(0.01, 1e4))
def test_terms_add_up_to_the_change(split, seed, n, m, shift, size):
    # They telescope: whatever the classifier thinks, nothing is lost and nothing is made up.
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, 2)), rng.normal(shift, 1, (m, 2))
    result = split(frame(a), frame(b), size * rng.random(n), size * rng.random(m))
    assert sum(term.value for term in result.terms) == pytest.approx(result.after - result.before, abs=1e-12 * size)
    assert result.total == result.after - result.before


@pytest.mark.parametrize("kind, term", [("covariate", "mix"), ("concept", "concept"), ("both", "concept"), ("new", "new")])
def test_the_largest_term_is_the_one_that_was_moved(kind, term):
    # Each world has one change that outweighs all else by several standard errors.
    assert [disde(*world(kind, seed), seed=seed).dominant for seed in range(4)] == [term] * 4


def test_where_nothing_changed_no_term_is_three_standard_errors():
    # 18 terms; each passes three standard errors in 0.27 % of clean pairs.
    results = [disde(*world("none", seed), seed=seed) for seed in range(6)]
    assert all(abs(term.value) < 3 * term.se for result in results for term in result.terms)
    assert {result.verdict for result in results} == {Verdict.STABLE} and {result.dominant for result in results} == {None}


def test_the_same_sample_twice_has_no_change_at_all():
    before, _, loss, _ = world("none", 1)
    for split in (disde, shapley):
        result = split(before, before, loss, loss)
        assert result.total == 0 and result.verdict is Verdict.STABLE
        assert max(abs(term.value) for term in result.terms) < 0.002      # the law says 0; the folds differ


def test_three_terms_land_on_their_integrals():
    # N(0,1) and N(1,1), loss x^2 before, x^2 + 1/2 now, noise apart: the shared density is p q / (p + q), integrated on a grid.
    x = np.linspace(-9, 10, 20_001)
    p, q = norm.pdf(x), norm.pdf(x, 1)
    s = p * q / (p + q)
    shared = (s * x**2).sum() / s.sum()
    truth = {"mix": shared - 1, "concept": 0.5, "new": 2.5 - (shared + 0.5)}
    for seed in range(4):
        result = disde(*gaussian(seed, n=4000, shift=1, now=lambda x: x**2 + 0.5), seed=seed)
        for name, value in truth.items():
            assert abs(result[name].value - value) < 4 * result[name].se      # once in 16,000


def test_shapley_lands_on_its_closed_form_even_where_the_total_hides_it():
    # Loss x^2 before and 2 x^2 now, noise apart; variance 1 before and 0.49 now: four worlds of mean 1, 0.49, 2, 0.98.
    rows, concept = ((0.49 - 1) + (0.98 - 2)) / 2, ((2 - 1) + (0.98 - 0.49)) / 2
    result = shapley(*gaussian(3, n=6000, sd=0.7, now=lambda x: 2 * x**2))
    assert abs(result["rows"].value - rows) < 4 * result["rows"].se
    assert abs(result["concept"].value - concept) < 4 * result["concept"].se
    assert abs(result.total) < 0.1 and result.drifted and min(abs(t.value) for t in result.terms) > 0.5


def test_shapley_lands_on_the_worlds_in_between():
    # "both": the mixed worlds are drawn in bulk instead of weighted.
    rng = np.random.default_rng(0)
    x, law = rng.normal(size=(300_000, 3)), WEIGHTS * [1, -1, 1]
    z = x * [0.5, 1, 1]

    def wrong(rows, weights):
        return np.mean(np.where(rows @ WEIGHTS > 0, expit(-rows @ weights), expit(rows @ weights)))

    old, rows_moved, law_moved, both = wrong(x, WEIGHTS), wrong(z, WEIGHTS), wrong(x, law), wrong(z, law)
    truth = ((rows_moved - old) + (both - law_moved)) / 2
    for seed in range(4):
        result = shapley(*world("both", seed), seed=seed)
        assert abs(result["rows"].value - truth) < 4 * result["rows"].se
        assert abs(result["concept"].value - (both - old - truth)) < 4 * result["concept"].se


def test_standard_errors_are_what_repeating_gives():
    # Losses of 0 and 1, rows that move and a rate that rises: all three terms are busy. Of 100 repetitions, variance over
    # mean squared error is chi-squared over its 99 degrees, within these limits but once in 100,000 on either side.
    results = []
    for seed in range(100):
        rng = np.random.default_rng([seed, 8])
        a, b = rng.normal(0, 1, 400), rng.normal(0.7, 1, 400)
        wrong = [(rng.random(400) < expit(x + rise)).astype(float) for x, rise in ((a, -1), (b, -0.5))]
        results.append(disde(frame(a[:, None]), frame(b[:, None]), *wrong, seed=seed))
    low, high = chi2.ppf([1e-5, 1 - 1e-5], 99) / 99
    for name in ("mix", "concept", "new"):
        terms = [result[name] for result in results]
        assert low < np.var([t.value for t in terms], ddof=1) / np.mean([t.se**2 for t in terms]) < high, name


def test_scaling_the_loss_scales_the_terms():
    before, now, a, b = world("both", 2, n=500)
    one, other = disde(before, now, a, b), disde(before, now, 10 * a + 3, 10 * b + 3)
    assert [t.value for t in other.terms] == pytest.approx([10 * t.value for t in one.terms], abs=1e-9)
    assert [t.se for t in other.terms] == pytest.approx([10 * t.se for t in one.terms])


def test_units_and_order_of_columns_do_not_matter():
    before, now, a, b = world("both", 3, n=800)
    one = disde(before, now, a, b)
    other = disde(*(f[["c", "a", "b"]] * [1000, 0.01, 1] for f in (before, now)), a, b)
    assert [t.value for t in other.terms] == pytest.approx([t.value for t in one.terms], abs=1e-6)


def test_order_of_rows_matters_no_more_than_the_deal_of_folds():
    before, now, a, b = world("both", 4)
    order = np.random.default_rng(0).permutation(len(now))
    one, other = disde(before, now, a, b), disde(before, now.iloc[order], a, b[order])
    assert one.total == pytest.approx(other.total, abs=1e-12)
    assert all(abs(t.value - u.value) < t.se / 2 for t, u in zip(one.terms, other.terms))


def test_samples_of_different_size_weigh_the_same():
    # Every fifth current row: the same truth, found with fewer rows.
    before, now, a, b = world("both", 5)
    whole, part = disde(before, now, a, b), disde(before, now[::5], a, b[::5])
    assert all(abs(t.value - u.value) < 4 * u.se for t, u in zip(whole.terms, part.terms))


# --- what cannot be told ---------------------------------------------------------

def test_weights_cannot_reach_rows_that_one_sample_lacks():
    # Three rows of ten lie where the reference has none: shapley's answer would be arbitrary, disde names them.
    from sklearn.ensemble import HistGradientBoostingClassifier

    for classifier in (None, HistGradientBoostingClassifier(max_iter=30)):
        sample = world("new", 1, n=2000)
        weighed, split = shapley(*sample, classifier=classifier), disde(*sample, classifier=classifier)
        assert weighed.verdict is Verdict.UNDECIDED and weighed.dominant is None and "disde" in weighed.reason
        assert split.dominant == "new"


def test_samples_that_share_nothing_are_undecided():
    result = disde(*gaussian(1, n=1000, shift=12))
    assert result.verdict is Verdict.UNDECIDED and result.dominant is None and result.overlap.shared < 0.05
    assert sum(t.value for t in result.terms) == pytest.approx(result.total)


def test_a_classifier_that_sees_nothing_is_found_out():
    # Told apart by nobody, the weighted samples still differ by a deviation: the concept term would take the blame.
    from sklearn.dummy import DummyClassifier

    result = disde(*gaussian(1, n=1000, shift=1), classifier=DummyClassifier())
    assert result.verdict is Verdict.UNDECIDED and "stronger" in result.reason


@pytest.mark.parametrize("ask", [disde, shapley, slices])
def test_too_few_rows_or_an_even_loss_are_undecided(ask):
    before, now, a, b = world("concept", 1, n=60)
    few = ask(before[:49], now, a[:49], b)
    even = ask(before, now, 0 * a, 0 * b)
    assert few.verdict is even.verdict is Verdict.UNDECIDED
    assert "at least 50 rows" in few.reason and "same in every row" in even.reason


def test_a_loss_that_rose_for_all_alike_is_concept_alone():
    # No rounding is mistaken for a term: the loss is 0 before and 1 now.
    before, now, a, b = world("none", 1, n=200)
    result = disde(before, now, 0 * a, 0 * b + 1)
    assert result.dominant == "concept" and result["concept"].value == pytest.approx(1)
    assert slices(before, now, 0 * a, 0 * b + 1).verdict is Verdict.STABLE


@pytest.mark.parametrize("ask", [disde, shapley, slices])
def test_what_is_wrong_is_said_in_the_callers_words(ask):
    before, now, a, b = world("none", 1, n=100)
    for call, words in (
        (lambda: ask(before, now, a[:-1], b), "loss_reference needs one loss a row, 100, got 99"),
        (lambda: ask(before, now, a, np.where(np.arange(100) == 3, np.nan, b)), "loss_current needs finite numbers"),
        (lambda: ask(before, now[["a", "b"]], a, b), r"current needs the columns \['c'\]"),
        (lambda: ask(before[["a", "b"]], now, a, b), "current needs the columns"),
        (lambda: ask(before.to_numpy(), now, a, b), "reference needs a DataFrame, got ndarray"),
        (lambda: ask(before, now.assign(c="text"), a, b), "needs numbers"),
        (lambda: ask(before, now, a, b, alpha=0), "alpha needs"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_folds_are_two_or_more():
    with pytest.raises(ValueError, match="folds needs a whole number of 2 or more, got 1"):
        disde(*world("none", 1, n=100), folds=1)


# --- the classifier ---------------------------------------------------------------

class Spy:
    """A classifier that remembers what it was shown, in a list that its copies share."""

    def __init__(self, seen=None):
        self.seen = seen

    def get_params(self, deep=True):
        return {"seen": self.seen}

    def set_params(self, **params):
        return self

    def __sklearn_clone__(self):
        return Spy(self.seen)

    def fit(self, x, y):
        from threadpoolctl import threadpool_info

        self.rows = {tuple(row) for row in x}
        self.seen.append(max((pool["num_threads"] for pool in threadpool_info()), default=1))
        return self

    def predict_proba(self, x):
        assert not self.rows & {tuple(row) for row in x}
        return np.full((len(x), 2), 0.5)


def test_no_row_is_judged_by_a_classifier_that_saw_it_and_threads_are_one():
    seen = []
    tell_apart(*world("none", 1, n=100)[:2], classifier=Spy(seen), folds=4)
    assert seen == [1, 1, 1, 1]


def test_any_classifier_of_scikit_learn_will_do():
    from sklearn.ensemble import HistGradientBoostingClassifier

    classifier = HistGradientBoostingClassifier(max_iter=40)
    assert disde(*world("concept", 1, n=2000), classifier=classifier).dominant == "concept"
    assert not hasattr(classifier, "classes_")       # the caller's own is left alone


def test_the_shared_part_is_the_overlap_of_the_densities():
    # The integral of 2 p q / (p + q) of N(0,1) and N(d,1), on a grid.
    x = np.linspace(-9, 12, 20_001)
    for d in (0.0, 1.0, 2.0):
        p, q = norm.pdf(x), norm.pdf(x, d)
        truth = (2 * p * q / (p + q)).sum() * (x[1] - x[0])
        assert tell_apart(*gaussian(1, n=5000, shift=d)[:2]).overlap.shared == pytest.approx(truth, abs=0.02)


def test_missing_values_and_unseen_levels_are_columns_of_their_own():
    before = pd.DataFrame({"x": [1.0, None] * 50, "c": ["u", "v"] * 50})
    now = pd.DataFrame({"x": [2.0, 3.0] * 50, "c": ["u", "w"] * 50})
    matrix, numbers = encode(before, now)
    assert numbers == 1 and matrix.shape == (200, 1 + 1 + 3)      # x; x missing; u, v, w
    assert np.allclose(matrix.mean(axis=0), 0) and np.allclose(matrix.std(axis=0), 1)


# --- the ledger -------------------------------------------------------------------

def hand():
    """60 rows of A (loss 1) and 40 of B (loss 0) before; 40 of A (loss 2) and 60 of B (loss 0) now."""
    before, now = pd.DataFrame({"g": ["A"] * 60 + ["B"] * 40}), pd.DataFrame({"g": ["A"] * 40 + ["B"] * 60})
    return before, now, [1.0] * 60 + [0.0] * 40, [2.0] * 40 + [0.0] * 60


def test_a_ledger_by_hand():
    # Shares .6 and .4, losses 1 and 2, mean of both means .7: within .5 * 1, composition -.2 * (1.5 - .7).
    ledger = slices(*hand())
    a, b = sorted(ledger.of("g"), key=lambda row: row.segment)
    assert (a.segment, b.segment) == ("g = A", "g = B")
    assert (a.within, a.composition, a.contribution) == pytest.approx((0.5, -0.16, 0.34))
    assert (b.within, b.composition, b.contribution) == pytest.approx((0.0, -0.14, -0.14))
    assert ledger.total == pytest.approx(0.2) and a.excess == pytest.approx(0.34 - 0.5 * 0.2)


mixed = st.fixed_dictionaries({
    "seed": st.integers(0, 10**6), "n": st.integers(50, 150), "m": st.integers(50, 150), "levels": st.integers(1, 5),
    "missing": st.floats(0, 0.9), "bins": st.integers(1, 6)})


@checked
@given(case=mixed)
def test_segments_of_every_feature_add_up_to_the_total(case):
    # New levels, lost levels, missing values and crossings included.
    rng = np.random.default_rng(case["seed"])

    def sample(rows, first):
        x = np.where(rng.random(rows) < case["missing"], np.nan, rng.integers(0, 4, rows))
        return pd.DataFrame({"x": x, "c": [f"l{k}" for k in rng.integers(first, first + case["levels"], rows)], "y": rng.normal(size=rows)})

    before, now = sample(case["n"], 0), sample(case["m"], 1)
    ledger = slices(before, now, rng.random(case["n"]), rng.random(case["m"]), bins=case["bins"])
    for features in {row.features for row in ledger.slices}:
        rows = ledger.of(*features)
        assert sum(row.contribution for row in rows) == pytest.approx(ledger.total, abs=1e-12)
        assert sum(row.excess for row in rows) == pytest.approx(0, abs=1e-12)
        assert sum(row.share_reference for row in rows) == pytest.approx(1) == sum(row.share_current for row in rows)
        assert all(row.low <= row.excess <= row.high for row in rows)


def people(seed, n=2500):
    table = tables.customers
    rng = np.random.default_rng(seed)
    before, now = table.sample(n, (seed, 1)), table.sample(n, (seed, 2))
    return before[list(table.features)], now[list(table.features)], rng.random(n), rng.random(n)


@pytest.mark.parametrize("seed", range(3))
def test_the_segment_that_was_hurt_comes_first(seed):
    before, now, a, b = people(seed)
    b = b + 0.6 * (now["country"] == "IT")
    first = slices(before, now, a, b).top[0]
    assert first.segment == "country = IT" and first.within > 0.05 > abs(first.composition)


@pytest.mark.parametrize("seed", range(3))
def test_a_crossing_that_was_hurt_comes_before_both_of_its_features(seed):
    before, now, a, b = people(seed)
    hurt = (now["country"] == "DE") & (now["device"] == "desktop")
    assert slices(before, now, a, b + hurt).top[0].segment == "country = DE, device = desktop"


def test_more_rows_of_a_worse_segment_are_composition():
    # Germans have twice the loss before and after, and twice as many come.
    rng = np.random.default_rng(0)
    before, now = (pd.DataFrame({"country": np.where(rng.random(4000) < share, "DE", "FR")}) for share in (0.3, 0.6))
    ledger = slices(before, now, *(rng.random(4000) + (f["country"] == "DE") for f in (before, now)))
    german = next(row for row in ledger.slices if row.segment == "country = DE")
    assert abs(german.within) < 0.02 and german.composition == pytest.approx(0.3 * 0.5, abs=0.02)


def test_clean_ledgers_name_a_segment_no_more_often_than_promised():
    # 60 clean pairs at alpha 0.2, no more alarms than a rate of 0.2 gives once in a million.
    alarms = sum(slices(*people(100 + seed, n=400), alpha=0.2).drifted for seed in range(60))
    assert alarms <= binom.isf(1e-6, 60, 0.2)


def test_the_ledger_does_not_see_the_order_of_rows():
    before, now, a, b = people(1, n=500)
    order = np.random.default_rng(0).permutation(500)
    one = {row.segment: row.excess for row in slices(before, now, a, b).slices}
    other = {row.segment: row.excess for row in slices(before.iloc[order], now, a[order], b).slices}
    assert one.keys() == other.keys() and all(one[k] == pytest.approx(other[k], abs=1e-12) for k in one)


def test_a_feature_that_does_not_vary_has_no_segments():
    before, now, a, b = hand()
    result = slices(before.assign(g="A"), now.assign(g="A"), a, b)
    assert result.verdict is Verdict.UNDECIDED and "no feature varies" in result.reason


def test_columns_choose_what_is_cut():
    before, now, a, b = people(1, n=300)
    assert {row.features for row in slices(before, now, a, b, columns=["country", "age"]).slices} == {
        ("country",), ("age",), ("country", "age")}
    assert {row.features for row in slices(before, now, a, b, columns=["age"], pairs=False).slices} == {("age",)}
    with pytest.raises(ValueError, match="reference needs the columns"):
        slices(before, now, a, b, columns=["weight"])


# --- results ----------------------------------------------------------------------

def test_results_hold_plain_numbers_and_read_as_tables():
    results = disde(*world("concept", 1, n=300)), shapley(*world("concept", 1, n=300)), slices(*hand())
    for result in results:
        json.dumps(asdict(result), allow_nan=False)
        assert str(result).startswith(str(result.verdict)) and "<table>" in result._repr_html_() and len(result.to_frame())
    with pytest.raises(ValueError, match="term needs one of"):
        results[0]["rows"]
    with pytest.raises(ValueError, match="features needs one of"):
        results[2].of("h")


def test_html_escapes_what_it_is_given():
    before, now, a, b = hand()
    page = slices(before.replace("A", "<b>"), now.replace("A", "<b>"), a, b)._repr_html_()
    assert "&lt;b&gt;" in page and "<b>:" not in page and "g = <b>" not in page


odd = st.sampled_from([
    [1.0] * 60, [None] * 60, [math.nan] * 60, ["a"] * 60, ["a", None] * 30, list(range(60)), [0, 1] * 30, [True, False] * 30,
    [math.inf] * 60, [1e300, -1e300] * 30, [5e-324, 0.0] * 30, ["a", 1] * 30, [1.0] * 59 + [1e6], [f"id{i}" for i in range(60)]])


@pytest.mark.parametrize("ask", [disde, shapley, slices])
@checked
@given(first=odd, second=odd, seed=st.integers(0, 50))
def test_any_column_is_split_or_refused(ask, first, second, seed):
    # Every number is finite and a verdict has its reason, or the error says what is needed.
    rng = np.random.default_rng(seed)
    before, now = (pd.DataFrame({"f": pd.Series(f, dtype=object), "x": rng.normal(size=60)}) for f in (first, second))
    try:
        result = ask(before, now, rng.random(60), rng.random(60))
    except ValueError as error:
        assert "needs" in str(error) and ", got " in str(error)
        return
    assert result.reason and result.verdict in Verdict
    json.dumps(asdict(result), allow_nan=False)
