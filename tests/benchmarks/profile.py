"""Data larger than memory: rows a second and peak memory of chunks that are counted and forgotten, beside the same rows in a frame."""

import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from tests.benchmarks import tables

REFERENCE, CHUNK = 1_000_000, 1_000_000
LEVELS = list("abcdefgh")
JOBS = (
    ("chunks, clean", {"form": "chunks", "rows": 100_000_000, "by": 0.0}),
    ("chunks, one mean moved by a hundredth of a deviation", {"form": "chunks", "rows": 100_000_000, "by": 0.01}),
    ("chunks, clean", {"form": "chunks", "rows": 10_000_000, "by": 0.0}),
    ("a frame, clean", {"form": "frame", "rows": 10_000_000, "by": 0.0}),
)
LIMIT = 1024      # MB that 100 million rows may take


def batch(seed, rows, by=0.0):
    """Four columns: a normal number, a skew one with gaps, a count, a category."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3, 1, rows)
    amount[rng.integers(0, rows, rows // 50)] = np.nan
    return pd.DataFrame({
        "score": rng.normal(by, 1, rows), "amount": amount, "visits": rng.poisson(3, rows),
        "channel": pd.Categorical.from_codes(rng.integers(0, len(LEVELS), rows, dtype=np.int8), LEVELS),
    })


def run(form, rows, by):
    """What one job takes, and what it finds; in a process of its own, so that its peak is its own."""
    from mlmon.drift import DataDriftDetector

    detector = DataDriftDetector(batch(0, REFERENCE))
    making = [0.0]

    def stream():
        for seed in range(1, rows // CHUNK + 1):
            start = time.perf_counter()
            chunk = batch(seed, CHUNK, by)
            making[0] += time.perf_counter() - start
            yield chunk

    data = pd.concat(stream(), ignore_index=True) if form == "frame" else stream()
    making[0] = 0.0
    before, start = time.process_time(), time.perf_counter()
    report = detector.detect(data)
    spent = time.perf_counter() - start
    row = report["score"]
    return {
        "seconds": spent - making[0], "making": making[0], "cpu": time.process_time() - before, "verdict": str(report.verdict),
        "drifted": report.drifted_features, "pvalue": report.pvalue, "ks": row.statistic, "bound": row.bound,
        "psi": row.psi, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(jobs=JOBS):
    """Run each job in a fresh process."""
    answers = []
    for name, job in jobs:
        print(f"{name}, {job['rows']:,} rows", flush=True)
        done = subprocess.run([sys.executable, "-m", "tests.benchmarks.profile", json.dumps(job)], capture_output=True, text=True, check=True)
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    return answers


def markdown(quick=False):
    """The table; 100 million rows must fit into `LIMIT`."""
    jobs = tuple((name, job | {"rows": 2_000_000}) for name, job in JOBS) if quick else JOBS
    answers = measure(jobs)
    if over := [answer["peak_mb"] for (_, job), answer in zip(jobs, answers) if job["form"] == "chunks" and answer["peak_mb"] > LIMIT]:
        raise AssertionError(f"chunks take at most {LIMIT} MB, took {max(over):.0f}.")
    lines = [
        [f"{name}", f"{job['rows']:,}", f"{answer['seconds']:.1f} s", f"{job['rows'] / answer['seconds'] / 1e6:.1f}", f"{answer['peak_mb']:.0f}",
         f"{answer['ks']:.5f} ± {answer['bound']:.5f}", answer["verdict"] + "".join(f" ({name})" for name in answer["drifted"])]
        for (name, job), answer in zip(jobs, answers)
    ]
    head = ["how the rows come", "rows", "detect", "million rows a second", "peak MB of the process", "KS of `score`", "verdict"]
    return tables.table(head, lines)


if __name__ == "__main__":
    print(json.dumps(run(**json.loads(sys.argv[1]))))
