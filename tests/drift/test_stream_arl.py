"""How long detectors run without drift, and how soon they find one: against theory, exact chains and each other."""
import copy
import functools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import norm

from mlmon.drift import stream
from mlmon.drift.stream import runlength

Z = norm.isf(1e-6)      # a bound of Z standard errors fails by chance once in a million
RATE, ARL = 0.2, 500


def errors(rng, n, rate=RATE):
    return rng.random(n) < rate


def numbers(rng, n):
    return rng.normal(5, 2, n)


MAKES = {
    "CUSUM": (lambda: stream.CUSUM.for_arl(ARL, rate=RATE), errors),
    "CUSUM of a fall": (lambda: stream.CUSUM.for_arl(ARL, rate=RATE, to=0.1), errors),
    "CUSUM of numbers": (lambda: stream.CUSUM.for_arl(ARL, mean=5, sd=2), numbers),
    "PageHinkley": (lambda: stream.PageHinkley.for_arl(ARL, rate=RATE), errors),
    "PageHinkley of numbers, up": (lambda: stream.PageHinkley.for_arl(ARL, sd=2, side="up"), numbers),
    "DDM": (lambda: stream.DDM.for_arl(ARL, RATE), errors),
    "EDDM": (lambda: stream.EDDM.for_arl(ARL, RATE), errors),
    "HDDMA": (lambda: stream.HDDMA.for_arl(ARL, RATE), errors),
    "HDDMW": (lambda: stream.HDDMW.for_arl(ARL, RATE), errors),
    "ADWIN": (lambda: stream.ADWIN.for_arl(10 * ARL, rate=RATE), errors),
    "ADWIN of a sample": (lambda: stream.ADWIN.for_arl(4 * ARL, sample=numbers(np.random.default_rng(9), 4000)), numbers),
    "KSWIN": (lambda: stream.KSWIN.for_arl(ARL), numbers),
    "KSWIN of errors": (lambda: stream.KSWIN.for_arl(ARL, rate=RATE), errors),
}


@functools.cache
def made(name):
    return MAKES[name][0]()


@pytest.mark.parametrize("name", MAKES)
def test_the_stated_run_length_is_kept_within_a_fifth(name):
    # A detector whose true mean is within 20 % of `arl0` fails once in a million times.
    detector = made(name)
    assert detector.arl0 == pytest.approx({"ADWIN": 10, "ADWIN of a sample": 4}.get(name, 1) * ARL, rel=0.2)
    found = stream.run_length(detector, MAKES[name][1], events=300 * int(detector.arl0), seed=12)
    error = math.log(found.high / found.mean) / 1.96
    assert abs(math.log(found.mean / detector.arl0)) <= math.log(1.2) + Z * error


# --- theory --------------------------------------------------------------------

@pytest.mark.parametrize("k, h, arl", [(0.5, 4, 168), (0.5, 5, 465), (0.25, 8, 368)])
def test_siegmunds_formula_gives_the_published_tables(k, h, arl):
    # Two-sided CUSUM, shift 0: 168 and 465 (Montgomery), 370 for k = 0.25, h = 8.01 (Hawkins).
    assert runlength.normal_arl(h, k) / 2 == pytest.approx(arl, rel=0.03)


@pytest.mark.parametrize("slack", [0.0, 0.01, 0.5, 2.0])
def test_the_threshold_gives_back_its_run_length(slack):
    for arl in (100.0, 1e4, 1e9):
        assert runlength.normal_arl(runlength.normal_threshold(arl, slack), slack) == pytest.approx(arl, rel=1e-6)


def test_without_slack_the_run_length_is_the_square_of_the_barrier():
    # The limit of the formula for small slack.
    assert runlength.normal_arl(9, 0) == pytest.approx(runlength.normal_arl(9, 1e-4), rel=1e-2)


@pytest.mark.parametrize("rate, steps", [(0.5, 2), (0.2, 3), (0.3, 4)])
def test_the_chain_of_a_run_of_errors_has_its_known_length(rate, steps):
    # With so great a step that one right answer brings the sum to nothing, an alarm is a run of r errors:
    # its mean wait is (p**-r - 1) / (1 - p).
    step = Fraction(steps, steps + 1)      # an error adds 1 to a lattice sum, a right answer takes all
    assert runlength.bernoulli_arl(rate, step, steps - 1) == pytest.approx((rate**-steps - 1) / (1 - rate))


