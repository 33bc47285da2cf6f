"""The gate: who may replace production, and on which rows that is decided."""
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom, norm

from mlmon.learning import Gate, Holdout, assess, paired_delong, rows_needed


def binormal(rng, n, areas, *, prevalence=0.1, shared=0.75):
    """Labels, and scores of models with these true AUC: normal scores, apart by sqrt(2) z(AUC), that share most of their noise."""
    y = (rng.random(n) < prevalence).astype(float)
    common = rng.normal(size=n)
    noise = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=(len(areas), n))
    return y, np.sqrt(2) * norm.ppf(np.array(areas))[:, None] * y + noise


def places_by_pairs(y, score):
    """DeLong's structural components by their definition: every pair compared."""
    wins = np.sign(score[y == 1][:, None] - score[y == 0][None, :]) / 2 + 0.5
    return wins.mean(axis=1), wins.mean(axis=0)


def test_the_variance_is_delongs():
    # S10 / m + S01 / n of the paper, from all pairs, ties among them.
    rng = np.random.default_rng(0)
    y, (a, b) = binormal(rng, 400, (0.8, 0.85), prevalence=0.3)
    a, b = a.round(1), b.round(1)
    (a10, a01), (b10, b01) = places_by_pairs(y, a), places_by_pairs(y, b)
    s10, s01 = np.cov(a10, b10) / len(a10), np.cov(a01, b01) / len(a01)
    contrast = np.array([-1, 1])
    se = np.sqrt(contrast @ (s10 + s01) @ contrast)
    found = paired_delong(y, a, b).difference
    assert found.value == pytest.approx(b10.mean() - a10.mean())
    assert (found.high - found.low) / 2 == pytest.approx(norm.ppf(0.975) * se)


def test_pairing_is_worth_several_times_the_rows():
    # Models that share three quarters of their noise: the error is well below what two samples of rows would give.
    y, (a, b) = binormal(np.random.default_rng(1), 2000, (0.9, 0.9))
    paired = paired_delong(y, a, b).difference
    alone = paired_delong(y, np.zeros(len(y)), b).difference
    assert (paired.high - paired.low) * 1.4 < np.sqrt(2) * (alone.high - alone.low)


def accepted(difference, n, margin, *, runs=400, seed=0):
    rng, count, chapter = np.random.default_rng(seed), 0, 0
    for _ in range(runs):
        y, (a, b) = binormal(rng, n, (0.9, 0.9 + difference))
        found = paired_delong(y, a, b, margin=margin, confidence=0.9)
        count += found.finding in ("NOT_WORSE", "BETTER")
        chapter += 0.9 + found.difference.value >= 0.98 * 0.9
    return count, chapter


def test_a_candidate_that_is_worse_by_the_margin_hardly_ever_passes():
    # True AUC 0.880 against 0.900, 200 positives among 2,000: at most 5 %, one in a million granted. The chapter's 2 per cent rule lets it pass far oftener.
    passed, chapter = accepted(-0.020, 2000, 0.02)
    assert passed <= binom.isf(1e-6, 400, 0.05) < chapter


def test_an_equal_candidate_passes_with_the_rows_that_are_asked_for():
    # The number of rows comes from the error of a first comparison, and gives the power that was asked for: 80 %, one in a million granted.
    y, (a, b) = binormal(np.random.default_rng(2), 20_000, (0.9, 0.9))
    n = rows_needed(paired_delong(y, a, b), 0.02)
    assert 1000 < n < 3000
    passed, _ = accepted(0.0, n, 0.02, seed=3)
    assert passed >= binom.isf(1 - 1e-6, 400, 0.77)      # 0.77: the first comparison is itself known to 4 % only


def test_half_the_margin_needs_four_times_the_rows():
    y, (a, b) = binormal(np.random.default_rng(2), 5000, (0.9, 0.9))
    found = paired_delong(y, a, b)
    assert rows_needed(found, 0.01) == pytest.approx(4 * rows_needed(found, 0.02), abs=4)


# --- the gate ---------------------------------------------------------------------------------------------

def column(name):
    return lambda rows: rows[name].to_numpy()


