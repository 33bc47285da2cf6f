"""What every worker does: one library, one process, one answer in JSON.

A worker is ``peer_<name>.py``, run by the interpreter of that library's own
environment with a job in JSON as its input. It gives `serve` a function
``make(task, reference, numeric, categorical, **options)`` that learns the reference
and returns ``prepare, run, read``: `prepare(current)` turns a frame into what the
library takes and is not timed, `run` is, and `read` turns its result into
``{"drifted": bool, "features": names}`` or ``{"ks": {column: statistic}}``.
"""

import gc
import json
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import pairs  # noqa: E402


def serve(make):
    job = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)   # whatever a library prints goes to the log, not among the answers
    warnings.simplefilter("ignore")
    for answer in {"time": timed, "decide": decided}[job.pop("do")](make, **job):
        print(json.dumps(answer), file=answers, flush=True)


def timed(make, *, folder, task, options, seconds, repeats):
    """Time learning the reference and checking the current data, and the memory that both take."""
    reference, current = (stored_frame(Path(folder), which) for which in ("reference", "current"))
    numeric, categorical = columns(reference)
    check(make, task, reference.head(2000), current.head(2000), numeric, categorical, options)   # lazy imports
    before = reset_peak()
    start = time.perf_counter()
    prepare, run, read = make(task, reference, numeric, categorical, **options)
    learn = time.perf_counter() - start
    spent, times, cpu = 0.0, [], []
    while not times or (len(times) < repeats and spent < seconds):
        prepared = prepare(current)
        start, start_cpu = time.perf_counter(), time.process_time()
        result = run(prepared)
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
        spent += times[-1]
    yield {"learn": learn, "times": times, "cpu": cpu, "peak_mb": status("VmHWM"), "extra_mb": status("VmHWM") - before,
           "answer": read(result)}


def decided(make, *, cells, options):
    """Count alarms over many pairs. A cell is a clean population or a named drift, and its seeds.

    `hits` counts the pairs in which a feature that drifts was named.
    """
    for cell in cells:
        start = time.perf_counter()
        alarms = hits = done = errors = 0
        for seed in range(*cell["seeds"]):
            pair = drawn(cell, seed)
            try:
                answer = check(make, "detect", pair.reference, pair.current, *columns(pair.reference), options)
            except Exception as error:   # a peer that cannot take the data has not seen the drift
                errors += 1
                print(f"{cell} seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
                answer = {"drifted": False, "features": []}
            alarms += answer["drifted"]
            hits += bool(set(pair.drifted) & set(answer["features"]))
            done += 1
        yield cell | {"pairs": done, "alarms": alarms, "hits": hits, "errors": errors,
                      "seconds": time.perf_counter() - start}


def drawn(cell, seed):
    n, reference_n = cell["n"], cell.get("reference_n")
    if "drift" in cell:
        return pairs.drifted(cell["drift"], n, seed, reference_n)
    return pairs.clean(cell["kind"], n, cell["features"], seed, reference_n)


def check(make, task, reference, current, numeric, categorical, options):
    prepare, run, read = make(task, reference, numeric, categorical, **options)
    return read(run(prepare(current)))


def columns(frame):
    numeric = [name for name in frame if frame[name].dtype.kind in "fi"]
    return numeric, [name for name in frame if name not in numeric]


def stored_frame(folder, which):
    """A frame over mapped files, its pages read once so that no library pays for the disk."""
    numbers = np.load(folder / f"{which}-numbers.npy", mmap_mode="c")
    codes = np.load(folder / f"{which}-codes.npy")
    numbers.sum()
    return pairs.speed_frame(numbers, codes)


def reset_peak():
    """Forget the peak so far; what is resident now, in MB."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024
