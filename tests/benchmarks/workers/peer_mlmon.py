"""mlmon.drift: statistics alone, or the whole detect."""

from serve import serve

CERTIFIED = 2e-3   # half of the widest interval within which a KS is certified


def make(task, reference, numeric, categorical, mode="exact", threads=1):
    from mlmon import drift
    detector = drift.DataDriftDetector(reference, mode=mode, threads=threads)
    if task == "statistics":
        return (lambda current: current), detector.statistics, lambda result: {
            "ks": kolmogorov(result, numeric, mode)}
    return (lambda current: current), detector.detect, lambda report: {
        "drifted": bool(report.drifted),
        "features": [*report.drifted_features, *(name for pair in report.drifted_pairs for name in pair)],
    }


def kolmogorov(result, numeric, mode):
    """KS of the numeric columns; what is certified, as the interval that it must lie in."""
    found = {name: value for name, value in zip(result["feature"], result["statistic"]) if name in set(numeric)}
    if mode == "certified":
        return {name: [value - CERTIFIED, value + CERTIFIED] for name, value in found.items()}
    return found


if __name__ == "__main__":
    serve(make)
