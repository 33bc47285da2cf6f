"""The library of incidents: one fault each, known, hidden from the evidence, and never the same twice."""
import numpy as np
import pandas as pd
import pytest

from mlmon.data import incidents

NAMES = incidents.names()
FAULTS = [name for name in NAMES if name not in ("healthy", "quiet")]
each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def library():
    return {name: incidents.make(name, seed=2) for name in NAMES}


def test_there_are_sixteen_kinds_at_least_and_two_controls(library):
    assert len(FAULTS) >= 16 and {library[name].truth.layer for name in FAULTS} == {"business", "model", "prediction", "data", "system"}
    assert [library[name].truth.cause for name in ("healthy", "quiet")] == ["none", "none"]


@each
def test_the_parts_of_an_incident_fit_together(library, name):
    # One row a request in frames, scores, labels and logs; time runs forward; labels are 0, 1 or unknown.
    incident = library[name]
    for role, frame in (("reference", incident.reference), ("current", incident.current)):
        parts = [getattr(incident, f"{part}_{role}") for part in ("scores", "labels", "log")]
        assert {len(part) for part in parts if part is not None} == {len(frame)}
        scores, labels, log = parts
        assert np.isnan(scores).mean() < 0.5 and ((scores >= 0) & (scores <= 1))[~np.isnan(scores)].all()
        assert labels is None or np.isin(labels[~np.isnan(labels)], (0, 1)).all()
        assert log["time"].is_monotonic_increasing and set(log["outcome"]) <= {"ok", "error", "timeout"}


@each
def test_the_evidence_is_plain_data_without_the_truth(library, name):
    evidence = library[name].evidence
    assert set(evidence) <= set(incidents.EVIDENCE) and {"reference", "current"} <= set(evidence)
    assert all(isinstance(value, (pd.DataFrame, np.ndarray)) for value in evidence.values())
    assert library[name].truth.cause not in library[name].page


@each
def test_the_same_seed_gives_the_same_incident(name):
    one, other = incidents.make(name, seed=5), incidents.make(name, seed=5)
    assert one.current.equals(other.current) and one.page == other.page and one.truth == other.truth
    assert one.log_current.equals(other.log_current) and np.array_equal(one.scores_current, other.scores_current, equal_nan=True)


@pytest.mark.parametrize("name", ["unit_change", "join_loss", "traffic_mix"])
def test_seeds_vary_table_size_and_columns(name):
    made = [incidents.make(name, seed) for seed in range(8)]
    assert len({incident.table for incident in made}) > 1 and len({len(incident.current) for incident in made}) == 8
    assert len({incident.truth.features for incident in made}) > 3


def test_a_unit_change_multiplies_and_nothing_else(library):
    # Whatever the factor, ranks stay: the reference of the same column has another median, by that factor.
    incident = library["unit_change"]
    (column,) = incident.truth.features
    ratio = incident.current[column].median() / incident.reference[column].median()
    assert min(abs(np.log(ratio / factor)) for factor in incidents.FACTORS) < 0.15


def test_a_join_loses_columns_on_the_same_rows(library):
    incident = library["join_loss"]
    gone = incident.current[list(incident.truth.features)].isna()
    assert len(incident.truth.features) > 1 and (gone.all(axis=1) == gone.any(axis=1)).all() and gone.any(axis=None)


def test_a_renamed_level_keeps_its_share(library):
    incident = library["renamed_category"]
    (column,) = incident.truth.features
    new = set(incident.current[column]) - set(incident.reference[column])
    assert len(new) == 1 and not incident.current[column].isna().any()


def test_a_skewed_feature_differs_from_its_offline_twin(library):
    incident = library["skew"]
    (column,) = incident.truth.features
    others = incident.current.columns.drop(column)
    assert not incident.current[column].equals(incident.offline[column]) and incident.current[others].equals(incident.offline[others])


def test_timeouts_are_answered_by_one_default(library):
    incident = library["timeouts"]
    late = (incident.log_current["outcome"] == "timeout").to_numpy()
    assert late.mean() > 0.04 and len(set(incident.scores_current[late])) == 1


def test_scores_are_near_the_truth_before_anything_breaks():
    # The model is the law up to training error: mean score and rate of labels agree within a tenth, and five standard errors.
    for name in ("label_delay", "feedback"):
        incident = incidents.make(name, seed=4)
        ok = ~np.isnan(incident.scores_reference)
        score, label = incident.scores_reference[ok], incident.labels_reference[ok]
        assert abs(score.mean() - label.mean()) < 0.1 * label.mean() + 5 * label.std() / np.sqrt(len(label))


def test_unknown_names_and_seeds_are_refused():
    with pytest.raises(ValueError, match="incident needs one of 'unit_change'"):
        incidents.make("flood")
    with pytest.raises(ValueError, match="seed needs a whole number of 0 or more, got -1"):
        incidents.make("stale", seed=-1)
