import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mlmon.data import __main__ as datasets
from mlmon.data import scenarios, tables

FOLDER = Path(__file__).parents[2] / "datasets"
STORED = sorted(FOLDER.glob("*.csv"))


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datasets")
    subprocess.run([sys.executable, "-m", "mlmon.data", str(folder)], check=True)
    return folder


def test_the_stored_files_are_those_that_the_code_makes(again):
    # Made again by the command of `make datasets`: the same names, the same bytes.
    assert sorted(p.name for p in again.iterdir()) == sorted(p.name for p in FOLDER.iterdir())
    assert [p.name for p in again.iterdir() if p.read_bytes() != (FOLDER / p.name).read_bytes()] == []


def test_the_sheet_has_the_hash_of_each_file():
    # As sha256sum would print it, from the sheet that people read.
    sheet = (FOLDER / "README.md").read_text()
    listed = dict(re.findall(r"^\| `(\S+\.csv)` .*`([0-9a-f]{64})` \|$", sheet, flags=re.MULTILINE))
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in STORED}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_sheet_tells_of_each_column(path):
    # Each file's columns are those of its table, `day` apart, and the sheet has a line for each.
    sheet = (FOLDER / "README.md").read_text()
    part = sheet.split(f"## Columns: {path.stem.split('-')[0]}\n")[1].split("\n## ")[0]
    described = re.findall(r"^\| (\w+) \| (?:numeric|categorical|target) ", part, flags=re.MULTILINE)
    assert [name for name in pd.read_csv(path).columns if name != "day"] == described


def test_a_file_reads_back_as_the_sample_it_was():
    # Nothing is lost on the way to text and back.
    read = pd.read_csv(FOLDER / "customers.csv").astype({name: "str" for name in tables.customers.categorical})
    made = tables.customers.sample(len(read), seed=datasets.SEED).astype({n: "str" for n in tables.customers.categorical})
    pd.testing.assert_frame_equal(read, made)


@pytest.mark.parametrize("name", [path.stem.removesuffix("-batches") for path in STORED if path.stem.endswith("-batches")])
def test_the_days_of_a_file_are_the_batches_of_its_scenario(name):
    # One day, one batch, in order.
    read = pd.read_csv(FOLDER / f"{name}-batches.csv")
    rows, days = read["day"].value_counts().iloc[0], read["day"].nunique()
    scenario = scenarios.make(name, seed=datasets.SEED, n=int(rows), days=days)
    feature = scenario.truth.features[0]
    for day, batch in enumerate(scenario.batches):
        assert read.loc[read["day"] == day, feature].tolist() == pytest.approx(batch[feature].tolist(), nan_ok=True)


def test_the_files_are_small():
    # A clone should not wait for them.
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 500_000


def test_the_command_needs_a_folder():
    # Without one it says so, and writes nothing.
    run = subprocess.run([sys.executable, "-m", "mlmon.data"], capture_output=True, text=True)
    assert run.returncode == 1 and "needs one folder" in run.stderr