def part(n=4000, seed=0, **scores):
    """Rows with a hidden x; calibrated scores unless others are given; two segments."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n) * 2
    rows = pd.DataFrame({"x": x, "good": expit(x), "segment": np.where(rng.random(n) < 0.2, "small", "large")})
    y = (rng.random(n) < rows["good"]).astype(float)
    for name, make in scores.items():
        rows[name] = make(rows, rng)
    return Holdout(rows, y, np.arange(n))


def asked(candidate, production="good", anchor="good", *, gate=None, used=0, **scores):
    held = part(**scores)
    models = [None if name is None else column(name) for name in (candidate, production, anchor)]
    return assess(*models, recent=held, locked=held, gate=gate or Gate(slices=("segment",)), used=used)


def check(found, name):
    return next(check for check in found.checks if check.name == name)


def test_the_same_model_again_passes():
    found = asked("good")
    assert found.approved and not found.rubber_stamped and not found.better_than_anchor
    assert found.reason == "all 8 checks passed"


def test_without_a_model_before_it_is_said_to_be_rubber_stamped():
    found = asked("good", None, None)
    assert found.approved and found.rubber_stamped and "rubber-stamped" in found.reason


def test_even_the_first_model_has_to_show_something():
    found = asked("blind", None, None, blind=lambda rows, rng: rng.random(len(rows)))
    assert not found.approved and check(found, "floor").outcome == "FAILED"


def test_a_worse_candidate_fails_against_production():
    found = asked("worse", worse=lambda rows, rng: expit(rows["x"] + 2 * rng.normal(size=len(rows))))
    assert check(found, "production").outcome == check(found, "anchor").outcome == "FAILED"


def test_a_candidate_that_fails_one_segment_fails():
    # In the small segment, a fifth of the rows, it guesses; over all rows it loses far less.
    found = asked("partly", gate=Gate(margin=0.2, slices=("segment",)),
                  partly=lambda rows, rng: np.where(rows["segment"] == "small", rng.random(len(rows)), rows["good"]))
    assert check(found, "production").outcome == "PASSED"
    assert check(found, "slice segment").outcome == "FAILED" and "small" in check(found, "slice segment").reason


def test_a_segment_too_small_to_judge_is_named():
    held = part()
    held.rows.loc[:3, "segment"] = "tiny"
    found = assess(column("good"), column("good"), None, recent=held, locked=held, gate=Gate(slices=("segment",)))
    assert "too few rows to judge tiny" in check(found, "slice segment").reason


@pytest.mark.parametrize("name, spoil", [
    ("calibration_intercept", lambda x: x + 1.5),       # odds four times too high
    ("calibration_slope", lambda x: 3 * x),             # three times too sure
])
def test_ranks_may_be_right_and_probabilities_wrong(name, spoil):
    found = asked("spoiled", spoiled=lambda rows, rng: expit(spoil(rows["x"])))
    assert check(found, name).outcome == "FAILED" and check(found, "production").outcome == "PASSED"


def test_a_slow_candidate_fails():
    held, ticks = part(), iter(np.arange(0, 1000, 0.2))
    found = assess(column("good"), None, None, recent=held, locked=held, clock=lambda: next(ticks))
    assert check(found, "latency").outcome == "FAILED" and "0.2 s" in check(found, "latency").reason


def crashes(rows):
    raise KeyError("x9")


@pytest.mark.parametrize("candidate, why", [
    (crashes, "KeyError"),
    (lambda rows: np.full(len(rows), np.nan), "probabilities"),
    (lambda rows: rows["x"], "probabilities"),
    (lambda rows: np.full((len(rows), 2), 0.5), "probabilities"),
    (lambda rows: expit(rows["x"] - rows["x"].mean()), "alone"),
], ids=["raises", "nan", "no probability", "two columns", "batch matters"])
def test_a_candidate_that_cannot_serve_is_asked_nothing_more(candidate, why):
    held = part()
    found = assess(candidate, column("good"), None, recent=held, locked=held)
    assert [c.name for c in found.checks] == ["serves"] and found.outcome == "FAILED" and why in found.reason


def test_few_rows_are_undecided_and_that_is_no_permission():
    held = part(n=60)
    found = assess(column("good"), column("noisy"), None, recent=Holdout(held.rows.assign(noisy=np.random.default_rng(0).random(60)), held.y, held.ids), locked=held,
                   gate=Gate(margin=0.001))
    assert found.outcome == "UNDECIDED" and not found.approved


def test_locked_rows_judge_so_many_candidates_and_no_more():
    assert asked("good", used=19).approved
    spent = asked("good", used=20)
    assert spent.outcome == "UNDECIDED" and "lock others" in check(spent, "anchor").reason


def test_twenty_small_losses_do_not_add_up():
    # Each candidate is 0.005 worse than what runs. Production never gets further below the anchor than the margin, but with the
    # chance alpha in a whole chain of 20: 12 chains, one in a million granted. The chapter's rule accepts nearly all of them: 0.90 - 0.08.
    margin, gate, broken, chapter = 0.02, Gate(margin=0.02, floor=0.5, slope=(0.01, 100.0), intercept=(-100.0, 100.0)), 0, []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        true, rule, (y, (anchor,)) = 0.9, 0.9, binormal(rng, 4000, (0.9,))
        lie = rng.normal(size=len(y))
        for used in range(20):
            area = true - 0.005
            shift = np.sqrt(2) * norm.ppf(area) * y
            base = anchor - np.sqrt(2) * norm.ppf(0.9) * y
            now = np.sqrt(2) * norm.ppf(true) * y + base
            rows = pd.DataFrame({"anchor": expit(anchor), "now": expit(now), "next": expit(shift + np.sqrt(0.94) * base + np.sqrt(0.06) * rng.permutation(lie))})
            held = Holdout(rows, y, np.arange(len(y)))
            found = assess(column("next"), column("now"), column("anchor"), recent=held, locked=held, gate=gate, used=used)
            true = area if found.approved else true
            rule = rule - 0.005 if rule - 0.005 >= 0.98 * rule else rule
        broken += true < 0.9 - margin - 1e-9
        chapter.append(rule)
    assert broken <= binom.isf(1e-6, 12, gate.alpha)
    assert np.mean(chapter) < 0.82


def test_one_who_is_better_beyond_chance_may_become_the_anchor():
    assert asked("good", "worse", "worse", worse=lambda rows, rng: expit(rows["x"] + 2 * rng.normal(size=len(rows)))).better_than_anchor


def test_paired_delong_refuses_other_rows_and_says_what_is_too_few():
    with pytest.raises(ValueError, match="same rows"):
        paired_delong([0, 1], [0.1, 0.2], [0.3])
    with pytest.raises(ValueError, match="labels 0 and 1"):
        paired_delong([0, 2], [0.1, 0.2], [0.3, 0.2])
    found = paired_delong([0] * 50 + [1], np.zeros(51), np.zeros(51))
    assert found.finding == "UNDECIDED" and "5 rows of each class" in found.reason
