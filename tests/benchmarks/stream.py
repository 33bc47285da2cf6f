"""Streaming detectors: microseconds an event beside the peers, run lengths without drift, and delays under it."""

import functools
import json
import math
import os
import subprocess

import numpy as np
from tqdm import tqdm

from mlmon.drift import stream
from tests.benchmarks import peers, tables
from tests.benchmarks.workers import stream_peers as worker

RATE, ARL = worker.RATE, 10_000
PEERS = ["river", "frouros", "menelaus"]
SLOW = {("river", "KSWIN"): 4000, ("frouros", "KSWIN"): 4000, ("frouros", "ADWIN"): 30_000, ("menelaus", "ADWIN"): 30_000}

# --- speed -----------------------------------------------------------------------


def measure(rounds=3, quick=False):
    """Least CPU seconds an event, by library and detector; each library in a fresh process, once a round, in turn with the others."""
    most, found = 2000 if quick else 100_000, {}
    for _ in tqdm(range(rounds), desc="rounds of streams"):
        for library in ["mlmon", "river", *peers.installed(["frouros", "menelaus"])]:
            sizes = {name: min(SLOW.get((library, name), most), most) for name in worker.NAMES[library]}
            job = {"library": library, "values": sizes, "many": 20_000 if quick else 2_000_000, "repeats": 2, "seed": 7}
            try:
                answers = run(library, job)
            except RuntimeError as error:
                tqdm.write(f"{library}: {error}")
                continue
            for name, answer in answers.items():
                if "error" in answer:
                    tqdm.write(f"{library} {name}: {answer['error']}")
                    continue
                best = found.setdefault((library, name), answer)
                found[library, name] = {what: min(best[what], answer[what]) for what in answer}
    return found


def run(library, job):
    """The answer of the worker, in that library's interpreter."""
    python = peers.PEERS[library].python if library in peers.PEERS else peers.PEERS["mlmon"].python
    done = subprocess.run([python, peers.HERE / "workers" / "stream_peers.py"], input=json.dumps(job), capture_output=True, text=True,
                          cwd=peers.HERE.parents[1], env=os.environ | peers.ONE_THREAD | peers.QUIET | {"PYTHONPATH": path_for(library)})
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def path_for(library):
    """Only our own interpreter may see this repository."""
    return str(peers.HERE.parents[1]) if library == "mlmon" else ""


def markdown(found):
    """Microseconds an event, and how many times as long each peer takes as we do, value by value and by array."""
    rows = []
    for detector in worker.NAMES["mlmon"]:      # empty where a library lacks a detector, or it fails on the stream
        ours = found["mlmon", detector]
        line = [detector, micro(ours["each"]), micro(ours["many"])]
        for library in PEERS:
            theirs = found.get((library, detector))
            line.append("" if theirs is None else f"{micro(theirs['each'])} ({tables.ratio(theirs['each'] / ours['each'])}, "
                                                  f"{theirs['each'] / ours['many']:,.0f})")
        rows.append(line)
    versions = [f"{library} {worker_version(library)}" for library in PEERS]
    return tables.table(["detector", "mlmon, a value", "mlmon, an array", *versions], rows)


def worker_version(library):
    if library in peers.PEERS:
        return peers.PEERS[library].version
    import importlib.metadata

    return importlib.metadata.version(library)


def micro(seconds):
    return f"{seconds * 1e6:.3f}"


# --- run lengths and delays ------------------------------------------------------


def errors(rate):
    return lambda rng, n: rng.random(n) < rate


def normal(rng, n):
    return rng.normal(10, 3, n)


CALIBRATED = {      # what it is given: its making, and clean values
    **{(name, f"errors at {rate}"): (make, errors(rate))
       for rate in (0.2, 0.05)
       for name, make in {
           "CUSUM": functools.partial(stream.CUSUM.for_arl, ARL, rate=rate),
           "PageHinkley": functools.partial(stream.PageHinkley.for_arl, ARL, rate=rate),
           "DDM": functools.partial(stream.DDM.for_arl, ARL, rate),
           "EDDM": functools.partial(stream.EDDM.for_arl, ARL, rate),
           "HDDMA": functools.partial(stream.HDDMA.for_arl, ARL, rate),
           "HDDMW": functools.partial(stream.HDDMW.for_arl, ARL, rate),
           "ADWIN": functools.partial(stream.ADWIN.for_arl, ARL, rate=rate),
           "KSWIN": functools.partial(stream.KSWIN.for_arl, ARL, rate=rate)}.items()},
    ("CUSUM", "normal numbers"): (functools.partial(stream.CUSUM.for_arl, ARL, mean=10, sd=3), normal),
    ("PageHinkley", "normal numbers"): (functools.partial(stream.PageHinkley.for_arl, ARL, sd=3), normal),
    ("ADWIN", "normal numbers"): (functools.partial(stream.ADWIN.for_arl, ARL, sd=3), normal),
    ("KSWIN", "normal numbers"): (functools.partial(stream.KSWIN.for_arl, ARL), normal),
}
PUBLISHED = {name: getattr(stream, name) for name in worker.NAMES["river"]}      # the same alarms as river's, KSWIN's apart
DRIFTS = {"to .3": (0.3, 0), "to .25": (0.25, 0), "to .3 over 2,000": (0.3, 2000)}


def measured(detector, draw, seed=101):
    """Run length without drift: some 2,000 alarms where the stated one holds."""
    return stream.run_length(detector, draw, events=2000 * ARL, seed=seed)


def delays(detector, after, over, streams=400, seed=11, limit=20_000):
    """Values from the change to the alarm, after 1,000 to 20,000 clean ones; `limit` where none comes."""
    found = []
    for number in range(streams):
        rng = np.random.default_rng([seed, number])
        detector.reset()
        detector.update_many(rng.random(int(rng.integers(1000, 2 * ARL))) < RATE)
        rate = RATE + (after - RATE) * np.minimum((np.arange(limit) + 1) / max(over, 1), 1)
        alarms = detector.update_many(rng.random(limit) < rate)
        found.append(int(alarms[0]) + 1 if len(alarms) else limit)
    return np.array(found)


def lengths_markdown(lengths):
    """Stated and measured run lengths."""
    return tables.table(["detector", "clean values", "stated", "measured", "95 % interval", "measured / stated"], [
        [name, what, f"{stated:,.0f}", f"{found.mean:,.0f}", f"{found.low:,.0f} to {found.high:,.0f}", f"{found.mean / stated:.2f}"]
        for (name, what), (stated, found) in lengths.items()])


def delays_markdown(late, published):
    """Median and mean delay of the calibrated detectors and of the published constants, and the latter's alarms on clean errors."""
    def cells(found):
        return [f"{np.median(each):,.0f} / {each.mean():,.0f}" for each in found]

    rows = [[name, f"{ARL:,}", *cells(found)] for name, found in late.items()]
    for name, (length, found) in published.items():
        rows.append([f"{name}, published constants", "none in 3 million" if length.mean is None else f"{length.mean:,.0f}", *cells(found)])
    return tables.table(["detector", "run length without drift", *(f".2 {name}" for name in DRIFTS)], rows)


def within_a_fifth(stated, found):
    """Does the whole 95 % interval lie within 20 % of what is stated?"""
    return stated / 1.2 <= found.low and found.high <= 1.2 * stated and math.isfinite(found.mean)
