"""Root cause, counted: `make prove`. Writes the tables `rootcause` and `incidents` of tests/benchmarks/README.md.

The incidents have seeds from 20,000 on; the rules of `mlmon.drift.differential` were made with seeds below 6,000.
"""
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom, chi2

sys.path.insert(0, str(Path(__file__).parents[2]))
from mlmon.data import incidents  # noqa: E402
from mlmon.drift.differential import diagnose  # noqa: E402
from mlmon.drift.ledger import slices  # noqa: E402
from mlmon.drift.rootcause import disde, shapley  # noqa: E402
from tests.benchmarks import tables  # noqa: E402

pytestmark = pytest.mark.prove
FIRST, EACH = 20_000, int(os.environ.get("MLMON_INCIDENTS", 40))
WEIGHTS = np.array([1.5, -1.2, 0.75])
KINDS = {"none": None, "covariate": "mix", "concept": "concept", "both": "concept", "new region": "new"}
SEEDS, CLEAN = 40, 300


def ask(case):
    """What was diagnosed, in order, beside the truth."""
    name, seed = case
    incident = incidents.make(name, seed)
    found = diagnose(**incident.evidence)
    return name, incident.truth, [h.cause for h in found.hypotheses], bool(found.hypotheses) and found.top.features


@pytest.fixture(scope="module")
def answers():
    cases = [(name, seed) for name in incidents.names() for seed in range(FIRST, FIRST + EACH)]
    with ProcessPoolExecutor(2) as pool:
        answers = list(pool.map(ask, cases, chunksize=8))
    tables.write("incidents", confusion(answers))
    return answers


def confusion(answers):
    """One row an incident: how often its cause came first, among three, with its columns, and what came first instead."""
    rows = []
    for name in incidents.names():
        here = [answer for answer in answers if answer[0] == name]
        cause, n = here[0][1].cause, len(here)
        firsts = Counter(causes[0] if causes else "none" for _, _, causes, _ in here)
        three = sum(cause in causes[:3] or cause == "none" and not causes for _, _, causes, _ in here)
        right = [set(map(str, features)) == set(truth.features) for _, truth, causes, features in here if truth.features and features and causes[:1] == [cause]]
        instead = ", ".join(f"{other} {count}" for other, count in firsts.most_common() if other != cause)
        rows.append([name, here[0][1].layer, cause, f"{firsts[cause]} of {n}", f"{three} of {n}", f"{sum(right)} of {len(right)}" if right else "", instead])
    faults = [answer for answer in answers if answer[1].cause != "none"]
    first, three = (sum(truth.cause in causes[:k] for _, truth, causes, _ in faults) for k in (1, 3))
    head = ("incident", "layer", "its cause", "named first", "among three", "columns too", "named first instead")
    total = ["**all faults**", "", "", f"**{first / len(faults):.1%}**", f"**{three / len(faults):.1%}**", "", ""]
    return tables.table(head, [*rows, total])


def test_nine_causes_of_ten_are_named_first(answers):
    # A true rate of 90 % gives fewer once in a million times.
    hits = [truth.cause == causes[0] if causes else False for _, truth, causes, _ in answers if truth.cause != "none"]
    assert sum(hits) >= binom.ppf(1e-6, len(hits), 0.9) and np.mean(hits) >= 0.9


def test_every_cause_is_among_the_first_three(answers):
    # All of them, but for those that chance hides from every look: one of two hundred.
    missed = [(name, causes) for name, truth, causes, _ in answers if truth.cause != "none" and truth.cause not in causes[:3]]
    assert len(missed) <= binom.isf(1e-6, len(answers), 0.005), missed


def test_controls_have_a_cause_no_more_often_than_promised(answers):
    # alpha is 1 %; more is chance once in a million times.
    clean = [bool(causes) for _, truth, causes, _ in answers if truth.cause == "none"]
    assert sum(clean) <= binom.isf(1e-6, len(clean), 0.01)


