"""Feedback loops: measures of a million impressions beside Evidently's, and each loop beside the public simulators that still install.

Of the others, RecSim 0.2.4 installs and its worlds ask for `tf.estimator`, which TensorFlow no longer has; RecoGym 0.1.3.0 installs
and asks for `scipy.rand`, which SciPy no longer has; RecSim NG 0.1.2 imports, and brings 2.6 GB for models in a language of its own, with no
popularity recommender among them. Virtual-Taobao is no package of PyPI's. No package was found that simulates hiring.
"""

import random
import time

import numpy as np
import pandas as pd

from mlmon import loops
from mlmon.loops import active, hiring
from tests.benchmarks import peers, tables

ITEMS, SLOTS = 200, 10
NAMES = {"trecs": "T-RECS", "reclab": "RecLab", "modal-python": "modAL"}


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
    sizes = [(1, rounds), (100, rounds // 10)]
    for name in peers.installed(["trecs", "reclab"]):
        answers = peers.answers(peers.start(name, {"items": ITEMS, "slots": SLOTS, "sizes": sizes}))
        rows += [(f"{NAMES[name]} {peers.PEERS[name].version}", f"{users} user{'s' * (users > 1)}, one model", each)
                 for (users, _), each in zip(sizes, answers)]
    return rows


def hirings(rounds):
    """Rows of what is on in the hiring loop, and CPU seconds a round."""
    kinds = {name: fields for name, fields in hiring.MITIGATIONS.items() if name in ("none", "reweighing", "fairness constraint", "counterfactual twins")}
    return [(name, timed(lambda: hiring.simulate(hiring.Config(**fields), rounds=rounds), 2)[0] / (rounds + 1)) for name, fields in kinds.items()]


def labellings(rounds):
    """Rows of who asks for labels, how, and CPU seconds a round."""
    made = active.Config(strategy="entropy")
    rows = [("mlmon", one, timed(lambda: active.simulate(active.Config(strategy=one), rounds=rounds), 2)[0] / rounds)
            for one in ("entropy", "random", "diverse", "committee")]
    job = {"pool": made.pool, "features": made.features, "start": made.start, "budget": made.budget, "rounds": rounds}
    for name in peers.installed(["modal-python"]):
        rows += [(f"{NAMES[name]} {peers.PEERS[name].version}", "entropy", each) for each in peers.answers(peers.start(name, job))]
    return rows


def markdown(quick=False):
    """All tables."""
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
    turns = hirings(2 if quick else 10)
    third = tables.table(["hiring loop", "milliseconds a round", "x none"],
                         [[name, f"{each * 1e3:.1f}", tables.ratio(each / turns[0][1])] for name, each in turns])
    asks = labellings(2 if quick else 10)
    fourth = tables.table(["labelling loop", "strategy", "milliseconds a round", "x mlmon"],
                          [[name, how, f"{each * 1e3:.1f}", tables.ratio(each / asks[0][2])] for name, how, each in asks])
    note = f"The Gini coefficient by all pairs of items, as its definition has it: {tables.seconds(pairs)}; by one sort: {tables.seconds(ours)}."
    return (f"{slates.size:,} impressions of {items:,} items:\n\n{first}\n\n{note}\n\nA popularity recommender, {ITEMS} items, {SLOTS} places:\n\n{second}"
            f"\n\nA hiring loop, 1,000 applicants a round:\n\n{third}\n\n"
            f"A labelling loop, 20 labels a round from a pool of 2,000; mlmon also judges each model on a holdout:\n\n{fourth}")
