"""The registry, in MLflow on sqlite and in memory: moves that are made once, taken back exactly, and survive a death at any write."""
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from mlmon.learning import Registry


def constant(share):
    """A model that gives everybody this probability, so that each version is told from every other."""
    model = DummyClassifier(strategy="prior").fit(np.zeros((1000, 1)), np.arange(1000) < 1000 * share)
    return model


class Ticks:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


@pytest.fixture(params=["mlflow", "memory"])
def registry(request):
    """Each test is of both stores: what holds in one holds in the other."""
    if request.param == "memory":
        return Registry.in_memory("fraud", clock=Ticks())
    return Registry("fraud", request.getfixturevalue("home") / "registry", clock=Ticks())


@pytest.fixture
def in_mlflow(home):
    return Registry("fraud", home / "registry", clock=Ticks())


def stocked(registry, n):
    """Versions 1 to n, of which each promotes after the other."""
    for k in range(1, n + 1):
        registry.promote(registry.register(constant(k / 10), run=f"r{k}"), run=f"r{k}")
    return registry


def actions(registry):
    return [(event.action, event.version) for event in registry.trail()]


def test_a_version_comes_back_as_it_was_stored(registry):
    version = registry.register(constant(0.3), run="r1")
    assert registry.load(version).predict_proba([[0]])[0, 1] == pytest.approx(0.3)
    assert (registry.champion, registry.challenger, registry.previous, registry.anchor) == (None,) * 4


def test_a_run_registers_once(registry):
    assert registry.register(constant(0.3), run="r1") == registry.register(constant(0.4), run="r1") == "1"
    assert registry.load("1").predict_proba([[0]])[0, 1] == pytest.approx(0.3)


def test_promotion_moves_champion_and_keeps_the_one_before(registry):
    stocked(registry, 2)
    registry.challenge(registry.register(constant(0.9), run="r3"), run="r3")
    assert (registry.champion, registry.previous, registry.challenger) == ("2", "1", "3")
    registry.promote("3", run="r3")
    assert (registry.champion, registry.previous, registry.challenger) == ("3", "2", None)


def test_a_promotion_that_is_retried_changes_nothing(registry):
    stocked(registry, 2)
    before = registry.aliases, actions(registry)
    registry.promote("2", run="r2")
    assert (registry.aliases, actions(registry)) == before
    # Nor does one that comes long after, when others have moved on.
    registry.promote("1", run="r1")
    assert registry.champion == "2"


def test_rollback_restores_the_exact_version_and_never_goes_forward_again(registry):
    stocked(registry, 3)
    assert registry.roll_back(run="night") == "2" and registry.champion == "2"
    assert registry.roll_back(run="night") == "2" and registry.champion == "2"        # retried
    assert registry.previous == "1"                                                   # not 3, which was taken back
    assert registry.roll_back(run="worse night") == "1" and registry.previous is None
    with pytest.raises(RuntimeError, match="previous champion"):
        registry.roll_back(run="no further")


def test_what_was_taken_back_can_be_promoted_again(registry):
    stocked(registry, 2)
    registry.roll_back(run="night")
    registry.promote("2", run="mended")
    assert (registry.champion, registry.previous) == ("2", "1")


