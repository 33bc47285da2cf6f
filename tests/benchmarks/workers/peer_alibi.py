"""alibi-detect 0.13: TabularDrift, KS or chi-squared with Bonferroni. No PSI. It takes one matrix of numbers.

It counts the levels that it was made with. When a batch holds a new one, the detector is made
again with that level, outside the timing, because without it the new level would go unseen.
"""

from serve import serve


def make(task, reference, numeric, categorical):
    import numpy as np
    import pandas as pd
    from alibi_detect.cd import TabularDrift

    known = {name: pd.Index(reference[name].dropna().unique()) for name in categorical}

    def matrix(frame, levels):
        out = np.empty((len(frame), len(numeric) + len(categorical)))
        out[:, :len(numeric)] = frame[numeric]
        for i, name in enumerate(categorical, start=len(numeric)):
            out[:, i] = levels[name].get_indexer(frame[name].astype(object))
        return out

    def detector(levels):
        places = {len(numeric) + i: list(range(len(levels[name]))) for i, name in enumerate(categorical)}
        return TabularDrift(matrix(reference, levels), p_val=0.05, categories_per_feature=places or None)

    learnt = detector(known)

    def prepare(current):
        levels = {name: known[name].union(current[name].dropna().unique(), sort=False) for name in categorical}
        same = all(len(levels[name]) == len(known[name]) for name in categorical)
        return (learnt if same else detector(levels)), matrix(current, levels)

    def run(prepared):
        detector, array = prepared
        if task == "statistics":
            return detector.feature_score(detector.x_ref, array)
        return detector.predict(array, drift_type="batch")["data"]

    def read(result):
        if task == "statistics":
            return {"ks": {name: float(each) for name, each in zip(numeric, result[1])}}
        limit = 0.05 / (len(numeric) + len(categorical))
        features = [name for name, p in zip(numeric + categorical, result["p_val"]) if p < limit]
        return {"drifted": bool(result["is_drift"]), "features": features}

    return prepare, run, read


if __name__ == "__main__":
    serve(make)
