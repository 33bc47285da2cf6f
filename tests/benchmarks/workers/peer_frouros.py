"""frouros 0.9: KS or chi-squared with p-values, and PSI of the numeric columns. It decides nothing."""

from serve import serve


def make(task, reference, numeric, categorical):
    from frouros.detectors.data_drift import PSI, ChiSquareTest, KSTest

    def learnt(detector, name):
        detector = detector()
        detector.fit(X=reference[name].dropna().to_numpy())
        return detector

    tests = {name: learnt(KSTest, name) for name in numeric}
    tests |= {name: learnt(ChiSquareTest, name) for name in categorical}
    indices = {name: learnt(PSI, name) for name in numeric} if task == "statistics" else {}

    def run(columns):
        found = {name: test.compare(X=columns[name])[0] for name, test in tests.items()}
        return found, {name: index.compare(X=columns[name])[0] for name, index in indices.items()}

    def read(result):
        found = result[0]
        if task == "statistics":
            return {"ks": {name: float(found[name].statistic) for name in numeric}}
        features = [name for name, test in found.items() if test.p_value < 0.05]
        return {"drifted": bool(features), "features": features}

    return (lambda current: {name: current[name].dropna().to_numpy() for name in tests}), run, read


if __name__ == "__main__":
    serve(make)
