"""Traffic for a scoring service: the days of a scenario as requests, their labels some time later.

`events` says what is sent and when, the same for the same seed; `replay` sends it and counts what
the service acknowledged. The clock is compressed: a scenario's days follow each other at the rate
of the requests.
"""
import argparse
import json
import sys
import threading
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from heapq import heappop, heappush
from http.client import HTTPConnection, HTTPException
from itertools import count
from queue import Queue
from urllib.parse import urlsplit

import numpy as np

from mlmon import _check

_MOST = 100_000      # predictions that are remembered until their label comes
# What a customer who pays brings: a share of a column, in euros.
_VALUE = {"customers": ("basket", 0.2), "applicants": ("loan", 0.04), "transactions": ("amount", 0.01)}


@dataclass(frozen=True)
class Event:
    """One request.

    Parameters
    ----------
    at : float
        Seconds after the start.
    route : {"/predict", "/feedback"}
    ids : tuple of str
        Of the predictions that it asks for or judges.
    body : dict
        The JSON object.
    """

    at: float
    route: str
    ids: tuple
    body: dict


@dataclass(frozen=True)
class Sent:
    """What became of the traffic.

    Parameters
    ----------
    requests, acknowledged : int
        Calls of /predict that were sent, and that came back with status 200.
    rows : int
        Predictions in the acknowledged ones.
    labels, joined : int
        Labels that were sent, and that the service says it joined.
    unsent : int
        Labels of predictions that were never acknowledged.
    lost : int
        Requests of either route without any answer: nobody knows whether they were counted.
    codes : tuple of (int, int)
        Status of all answers, and how many there were of each.
    """

    requests: int
    acknowledged: int
    rows: int
    labels: int
    joined: int
    unsent: int
    lost: int
    codes: tuple


def events(scenario, *, rate=50.0, seed=0, delay=1.0, labelled=0.8, batch=1, rounds=1):
    """The requests of a scenario, in order of time.

    Arrivals are a Poisson stream; a label takes an exponential time.

    Parameters
    ----------
    scenario : mlmon.data.scenarios.Scenario
    rate : float
        Calls of /predict a second, on average.
    seed : int
        The same seed gives the same requests.
    delay : float
        Mean seconds from a prediction to its label.
    labelled : float
        Share of predictions whose label ever comes.
    batch : int
        Rows of a call.
    rounds : int or None
        How often the days are gone through; None goes on for ever.

    Yields
    ------
    Event

    Examples
    --------
    >>> from mlmon.data import scenarios
    >>> first = next(events(scenarios.make("customers-none", n=50, days=2), seed=1))
    >>> first.route, first.ids, first.body["instances"][0]["age"]
    ('/predict', ('customers-none-1-0-0-0',), 33)
    """
    _check.positive(rate, "rate"), _check.positive(delay, "delay"), _check.share(labelled, "labelled")
    rng, at, waiting, order = np.random.default_rng(seed), 0.0, [], count()
    for ids, rows, labels in _calls(scenario, seed, batch, rounds):
        at += rng.exponential(1 / rate)
        while waiting and waiting[0][0] <= at:
            yield heappop(waiting)[2]
        yield Event(at, "/predict", ids, {"instances": rows, "ids": list(ids)})
        chosen, late = rng.random(len(ids)) < labelled, at + rng.exponential(delay, len(ids))
        for label, wanted, then in zip(labels, chosen, late):
            if wanted:
                heappush(waiting, (then, next(order), Event(float(then), "/feedback", (label["id"],), label)))
    while waiting:
        yield heappop(waiting)[2]


