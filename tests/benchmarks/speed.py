"""Seconds and memory of mlmon and its peers on the same data, in one interleaved run."""

import datetime
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from tests.benchmarks import pairs, peers, tables

FOLDER = peers.BUILD / "bench"


@dataclass(frozen=True)
class Entry:
    """One row of the table: a library, what it does, and how it is asked."""

    peer: str
    task: str
    label: str
    options: dict = field(default_factory=dict)
    sets: str = "ab"


def mlmon_entries(task, label):
    return [Entry("mlmon", task, f"{label}, {mode}, {threads} thread{'s' * (threads > 1)}",
                  {"mode": mode, "threads": threads})
            for mode in ("exact", "certified") for threads in (1, 2)]


ENTRIES = [
    *mlmon_entries("statistics", "KS, p, PSI; chi-squared, p, PSI"),
    Entry("scipy", "statistics", "ks_2samp, chi2_contingency; PSI in numpy"),
    Entry("evidently", "statistics", "Report: KS, chi-squared (p), PSI"),
    Entry("frouros", "statistics", "KS, PSI; chi-squared"),
    Entry("alibi-detect", "statistics", "KS, chi-squared; no PSI"),
    Entry("nannyml", "statistics", "KS, chi-squared, Jensen-Shannon; no PSI"),
    Entry("deepchecks", "statistics", "KS without p; PSI of categories (samples 100,000 rows)"),
    *mlmon_entries("detect", "detect"),
    Entry("evidently", "detect", "DataDriftPreset"),
    Entry("alibi-detect", "detect", "TabularDrift, Bonferroni"),
    Entry("nannyml", "detect", "UnivariateDriftCalculator"),
    Entry("deepchecks", "detect", "FeatureDrift with its condition (samples 100,000 rows)"),
    Entry("menelaus", "detect", "HDDDM, numeric columns only", {"method": "HDDDM"}),
    Entry("menelaus", "detect", "kdq-tree, numeric columns only", {"method": "kdq"}, sets="a"),
]
TASKS = {"statistics": "The statistics alone", "detect": "The whole check with its decisions"}
AIMS = {   # how many times as fast as which peer at which task
    "a": (("statistics", "exact", "scipy", 10), ("statistics", "exact", "evidently", 30),
          ("statistics", "certified", "scipy", 30), ("detect", "exact", "evidently", 10)),
    "b": (("statistics", "exact", "scipy", 6), ("statistics", "exact", "evidently", 25),
          ("statistics", "certified", "scipy", 60)),
}
FIRST = {"mode": "exact", "threads": 1}   # the row that the others are compared with


def store(name, rows=None):
    """Write the data of a set once; the folder it is in."""
    size = pairs.SIZES[name]
    rows = rows or size["rows"]
    folder = FOLDER / f"{name}-{rows}"
    for which, label in enumerate(("reference", "current")):
        if not (folder / f"{label}-codes.npy").exists():
            folder.mkdir(parents=True, exist_ok=True)
            numbers, codes = pairs.speed_arrays(name, which, rows)
            np.save(folder / f"{label}-numbers.npy", numbers)
            np.save(folder / f"{label}-codes.npy", codes)
    return folder


def measure(name, entries, *, rows=None, rounds=3, repeats=15, seconds=3.0, limit=20.0):
    """Time every entry once a round, each in a fresh process, so that the load of the machine falls on all alike.

    An entry whose learning and one check take longer than `limit` seconds is timed in the first round only.
    """
    folder = store(name, rows)
    found = {i: [] for i in range(len(entries))}
    for number in range(rounds):
        bar = tqdm(entries, desc=f"set {name}, round {number + 1} of {rounds}", mininterval=1)
        for i, entry in enumerate(bar):
            if number and (not found[i] or min(found[i][0]["times"]) + found[i][0]["learn"] > limit):
                continue
            bar.set_postfix_str(f"{entry.peer} {entry.task}")
            job = {"do": "time", "folder": str(folder), "task": entry.task, "options": entry.options,
                   "seconds": seconds, "repeats": repeats}
            try:
                found[i] += peers.answers(peers.start(entry.peer, job))
            except RuntimeError as error:
                tqdm.write(f"{entry.peer} {entry.task}: {error}")
    agree(entries, found)
    return found


