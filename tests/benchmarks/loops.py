"""Feedback loops: measures of a million impressions beside Evidently's, and slates a second beside T-RECS and a plain loop."""

import random
import time

import numpy as np
import pandas as pd

from mlmon import loops
from tests.benchmarks import peers, tables

ITEMS, SLOTS = 200, 10


def timed(call, rounds=3):
    """Least CPU seconds of a call, and what it gives."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        answer = call()
        found.append(time.process_time() - start)
    return min(found), answer


def skewed(slates, items, seed=0):
    """Slates of ten different items, some of them far more frequent than others."""
    rng = np.random.default_rng(seed)
    first = (items * rng.random((slates, 1)) ** 3).astype(int)
    return (first + np.arange(SLOTS) ** 2) % items


def measures(slates, items):
    """Rows of measure, our seconds, theirs, and both answers."""
    from evidently.legacy.metrics.recsys.popularity_bias import PopularityBias

    popularity = np.bincount(skewed(len(slates), items, 1).ravel(), minlength=items)
    long = pd.DataFrame({"user": np.repeat(np.arange(len(slates)), SLOTS), "item": slates.ravel(), "rank": np.tile(np.arange(1, SLOTS + 1), len(slates))})
    train, theirs = pd.Series(popularity), PopularityBias(k=SLOTS)
    pairs = {
        "Gini coefficient": (
            lambda: loops.gini(loops.exposure(slates, items)), lambda: theirs.get_gini(SLOTS, long, "rank", "item")),
        "coverage": (
            lambda: loops.coverage(loops.exposure(slates, items)), lambda: theirs.get_coverage(SLOTS, long, train, "rank", "item")),
        "mean popularity": (
            lambda: loops.mean_popularity(slates, popularity),
            lambda: theirs.get_apr(SLOTS, long, train, False, "rank", "user", "item")[0]),
    }
    return [(name, *timed(ours), *timed(other, 1)) for name, (ours, other) in pairs.items()]


def literal(slates, items):
    """The Gini coefficient by the mean difference of all pairs of items, a row at a time."""
    x = np.bincount(slates.ravel(), minlength=items)
    return sum(np.abs(x - one).sum() for one in x) / (2 * items * x.sum())


def plain(rounds, seed=0):
    """The closed loop without arrays: a list of clicks, sorted for each visitor."""
    draw = random.Random(seed)
    appeal = [draw.betavariate(2, 18) for _ in range(ITEMS)]
    clicks = [0] * ITEMS
    for _ in range(rounds):
        for item in sorted(range(ITEMS), key=lambda i: -clicks[i])[:SLOTS]:
            clicks[item] += draw.random() < appeal[item]
    return clicks


def simulators(rounds):
    """Rows of simulator, worlds or users at once, and CPU seconds a slate."""
    config = loops.Config(loops.Greedy("clicks"), items=ITEMS, slots=SLOTS, rounds=rounds)
    loops.play(loops.Config(loops.Greedy("clicks"), rounds=5))      # loads what is loaded late
    rows = [("mlmon", f"{worlds} world{'s' * (worlds > 1)}", timed(lambda: loops.play(config, 0, worlds), 2)[0] / rounds / worlds) for worlds in (1, 100)]
    rows.append(("plain Python", "1 world", timed(lambda: plain(rounds), 2)[0] / rounds))
    if peers.installed(["trecs"]):
        sizes = [(1, rounds), (100, rounds // 10)]
        answers = peers.answers(peers.start("trecs", {"items": ITEMS, "slots": SLOTS, "sizes": sizes}))
        rows += [(f"T-RECS {peers.PEERS['trecs'].version}", f"{users} user{'s' * (users > 1)}, one model", each) for (users, _), each in zip(sizes, answers)]
    return rows


def markdown(quick=False):
    """Both tables."""
    slates, items = (skewed(1000, 2000), 2000) if quick else (skewed(100_000, 100_000), 100_000)
    rows = [[name, tables.seconds(ours), tables.seconds(theirs), tables.ratio(theirs / ours), f"{a:.3f}", f"{b:.3f}"]
            for name, ours, a, theirs, b in measures(slates, items)]
    pairs, value = timed(lambda: literal(slates[:, :1], items), 1)
    ours, same = timed(lambda: loops.gini(loops.exposure(slates[:, :1], items)))
    assert np.isclose(value, same)
    first = tables.table(["measure", "mlmon", "evidently", "x mlmon", "mlmon's answer", "evidently's"], rows)
    runs = simulators(300 if quick else 3000)
    second = tables.table(["simulator", "at once", "microseconds a slate", "x mlmon"],
                          [[name, many, f"{each * 1e6:.1f}", tables.ratio(each / runs[0][2])] for name, many, each in runs])
    note = f"The Gini coefficient by all pairs of items, as its definition has it: {tables.seconds(pairs)}; by one sort: {tables.seconds(ours)}."
    return f"{slates.size:,} impressions of {items:,} items:\n\n{first}\n\n{note}\n\nA popularity recommender, {ITEMS} items, {SLOTS} places:\n\n{second}"
