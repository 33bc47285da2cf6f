"""False alarms and power of mlmon and its peers, counted over thousands of pairs of frames.

The repetitions are chosen by cost: what takes milliseconds is repeated 2,000 times,
50,000 rows of 100 features 100 times. Cells with few repetitions are judged loosely
one by one, and tightly together.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from scipy.stats import binom
from tqdm import tqdm

from tests.benchmarks import pairs, peers, tables

ROWS = (50, 500, 5_000, 50_000)
GROUPS = ("numeric", "correlated", "heavy", "tied", "categorical", "missing", "mixed")
PAIRS = {   # (features, rows): pairs a cell
    (1, 50): 2000, (1, 500): 2000, (1, 5_000): 1000, (1, 50_000): 1000,
    (20, 50): 1000, (20, 500): 1000, (20, 5_000): 300, (20, 50_000): 300,
    (100, 50): 500, (100, 500): 300, (100, 5_000): 100, (100, 50_000): 100,
}
UNEQUAL = ((50, 5_000), (500, 5_000), (5_000, 500), (500, 50_000))   # rows, rows of the reference
CHUNK = 50   # pairs an answer

LOW, HIGH = 0.03, 0.07   # the promise at alpha 5 %
ALONE, TOGETHER = 1e-5, 1e-3   # chance that a cell, or a row of cells, fails although its true rate keeps the promise
AIMS = {"mean .25": 0.78, "var x1.5": 0.75, "tail 2.5 %": 0.9, "missing": 0.9, "new level": 0.9, "correlation": 0.9}
POWER_PAIRS = 2000

# How a peer is asked, and over how many pairs. NannyML needs ten chunks of reference for its thresholds.
RIVALS = {
    "scipy": {"pairs": 400},
    "evidently": {"pairs": 200, "options": {"direct": True}},
    "alibi-detect": {"pairs": 400},
    "nannyml": {"pairs": 200, "options": {"chunks": 10}, "reference_n": 5_000},
    "deepchecks": {"pairs": 200},
    "menelaus": {"pairs": 30, "options": {"method": "kdq"}},
}
RULES = {
    "mlmon": "one budget, joint null",
    "scipy": "any p < .05",
    "evidently": "its default: half of the columns drifted",
    "alibi-detect": "TabularDrift, Bonferroni",
    "nannyml": "its default, any column; ten times the reference",
    "deepchecks": "FeatureDrift's condition",
    "menelaus": "kdq-tree at 5 %, numeric columns",
}
CLEAN = (   # the clean populations on which peers are compared, at n = 500
    {"kind": "normal", "features": 1, "n": 500},
    {"kind": "normal", "features": 20, "n": 500},
    {"kind": "8 levels", "features": 1, "n": 500},
)


def grid():
    """The cells of the promise, each with its number of pairs."""
    cells = [{"kind": kind, "features": 1, "n": n} for kind in pairs.FAMILIES for n in ROWS]
    cells += [{"kind": kind, "features": k, "n": n} for k in (20, 100) for kind in GROUPS for n in ROWS]
    counts = [PAIRS[cell["features"], cell["n"]] for cell in cells]
    cells += [{"kind": "mixed", "features": 20, "n": n, "reference_n": ref} for n, ref in UNEQUAL]
    return list(zip(cells, counts + [300] * len(UNEQUAL)))


def power():
    """The named drifts, each with its number of pairs."""
    return [({"drift": name, "n": 500}, POWER_PAIRS) for name in pairs.DRIFTS]


def jobs(names, scale=1.0):
    """What there is to run: (peer, cells with seeds, options). mlmon's work comes in two equal parts."""
    def few(count):
        return max(2, round(count * scale))

    cells = {key(cell): (cell, count) for cell, count in grid() + power() + [(cell, 2000) for cell in CLEAN]}
    work = [chunk for cell, count in cells.values() for chunk in chunks(cell, few(count))]
    found = [("mlmon", work[part::2], {"threads": 1}) for part in (0, 1)]
    for name in names:
        about = RIVALS[name]
        cells = [cell for cell, _ in power()] + [cell for cell in CLEAN if name != "menelaus" or "levels" not in cell["kind"]]
        extra = {"reference_n": about["reference_n"]} if "reference_n" in about else {}
        work = [chunk for cell in cells for chunk in chunks(cell | extra, few(about["pairs"]))]
        found.append((name, work, about.get("options", {})))
    return found


def chunks(cell, count):
    return [cell | {"seeds": [start, min(start + CHUNK, count)]} for start in range(0, count, CHUNK)]


