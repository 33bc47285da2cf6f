"""Exercise 1 gives right answers all points, and a wrong one loses those of its slip and no others.

Each answer is judged in a fork, by plain Python; test_ex1_graded sends some through the grader itself, `make prove` all.
"""

import multiprocessing
from pathlib import Path

import pytest

from mlmon import doctor
from mlmon.grading import release

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(__file__).parent / "submissions" / "ex1_dashboard"
RIGHT = [f"right/{path.stem}" for path in sorted((ANSWERS / "right").glob("*.py"))]
WRONG = [f"wrong/{path.stem}" for path in sorted((ANSWERS / "wrong").glob("*.py"))]
# Rules that are not the reference's go through days of series: a second or more each. `make test` judges three such.
LONG = {
    "right/other_rules", "right/shared_objects", "right/yaml_by_hand", "wrong/absent_asks_for_any", "wrong/drift_at_first_sight",
    "wrong/every_instance_must_run_the_job", "wrong/instances_apart", "wrong/never_fires", "wrong/no_least_number_of_calls",
    "wrong/no_runbook_in_the_alert", "wrong/one_pair_is_missing", "wrong/owner_is_missing", "wrong/short_windows_only",
    "wrong/stale_in_minutes", "wrong/versions_together", "wrong/waits_for_a_counter_to_be_zero",
}
MISSING = doctor.lack("prometheus") or doctor.lack("alertmanager")
FORKS = "fork" in multiprocessing.get_all_start_methods()

pytestmark = pytest.mark.skipif(bool(MISSING) or not FORKS, reason=MISSING or "no processes can be forked here")


@pytest.fixture(scope="module")
def parts():
    return release.parts(ROOT / "exercises" / "ex1_dashboard")


@pytest.fixture(scope="module")
def judged(kit):
    """Points of the reference by part, and a way to judge an answer."""
    with kit.judge_in_forks("ex1_dashboard") as found:
        yield found


def test_there_are_enough_answers_to_hold_the_grader_honest():
    assert len(RIGHT) >= 10 and len(WRONG) >= 20 and LONG < {*RIGHT, *WRONG}


def test_the_written_question_is_the_only_part_for_a_person(parts):
    assert [part.name for part in parts if not part.automatic] == ["4_runbook:account"]


def test_every_part_is_lost_by_some_wrong_answer(kit, parts):
    # A check that no slip fails would prove nothing.
    lost = {f"{book}:{test}" for one in kit.read_answers("ex1_dashboard", "wrong") for book, tests in one.loses.items() for test in tests}
    assert {part.name for part in parts if part.automatic} - lost == set()


def test_the_reference_gets_all_automatic_points(judged, parts):
    assert judged[0] == {part.name: part.points for part in parts if part.automatic}


def test_the_untouched_release_gets_none(kit, parts):
    found = kit.points_of(kit.released(ROOT / "exercises" / "ex1_dashboard"))
    assert found == {part.name: 0 for part in parts if part.automatic}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.prove] * (name in LONG)) for name in [*RIGHT, *WRONG]])
def test_an_answer_gets_the_points_that_it_earns_and_no_others(name, kit, judged, parts):
    # Right answers name no loss, so they are due everything.
    one = kit.read_answer(ANSWERS / f"{name}.py")
    assert bool(one.loses) == name.startswith("wrong/")
    assert judged[1](one) == kit.due(one, parts)
