"""deepchecks 0.19: FeatureDrift. Statistics: KS or PSI, without p-values. Decisions: scores of .2 and more.

It samples 100,000 rows of larger data.
"""

from serve import serve


def make(task, reference, numeric, categorical):
    from deepchecks.tabular import Dataset
    from deepchecks.tabular.checks import FeatureDrift

    def dataset(frame):
        return Dataset(frame, cat_features=categorical)

    learnt = dataset(reference)
    check = FeatureDrift(numerical_drift_method="KS", categorical_drift_method="PSI") if task == "statistics" \
        else FeatureDrift().add_condition_drift_score_less_than()

    def run(current):
        return check.run(learnt, dataset(current), with_display=False)

    def read(result):
        if task == "statistics":
            return {}
        [condition] = check.conditions_decision(result)
        features = [name for name, each in result.value.items() if (each["Drift score"] or 0) >= 0.2]
        return {"drifted": not condition.is_pass(), "features": features}

    return (lambda current: current), run, read


if __name__ == "__main__":
    serve(make)
