"""promtool, which the grader asks for single queries, says what a running Prometheus says: every panel and query of exercise 1's answers.

The series are those of the graded cells, each case at a time of its own, so that one server holds all of them.
"""

import random
from math import isnan
from pathlib import Path

import pytest

from mlmon import doctor
from mlmon.grading import monitoring_checks as checks
from mlmon.serving import brief, dryrun, runbook

ROOT = Path(__file__).resolve().parents[2]
BOOKS = ("2_dashboard", "4_runbook")
APART = 10 * 86400      # seconds between the beginnings of two cases; each is shorter, and windows look back a day
pytestmark = pytest.mark.skipif(bool(doctor.lack("prometheus")), reason=doctor.lack("prometheus"))


def asked(kit, monkeypatch):
    """What the graded cells ask of the reference and of all answers: series, their pace, and {(promql, second): {names of answers}}."""
    found, who = {}, ""

    def note(known, queries, at, every):
        mine = found.setdefault(brief.past(known, every), (known, every, {}))[2]
        for promql in queries:
            mine.setdefault((promql, at), set()).add(who)

    monkeypatch.setattr(checks, "answers", lambda promql, known, *_, at, every=15, **__: note(known, [promql], at, every))
    monkeypatch.setattr(checks, "alive", lambda panels, known, *_, at, every=15, **__: note(
        known, [target["expr"] for panel in panels for target in panel["targets"]], at, every))
    monkeypatch.setattr(checks, "shows", lambda text, known, *_, at, every=15: note(known, runbook.read(text).blocks("promql"), at, every))
    folder = ROOT / "solutions" / "ex1_dashboard"
    reference = kit.Answer("reference", {book: {} for book in BOOKS}, {})
    mine = [one for kind in ("right", "wrong") for one in kit.read_answers("ex1_dashboard", kind) if set(BOOKS) & one.cells.keys()]
    for one, books in kit.answered(folder, [reference, *mine]):
        who = one.name
        for book in set(BOOKS) & books.keys():
            random.seed(7)      # the same hidden numbers for everybody
            kit.points_of({book: books[book]})
    return list(found.values())


def single(ask, promql, *words):
    """One answer by labels, or that it cannot be read."""
    try:
        return {tuple(sorted(labels.items())): value for labels, value in ask(promql, *words)}
    except ValueError:
        return "refused"


def of_promtool(known, every, questions):
    """Its answers; one that it cannot read spoils the others, so then each is asked alone."""
    try:
        found = dryrun.ask(known, list(questions), every=every)
        return {each: {tuple(sorted(labels.items())): value for labels, value in answer} for each, answer in zip(questions, found)}
    except ValueError:
        return {each: single(lambda *one: dryrun.ask(known, [one], every=every)[0], *each) for each in questions}


def same(one, other):
    return one == other or (one != "refused" != other and one.keys() == other.keys() and all(
        value == pytest.approx(other[labels], rel=1e-9, abs=1e-12) or (isnan(value) and isnan(other[labels])) for labels, value in one.items()))


def test_a_running_prometheus_gives_the_values_of_promtool(kit, monkeypatch):
    cases = asked(kit, monkeypatch)
    monkeypatch.undo()
    names = {name for _, _, questions in cases for who in questions.values() for name in who}
    assert "reference" in names and len({name for name in names if name.startswith("wrong/")}) >= 10
    lines = []
    for number, (known, every, _) in enumerate(cases):
        for line in brief.past(known, every).splitlines()[:-1]:
            start, _, second = line.rpartition(" ")
            lines.append(f"{start} {int(second) + number * APART}")
    differ, compared = [], 0
    with brief._prometheus("\n".join([*lines, "# EOF"])) as answer:
        for number, (known, every, questions) in enumerate(cases):
            begin = number * APART
            told = of_promtool(known, every, questions)
            for (promql, at), who in questions.items():
                moved = promql.replace("time()", f"(time() - {begin})")      # a case's clock begins with it
                real = single(lambda query, second: brief._answered(query, answer("query", query=query, time=second)), moved, begin + at)
                compared += 1
                if not same(real, told[promql, at]):
                    differ.append((promql, at, sorted(who), real, told[promql, at]))
    assert not differ, differ[:3]
    assert compared > 200