def test_two_runs_do_not_overrun_each_other(registry, monkeypatch):
    # The first has noted what it is going to do and sleeps; the second promotes; the first wakes up.
    stocked(registry, 1)
    registry.register(constant(0.5), run="slow"), registry.register(constant(0.6), run="quick")
    with monkeypatch.context() as patch:
        patch.setattr(registry.store, "set_alias", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            registry.promote("2", run="slow")
    registry.promote("3", run="quick")
    with pytest.raises(RuntimeError, match="Another run moved it"):
        registry.promote("2", run="slow")
    assert registry.champion == "3"


def test_the_trail_tells_who_did_what(registry):
    version = registry.register(constant(0.3), run="r1", note="first")
    registry.challenge(version, run="r1")
    registry.withdraw(run="r1", note="slow")
    registry.withdraw(run="r1", note="slow")
    registry.promote(version, run="person")
    assert actions(registry) == [("register", "1"), ("challenge", "1"), ("withdraw", "1"), ("promote", "1"), ("promoted", "1")]
    assert [event.run for event in registry.trail()] == ["r1"] * 3 + ["person"] * 2
    assert registry.trail()[0].note == "first"


def test_a_holdout_counts_the_versions_that_it_judged(registry):
    # A retry of the same version learns nothing new from it, so it is no further use.
    stocked(registry, 2)
    assert [registry.count_use("h", version, run="r") for version in ("1", "1", "2", "1")] == [0, 0, 1, 0]
    assert registry.count_use("other", "2", run="r") == 0


def test_the_same_address_from_another_process_shows_the_same(in_mlflow, home):
    stocked(in_mlflow, 2)
    other = Registry("fraud", home / "registry")
    assert other.aliases == in_mlflow.aliases and other.trail() == in_mlflow.trail()


# --- death at every call ----------------------------------------------------------------------------------

class Dies:
    """A store, or MLflow's client, whose n-th write is never made: as if the process were killed between two of them."""

    def __init__(self, real, n):
        self.real, self.left = real, n

    def __getattr__(self, name):
        if name.startswith(("set_", "create_", "delete_", "drop_", "log_", "add")):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt(name)
        return getattr(self.real, name)


def attempt(registry, n, move):
    """Whether the move died at its n-th write."""
    owner, name = (registry.store, "client") if hasattr(registry.store, "client") else (registry, "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, Dies(getattr(owner, name), n))
        try:
            move(registry)
        except KeyboardInterrupt:
            return True
    return False


@pytest.mark.parametrize("move, settled", [
    (lambda r: r.promote("3", run="now"), ("3", "2")), (lambda r: r.roll_back(run="now"), ("1", None)),
], ids=["promote", "roll back"])
def test_a_move_that_dies_at_any_write_is_either_not_made_or_made(registry, move, settled):
    stocked(registry, 2)
    registry.register(constant(0.9), run="r3")
    for n in range(1, 20):
        died = attempt(registry, n, move)
        assert registry.champion in ("2", settled[0])       # at every moment one of the two serves
        move(registry)                                      # the run is taken up again
        assert (registry.champion, registry.previous) == settled
        assert [event.action for event in registry.trail() if event.run == "now"] in (["promote", "promoted"], ["roll_back", "rolled_back"])
        if not died:
            break
        registry.promote("2", run=f"back {n}")              # as before
        registry.store.set_alias("previous_champion", "1")
        forget(registry, "now")
    assert 3 < n < 19


def test_what_a_dead_run_began_is_ended_or_dropped_by_the_next(registry):
    stocked(registry, 2)
    registry.register(constant(0.9), run="r3")
    for n in range(1, 20):
        died = attempt(registry, n, lambda r: r.promote("3", run="dead"))
        moved = registry.champion == "3"
        registry.recover(run="next")
        registry.recover(run="next")
        assert (registry.champion, registry.previous) == (("3", "2") if moved else ("2", "1"))
        told = [event.action for event in registry.trail() if event.run == "dead"]
        assert told in ([], ["promote", "promoted"], ["promote", "dropped"])
        if not died:
            break
        registry.promote("2", run=f"back {n}")
        registry.store.set_alias("previous_champion", "1")
        forget(registry, "dead")
    assert 3 < n < 19


def test_a_registration_that_dies_leaves_one_version_in_the_end(in_mlflow):
    for n in range(1, 20):
        died = attempt(in_mlflow, n, lambda r: r.register(constant(0.3), run=f"run {n}"))
        version = in_mlflow.register(constant(0.3), run=f"run {n}")
        assert in_mlflow.version_of(f"run {n}") == version == str(n)
        if not died:
            break
    assert 3 < n < 19


def forget(registry, run):
    """Take a run's events off the trail, so that the same death can be tried at the next write."""
    for name, text in registry.store.tags().items():
        if f'"run": "{run}"' in text:
            registry.store.set_tag(name, text.replace(f'"run": "{run}"', f'"run": "{run}, of an earlier try"'))