def world(kind, seed, n=4000):
    rng = np.random.default_rng([seed, 5])
    before, now = rng.normal(size=(2, n, 3))
    if kind in ("covariate", "both"):
        now[:, 0] *= 0.5
    far = np.arange(n) < 0.3 * n * (kind == "new region")
    now[far, 2] = rng.normal(4, 0.5, far.sum())
    logits = now @ (WEIGHTS * [1, -1, 1] if kind in ("concept", "both") else WEIGHTS) * np.where(far, -1, 1)
    labels = rng.random(n) < expit(before @ WEIGHTS), rng.random(n) < expit(logits)
    return [pd.DataFrame(x) for x in (before, now)] + [(y != (x @ WEIGHTS > 0)).astype(float) for x, y in zip((before, now), labels)]


@pytest.fixture(scope="module")
def terms():
    found = {kind: [disde(*world(kind, seed), seed=seed) for seed in range(SEEDS)] for kind in KINDS}
    weighed = {kind: [shapley(*world(kind, seed), seed=seed) for seed in range(SEEDS)] for kind in KINDS}
    clean = [disde(*world("none", 10_000 + seed, n=800), seed=seed) for seed in range(CLEAN)]
    ledgers = [slices(*world("none", 10_000 + seed, n=800)) for seed in range(CLEAN)]
    rows = []
    for kind, splits in found.items():
        values = np.array([[term.value for term in split.terms] for split in splits])
        errors = np.array([[term.se for term in split.terms] for split in splits])
        cells = [f"{m:+.3f} ± {s:.3f} ({e:.3f})" for m, s, e in zip(values.mean(0), values.std(0, ddof=1), errors.mean(0))]
        told = [split for split in weighed[kind] if split.terms and split.verdict != "UNDECIDED"]
        pair = " / ".join(f"{np.mean([split[name].value for split in told]):+.3f}" for name in ("rows", "concept")) if told else "UNDECIDED"
        named = sum(split.dominant == KINDS[kind] for split in splits)
        rows.append([kind, f"{np.mean([split.total for split in splits]):+.3f}", *cells, f"{named} of {SEEDS}", f"{pair} ({len(told)} of {SEEDS})"])
    head = ("world", "total", "mix", "concept", "new", "right term first", "Shapley: rows / concept (told)")
    alarms = [sum(result.drifted for result in results) for results in (clean, ledgers)]
    text = tables.table(head, rows) + (
        f"\n\nClean pairs of 800 rows at alpha 1 %: `disde` names a term in {alarms[0]} of {CLEAN}, `slices` a segment in {alarms[1]} of {CLEAN}.")
    tables.write("rootcause", text)
    return found, weighed, alarms


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_term_comes_first_with_every_seed(terms, kind):
    assert [split.dominant for split in terms[0][kind]].count(KINDS[kind]) >= (SEEDS if kind != "none" else binom.ppf(1e-6, SEEDS, 0.99))


@pytest.mark.parametrize("kind", ["none", "concept", "new region"])
def test_terms_that_did_not_move_are_within_three_standard_errors(terms, kind):
    # mix in all three worlds, and all of `none`: each leaves three standard errors in 0.27 %.
    names = ("mix", "concept", "new") if kind == "none" else ("mix",)
    beyond = sum(abs(split[name].value) > 3 * split[name].se for split in terms[0][kind] for name in names)
    assert beyond <= binom.isf(1e-6, SEEDS * len(names), 0.0027)


def test_standard_errors_tell_how_far_terms_vary(terms):
    # Where all rows have a counterpart. Variance over mean squared error of 40 repetitions, within limits that chi-squared with 39
    # degrees passes once in 100,000 times on either side; half as low where the ridge holds still what does not move.
    low, high = chi2.ppf([1e-5, 1 - 1e-5], SEEDS - 1) / (SEEDS - 1)
    for kind in ("none", "covariate", "concept", "both"):
        for name in ("mix", "concept", "new"):
            values, errors = zip(*((split[name].value, split[name].se) for split in terms[0][kind]))
            assert low / 2 < np.var(values, ddof=1) / np.mean(np.square(errors)) < high, (kind, name)


def test_shapley_is_undecided_where_no_weight_reaches(terms):
    assert all(split.verdict == "UNDECIDED" for split in terms[1]["new region"])


def test_clean_pairs_alarm_no_more_often_than_promised(terms):
    assert max(terms[2]) <= binom.isf(1e-6, CLEAN, 0.01)
