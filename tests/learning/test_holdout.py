"""Nobody is on both sides, no label is young, locked rows stay."""
import numpy as np
import pandas as pd
import pytest

from mlmon.learning import Holdout, split
from mlmon.learning.trigger import DAY


def events(n=6000, days=100, people=1500, seed=0):
    """Many events of each person, over time; labels of a tenth never come."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "who": [f"p{k}" for k in rng.integers(people, size=n)], "at": np.sort(rng.random(n) * days * DAY), "x": rng.normal(size=n),
        "y": np.where(rng.random(n) < 0.1, np.nan, (rng.random(n) < 0.3).astype(float)),
    })


def parts(frame, day, **switches):
    return split(frame, id="who", at="at", label="y", **{"now": day * DAY, "maturity": 7 * DAY, "recent": 10 * DAY, "lock": 20 * DAY, **switches})


def test_nobody_is_ever_on_both_sides():
    # In this cycle, and across all cycles: who was once held out is never learned from.
    frame, learned, held = events(), set(), set()
    for day in range(45, 100, 5):
        found = parts(frame, day)
        learned |= set(found.train.ids)
        held |= set(found.recent.ids) | set(found.locked.ids)
    assert len(learned) > 500 and len(held) > 100 and not learned & held


def test_no_label_is_young_and_the_future_teaches_nothing():
    frame, day = events(), 60
    found = parts(frame, day, embargo=2 * DAY)
    at = frame["at"]
    assert at[found.recent.rows.index].between((day - 17) * DAY, (day - 7) * DAY).all()
    assert at[found.train.rows.index].max() < (day - 19) * DAY
    assert at[found.locked.rows.index].max() < 20 * DAY
    assert found.young == (at > (day - 7) * DAY).sum()
    assert found.unlabelled == frame["y"][at <= (day - 7) * DAY].isna().sum()


def test_locked_rows_stay_the_same_and_recent_ones_move():
    frame = events()
    first, later = parts(frame, 60), parts(frame, 70)
    assert first.locked.fingerprint == later.locked.fingerprint
    assert first.recent.fingerprint != later.recent.fingerprint


def test_another_salt_locks_others():
    frame = events()
    assert not set(parts(frame, 60).locked.ids) == set(parts(frame, 60, salt="2").locked.ids)


def test_a_fingerprint_does_not_know_the_order():
    rows = pd.DataFrame({"x": np.arange(50.0)})
    held = Holdout(rows, np.arange(50) % 2.0, np.arange(50))
    turned = Holdout(held.rows.iloc[::-1], held.y[::-1], held.ids[::-1])
    assert held.fingerprint == turned.fingerprint != Holdout(held.rows, 1 - held.y, held.ids).fingerprint


def test_features_are_what_is_no_id_time_or_label():
    assert list(parts(events(), 60).train.rows.columns) == ["x"]


@pytest.mark.parametrize("bad, why", [({"lock": 50 * DAY}, "lock needs"), ({"share": 1.0}, "share needs"), ({"maturity": 0}, "maturity needs"), ({"label": "z"}, "column needs")])
def test_split_refuses_what_makes_no_sense(bad, why):
    with pytest.raises(ValueError, match=why):
        split(events(), **{"id": "who", "at": "at", "label": "y", "now": 60 * DAY, "maturity": 7 * DAY, "recent": 10 * DAY, "lock": 20 * DAY, **bad})
