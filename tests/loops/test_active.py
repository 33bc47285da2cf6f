"""The labelling loop: what it gains, what its own batches hide, and what it keeps."""
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from mlmon.loops.active import STRATEGIES, ActiveLearningFeedbackLoop, Config, choose, no_worse, simulate, start, step

Z = norm.isf(5e-7)      # a two-sided bound of Z standard errors fails by chance once in a million
SMALL = Config(pool=1000, holdout=500)


def near(values, expected=0):
    values = np.asarray(values, float)
    return abs(values.mean() - expected) <= Z * values.std(ddof=1) / np.sqrt(len(values))


def end(strategy, **fields):
    frame = simulate(Config(strategy=strategy, **fields), seed=1, rounds=10, runs=20)
    return frame[frame["round"] == 10].reset_index(drop=True)


@pytest.fixture(scope="module")
def ends():
    return {strategy: end(strategy) for strategy in ("random", "entropy")}


def test_labels_by_uncertainty_are_worth_more_than_labels_by_chance(ends):
    # The audit's setting, 60 labels and ten times 20: better in AUC and log loss, paired over 20 pools.
    for metric, sign in (("auc", 1), ("log_loss", -1)):
        gain = sign * (ends["entropy"][metric] - ends["random"][metric])
        assert gain.mean() > Z * gain.std() / np.sqrt(20)


def test_the_chosen_batch_lies_about_the_model(ends):
    # Rows next to the boundary: half of them positive and hard, while the pool is neither.
    assert ends["entropy"]["positives"].mean() > ends["random"]["positives"].mean() + 0.1
    assert ends["entropy"]["on_rest"].mean() - ends["entropy"]["on_batch"].mean() > 0.2


def test_audit_and_weights_tell_the_truth():
    # The mean error of each over all rounds and runs is chance; the plain batch's is not.
    frame = simulate(Config(strategy="drawn", pool=600, holdout=300, audit=20), seed=2, rounds=6, runs=25).query("round > 0")
    by_run = frame.assign(**{name: frame[name] - frame["on_rest"] for name in ("on_audit", "weighted", "on_batch")}).groupby("run").mean()
    assert near(by_run["weighted"]) and near(by_run["on_audit"]) and not near(by_run["on_batch"])


def test_random_batches_need_no_audit():
    # What was drawn by chance estimates the rest without bias.
    frame = simulate(Config(strategy="random", pool=600, holdout=300), seed=3, rounds=6, runs=25).query("round > 0")
    assert near((frame["on_batch"] - frame["on_rest"]).groupby(frame["run"]).mean())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_asks_for_new_rows_within_its_budget(strategy):
    # No row twice, budget and audit kept, nothing of the old state changed.
    config = Config(strategy=strategy, pool=300, holdout=200, budget=15, audit=5)
    rng = np.random.default_rng(4)
    first = start(config, rng)
    second = step(first, config, rng)
    assert len(second.labelled) == len(set(second.labelled.tolist())) == 80 and len(first.labelled) == 60
    assert len(second.batch) == 15 and len(second.audit) == 5 and (second.weights is None) == (strategy != "drawn")


def test_the_pool_can_be_used_up():
    # 100 rows, 60 labelled: after two rounds of 20 none is left, and the third asks for none.
    frame = simulate(Config(pool=100, holdout=100), rounds=3)
    assert frame["labels"].tolist() == [60, 80, 100, 100] and frame["on_rest"].isna().tolist() == [True, False, False, True]


def test_all_strategies_see_the_same_pool():
    frames = [simulate(Config(strategy=s, pool=300, holdout=200), seed=5, rounds=1) for s in ("random", "entropy")]
    pd.testing.assert_frame_equal(*(frame[frame["round"] == 0] for frame in frames))


# --- the chapter's loop ----------------------------------------------------------------

def rows(n, seed, flip=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, (X[:, 0] + 0.3 * rng.normal(size=n) > 0) != flip


def loop(**options):
    return ActiveLearningFeedbackLoop(LogisticRegression(), *rows(200, 1), holdout=rows(300, 2), **options)


def test_it_asks_for_the_rows_next_to_the_boundary():
    # The most uncertain first, as many as the budget.
    one, (pool, _) = loop(labeling_budget=7), rows(100, 3)
    chosen = one.select_examples_for_labeling(pool)
    distance = abs(one.champion.decision_function(pool))
    assert chosen == np.argsort(distance)[:7].tolist()


def test_a_budget_of_nothing_asks_for_nothing():
    assert loop(labeling_budget=0).select_examples_for_labeling(rows(50, 3)[0]) == []


def test_all_labels_are_kept_and_a_worse_model_is_not():
    # 400 labels the wrong way round would turn the model over: the holdout keeps the champion, the rows are stored.
    one = loop()
    champion = one.champion
    assert one.retrain_with_feedback(*rows(400, 4, flip=True)) is False
    assert one.champion is champion and len(one.y_train) == 600


def test_good_labels_bring_a_new_champion():
    one = loop()
    champion = one.champion
    assert one.retrain_with_feedback(*rows(400, 4)) is True and one.champion is not champion


def test_a_batch_of_one_class_is_taken():
    # What was chosen may well be all of one kind.
    X, y = rows(60, 5)
    one = loop()
    one.retrain_with_feedback(X[y], y[y])
    assert len(one.y_train) == 200 + y.sum()


def test_no_worse_means_by_chance():
    # The same model is no worse than itself; one that has not learned a class of the holdout is.
    X, y = rows(300, 6)
    good = LogisticRegression().fit(X, y)
    assert no_worse(good, good, X, y)
    three = np.where(X[:, 1] > 1, 2, y.astype(int))
    assert not no_worse(LogisticRegression().fit(X, y.astype(int)), LogisticRegression().fit(X, three), X, three)


def test_the_committee_asks_where_its_members_differ():
    # Bootstrap models of a clear boundary differ only next to it.
    X, y = rows(300, 7)
    model = LogisticRegression().fit(X, y)
    grid = np.c_[np.linspace(-3, 3, 101), np.zeros(101)]
    chosen, _ = choose(model, grid, 5, "committee", np.random.default_rng(8), (X[:30], y[:30]))
    assert np.abs(grid[chosen, 0]).max() < 1


@pytest.mark.parametrize("call, message", [
    (lambda: loop(strategy="best"), "strategy needs one of 'random', 'entropy'"),
    (lambda: loop(labeling_budget=-1), "labeling_budget needs a whole number of 0 or more, got -1"),
    (lambda: ActiveLearningFeedbackLoop(LogisticRegression(), [[1.0], [2.0]], [1, 1], holdout=rows(50, 1)),
     "X needs labels of two classes or more, got 1"),
    (lambda: loop().retrain_with_feedback([[1.0, 2.0]], [1, 0]), "labeled_examples needs rows of features and one label each"),
    (lambda: Config(start=50, pool=40), "start needs at most the pool's rows, 40, got 50"),
    (lambda: simulate(SMALL, rounds=0), "rounds needs a whole number of 1 or more, got 0"),
])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