def measure(names, scale=1.0):
    """Run all jobs, two processes at a time; counts by (peer, cell)."""
    work = jobs(names, scale)
    counts = {}
    with tqdm(total=sum(_size(cell) for _, cells, _ in work for cell in cells), unit="pair", mininterval=5) as bar:
        def run(job):
            name, cells, options = job
            process = peers.start(name, {"do": "decide", "cells": cells, "options": options})
            for answer in peers.answers(process):
                counts.setdefault((name, key(answer)), Counter()).update(
                    {what: answer[what] for what in ("pairs", "alarms", "hits", "errors", "seconds")})
                bar.update(answer["pairs"])
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, work))
    peers.BUILD.joinpath("bench", "calibration.json").write_text(
        json.dumps([[name, list(cell), dict(count)] for (name, cell), count in counts.items()]))
    return counts


def _size(cell):
    return cell["seeds"][1] - cell["seeds"][0]


def key(cell):
    """A cell without its seeds; a peer's longer reference does not make another cell of its drifts."""
    if "drift" in cell:
        return ("drift", cell["drift"])
    return (cell["kind"], cell["features"], cell["n"], cell.get("reference_n", cell["n"]))


# --- judging -----------------------------------------------------------------

def limits(count, chance):
    """Counts of alarms beyond which a true rate within the promise is less likely than `chance` on each side."""
    return int(binom.ppf(chance, count, LOW)), int(binom.isf(chance, count, HIGH))


def together(counts, features, n):
    """All kinds of one size together: pairs and alarms."""
    found = [count for (name, cell), count in counts.items()
             if name == "mlmon" and len(cell) == 4 and cell[1:] == (features, n, n) and not coarse(cell)]
    return sum(count["pairs"] for count in found), sum(count["alarms"] for count in found)


def coarse(cell):
    """Whether the data cannot reach 5 %: one feature of two values has too few different outcomes.

    A share of 2 % gives two ones in two frames of 50 rows, and no way to spread two ones is as rare as 5 %.
    """
    return cell[:3] == ("rare 0/1", 1, 50)


# --- tables ------------------------------------------------------------------

def grid_markdown(counts):
    """False alarms of mlmon: kinds by features and rows."""
    sizes = [(k, n) for k in (1, 20, 100) for n in ROWS]
    head = ["clean data"] + [f"{k} x {n:,}" for k, n in sizes]
    rows = [[kind] + [rate(counts.get(("mlmon", (kind, k, n, n))), "alarms") for k, n in sizes]
            for kind in dict.fromkeys([*pairs.FAMILIES, *GROUPS])]
    sums = {size: together(counts, *size) for size in sizes}
    rows.append(["**all**"] + [f"**{tables.share(alarms / count)}**" if count else "" for count, alarms in sums.values()])
    rows.append(["pairs"] + [f"{count:,}" for count, _ in sums.values()])
    unequal = [[f"{n:,} rows against a reference of {ref:,}",
                rate(counts.get(("mlmon", ("mixed", 20, n, ref))), "alarms")] for n, ref in UNEQUAL]
    return "\n\n".join([tables.table(head, rows), tables.table(["mixed, 20 features", "false alarms"], unequal)])


def rate(count, what):
    return "" if not count else tables.share(round(count[what] / count["pairs"], 3))


def power_markdown(counts, names):
    """False alarms and power of all libraries: a row each, alarms of the dataset / hits of the feature."""
    head = ["library", "its rule", "pairs", "20 normal", "8 levels", *pairs.DRIFTS]
    rows = []
    for name in ["mlmon", *names]:
        clean = [counts.get((name, (kind, k, n, RIVALS.get(name, {}).get("reference_n", n))))
                 for kind, k, n in (("normal", 20, 500), ("8 levels", 1, 500))]
        cells = [counts.get((name, ("drift", drift))) for drift in pairs.DRIFTS]
        rows.append([f"{name} {peers.PEERS[name].version}", RULES[name],
                     str(max((count["pairs"] for count in cells if count), default=0)),
                     *(rate(count, "alarms") or "-" for count in clean),
                     *(both(drift, count) for drift, count in zip(pairs.DRIFTS, cells))])
    return tables.table(head, rows)


def both(drift, count):
    if not count:
        return "-"
    if count["errors"] == count["pairs"]:
        return "raises"
    alarms = rate(count, "alarms")
    return alarms if drift == "none" else f"{alarms} / {rate(count, 'hits')}"


def write(counts, names):
    """Write the tables into the README."""
    from tests.benchmarks.speed import stamp
    tables.write("calibration", f"{stamp()}\n\n{grid_markdown(counts)}")
    tables.write("power", f"{stamp()}\n\n{power_markdown(counts, names)}")