def test_the_chains_run_length_is_that_of_the_detector():
    # Exact on both sides: only counting error is left.
    detector = stream.CUSUM.for_arl(300, rate=0.1, to=0.2)
    found = stream.run_length(detector, lambda rng, n: errors(rng, n, 0.1), events=300_000, seed=4)
    assert abs(math.log(found.mean / detector.arl0)) <= Z * math.log(found.high / found.mean) / 1.96


@pytest.mark.parametrize("shift", [1.0, 1.5])
def test_the_delay_of_a_cusum_is_the_way_over_the_speed(shift):
    # From S = 0 the sum climbs `shift - slack` a value: Siegmund's delay (b + (exp(-2 d b) - 1) / (2 d)) / d
    # with d that climb and b = threshold + 1.166. It holds within 5 %.
    detector = stream.CUSUM(0, 0.5, 8, side="up")
    delays = delays_of(detector, lambda rng, n: rng.normal(shift, 1, n), 400, 200)
    climb, b = shift - 0.5, 8 + runlength.OVERSHOOT
    theory = (b + (math.exp(-2 * climb * b) - 1) / (2 * climb)) / climb
    assert np.mean(delays) == pytest.approx(theory, abs=0.05 * theory + Z * np.std(delays) / 20)


def delays_of(detector, draw, streams, n, clean=None):
    found = []
    for seed in range(streams):
        detector.reset()
        rng = np.random.default_rng([seed, 1])
        if clean:
            detector.update_many(clean(rng))
        alarms = detector.update_many(draw(rng, n))
        found.append(alarms[0] + 1 if len(alarms) else n)
    return found


def test_no_detector_is_sooner_than_the_cusum_of_the_very_step():
    # Moustakides (1986): at one run length, CUSUM for the two rates has the least worst delay. The
    # others learn the old rate first, so they come later; four standard errors are given.
    clean = lambda rng: errors(rng, 1500)  # noqa: E731
    late = {name: delays_of(copy.deepcopy(made(name)), lambda rng, n: errors(rng, n, 0.3), 120, 3000, clean)
            for name in ("CUSUM", "DDM", "EDDM", "HDDMA", "HDDMW", "KSWIN of errors")}
    best = late.pop("CUSUM")
    for name, delays in late.items():
        assert np.mean(best) <= np.mean(delays) + 4 * np.hypot(np.std(best), np.std(delays)) / math.sqrt(120), name


@pytest.mark.parametrize("name", MAKES)
def test_every_detector_finds_a_great_change(name):
    # Errors from .2 to .6 (for a fall: to none), numbers by two deviations: found within 400 values in nearly all streams.
    draw = MAKES[name][1]
    after = {"CUSUM of a fall": lambda rng, n: np.zeros(n)}.get(
        name, (lambda rng, n: errors(rng, n, 0.6)) if draw is errors else (lambda rng, n: numbers(rng, n) + 4))
    delays = delays_of(copy.deepcopy(made(name)), after, 40, 400, lambda rng: draw(rng, 600))
    assert np.mean(np.array(delays) < 400) >= 0.9


# --- the measuring itself --------------------------------------------------------

def test_the_run_length_of_a_coin_is_known():
    # CUSUM that alarms at each error: a geometric wait with mean 5.
    detector = stream.CUSUM(0.2, 0.0, 0.5, side="up")
    detector.threshold = 0.79
    found = stream.run_length(detector, lambda rng, n: errors(rng, n), events=20_000, seed=0)
    assert found.low < 5 < found.high or abs(found.mean - 5) < Z * math.sqrt(20 / found.alarms)
    assert found.events == 20_000 and found.mean == found.events / found.alarms


def test_no_alarm_gives_a_lower_limit_and_no_mean():
    # None in 3,000: with 95 % confidence at most 3 alarms in as many values.
    found = stream.run_length(stream.CUSUM(0.2, 0.2, 500), errors, events=3000)
    assert (found.mean, found.low, found.high, found.alarms) == (None, 1000, None, 0)


def test_measuring_leaves_the_detector_alone():
    detector = stream.DDM()
    detector.update_many([0, 1, 0])
    before = detector.state()
    stream.run_length(detector, errors, events=5000)
    assert detector.state() == before


def test_the_same_seed_makes_the_same_detector():
    a, b, c = (stream.HDDMW.for_arl(200, 0.3, seed=seed) for seed in (1, 1, 2))
    assert a.state() == b.state() != c.state()
