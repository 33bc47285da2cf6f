"""A bank of a hundred days: who comes, what is known of them by a day, how models are trained, and what traffic a canary meets.

A world is made of a folder, so that another process can take it up where one died.
"""
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from mlmon.learning import ContinuousLearningPipeline, Evidence, Gate, Plan, Policy, Registry, Traffic, World, split
from mlmon.learning.trigger import DAY

MATURITY, RECENT, LOCK = 7 * DAY, 20 * DAY, 25 * DAY
FEATURES = ["a", "b", "c"]
PLAN = Plan(share=0.5, every=100, margin=0.15, failed=0.05, score=0.2, alpha=0.001)      # so that no run is decided by bad luck


def events(n=12_000, seed=0):
    """Customers with three features that matter; every label is final after a week."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=FEATURES)
    frame["segment"] = (rng.random(n) < 0.3).astype(int)
    frame.insert(0, "who", [f"p{k}" for k in range(n)])
    frame.insert(1, "at", np.sort(rng.random(n) * 100 * DAY))
    frame["y"] = (rng.random(n) < expit(1.5 * frame["a"] + frame["b"] + frame["c"] - 1)).astype(float)
    return frame


def fit(columns, *, shuffled=False):
    """A way to train: on some columns, the others being 0 then and so without weight; or on labels that somebody mixed up."""
    def train(held):
        y = np.random.default_rng(0).permutation(held.y) if shuffled else held.y
        return LogisticRegression().fit(held.rows * [column in columns for column in held.rows], y)

    return train


GOOD, POOR, SENSELESS = fit(FEATURES), fit(["a"]), fit(FEATURES, shuffled=True)


class Bank:
    """The clock, what monitoring says, the messages, and the customers of the canary. All of it in one folder.

    Parameters
    ----------
    home : path
    day : float
        Now.
    train : callable
    meets : str
        How the candidate fares in traffic: "well", "fails", "harms" (which labels tell), "nothing" (no traffic).
    evidence : dict
        What differs from a fall of performance on sound data.
    """

    def __init__(self, home, *, day=60, train=GOOD, meets="well", plan=PLAN, **evidence):
        self.home, self.day, self.meets, self.said = Path(home), day, meets, []
        self.evidence = {"quality": "STABLE", "performance": "DRIFTED", "estimated": "STABLE", "drift": "STABLE", "labels": 5000, "trained": 50 * DAY, **evidence}
        self.registry = Registry("credit", self.home / "registry", clock=self.now)
        self.traffic = Traffic(self.home / "traffic.db", clock=self.now)
        self.frame = events()
        self.world = World(
            registry=self.registry, traffic=self.traffic, evidence=lambda: Evidence(now=self.now(), **self.evidence), should_retrain=Policy(), data=self.data,
            train=train, gate=Gate(margin=0.02, slices=("segment",), seconds=5.0), plan=plan, notify=self.notify, clock=self.now,
        )
        self.pipeline = ContinuousLearningPipeline(self.world, self.home / "state.json")

    def now(self):
        return self.day * DAY

    def data(self):
        return split(self.frame[self.frame["at"] <= self.now()], id="who", at="at", label="y", now=self.now(), maturity=MATURITY, recent=RECENT, lock=LOCK, share=0.3)

    def notify(self, text):
        self.said.append(text)
        with open(self.home / "messages.jsonl", "a") as file:
            file.write(json.dumps(text) + "\n")

    def incumbent(self, train=GOOD):
        """Production as it is before: version 1, champion and anchor."""
        version = self.registry.register(train(self.data().train), run="first")
        self.registry.promote(version, run="first")
        self.registry.anchor_at(version, run="first")
        return version

    def visit(self, requests=1200):
        """Customers come. Whoever meets the candidate fares as `meets` says, everybody else well."""
        rng, on = np.random.default_rng(1), self.traffic.running()
        if on is None or self.meets == "nothing":
            return
        base = self.traffic._base
        base.execute("BEGIN")
        for k in range(requests):
            arm, version = self.traffic.route(f"customer {k}")
            bad = version is not None
            self.traffic.record(k, arm, failed=bad and self.meets == "fails" and rng.random() < 0.3, seconds=0.01, score=rng.random())
            if self.meets != "fails":
                self.traffic.label(k, rng.random() < (0.7 if bad and self.meets == "harms" else 0.9))
        base.execute("COMMIT")

    def production(self):
        """What serves: the champion, and whether anybody is sent elsewhere."""
        return self.registry.champion, self.traffic.running() is not None


def lived(bank, run="r1"):
    """A run to its end: until the canary waits, then customers come, then on."""
    state = bank.pipeline.run(run)
    if state.step == "watch":
        bank.visit()
        state = bank.pipeline.run(run)
    return state


def full(held):
    raise OSError("no space left on device")


def pipeline(conf):
    """What a DAG asks for: the bank of the run's conf. Between two looks at a canary, customers have come."""
    trains = {"good": GOOD, "poor": POOR, "full": full}
    bank = Bank(conf["home"], **{**conf.get("bank", {}), "train": trains[conf.get("train", "good")]})
    state = bank.pipeline.state
    if state is not None and state.step == "watch":
        bank.visit()
    return bank.pipeline
