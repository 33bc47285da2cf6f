"""Detectors of a stream: one answer in every chunking, the same as another implementation's, in all states of the stream."""
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import drift as river
from river.drift import binary

from mlmon.drift import stream

# Sensitive settings, so that a short stream raises alarms, and restarts by memory.
ERRORS = {
    "DDM": lambda: stream.DDM(drift=2.0, warning=1.5, memory=700),
    "EDDM": lambda: stream.EDDM(memory=900),
    "HDDMA": lambda: stream.HDDMA(drift=0.2, warning=0.5, memory=611),
    "HDDMW": lambda: stream.HDDMW(drift=0.05, warning=0.2, memory=1300),
    "HDDMW of great weight": lambda: stream.HDDMW(weight=0.3, drift=0.1, warning=0.4),
}
NUMBERS = {
    "CUSUM": lambda: stream.CUSUM(0.2, 0.1, 4),
    "CUSUM up": lambda: stream.CUSUM(0.2, 0.1, 4, side="up"),
    "PageHinkley": lambda: stream.PageHinkley(threshold=8),
    "PageHinkley down": lambda: stream.PageHinkley(threshold=8, side="down", forgetting=0.95, delta=0.1),
    "PageHinkley whole": lambda: stream.PageHinkley(threshold=8, forgetting=1, delta=0.0),
    "ADWIN": lambda: stream.ADWIN(delta=0.3),
    "ADWIN each": lambda: stream.ADWIN(delta=0.05, clock=1, buckets=2, least=1, grace=2),
    "ADWIN odd": lambda: stream.ADWIN(delta=0.2, clock=7, buckets=3),
    "KSWIN": lambda: stream.KSWIN(alpha=0.01),
    "KSWIN short": lambda: stream.KSWIN(alpha=0.05, window=20, recent=7),
}
ALL = ERRORS | NUMBERS


def one_by_one(detector, values):
    return [i for i, x in enumerate(values) if detector.update(x)]


