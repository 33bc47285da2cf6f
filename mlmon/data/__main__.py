"""Write the course's small data files and their data sheet: ``python -m mlmon.data datasets/``."""
import hashlib
import sys
from pathlib import Path

import pandas as pd

from mlmon.data import scenarios, tables

SEED = 0
_TABLE_ROWS = {"customers": 1000, "applicants": 1000, "transactions": 1500}
_TIMELINES = ("customers-sudden-mean", "applicants-gradual-missing")
_DAY_ROWS, _DAYS = 80, 14

_HEAD = """\
# Data sheet

Small files for exercises and examples. Nobody's data: every row is drawn from
a population whose law is written down in `mlmon.data.tables`, and every fault
is put in by `mlmon.data.inject`. So the truth about each file is known.

`make datasets` writes these files and this sheet again, byte for byte on
Linux; a test compares. Change the code, never the files.

Files are UTF-8 with commas, a header, a point in decimals, and an empty field
where a value is missing.
"""


def datasets():
    """The files, by name, and how each is made.

    Returns
    -------
    dict of str to (bytes, str)

    Examples
    --------
    >>> list(datasets())[:3]
    ['customers.csv', 'applicants.csv', 'transactions.csv']
    """
    made = {}
    for name, rows in _TABLE_ROWS.items():
        made[f"{name}.csv"] = _csv(tables.get(name).sample(rows, SEED)), f"`tables.{name}.sample({rows}, seed={SEED})`"
    for name in _TIMELINES:
        scenario = scenarios.make(name, SEED, n=_DAY_ROWS, days=_DAYS)
        how = f'`scenarios.make("{name}", seed={SEED}, n={_DAY_ROWS}, days={_DAYS})`'
        made[f"{name}-reference.csv"] = _csv(scenario.reference), f"{how}, its reference"
        made[f"{name}-batches.csv"] = _csv(_stacked(scenario)), f"{how}, its batches"
    return made


def sheet(made):
    """The data sheet of the files, in Markdown.

    Parameters
    ----------
    made : dict
        As `datasets` gives it.

    Returns
    -------
    str

    Examples
    --------
    >>> sheet(datasets()).splitlines()[0]
    '# Data sheet'
    """
    parts = [_HEAD, "## Files\n", _files_table(made), "## What happened in the timelines\n", _truths()]
    for name in _TABLE_ROWS:
        parts += [f"## Columns: {name}\n", _markdown(tables.get(name).describe())]
    return "\n".join(parts)


def write(folder):
    """Write the files and their sheet into a folder.

    Parameters
    ----------
    folder : path-like
        Made if it is not there.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = datasets()
    for name, (content, _) in made.items():
        (folder / name).write_bytes(content)
    (folder / "README.md").write_bytes(sheet(made).encode())


def _csv(frame):
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _stacked(scenario):
    days = [batch.assign(day=day)[["day", *batch.columns]] for day, batch in enumerate(scenario.batches)]
    return pd.concat(days, ignore_index=True)


def _files_table(made):
    rows = [
        (f"`{name}`", content.count(b"\n") - 1, how, SEED, f"`{hashlib.sha256(content).hexdigest()}`")
        for name, (content, how) in made.items()
    ]
    return _markdown(pd.DataFrame(rows, columns=["file", "rows", "how made", "seed", "sha256"]))


def _truths():
    rows = []
    for name in _TIMELINES:
        truth = scenarios.make(name, SEED, n=_DAY_ROWS, days=_DAYS).truth
        rows.append((name, truth.kind, ", ".join(truth.features), truth.size, truth.pace, truth.start))
    columns = ["timeline", "fault", "column", "size", "pace", "first drifted day"]
    return "Days count from 0. Sizes are those of `mlmon.data.inject`.\n\n" + _markdown(pd.DataFrame(rows, columns=columns))


def _markdown(frame):
    lines = [list(frame.columns), ["---"] * frame.shape[1], *frame.astype(str).to_numpy().tolist()]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m mlmon.data needs one folder, such as datasets/. Name it.")
    write(sys.argv[1])
