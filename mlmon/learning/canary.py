"""A candidate meets real traffic: a small share of people, a control of the same size at the same time, and a test that may be looked at any time.

Nothing absolute is asked. Traffic has bad days, and a limit of yesterday would blame the candidate for today; so it is compared with
a control group that the present model serves in the same hours. What needs no label is looked at first: failures, slowness, scores. Then the labels, as they come.
"""
import sqlite3
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from json import dumps, loads

import numpy as np

from mlmon import _check
from mlmon._chance import place
from mlmon.compare import always_valid_half_width, sample_ratio
from mlmon.compare.sequential import FEW, variance_of_mean

CANARY, CONTROL, REST = "canary", "control", "rest"
NEVER = 10**12
_SPREAD = {"failed": 0.02, "slow": 0.05, "score": 0.1}      # of differences that guardrails look for
_TABLES = """
CREATE TABLE IF NOT EXISTS deployment (run TEXT PRIMARY KEY, version TEXT, plan TEXT NOT NULL, until REAL NOT NULL, ended REAL);
CREATE TABLE IF NOT EXISTS request (
    seen INTEGER PRIMARY KEY, run TEXT NOT NULL, id TEXT NOT NULL, arm TEXT NOT NULL, failed INTEGER NOT NULL, seconds REAL NOT NULL, score REAL,
    UNIQUE (run, id, arm)
);
CREATE TABLE IF NOT EXISTS outcome (
    seen INTEGER PRIMARY KEY, run TEXT NOT NULL, id TEXT NOT NULL, arm TEXT NOT NULL, success REAL NOT NULL, UNIQUE (run, id, arm)
);
"""


class Call(StrEnum):
    """What the canary calls for. HOLD is to wait for more; it never becomes PROMOTE by waiting.

    Examples
    --------
    >>> Call.HOLD == "HOLD"
    True
    """

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"
    ROLL_BACK = "ROLL_BACK"


