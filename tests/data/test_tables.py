from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, spearmanr

from mlmon.data import tables

N = 100_000
ALL = [tables.get(name) for name in tables.names()]
NUMERIC = [(table, name) for table in ALL for name in table.numeric]
CATEGORICAL = [(table, name) for table in ALL for name in table.categorical]


@pytest.fixture(scope="module")
def samples():
    return {table.name: table.sample(N, seed=11) for table in ALL}


def label(value):
    return value.name if isinstance(value, tables.Table) else str(value)


@pytest.mark.parametrize("table, name", NUMERIC, ids=label)
def test_numbers_follow_their_stated_cdf(table, name, samples):
    # Dvoretzky-Kiefer-Wolfowitz: the gap exceeds the bound once in 10^8 samples, ties or not.
    values = np.sort(samples[table.name][name])
    at = np.unique(values)
    gap = np.abs(np.searchsorted(values, at, side="right") / N - table[name].cdf(at)).max()
    assert gap <= np.sqrt(np.log(2 / 1e-8) / (2 * N))


@pytest.mark.parametrize("table, name", CATEGORICAL, ids=label)
def test_levels_come_with_their_stated_shares(table, name, samples):
    # Pearson's chi-squared against known shares, at a level of 10^-8.
    counts = samples[table.name][name].value_counts().reindex(table[name].levels)
    expected = N * np.array(table[name].shares)
    assert sum(table[name].shares) == pytest.approx(1)
    assert ((counts - expected) ** 2 / expected).sum() <= chi2.isf(1e-8, len(counts) - 1)


@pytest.mark.parametrize("table, name", NUMERIC, ids=label)
def test_no_value_leaves_the_plausible_range(table, name, samples):
    # The range is a promise, whatever the sample.
    values, column = samples[table.name][name], table[name]
    assert column.low <= values.min() and values.max() <= column.high
    assert values.notna().all() and column.unit and column.meaning


@pytest.mark.parametrize("table, name", NUMERIC, ids=label)
def test_quantile_is_the_least_value_that_the_cdf_allows(table, name):
    # quantile(q) <= x exactly if q <= cdf(x): the definition of a quantile.
    column, q = table[name], np.linspace(0.001, 0.999, 333)
    value, step = column.quantile(q), 10.0**-column.decimals
    assert (column.cdf(value) >= q - 1e-12).all()
    assert (column.cdf(value - step) < q).all()


@pytest.mark.parametrize("table, pair", [
    (tables.customers, ("income", "basket")),
    (tables.applicants, ("income", "loan")),
    (tables.transactions, ("amount", "amount_ratio")),
], ids=label)
def test_rank_correlation_is_that_of_a_gaussian_copula(table, pair, samples):
    # Spearman's rho of a Gaussian copula is 6 / pi * arcsin(r / 2) (Pearson 1907).
    a, b = (samples[table.name][name] for name in pair)
    assert spearmanr(a, b).statistic == pytest.approx(6 / np.pi * np.arcsin(table.correlation[pair] / 2), abs=6 / N**0.5)


def test_features_without_a_stated_correlation_have_none(samples):
    # Age and basket are tied to income, and not to each other.
    frame = samples["customers"]
    assert abs(spearmanr(frame["age"], frame["basket"]).statistic) <= 6 / N**0.5


@pytest.mark.parametrize("table", ALL, ids=label)
def test_labels_follow_the_stated_probability(table, samples):
    # In tenths by p, (hits - sum p)^2 / sum p(1-p) adds up to a chi-squared with 10 degrees.
    frame = samples[table.name]
    p, y = table.probability(frame), frame[table.target].to_numpy()
    tenth = np.argsort(np.argsort(p)) * 10 // N
    hits, expected, variance = (np.bincount(tenth, weights=w) for w in (y, p, p * (1 - p)))
    assert ((hits - expected) ** 2 / variance).sum() <= chi2.isf(1e-8, 10)


def test_odds_follow_the_stated_weights():
    # A payment elsewhere instead of at home, ten times as far: the odds grow by both weights.
    row = tables.transactions.sample(1).assign(country="home", distance=5.0)
    moved = row.assign(country="elsewhere", distance=50.0)
    weights, spread = tables.transactions.weights, tables.transactions["distance"].spread
    p, q = (tables.transactions.probability(frame)[0] for frame in (row, moved))
    expected = weights["country"]["elsewhere"] + weights["distance"] * np.log(10) / spread
    assert np.log(q / (1 - q)) - np.log(p / (1 - p)) == pytest.approx(expected)