def piecewise(seed, n, binary):
    """A stream whose mean jumps now and then."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.choice([0.02, 0.2, 0.5, 0.9], n // 400 + 1), 400)[:n]
    return (rng.random(n) < level).astype(float) if binary else level + rng.normal(0, rng.choice([0.1, 1.0, 5.0]), n)


# --- one answer ----------------------------------------------------------------

@pytest.mark.parametrize("name", ALL)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 3000), max_size=6), discrete=st.booleans())
def test_alarms_and_state_are_the_same_in_any_chunking(name, seed, cuts, discrete):
    # One value at a time, all at once, or cut anywhere: the last bit of the state agrees.
    values = piecewise(seed, 3000, name in ERRORS or discrete)
    single, whole, cut = (ALL[name]() for _ in range(3))
    alarms = one_by_one(single, values.tolist())
    assert whole.update_many(values).tolist() == alarms
    edges = [0, *sorted(cuts), 3000]
    found = [cut.update_many(values[a:b]) + a for a, b in zip(edges, edges[1:])]
    assert np.concatenate(found).tolist() == alarms
    assert single.state() == whole.state() == cut.state()
    assert single.drifted == whole.drifted == cut.drifted == (bool(alarms) and alarms[-1] == 2999)


@pytest.mark.parametrize("name", ALL)
def test_long_quiet_streams_agree_beyond_every_block(name):
    # 40,000 values with few alarms run through blocks of all lengths, and sums that begin anew.
    rng = np.random.default_rng(3)
    values = (rng.random(40_000) < 0.2).astype(float)
    quiet = {"DDM": dict(drift_at=9.0), "EDDM": dict(drift_at=0.1), "CUSUM": dict(threshold=400.0), "PageHinkley": dict(threshold=900.0)}
    single, whole = ALL[name](), ALL[name]()
    for detector in (single, whole):
        detector.__dict__.update(quiet.get(name.split()[0], {}), memory=None)
    alarms = one_by_one(single, values.tolist())
    assert whole.update_many(values).tolist() == alarms
    assert single.state() == whole.state()


@pytest.mark.parametrize("make", [
    lambda: stream.DDM(drift=2.2, warm_up=500), lambda: stream.HDDMA(drift=0.05, warning=0.2), lambda: stream.HDDMW(drift=0.003),
    lambda: stream.CUSUM(0.2, 0.03, 12), lambda: stream.PageHinkley(threshold=14, delta=0.03, forgetting=1)],
    ids=["DDM", "HDDMA", "HDDMW", "CUSUM", "PageHinkley"])
def test_alarms_that_only_just_cross_the_threshold_are_the_same(make):
    # A slight rise long after the start: bounds on whole blocks may not hide a peak that hardly crosses.
    count = 0
    for seed in range(25):
        rng = np.random.default_rng([seed, 8])
        values = (rng.random(9000) < np.where(np.arange(9000) < 4000, 0.2, 0.22)).astype(float)
        single, whole = make(), make()
        alarms = one_by_one(single, values.tolist())
        assert whole.update_many(values).tolist() == alarms
        assert single.state() == whole.state()
        count += sum(each > 1000 for each in alarms)
    assert count >= 10


@pytest.mark.parametrize("name", ERRORS)
def test_warnings_are_the_same_in_both_ways(name):
    # The warning after each prefix, by value and by array.
    values = piecewise(5, 1200, True)
    single, seen = ERRORS[name](), 0
    for i, x in enumerate(values.tolist()):
        single.update(x)
        if i % 7 == 0:
            whole = ERRORS[name]()
            whole.update_many(values[: i + 1])
            assert whole.warning == single.warning
            seen += single.warning
    assert seen > 0


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint64, np.float32, object, list])
def test_the_type_of_the_values_makes_no_difference(kind):
    # Errors are errors, whether they come as booleans, counts or numbers.
    values = piecewise(1, 2000, True)
    typed = values.tolist() if kind is list else values.astype(kind)
    for make in ALL.values():
        expected, found = make(), make()
        assert found.update_many(typed).tolist() == expected.update_many(values).tolist()
        assert found.state() == expected.state()


# --- another implementation's ----------------------------------------------------

PAIRS = {
    "PageHinkley": (stream.PageHinkley, river.PageHinkley, {}),
    "PageHinkley, threshold 10": (
        lambda: stream.PageHinkley(threshold=10, delta=0.1), lambda: river.PageHinkley(threshold=10, delta=0.1), {}),
    "PageHinkley up": (
        lambda: stream.PageHinkley(threshold=15, side="up", forgetting=1), lambda: river.PageHinkley(threshold=15, mode="up", alpha=1), {}),
    "DDM": (stream.DDM, binary.DDM, {"binary": True}),
    "EDDM": (stream.EDDM, binary.EDDM, {"binary": True}),
    "HDDM-A": (stream.HDDMA, binary.HDDMA, {"binary": True}),
    "HDDM-W": (stream.HDDMW, binary.HDDMW, {"binary": True}),
    "ADWIN": (stream.ADWIN, river.ADWIN, {}),
    "ADWIN, other settings": (
        lambda: stream.ADWIN(delta=0.1, clock=8, buckets=3, least=2, grace=20),
        lambda: river.ADWIN(delta=0.1, clock=8, max_buckets=3, min_window_length=2, grace_period=20), {}),
    "KSWIN, window twice the recent": (
        lambda: stream.KSWIN(window=60, recent=30), lambda: river.KSWIN(window_size=60, stat_size=30, seed=1), {"n": 500}),
}


def rivers(detector, values):
    found = []
    for i, x in enumerate(values):
        detector.update(x)
        if detector.drift_detected:
            found.append(i)
    return found


@pytest.mark.parametrize("name", PAIRS)
def test_alarms_are_rivers(name):
    # Where definitions agree so do the alarms, over many restarts. KSWIN draws nothing where both parts have one size.
    ours, theirs, how = PAIRS[name]
    count = 0
    for seed in range(4 if "n" in how else 10):
        values = piecewise(seed, how.get("n", 4000), how.get("binary", seed % 2 == 0)).tolist()
        expected = rivers(theirs(), values)
        assert one_by_one(ours(), values) == expected
        count += len(expected)
    assert count >= 2      # an agreement on silence would say little


def test_adwins_array_finds_small_late_changes_where_rivers_values_do():
    # After 30,000 values a change of a fifth of a deviation shows only between the largest buckets.
    found = 0
    for seed in range(4):
        rng = np.random.default_rng([seed, 3])
        values = np.concatenate([rng.normal(0, 1, 30_000), rng.normal((0.2, 0.1, 0.06, 0)[seed], 1, 15_000)])
        expected = rivers(river.ADWIN(), values.tolist())
        assert stream.ADWIN().update_many(values).tolist() == expected
        found += any(each > 30_000 for each in expected)
    assert found >= 3


@pytest.mark.parametrize("ours, theirs", [PAIRS[name][:2] for name in ("DDM", "HDDM-A", "HDDM-W")], ids=["DDM", "HDDM-A", "HDDM-W"])
def test_warnings_are_rivers(ours, theirs):
    a, b = ours(), theirs()
    for x in piecewise(11, 3000, True).tolist():
        a.update(x)
        b.update(x)
        assert a.warning == b.warning_detected


def test_kswin_sees_more_than_a_draw_of_the_older_values():
    # All 70 older values, not 30 of them: a shift of one deviation is found at least as soon, in most streams.
    rng, sooner = np.random.default_rng(0), 0
    for _ in range(8):
        values = np.concatenate([rng.normal(0, 1, 150), rng.normal(1.5, 1, 60)])
        ours = stream.KSWIN(alpha=1e-4).update_many(values)
        theirs = rivers(river.KSWIN(alpha=1e-4, seed=1), values.tolist())
        sooner += (ours[0] if len(ours) else 999) <= (theirs[0] if theirs else 999)
    assert sooner >= 5


# --- what they hold --------------------------------------------------------------

@pytest.mark.parametrize("name", ALL)
def test_a_detector_goes_on_from_its_pickle_and_from_its_plain_state(name):
    # Stopped in the middle and brought back, also by way of JSON, it ends in the same state.
    values = piecewise(8, 2500, name in ERRORS)
    whole, first = ALL[name](), ALL[name]()
    alarms = whole.update_many(values).tolist()
    head = first.update_many(values[:1100]).tolist()
    for again in (pickle.loads(pickle.dumps(first)), type(first).from_state(json.loads(json.dumps(first.state())))):
        assert head + (again.update_many(values[1100:]) + 1100).tolist() == alarms
        assert again.state() == whole.state()


@pytest.mark.parametrize("name", ALL)
def test_the_state_is_small(name):
    # After 100,000 values a pickle holds no more than 4 kB: settings, sums, a window of 100 values.
    detector = ALL[name]()
    detector.update_many(np.random.default_rng(0).random(100_000) < 0.2)
    assert len(pickle.dumps(detector)) < 4000


@pytest.mark.parametrize("name", ALL)
def test_reset_and_alarms_leave_a_new_detector(name):
    values = piecewise(2, 1000, name in ERRORS)
    detector = ALL[name]()
    detector.update_many(values)
    detector.reset()
    assert detector.state() == ALL[name]().state() and detector.n == 0 and not detector.drifted
    position = int(detector.update_many(np.concatenate([values, values + (name in NUMBERS) * 9]))[0])
    detector.reset()
    detector.update_many(np.concatenate([values, values + (name in NUMBERS) * 9])[: position + 1])
    assert detector.drifted and detector.n == 0
    assert {**detector.state(), "drifted": False} == ALL[name]().state()


@pytest.mark.parametrize("make", [stream.DDM, stream.EDDM, stream.HDDMA, stream.HDDMW])
@pytest.mark.parametrize("memory", [50, 600])
def test_after_its_memory_a_detector_is_new(make, memory):
    # So many right answers raise no alarm; what comes then is judged as by a new detector.
    for feed in (one_by_one, lambda detector, values: detector.update_many(values)):
        detector = make(memory=memory)
        feed(detector, [0.0] * (memory - 1))
        assert detector.n == memory - 1
        feed(detector, [0.0])
        assert detector.state() == make(memory=memory).state()


@pytest.mark.parametrize("name", ALL)
def test_no_values_change_nothing(name):
    detector = ALL[name]()
    detector.update_many([0, 1, 0])
    before = detector.state()
    found = detector.update_many([])
    assert found.tolist() == [] and found.dtype == np.int64 and detector.state() == before


def test_the_mean_of_adwins_window_is_the_mean_since_the_restart():
    values = 5 + np.random.default_rng(0).normal(size=300)
    detector = stream.ADWIN()
    assert detector.mean == 0
    detector.update_many(values)
    assert detector.n == 300 and detector.mean == pytest.approx(values.mean())


# --- what they refuse --------------------------------------------------------------

@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, None, "1", 1j])
def test_bad_values_are_named_and_nothing_is_consumed(name, odd):
    detector = ALL[name]()
    detector.update_many([0, 1, 0, 0])
    before = detector.state()
    for call in (detector.update, lambda x: detector.update_many([0, 1, x, 0])):
        with pytest.raises(ValueError, match=r"^(x|values) needs .* got "):
            call(odd)
        assert detector.state() == before


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("odd", [2, 0.5, -1])
def test_errors_are_0_or_1(name, odd):
    detector = ERRORS[name]()
    with pytest.raises(ValueError, match=f"^x needs errors as 0 or 1, got {odd}. Pass prediction != truth.$"):
        detector.update(odd)
    with pytest.raises(ValueError, match=f"^values needs errors as 0 or 1, got {odd}"):
        detector.update_many([0, 1, odd])
    assert detector.state() == ERRORS[name]().state()


def test_two_dimensions_are_refused():
    with pytest.raises(ValueError, match="values needs one dimension"):
        stream.DDM().update_many(np.zeros((3, 2)))


@pytest.mark.parametrize("make, message", [
    (lambda: stream.CUSUM(0, -1, 5), "slack needs a finite number above 0, got -1"),
    (lambda: stream.CUSUM(np.nan, 1, 5), "target needs finite numbers, got nan"),
    (lambda: stream.CUSUM(0, 1, 5, side="left"), "side needs one of 'both', 'up', 'down', got 'left'"),
    (lambda: stream.PageHinkley(threshold=0), "threshold needs a finite number above 0"),
    (lambda: stream.PageHinkley(forgetting=0.5), "forgetting needs a share from 0.9 to 1, got 0.5"),
    (lambda: stream.PageHinkley(warm_up=0), "warm_up needs a whole number of 1 or more, got 0"),
    (lambda: stream.DDM(drift=1), "drift needs a number above 1, got 1"),
    (lambda: stream.DDM(warning=4), "warning needs a number from 1 to drift, 3, got 4"),
    (lambda: stream.DDM(memory=30), "memory needs a whole number of 31 or more, got 30"),
    (lambda: stream.EDDM(warning=0.8), "warning needs a share of at least drift, 0.9, got 0.8"),
    (lambda: stream.HDDMA(drift=0), "drift needs a share between 0 and 1, got 0"),
    (lambda: stream.HDDMW(weight=0.95), "weight needs a share up to 0.9, got 0.95"),
    (lambda: stream.ADWIN(delta=2), "delta needs a share from 0 to 1, got 2"),
    (lambda: stream.KSWIN(window=30, recent=30), "recent needs at most window - 2 values, 28, got 30"),
    (lambda: stream.CUSUM.for_arl(100), "rate needs the error rate, or mean and sd"),
    (lambda: stream.CUSUM.for_arl(100, rate=0.2, to=0.2), "to needs another rate than 0.2"),
    (lambda: stream.CUSUM.for_arl(-5, rate=0.2), "arl needs a finite number above 0, got -5"),
    (lambda: stream.PageHinkley.for_arl(100), "rate, sd and sample describe clean values in three ways, got none"),
    (lambda: stream.ADWIN.for_arl(100, rate=0.2, sd=1), "rate, sd and sample describe clean values in three ways, got rate and sd"),
    (lambda: stream.ADWIN.for_arl(100, sample=np.ones(200)), "sample needs values that vary, got 200 times 1"),
    (lambda: stream.DDM.for_arl(1000, 1.2), "rate needs a share from 0 to 1, got 1.2"),
])
def test_settings_that_mean_nothing_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