@dataclass(frozen=True)
class Judgement:
    """Where a canary stands.

    Parameters
    ----------
    call : Call
    stage : {"guardrails", "labels", "traffic"}
        What decided.
    reason : str
    requests, labels : int
        Of both arms, seen until then.
    """

    call: Call
    stage: str
    reason: str
    requests: int
    labels: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a canary is run and judged.

    Parameters
    ----------
    share : float
        Of people who meet the candidate; as many are the control.
    shadow : bool
        Both models see the requests of either arm, and people get the answers of the present one only.
    tau : float
        Size of the effects on success that are expected.
    margin : float
        Of success: what the candidate may be worse by.
    failed, slow, score : float
        The same of the share of failures, of the share of calls above `limit`, and of the mean score, to either side.
    limit : float
        Seconds from which a call is slow.
    alpha : float
        The chance at most that labels roll back a candidate as good as production, and that they promote one that is worse by
        `margin`. Guardrails roll back a good one with a fifth of it, all together.
    every : int
        Requests between two looks.
    most : int
        Requests of both arms after which no more are waited for: what is undecided then is rolled back.

    Examples
    --------
    >>> Plan(share=0.05).every
    100
    """

    share: float = 0.1
    shadow: bool = False
    tau: float = 0.03
    margin: float = 0.02
    failed: float = 0.01
    slow: float = 0.05
    score: float = 0.1
    limit: float = 0.5
    alpha: float = 0.05
    every: int = 100
    most: int = 100_000

    def __post_init__(self):
        for name in ("tau", "margin", "failed", "slow", "score", "limit"):
            _check.positive(getattr(self, name), name)
        if not 0 < _check.open_share(self.alpha, "alpha") < 0.5:
            raise ValueError(f"alpha needs an error below 0.5, got {self.alpha}. Pass one, such as 0.05.")
        if not 0 < _check.share(self.share, "share") <= 0.5:
            raise ValueError(f"share needs at most 0.5, as the control is as large, got {self.share}. Pass a smaller one, such as 0.1.")
        _check.whole(self.every, "every", 1), _check.whole(self.most, "most", 1)


@dataclass(frozen=True, eq=False)
class Observed:
    """What both arms did, in the order in which it was seen. Arrays of one row a request, and of one a label.

    Parameters
    ----------
    arm : array-like of str
        "canary" or "control", of each request.
    failed : array-like of bool
    seconds, score : array-like of float
        nan for the score of a failure.
    label_arm : array-like of str
    success : array-like of float
        Larger is better: whether the decision was right, or less its cost.
    """

    arm: object
    failed: object
    seconds: object
    score: object
    label_arm: object = ()
    success: object = ()


def arm(id, share, salt):
    """Which arm a person is in: always the same one, until the salt is another.

    Examples
    --------
    >>> [arm(who, 0.1, "run 7") for who in range(6)]
    ['rest', 'rest', 'canary', 'rest', 'control', 'control']
    """
    where = place(id, f"canary {salt}")
    return CANARY if where < share else CONTROL if where < 2 * share else REST


def judge(observed, plan=None):
    """Look at a canary as it stands. Looking often costs nothing: the tests are valid at any number of looks.

    Guardrails need no label: the candidate fails more, or is slow more often, or scores otherwise than the control. Then success, by labels: clearly
    worse rolls back, not worse by `margin` promotes, if by then the guardrails' margins are shown to be kept, too, and the arms are as
    large as they were meant to be.

    Parameters
    ----------
    observed : Observed
    plan : Plan

    Returns
    -------
    Judgement

    Notes
    -----
    Rows are taken as independent. Where one person comes often, log one row a person and day.

    Examples
    --------
    >>> rng, n = np.random.default_rng(0), 4000
    >>> arms = np.where(np.arange(n) % 2, "canary", "control")
    >>> broken = Observed(arms, (arms == "canary") & (rng.random(n) < 0.2), np.full(n, 0.01), rng.random(n))
    >>> print(judge(broken).call, judge(broken).stage, judge(broken).requests)
    ROLL_BACK guardrails 400
    """
    plan = plan or Plan()
    requests, labels = _columns(observed, plan)
    n, m = len(requests["arm"]), len(labels["arm"])
    guards = [_Path(name, requests["arm"], requests[name], plan, tau, plan.alpha / 20) for name, tau in _SPREAD.items()]
    quality = _Path("success", labels["arm"], labels["success"], plan, plan.tau, plan.alpha)
    bad = [(guard.first(guard.crossed(getattr(plan, guard.name))), guard) for guard in guards]
    look, guard = min(bad, key=lambda pair: pair[0])
    if look < NEVER:
        return Judgement(Call.ROLL_BACK, "guardrails", guard.told(look), int(guard.ends[look]), 0)
    worse, shown = quality.first(quality.high < 0), quality.first(quality.low > -plan.margin)
    if worse < NEVER and worse <= shown:
        return Judgement(Call.ROLL_BACK, "labels", quality.told(worse), n, int(quality.ends[worse]))
    if shown == NEVER:
        return _waiting(f"{quality.told()}, margin {plan.margin:g}", plan, n, m)
    arms = sample_ratio([int(np.sum(requests["arm"] == name)) for name in (CONTROL, CANARY)])
    if arms.mismatch:
        return Judgement(Call.ROLL_BACK, "traffic", f"one arm loses requests: {arms.reason}", n, m)
    open_ = [f"{guard.told()}, margin {getattr(plan, guard.name):g}" for guard in guards if not guard.kept(getattr(plan, guard.name))]
    if open_:
        return _waiting("; ".join(open_), plan, n, m)
    return Judgement(Call.PROMOTE, "labels", quality.told(shown), n, int(quality.ends[shown]))


class Traffic:
    """Who answers whom during a canary, and what came of it: a file that outlives its processes.

    A deployment has an end. If nobody renews it, as after a crash, everybody is back with the present model.

    Parameters
    ----------
    path : str or path, optional
        In memory by default.
    clock : callable
        Seconds since 1970.

    Examples
    --------
    >>> traffic = Traffic(clock=lambda: 0.0)
    >>> traffic.deploy("run 1", "7", Plan(share=0.5), until=60.0)
    >>> sorted({traffic.route(who) for who in range(50)})
    [('canary', '7'), ('control', None)]
    >>> traffic.withdraw("run 1")
    >>> {traffic.route(who) for who in range(50)}
    {('rest', None)}
    """

    def __init__(self, path=None, *, clock=time.time):
        self.clock = clock
        self._base = sqlite3.connect(path or ":memory:", timeout=10, check_same_thread=False, isolation_level=None)
        self._base.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_TABLES}")

    def deploy(self, run, version, plan, *, until):
        """Begin a canary, or renew the one of this run. One runs at a time: that of another run ends."""
        with self._base:
            self._base.execute("BEGIN IMMEDIATE")
            self._base.execute("UPDATE deployment SET ended = ? WHERE ended IS NULL AND run <> ?", (self.clock(), run))
            self._base.execute(
                "INSERT INTO deployment VALUES (?, ?, ?, ?, NULL) ON CONFLICT (run) DO UPDATE SET until = excluded.until, ended = NULL",
                (run, version, dumps(asdict(plan)), until))

    def withdraw(self, run=None):
        """End the canary of a run, or any: from the next request on, the present model answers everybody."""
        self._base.execute("UPDATE deployment SET ended = ? WHERE ended IS NULL AND (run = ? OR ? IS NULL)", (self.clock(), run, run))

    def running(self):
        """Run, version and plan of the canary that is on, or None."""
        row = self._base.execute("SELECT run, version, plan FROM deployment WHERE ended IS NULL AND until > ?", (self.clock(),)).fetchone()
        return row and (row[0], row[1], _plan(row[2]))

    def route(self, id):
        """The arm of a person and the version that answers; None for the present one.

        In shadow mode, people of the canary are answered by the present model too: send the candidate a copy.
        """
        on = self.running()
        if on is None:
            return REST, None
        run, version, plan = on
        where = arm(id, plan.share, run)
        return where, version if where == CANARY and not plan.shadow else None

    def record(self, id, arm, *, failed=False, seconds, score=None):
        """Note what a request of an arm came to; once for an id. The rest is not noted."""
        on = self.running()
        if on is not None and arm != REST:
            self._base.execute("INSERT OR IGNORE INTO request (run, id, arm, failed, seconds, score) VALUES (?, ?, ?, ?, ?, ?)",
                               (on[0], str(id), arm, bool(failed), seconds, score))

    def label(self, id, success):
        """Note how good the answers to a request were, once that is final: fast labels are not like slow ones. How many answers it judges."""
        return self._base.execute(
            "INSERT OR IGNORE INTO outcome (run, id, arm, success) SELECT run, id, arm, ? FROM request WHERE id = ?", (float(success), str(id))).rowcount

    def observed(self, run):
        """All of a run's canary, in order.

        Returns
        -------
        Observed
        """
        requests = self._base.execute("SELECT arm, failed, seconds, score FROM request WHERE run = ? ORDER BY seen", (run,)).fetchall()
        labels = self._base.execute("SELECT arm, success FROM outcome WHERE run = ? ORDER BY seen", (run,)).fetchall()
        columns = list(zip(*requests)) or [()] * 4
        return Observed(*columns[:3], np.array(columns[3], dtype=float), *(list(zip(*labels)) or [()] * 2))

    def close(self):
        """Close the file."""
        self._base.close()


# --- parts ------------------------------------------------------------------------------------------------

class _Path:
    """Canary less control at every look so far, with an interval that holds at all looks together. Only ever narrower. One side errs with `alpha`."""

    def __init__(self, name, arms, values, plan, tau, alpha):
        self.name = name
        self.ends = np.append(np.arange(plan.every, len(values), plan.every), len(values))[: len(values)]
        there = ~np.isnan(values)
        yes_or_no = (0, 1) if np.isin(values[there], (0, 1)).all() else None
        (n_a, a, v_a), (n_b, b, v_b) = (self._moments((arms == name) & there, values, 2 * alpha, yes_or_no) for name in (CONTROL, CANARY))
        self.rows, self.few, self.value, variance = n_a + n_b, np.minimum(n_a, n_b), b - a, v_a + v_b
        ready = (self.few >= FEW) & (variance > 0)
        half = np.full(len(self.ends), np.inf)
        half[ready] = always_valid_half_width(variance[ready], tau, 2 * alpha)
        self.low, self.high = np.maximum.accumulate(self.value - half), np.minimum.accumulate(self.value + half)

    def _moments(self, mine, values, alpha, yes_or_no):
        """Rows, mean and its variance at each look."""
        n, total, squares = (np.cumsum(np.where(mine, what, 0.0))[self.ends - 1] for what in (1.0, values, values**2))
        return n, total / np.maximum(n, 1), variance_of_mean(n, total, squares, alpha, yes_or_no)

    def first(self, looks):
        """Number of the first look at which something held."""
        return int(np.argmax(looks)) if looks.any() else NEVER

    def crossed(self, margin):
        """Looks at which it is shown to be bad: more failures or slow calls at all, a mean score beyond the margin."""
        return (self.low > margin) | (self.high < -margin) if self.name == "score" else self.low > 0

    def kept(self, margin):
        """Whether the margin is shown to be kept by now."""
        return len(self.ends) > 0 and self.high[-1] < margin and (self.name != "score" or self.low[-1] > -margin)

    def told(self, look=-1):
        """One sentence."""
        if not len(self.ends) or not np.isfinite(self.low[look]):
            return f"{self.name}: needs {FEW} rows of each arm that are not all alike, got {int(self.few[look]) if len(self.ends) else 0}"
        return f"{self.name}: canary less control is {self.value[look]:.3g} ({self.low[look]:.3g} to {self.high[look]:.3g}), from {self.rows[look]:.0f} rows"


@lru_cache(8)
def _plan(text):
    return Plan(**loads(text))


def _columns(observed, plan):
    arms, labelled = np.asarray(observed.arm, dtype=object), np.asarray(observed.label_arm, dtype=object)
    for values in (arms, labelled):
        odd = set(values) - {CANARY, CONTROL}
        if odd:
            raise ValueError(f"arm needs {CANARY!r} or {CONTROL!r}, got {sorted(map(repr, odd))[0]}. Leave out the requests of neither.")
    values = {
        "failed": _check.numeric(observed.failed, "failed", least=0),
        "slow": (_check.numeric(observed.seconds, "seconds", least=0) > plan.limit).astype(float),
        "score": _check.numeric(observed.score, "score", least=0, finite=False),
    }
    requests, labels = dict(arm=arms, **values), dict(arm=labelled, success=_check.numeric(observed.success, "success", least=0))
    for columns in (requests, labels):
        if len({len(column) for column in columns.values()}) > 1:
            raise ValueError(f"observed needs columns of one length, got {', '.join(f'{k} {len(v)}' for k, v in columns.items())}. Pass one row a request, and one a label.")
    return requests, labels


def _waiting(reason, plan, requests, labels):
    if requests >= plan.most:
        return Judgement(Call.ROLL_BACK, "labels", f"UNDECIDED after {requests} requests, which is no permission: {reason}", requests, labels)
    return Judgement(Call.HOLD, "labels", reason, requests, labels)
