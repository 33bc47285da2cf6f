"""Real series whose changes people have marked: found, and few alarms elsewhere.

Five people marked each series (Turing Change Point Dataset); river brings the data. Page-Hinkley knows the spread of
a first stretch that nobody marked, and a run length of 1,000, so chance alone gives n / 1,000 alarms.
"""
import functools

import numpy as np
import pytest
from river.drift import datasets
from scipy.stats import binom, poisson

from mlmon.drift import stream

ARL, SOON = 1000, 20


def light():
    return np.array([y["V3"] for _, y in datasets.Occupancy()])


def pace():
    return np.array([y["Pace"] for _, y in datasets.RunLog()])


def passengers():
    """Growth over a year, since the seasons repeat; the first year is filled with none."""
    monthly = np.log([float(y) for _, y in datasets.AirlinePassengers()])
    growth = monthly[12:] - monthly[:-12]
    return np.concatenate((np.full(12, growth[:12].mean()), growth))


SERIES = {"runs and rests": (pace, datasets.RunLog, 50), "light in an office": (light, datasets.Occupancy, 50),
          "passengers": (passengers, datasets.AirlinePassengers, 200)}


def marks(dataset, people):
    """Places that at least so many people marked, give or take 5 values: the first of each group."""
    every = [set(found) for found in dataset().annotations.values()]
    agreed = [place for place in sorted(set().union(*every))
              if sum(any(abs(place - each) <= 5 for each in found) for found in every) >= people]
    return [place for i, place in enumerate(agreed) if i == 0 or place - agreed[i - 1] > 5]


@functools.cache
def watch(name):
    """A series, its dataset, and the alarms."""
    values, dataset, clean = SERIES[name]
    values = values()
    sd = values[:clean].std()
    return values, dataset, stream.PageHinkley.for_arl(ARL, sd=sd, shift=2 * sd).update_many(values)


def near(alarm, place):
    return -5 <= alarm - place < SOON


@pytest.mark.parametrize("name", SERIES)
def test_what_most_people_marked_is_found(name):
    # Changes that three of five saw, within 20 values: all of them.
    _, dataset, alarms = watch(name)
    agreed = marks(dataset, 3)
    assert agreed and all(any(near(alarm, place) for alarm in alarms) for place in agreed)


@pytest.mark.parametrize("name", SERIES)
def test_alarms_that_nobody_marked_are_no_more_than_the_run_length_allows(name):
    # A Poisson count of mean n / 1,000 exceeds this once in a thousand times.
    values, dataset, alarms = watch(name)
    stray = [int(alarm) for alarm in alarms if not any(near(alarm, place) for place in marks(dataset, 1))]
    assert len(stray) <= poisson.isf(1e-3, len(values) / ARL), stray


def test_alarms_lie_nearer_to_the_marks_than_by_chance():
    # Runs and rests: as many alarms thrown at random would hit so often once in a hundred times.
    values, dataset, alarms = watch("runs and rests")
    places = marks(dataset, 3)
    zone = np.array([any(near(i, place) for place in places) for i in range(len(values))])
    assert len(places) == 8 and zone[alarms].sum() >= binom.isf(0.01, len(alarms), zone.mean())


def test_adwin_and_river_agree_on_real_series():
    # The same alarms on numbers that nobody simulated.
    from river import drift as river

    for values in (pace(), light(), passengers()):
        theirs, found = river.ADWIN(clock=4), []
        for i, x in enumerate(values.tolist()):
            theirs.update(x)
            if theirs.drift_detected:
                found.append(i)
        assert stream.ADWIN(clock=4).update_many(values).tolist() == found