def agree(entries, found):
    """Everyone who gives KS gives the same KS: within rounding where exact, within its interval where certified."""
    given = {(entry.peer, entry.options.get("mode")): runs[0]["answer"]["ks"]
             for entry, runs in zip(entries, found.values()) if runs and runs[0]["answer"].get("ks")}
    truth = given.get(("scipy", None))
    if truth is None:
        return
    for (peer, mode), answer in given.items():
        for column, value in answer.items():
            low, high = value if isinstance(value, list) else (value - 1e-9, value + 1e-9)
            if not low - 1e-9 <= truth[column] <= high + 1e-9:
                raise AssertionError(f"{peer} {mode or ''} says KS of {column} is {value}, SciPy says {truth[column]}.")


def summary(entries, found):
    """One dict an entry: best seconds, the ratio to mlmon's first row of that task, and memory."""
    rows = []
    for entry, runs in zip(entries, found.values()):
        times = [each for run in runs for each in run["times"]]
        rows.append({"entry": entry, "runs": len(times), "learn": min((run["learn"] for run in runs), default=None),
                     "check": min(times, default=None),
                     "cpu": min((each for run in runs for each in run["cpu"]), default=None), "first": min((run["times"][0] for run in runs), default=None),
                     "peak": statistics.median(run["peak_mb"] for run in runs) if runs else None,
                     "extra": statistics.median(run["extra_mb"] for run in runs) if runs else None})
    base = {row["entry"].task: row for row in rows
            if row["entry"].peer == "mlmon" and row["entry"].options == FIRST and row["check"]}
    for row in rows:
        first = base.get(row["entry"].task)
        for ratio, what in (("ratio", "check"), ("cpu_ratio", "cpu")):
            row[ratio] = tables.ratio(row[what] / first[what]) if row[what] and first else ""
    return rows


def markdown(name, rows, count=None):
    """The tables of one data set, of `count` rows where that is not its own size."""
    size = pairs.SIZES[name]
    text = [f"### {count or size['rows']:,} rows, {size['numeric']} numeric"
            + (f" + {len(size['levels'])} categorical columns" if size["levels"] else " columns")]
    for task, title in TASKS.items():
        shown = [row for row in rows if row["entry"].task == task]
        text += ["", f"{title}:", "", tables.table(
            ["library", "what it computes", "learn", "first check", "check", "CPU", "runs", "x mlmon", "x its CPU", "peak MB",
             "extra MB"],
            [[f"{row['entry'].peer} {peers.PEERS[row['entry'].peer].version}", row["entry"].label, *cells(row)]
             for row in shown])]
    return "\n".join(text)


def aims_markdown(name, rows):
    """What was aimed for, and how many times as fast as the peer mlmon was, with one thread and with two."""
    def check(peer, task, **options):
        return next((row["check"] for row in rows if (row["entry"].peer, row["entry"].task) == (peer, task)
                     and (not options or row["entry"].options == options)), None)

    lines = []
    for task, mode, peer, aim in AIMS[name]:
        theirs = check(peer, task)
        ours = [check("mlmon", task, mode=mode, threads=threads) for threads in (1, 2)]
        lines.append([f"{task}, {mode}, beside {peer}", f"{aim} x",
                      *("" if not theirs or not each else f"{tables.ratio(theirs / each)} x" for each in ours)])
    return tables.table(["aim", "at least", "one thread", "two threads"], lines)


def cells(row):
    if row["check"] is None:
        return ["failed", "", "", "", "0", "", "", "", ""]
    return [tables.seconds(row["learn"]), tables.seconds(row["first"]), tables.seconds(row["check"]),
            tables.seconds(row["cpu"]), str(row["runs"]), row["ratio"], row["cpu_ratio"],
            f"{row['peak']:.0f}", f"{row['extra']:.0f}"]


def imports(repeats=5):
    """Median seconds of importing mlmon, mlmon.drift and numpy, each in fresh interpreters, interleaved."""
    codes = {"nothing": "pass", "numpy": "import numpy", "mlmon": "import mlmon",
             "mlmon.drift": "from mlmon import drift", "scipy.stats": "import scipy.stats", "pandas": "import pandas",
             "evidently": "import evidently"}
    found = {name: [] for name in codes}
    for _ in tqdm(range(repeats), desc="imports"):
        for name, code in codes.items():
            timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
            done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
            found[name].append(float(done.stdout))
    return {name: statistics.median(times) for name, times in found.items()}


def imports_markdown(found):
    return tables.table(["import", "median of 5", "x numpy"], [
        [f"`{name}`", tables.seconds(value), tables.ratio(value / found["numpy"])]
        for name, value in found.items() if name != "nothing"])


def stamp():
    """Where and when, as a sentence."""
    return (f"Measured on {datetime.date.today().isoformat()} with Python {platform.python_version()}, "
            f"numpy {np.__version__}, on a shared 2-core machine: read ratios, not seconds.")
