"""NannyML 0.13: univariate drift with thresholds from the chunks of the reference.

Statistics: KS or chi-squared, and Jensen-Shannon (it has no PSI). Decisions: its default,
Jensen-Shannon beyond three deviations of the reference's chunks, any feature.
"""

import os

from serve import serve

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"


def make(task, reference, numeric, categorical, chunks=1):
    import nannyml

    names = numeric + categorical
    methods = {"continuous_methods": ["kolmogorov_smirnov", "jensen_shannon"],
               "categorical_methods": ["chi2", "jensen_shannon"]} if task == "statistics" else {}
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=names, treat_as_categorical=categorical, chunk_size=len(reference) // chunks, **methods)
    calculator.fit(reference)

    def read(result):
        if task == "statistics":
            return {}
        frame = result.filter(period="analysis").to_df()
        features = [name for name in names if frame[(name, "jensen_shannon", "alert")].any()]
        return {"drifted": bool(features), "features": features}

    return (lambda current: current), calculator.calculate, read


if __name__ == "__main__":
    serve(make)