def test_fraud_is_rare(samples):
    # Half a per cent to one per cent of payments.
    assert 0.005 <= tables.transactions.probability(samples["transactions"]).mean() <= 0.01


@pytest.mark.parametrize("table", ALL, ids=label)
def test_a_sample_is_a_frame_of_features_and_target(table):
    # Eight numbers or more, three categories or more, then 0 or 1.
    frame = table.sample(500)
    assert list(frame.columns) == [*table.features, table.target] == [column.name for column in table.columns]
    assert len(table.numeric) >= 8 and len(table.categorical) >= 3
    assert all(isinstance(frame[name].dtype, pd.CategoricalDtype) for name in table.categorical)
    assert set(frame[table.target]) <= {0, 1} and frame[table.target].dtype == np.int64


def test_a_seed_is_all_that_a_sample_depends_on():
    # The same seed gives the same rows, another seed gives others, of the same size.
    a, b, c = (tables.customers.sample(200, seed=seed) for seed in (1, 1, 2))
    assert a.equals(b) and not a.equals(c) and a.shape == c.shape


@pytest.mark.parametrize("n", [0, 1])
def test_small_samples_are_samples(n):
    # Any n: the columns and their types do not depend on it.
    assert tables.applicants.sample(n).dtypes.equals(tables.applicants.sample(10).dtypes)
    assert len(tables.applicants.sample(n)) == n


def test_fresh_labels_share_no_luck_with_the_old_ones(samples):
    # Given x, two draws are independent, even with one seed: residuals do not correlate.
    table, frame = tables.customers, samples["customers"]
    p = table.probability(frame)
    fresh = table.label(frame, seed=11)
    assert abs(np.corrcoef(fresh - p, frame["churned"] - p)[0, 1]) <= 6 / N**0.5


def test_fresh_labels_share_no_luck_with_the_features():
    # The first draws of one seed, for the features and for the labels, come from streams of their own.
    table, luck, extremes = tables.customers, [], []
    for seed in range(400):
        frame = table.sample(20, seed)
        luck.extend(table.label(frame, seed) - table.probability(frame))
        extremes.extend(abs(table["age"].score(frame["age"])))
    assert abs(np.corrcoef(luck, extremes)[0, 1]) <= 6 / len(luck) ** 0.5


def test_sampling_costs_little_more_than_its_random_numbers():
    # A million rows in about a second: drawing the normals alone takes a quarter of that.
    def seconds(work):
        times = []
        for _ in range(3):
            start = perf_counter()
            work()
            times.append(perf_counter() - start)
        return min(times)

    normals = seconds(lambda: np.random.default_rng(0).standard_normal(13 * N))
    assert seconds(lambda: tables.customers.sample(N)) <= 25 * normals


def test_probability_refuses_what_it_cannot_know():
    # A lost value and a level that the population never had have no probability.
    frame = tables.customers.sample(10)
    with pytest.raises(ValueError, match="rating needs finite numbers, got 1 missing"):
        tables.customers.probability(frame.assign(rating=[np.nan] + [4.0] * 9))
    with pytest.raises(ValueError, match="channel needs one of social, .*, got 'radio'"):
        tables.customers.probability(frame.assign(channel="radio"))
    with pytest.raises(ValueError, match="column needs one of .*, got 'rating'"):
        tables.customers.probability(frame.drop(columns="rating"))


@pytest.mark.parametrize("call, words", [
    (lambda: tables.get("clients"), "table needs one of 'customers', 'applicants', 'transactions', got 'clients'"),
    (lambda: tables.customers["incme"], "column needs one of 'age', "),
    (lambda: tables.customers.sample(-1), "n needs a whole number of 0 or more, got -1"),
    (lambda: tables.customers.sample(2.5), "n needs a whole number of 0 or more, got 2.5"),
    (lambda: tables.customers.sample(5, seed=-1), "seed needs a whole number of 0 or more, got -1"),
    (lambda: tables.customers.sample(5, seed=None), "seed needs a whole number of 0 or more, got None"),
    (lambda: tables.customers["country"].cdf(1), "cdf needs a numeric column, got country"),
    (lambda: tables.customers["age"].quantile(50), "q needs shares from 0 to 1, got 50"),
])
def test_bad_requests_are_refused_with_words(call, words):
    # What is needed and what came.
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)


def test_describe_has_a_row_for_each_column():
    # Name, unit and meaning, as the data sheet prints them.
    described = tables.transactions.describe()
    assert list(described["column"]) == [column.name for column in tables.transactions.columns]
    assert (described[["unit", "range", "meaning"]] != "").all(axis=None)
