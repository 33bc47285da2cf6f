"""Who copied is found, whatever they renamed; who only solved the same task is not."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmon.grading.likeness import RUN, WINDOW, compare, fingerprint, hashes, tokens

MEAN = '''
def trimmed_mean(values, share):
    """Mean without the largest and the smallest."""
    ordered = sorted(values)
    cut = int(len(ordered) * share)
    kept = ordered[cut : len(ordered) - cut] if cut else ordered
    total = 0.0
    for value in kept:
        total += value
    return total / max(1, len(kept))
'''
RENAMED = '''
def trimmed_mean(xs, part):
    "my own idea"
    s = sorted(xs)   # sorted!
    k = int(len(s) * part)
    middle = s[k:len(s) - k] if k else s
    acc = 0.5
    for x in middle:
        acc += x
    return acc / max(1, len(middle))
'''
OTHER = '''
import numpy as np

def trimmed_mean(values, share):
    data = np.sort(np.asarray(values, dtype=float))
    while share > 0 and data.size > 2 / share:
        data, share = data[1:-1], share - 1 / data.size
    return float(data.mean())
'''


def alike(**answers):
    return compare({student: fingerprint([text]) for student, text in answers.items()})


def words(rng, n):
    """Code without meaning whose tokens differ."""
    return [f".method{rng.randrange(10_000)}" for _ in range(n)]


def test_a_renamed_copy_is_the_same_and_another_way_is_not():
    found = alike(anna=MEAN, ben=RENAMED, carl=OTHER)
    assert found["anna"].share == found["ben"].share == 1 and found["anna"].student == "ben"
    assert "carl" not in found or found["carl"].share < 0.2


def test_part_of_a_copy_is_part_of_the_likeness():
    rng = random.Random(1)
    shared, own, other = (" ".join(words(rng, 400)) for _ in range(3))
    share = alike(anna=shared + " " + own, ben=other + " " + shared)["anna"].share
    # Half of the text is shared by two; its hashes weigh log(3/2), those of one's own log(3).
    expected = np.log(1.5) / (np.log(1.5) + np.log(3))
    assert share == pytest.approx(expected, abs=0.08)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), before=st.integers(0, 40), after=st.integers(0, 40))
def test_winnowing_keeps_its_guarantee(seed, before, after):
    # Schleimer et al., section 3: a shared passage of RUN + WINDOW - 1 tokens is found, wherever it stands.
    rng = random.Random(seed)
    passage = words(rng, RUN + WINDOW - 1)
    one, two = ("".join([*words(rng, size), *passage, *words(rng, size)]) for size in (before, after))
    assert np.intersect1d(fingerprint([one]), fingerprint([two])).size


def test_passages_shorter_than_a_run_are_not_compared():
    rng = random.Random(2)
    passage = words(rng, RUN - 1)
    one, two = ("".join([*words(rng, 50), *passage, *words(rng, 50)]) for _ in range(2))
    assert not np.intersect1d(fingerprint([one]), fingerprint([two])).size


def test_what_was_given_counts_for_nobody():
    given_ = "def start(values):\n    checked = [value for value in values if value is not None]\n    return sorted(checked)\n"
    release = hashes([given_])
    assert fingerprint([given_], release).size == 0
    found = compare({name: fingerprint([given_, text], release) for name, text in {"anna": MEAN, "carl": OTHER}.items()})
    assert all(one.share < 0.2 for one in found.values())


def test_what_everybody_writes_weighs_little():
    # Of ten who share an idiom only two share the rest.
    rng = random.Random(3)
    idiom, copied = " ".join(words(rng, 200)), " ".join(words(rng, 200))
    answers = {f"s{number}": idiom + " " + " ".join(words(rng, 200)) for number in range(8)}
    found = alike(anna=idiom + " " + copied, ben=idiom + " " + copied, **answers)
    assert found["anna"].student == "ben" and found["anna"].share == 1
    assert max(found[name].share for name in answers) < 0.1


def test_the_order_of_cells_and_students_does_not_matter():
    whole = {"anna": [MEAN, OTHER], "ben": [OTHER, RENAMED], "carl": [OTHER]}
    found = compare({name: fingerprint(cells) for name, cells in whole.items()})
    turned = compare({name: fingerprint(whole[name][::-1]) for name in reversed(whole)})
    assert {name: one.share for name, one in found.items()} == {name: one.share for name, one in turned.items()}


@pytest.mark.parametrize("source", ["", "   \n", "def f(:\n  '''open", "%%bash\necho hi", "x = 'it''s", "\x00\ud800 π = 1", "'" * 1000])
def test_broken_code_is_read_as_far_as_it_goes(source):
    assert compare({"anna": fingerprint([source]), "ben": fingerprint([])}).get("ben") is None
    assert all(isinstance(word, str) for word in tokens(source))


@pytest.mark.slow
def test_a_thousand_submissions_take_seconds():
    rng = random.Random(4)
    idioms = [" ".join(words(rng, 60)) for _ in range(40)]
    answers = [[*rng.sample(idioms, 10), " ".join(words(rng, 1_000))] for _ in range(999)]
    begin = time.process_time()
    prints = {f"s{number}": fingerprint(cells) for number, cells in enumerate(answers)}
    prints["thief"] = fingerprint(answers[500])
    assert compare(prints)["thief"].student == "s500"
    assert time.process_time() - begin < 30
