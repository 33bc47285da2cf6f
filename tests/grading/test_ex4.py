"""Exercise 4 gives right answers all points, and a wrong one loses those of its slip and no others.

Each answer is judged in a fork, by plain Python; test_ex4_graded sends some through the grader itself, test_ex4_airflow some
DAG files through a real Airflow.
"""

import multiprocessing
from pathlib import Path

import pytest

from mlmon.grading import release

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(__file__).parent / "submissions" / "ex4_retraining"
RIGHT = [f"right/{path.stem}" for path in sorted((ANSWERS / "right").glob("*.py"))]
WRONG = [f"wrong/{path.stem}" for path in sorted((ANSWERS / "wrong").glob("*.py"))]

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no processes can be forked here")


@pytest.fixture(scope="module")
def parts():
    return release.parts(ROOT / "exercises" / "ex4_retraining")


@pytest.fixture(scope="module")
def judged(kit):
    """Points of the reference by part, and a way to judge an answer."""
    with kit.judge_in_forks("ex4_retraining") as found:
        yield found


def test_there_are_enough_answers_to_hold_the_grader_honest():
    assert len(RIGHT) >= 10 and len(WRONG) >= 20


def test_the_written_question_is_the_only_part_for_a_person(parts):
    assert [part.name for part in parts if not part.automatic] == ["5_dag_tests_page:account"]


def test_every_part_is_lost_by_some_wrong_answer(kit, parts):
    # A check that no slip fails would prove nothing.
    lost = {f"{book}:{test}" for one in kit.read_answers("ex4_retraining", "wrong") for book, tests in one.loses.items() for test in tests}
    assert {part.name for part in parts if part.automatic} - lost == set()


def test_the_reference_gets_all_automatic_points(judged, parts):
    assert judged[0] == {part.name: part.points for part in parts if part.automatic}


def test_the_untouched_release_gets_none(kit, parts):
    found = kit.points_of(kit.released(ROOT / "exercises" / "ex4_retraining"))
    assert found == {part.name: 0 for part in parts if part.automatic}


@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_an_answer_gets_the_points_that_it_earns_and_no_others(name, kit, judged, parts):
    # Right answers name no loss, so they are due everything.
    one = kit.read_answer(ANSWERS / f"{name}.py")
    assert bool(one.loses) == name.startswith("wrong/")
    assert judged[1](one) == kit.due(one, parts)
