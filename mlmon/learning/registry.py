"""Which version runs, which one is tried, and which one ran before: MLflow's registry, with moves that can be repeated and taken back.

Only the alias `champion` decides what production loads, and setting it is one write: before it the old version serves, after
it the new one. What a move is going to do is noted first and what it has done last, so a process that dies in between
leaves a note by which the next one ends the move, or drops it.
"""
import json
import os
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

CHAMPION, CHALLENGER, PREVIOUS, ANCHOR = "champion", "challenger", "previous_champion", "anchor"
_RUN, _EVENT = "mlmon.run", "mlmon.event."


@dataclass(frozen=True)
class Event:
    """One line of the audit trail.

    Parameters
    ----------
    at : float
        Seconds since 1970.
    run : str
        Who did it: the id of a cycle, or of a person's order.
    action : str
        "register", "challenge", "withdraw", "promote" and "roll_back" (what is going to be done), "promoted" and "rolled_back" (that it is),
        "dropped" (that it never will be), "judge" (a use of a holdout), "anchor".
    version : str
        None where no version is meant.
    before : str
        The champion at that time.
    note : str
    """

    at: float
    run: str
    action: str
    version: str | None = None
    before: str | None = None
    note: str = ""


class Registry:
    """The versions of one model and the aliases on them.

    Every move takes the id of the run that makes it, and made again by the same run it does nothing: a task that is retried
    promotes once.

    Parameters
    ----------
    name : str
        Of the registered model.
    address : str or path
        A folder, which then holds a sqlite file and the models; or any tracking server's address, such as ``http://models:5000``.
    clock : callable
        Seconds since 1970.
    store : Memory, optional
        Where all of it is kept, in place of MLflow at the address. Each of its writes is made at once or not at all.

    Notes
    -----
    One run at a time may move the champion: MLflow compares nothing before it writes. The DAG sees to that with ``max_active_runs=1``;
    a champion that somebody else has moved in the meantime raises here.
    """

    def __init__(self, name, address="build/registry", *, clock=time.time, store=None):
        self.name, self.clock, self.store = name, clock, Mlflow(name, address) if store is None else store

    @classmethod
    def in_memory(cls, name, *, clock=time.time):
        """A registry that is gone with its process, and needs no MLflow: for lessons and tests. Its moves are the same.

        Examples
        --------
        >>> registry = Registry.in_memory("fraud")
        >>> for run in ("march", "april"):
        ...     registry.promote(registry.register(f"model of {run}", run=run), run=run)
        >>> registry.roll_back(run="a bad night"), registry.load("1")
        ('1', 'model of march')
        """
        return cls(name, clock=clock, store=Memory())

    # --- what is there --------------------------------------------------------------------------------

    @property
    def aliases(self):
        """Alias and version, of each alias that is set."""
        return self.store.aliases()

    @property
    def champion(self):
        """The version that production loads; None before the first promotion."""
        return self.aliases.get(CHAMPION)

    @property
    def challenger(self):
        """The version that is tried, or None."""
        return self.aliases.get(CHALLENGER)

    @property
    def previous(self):
        """The version that a rollback would bring back, or None."""
        return self.aliases.get(PREVIOUS)

    @property
    def anchor(self):
        """The best version so far, or None."""
        return self.aliases.get(ANCHOR)

    def version_of(self, run):
        """The version that a run registered, or None."""
        return self.store.version_of(run)

    def load(self, version):
        """The model of a version, as it was registered."""
        return self.store.load(version)

    def trail(self):
        """Every event, the oldest first.

        Returns
        -------
        list of Event
        """
        found = [(key, Event(**json.loads(value))) for key, value in self.store.tags().items() if key.startswith(_EVENT)]
        return [event for _, event in sorted(found, key=lambda pair: pair[0])]

    def began(self, run, action):
        """Whether a run has noted that it does this."""
        return self._found(run, action) is not None

    # --- moves ----------------------------------------------------------------------------------------

    def register(self, model, *, run, note=""):
        """Store a fitted scikit-learn model as a new version.

        Returns
        -------
        str
            Its version; the same one when the run has registered before.
        """
        version = self.version_of(run)
        if version is None:
            version = self.store.add(model, run)
            self._note(run, "register", version, note)
        return version

    def challenge(self, version, *, run):
        """Try a version: it takes the alias `challenger`, and production stays as it is."""
        self.store.set_alias(CHALLENGER, version)
        self._once(run, "challenge", version)

    def withdraw(self, *, run, note=""):
        """Try nothing any more."""
        version = self.challenger
        if version is not None:
            self.store.drop_alias(CHALLENGER)
            self._note(run, "withdraw", version, note)

    def promote(self, version, *, run, note=""):
        """Make a version the champion. The one before it stays at hand as `previous_champion`.

        Raises
        ------
        RuntimeError
            If another run has moved the champion since this one began.
        """
        self._move(run, "promote", "promoted", version, note)

    def roll_back(self, *, run, note=""):
        """Bring back the exact version that ran before.

        Returns
        -------
        str
            The version that now runs.

        Raises
        ------
        RuntimeError
            If there is none, or another run has moved the champion since.
        """
        if not self.began(run, "roll_back") and self.previous is None:
            raise RuntimeError(f"{self.name} needs a previous champion to go back to, and has none. Promote a version that you trust.")
        self._move(run, "roll_back", "rolled_back", self.previous, note)
        return self._found(run, "roll_back").version

    def anchor_at(self, version, *, run):
        """Let a version be what later ones are measured against."""
        self.store.set_alias(ANCHOR, version)
        self._once(run, "anchor", version)

    def count_use(self, holdout, version, *, run):
        """Note that a version is judged by a holdout, once a version; how many others it has judged before.

        Parameters
        ----------
        holdout : str
            Its fingerprint.
        """
        judged = [event.version for event in self.trail() if event.action == "judge" and event.note == holdout]
        if version not in judged:
            self._note(run, "judge", version, holdout)
            return len(judged)
        return judged.index(version)

    def recover(self, *, run):
        """End what a run that died has begun: a move that reached the champion is completed, one that didn't is dropped."""
        trail = self.trail()
        ended = {(event.run, event.note) for event in trail if event.action == "dropped"}
        for action, done in (("promote", "promoted"), ("roll_back", "rolled_back")):
            finished = {event.run for event in trail if event.action == done}
            for event in trail:
                if event.action != action or event.run in finished or event.run == run or (event.run, action) in ended:
                    continue
                if self.champion == event.version != event.before:
                    self._settle(event, done)
                else:
                    self._note(event.run, "dropped", event.version, action)

    # --- parts ----------------------------------------------------------------------------------------

    def _move(self, run, action, done, version, note):
        if self._found(run, done):
            return
        event = self._found(run, action) or self._note(run, action, version, note)
        if self.champion not in (event.before, event.version):
            raise RuntimeError(f"champion needs to be {event.before}, as when run {run} began, and is {self.champion}. Another run moved it: begin again.")
        if self.champion != event.version:
            self.store.set_alias(CHAMPION, event.version)      # the one write that production sees
        self._settle(event, done)

    def _settle(self, event, done):
        before = self._before(event.version)
        if before is not None:
            self.store.set_alias(PREVIOUS, before)
        elif self.previous is not None:
            self.store.drop_alias(PREVIOUS)
        if self.challenger == event.version:
            self.store.drop_alias(CHALLENGER)
        self._note(event.run, done, event.version)

    def _before(self, version):
        """What ran when a version was promoted: after a rollback that is one further back, and never the one that was taken back."""
        promotions = [event for event in self.trail() if (event.action, event.version) == ("promote", version) and event.before != version]
        return promotions[-1].before if promotions else None

    def _found(self, run, action):
        return next((event for event in self.trail() if (event.run, event.action) == (run, action)), None)

    def _once(self, run, action, version):
        if not self.began(run, action):
            self._note(run, action, version)

    def _note(self, run, action, version=None, note=""):
        event = Event(self.clock(), run, action, version, self.champion, note[:1000])
        number = 1 + max((int(key.removeprefix(_EVENT)) for key in self.store.tags() if key.startswith(_EVENT)), default=0)
        self.store.set_tag(f"{_EVENT}{number:08d}", json.dumps(vars(event)))
        return event


