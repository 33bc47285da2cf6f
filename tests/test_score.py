"""The ML Test Score, against the paper's own rules (Breck et al. 2017, sections II to VI)."""
import itertools

import numpy as np
import pytest

from mlmon.score import SECTIONS, TESTS, ml_test_score

# The paper's table of what a score means: where each reading begins to hold, and where it ends.
READINGS = {0: "research", 0.5: "serious holes", 1: "serious holes", 1.5: "first pass", 2: "first pass", 2.5: "reasonably", 3: "reasonably",
            3.5: "strong", 5: "strong", 5.5: "exceptional", 7: "exceptional"}


def first(points):
    """Tests that give each section these points."""
    chosen = {section: [test for test in TESTS if test.startswith(section)] for section in SECTIONS}
    whole = [test for section in SECTIONS for test in chosen[section][:int(points)]]
    half = [chosen[section][int(points)] for section in SECTIONS] if points % 1 else []
    return {"automated": whole, "manual": half}


def test_there_are_four_sections_of_seven_tests():
    assert list(TESTS) == [f"{section} {number}" for section, number in itertools.product(SECTIONS, range(1, 8))]


@pytest.mark.parametrize("points", READINGS)
def test_a_score_is_read_as_in_the_paper(points):
    found = ml_test_score(**first(points))
    assert found.value == points and READINGS[points] in found.meaning
    assert set(found.sections.values()) == {points}


@pytest.mark.parametrize("weak", SECTIONS)
def test_the_weakest_section_is_the_score(weak):
    # 21 perfect tests do not make up for one section that has half a point.
    others = [test for test in TESTS if not test.startswith(weak)]
    found = ml_test_score(automated=others, manual=[f"{weak} 3"])
    assert found.value == found.sections[weak] == 0.5
    assert found.next == tuple(f"{weak} {number}" for number in range(1, 8))


def test_a_test_by_hand_is_worth_half_of_one_that_runs_by_itself():
    assert ml_test_score(manual=list(TESTS)).value == ml_test_score(automated=list(TESTS)).value / 2 == 3.5


def test_no_test_more_ever_lowers_the_score_and_order_does_not_count():
    rng = np.random.default_rng(3)
    for _ in range(50):
        order = rng.permutation(list(TESTS)).tolist()
        automated, manual, more = order[:10], order[10:20], order[20]
        before, after = (ml_test_score(automated=a, manual=manual) for a in (automated, [more, *automated]))
        assert before.value <= after.value and sum(after.sections.values()) == sum(before.sections.values()) + 1
        assert ml_test_score(automated=automated[::-1], manual=manual[::-1]) == before


def test_only_the_next_steps_raise_the_score():
    # One weak section: automating a test of it raises the score, one of another does not.
    done = [test for test in TESTS if not test.startswith("model")] + ["model 1"]
    before = ml_test_score(automated=done)
    assert all(ml_test_score(automated=[*done, test]).value == before.value + 1 for test in before.next)
    fewer = [test for test in done if test != "data 5"]
    assert ml_test_score(automated=fewer).value == before.value


def test_an_unknown_test_one_named_twice_and_bare_text_are_refused():
    with pytest.raises(ValueError, match="automated needs tests .* got 'data 8'"):
        ml_test_score(automated=["data 8"])
    with pytest.raises(ValueError, match="got 'data 1' more often"):
        ml_test_score(automated=["data 1"], manual=["data 1"])
    with pytest.raises(ValueError, match=r"Write \['model 2'\]"):
        ml_test_score(manual="model 2")
