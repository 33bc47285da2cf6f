"""The scrapes of a model that never ran keep the laws of counters and histograms."""

import re

import numpy as np
import pytest

from mlmon.data import scrapes


@pytest.fixture(scope="module", params=scrapes.FAULTS)
def series(request):
    return scrapes.churn(request.param, minutes=20, seed=5)


def find(series, pattern):
    return {name: values for name, values in series.items() if re.match(pattern, name)}


def test_counters_only_grow_but_for_the_restart_of_instance_b(series):
    # A quarter of the time in, b begins at 0 again.
    for name, values in find(series, r"\w+_(total|bucket|sum|count)\{").items():
        falls = np.flatnonzero(np.diff(values) < -1e-9)
        assert set(falls) <= ({19} if "b:8000" in name else set()), name


def test_buckets_contain_each_other_and_the_last_is_the_count(series):
    for name, count in find(series, r"churn_\w+_count\{").items():
        labels = name.split("{")[1].rstrip("}")
        base = name.split("_count")[0]
        buckets = [series[f'{base}_bucket{{{labels},le="{edge}"}}'] for edge in [*map(_edge, scrapes.EDGES[base]), "+Inf"]]
        assert all(np.all((low <= high) | np.isnan(low)) for low, high in zip(buckets, buckets[1:]))
        assert np.array_equal(buckets[-1], count, equal_nan=True)


def _edge(edge):
    return f"{edge:g}" if edge % 1 else f"{edge:.1f}"


def test_what_is_counted_twice_adds_up(series):
    # Each customer scored is an offer or a wait, and each has a value or none for every feature.
    for instance in ("a:8000", "b:8000"):
        of = f'{{instance="{instance}",version="7"'
        scored = series[f"churn_score_count{of}}}"]
        decided = sum(series[f'churn_decisions_total{of},decision="{one}"}}'] for one in ("offer", "wait"))
        assert np.array_equal(scored, decided, equal_nan=True)
        asked = series[f"churn_request_latency_seconds_count{of}}}"]
        for feature in scrapes.FEATURES:
            seen = sum(series[f'churn_feature_values_total{of},feature="{feature}",state="{one}"}}'] for one in ("present", "missing"))
            assert np.array_equal(asked, seen, equal_nan=True)


def test_the_seed_decides_and_the_fault_begins_at_half_time():
    first, again, other = (scrapes.churn("drift", minutes=20, seed=seed) for seed in (1, 1, 2))
    name = 'churn_feature_psi{instance="a:8000",version="7",feature="income"}'
    assert np.array_equal(first[name], again[name]) and not np.array_equal(first[name], other[name])
    assert first[name][:40].max() < 0.1 and first[name][40:].min() > 0.5


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="fault"):
        scrapes.churn("fire")
    with pytest.raises(ValueError, match="minutes"):
        scrapes.churn(minutes=0)