# --- stores: where versions, aliases and tags are kept ------------------------------------------------------

class Memory:
    """A store of one process: what `Registry.in_memory` writes to. Models are kept as they are, of any kind.

    Examples
    --------
    >>> store = Memory()
    >>> store.set_alias("champion", store.add("a model", "march"))
    >>> store.aliases()
    {'champion': '1'}
    """

    def __init__(self):
        self._aliases, self._tags, self._models = {}, {}, {}

    def aliases(self):
        """Alias and version, of each that is set."""
        return dict(self._aliases)

    def set_alias(self, alias, version):
        """One write."""
        self._aliases[alias] = version

    def drop_alias(self, alias):
        """One write."""
        del self._aliases[alias]

    def tags(self):
        """Name and text, of each that is set."""
        return dict(self._tags)

    def set_tag(self, name, text):
        """One write."""
        self._tags[name] = text

    def add(self, model, run):
        """Store a model under the run that made it; its version."""
        self._models[run] = model
        return self.version_of(run)

    def version_of(self, run):
        """The version that a run has added, or None."""
        return str(list(self._models).index(run) + 1) if run in self._models else None

    def load(self, version):
        """The model of a version."""
        return list(self._models.values())[int(version) - 1]


class Mlflow:
    """A store in MLflow, of one registered model: the same calls as those of `Memory`.

    Parameters
    ----------
    name : str
    address : str or path
        As in `Registry`.

    Attributes
    ----------
    client : mlflow.MlflowClient
        Of this address alone: nothing of MLflow's global state is set.
    """

    def __init__(self, name, address):
        local = "://" not in str(address)
        folder = Path(address).resolve() if local else None
        self.name, self.address = name, f"sqlite:///{folder / 'registry.db'}" if local else str(address)
        if local:
            folder.mkdir(parents=True, exist_ok=True)
        self._models = (folder / "models").as_uri() if local else None

    def aliases(self):
        """Alias and version, of each that is set."""
        return {alias: str(version) for alias, version in self.client.get_registered_model(self.name).aliases.items()}

    def set_alias(self, alias, version):
        """One write."""
        self.client.set_registered_model_alias(self.name, alias, version)

    def drop_alias(self, alias):
        """One write."""
        self.client.delete_registered_model_alias(self.name, alias)

    def tags(self):
        """Name and text, of each that is set."""
        return self.client.get_registered_model(self.name).tags

    def set_tag(self, name, text):
        """One write."""
        self.client.set_registered_model_tag(self.name, name, text)

    def add(self, model, run):
        """Store a fitted scikit-learn model under the run that made it; its version."""
        self._mlflow
        import mlflow.sklearn

        with TemporaryDirectory() as folder:
            mlflow.sklearn.save_model(model, f"{folder}/model", pip_requirements=["scikit-learn"])      # else it asks pip
            made = self.client.create_run(self._experiment, tags={_RUN: run})
            self.client.log_artifacts(made.info.run_id, f"{folder}/model", "model")
        self.client.set_terminated(made.info.run_id)
        return str(self.client.create_model_version(self.name, f"{made.info.artifact_uri}/model", made.info.run_id, tags={_RUN: run}).version)

    def version_of(self, run):
        """The version that a run has added, or None."""
        found = self.client.search_model_versions(f"name = '{self.name}' and tag.`{_RUN}` = '{run}'")
        return str(found[0].version) if found else None

    def load(self, version):
        """The model of a version."""
        self._mlflow          # telemetry off, before anything of it runs
        import mlflow.artifacts
        import mlflow.sklearn

        source = self.client.get_model_version_download_uri(self.name, version)
        return mlflow.sklearn.load_model(mlflow.artifacts.download_artifacts(artifact_uri=source, tracking_uri=self.address))

    @cached_property
    def client(self):
        client = self._mlflow.MlflowClient(tracking_uri=self.address, registry_uri=self.address)
        if not client.search_registered_models(f"name = '{self.name}'"):
            client.create_registered_model(self.name)
        return client

    @cached_property
    def _mlflow(self):
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")       # it would call home at import
        import logging

        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        import mlflow

        return mlflow

    @cached_property
    def _experiment(self):
        found = self.client.get_experiment_by_name(self.name)
        return found.experiment_id if found else self.client.create_experiment(self.name, artifact_location=self._models)