def replay(events, url, *, workers=4, speed=1.0, stop=None, patience=10.0):
    """Send requests when they are due, over a few connections, and count what comes back.

    A label waits until its prediction is acknowledged, as in life.

    Parameters
    ----------
    events : iterable of Event
    url : str
        Of the service.
    workers : int
        Connections, each used by a thread of its own.
    speed : float
        Seconds of the events that pass in one; inf sends as fast as the service answers.
    stop : threading.Event, optional
        Ends the sending early once it is set.
    patience : float
        Seconds to wait for an answer.

    Returns
    -------
    Sent
    """
    if not speed > 0:
        raise ValueError(f"speed needs a number above 0, got {speed!r}. 1 is real time, inf as fast as possible.")
    stop, tally, todo = stop or threading.Event(), _Tally(), Queue(maxsize=4 * workers)
    threads = [threading.Thread(target=_work, args=(todo, url, tally, patience), daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    start = time.monotonic()
    for event in events:
        if stop.wait(max(0.0, start + event.at / speed - time.monotonic())):
            break
        todo.put(event)
    for _ in threads:
        todo.put(None)
    for thread in threads:
        thread.join()
    return tally.sent()


def main(argv=None):
    """Send a scenario's days to a service, over and over; the counts come as JSON at the end."""
    import signal

    from mlmon.data import scenarios

    parser = argparse.ArgumentParser(prog="python -m mlmon.serving.traffic", description=main.__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--scenario", default="customers-none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=50.0, help="calls a second")
    parser.add_argument("--delay", type=float, default=1.0, help="mean seconds to a label")
    parser.add_argument("--labelled", type=float, default=0.8, help="share of predictions that get one")
    parser.add_argument("--seconds", type=float, default=60.0, help="0 goes on until SIGTERM")
    parser.add_argument("--workers", type=int, default=4)
    chosen = parser.parse_args(argv)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stream = events(scenarios.make(chosen.scenario, chosen.seed), rate=chosen.rate, seed=chosen.seed, delay=chosen.delay,
                    labelled=chosen.labelled, rounds=None)
    if chosen.seconds:
        stream = _until(stream, chosen.seconds)
    json.dump(vars(replay(stream, chosen.url, workers=chosen.workers, stop=stop)), sys.stdout)
    print()


class _Tally:
    """Counts that several threads add to, and the labels that wait for their prediction."""

    def __init__(self):
        self._counts, self._codes, self._lock = Counter(), Counter(), threading.Lock()
        self._settled, self._early = OrderedDict(), {}

    def add(self, code=None, **counts):
        with self._lock:
            self._counts.update(counts)
            if code is not None:
                self._codes[code] += 1

    def settle(self, ids, answered):
        """Note what became of predictions; those of their labels that were due before that."""
        with self._lock:
            self._settled.update(dict.fromkeys(ids, answered))
            while len(self._settled) > _MOST:
                self._settled.popitem(last=False)
            return [self._early.pop(id) for id in ids if id in self._early]

    def ready(self, label):
        """Whether a label may be sent. If its prediction is under way it is kept, if that failed it is not sent at all."""
        with self._lock:
            answered = self._settled.pop(label.ids[0], None)
            if answered is None:
                self._early[label.ids[0]] = label
            self._counts["unsent"] += answered is False
        return bool(answered)

    def sent(self):
        self._counts["unsent"] += len(self._early)
        names = ("requests", "acknowledged", "rows", "labels", "joined", "unsent", "lost")
        return Sent(**{name: self._counts[name] for name in names}, codes=tuple(sorted(self._codes.items())))


def _work(todo, url, tally, patience):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=patience)
    while (event := todo.get()) is not None:
        for label in _send(connection, event, tally):
            _send(connection, label, tally)
    connection.close()


def _send(connection, event, tally):
    """Send one event and count its answer; the labels that can be sent now."""
    predict = event.route == "/predict"
    if not predict and not tally.ready(event):
        return []
    tally.add(**{"requests" if predict else "labels": 1})
    status, body = _answer(connection, event)
    tally.add(status, **({"lost": 1} if status is None else {}))
    if not predict:
        tally.add(joined=sum(each["result"] == "joined" for each in body["results"]) if status == 200 else 0)
        return []
    if status == 200:
        tally.add(acknowledged=1, rows=len(body["predictions"]))
    return tally.settle(event.ids, status == 200)


def _answer(connection, event):
    """Status and JSON of an answer; None twice where there is none."""
    try:
        connection.request("POST", event.route, json.dumps(event.body), {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, HTTPException, ValueError):
        connection.close()
        return None, None


def _calls(scenario, seed, batch, rounds):
    """(ids, rows, labels) of every call."""
    table, (column, margin) = scenario.table, _VALUE[scenario.table.name]
    features = list(table.features)
    for lap in range(rounds) if rounds is not None else count():
        for day, frame in enumerate(scenario.batches):
            rows = frame[features].astype(object).where(frame[features].notna(), None).to_dict("records")
            for start in range(0, len(rows), batch):
                part = slice(start, start + batch)
                ids = tuple(f"{scenario.name}-{seed}-{lap}-{day}-{start + i}" for i in range(len(rows[part])))
                truth = frame[table.target].iloc[part].tolist()
                yield ids, rows[part], [_label(*each, column, margin) for each in zip(ids, truth, rows[part])]


def _label(id, truth, row, column, margin):
    value = 0.0 if truth or row[column] is None else round(margin * row[column], 2)
    return {"id": id, "label": truth, "value": value}


def _until(stream, seconds):
    for event in stream:
        if event.at > seconds:
            return
        yield event


if __name__ == "__main__":
    main()
