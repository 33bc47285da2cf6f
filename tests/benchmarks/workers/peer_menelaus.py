"""menelaus 0.2: one decision on the numeric columns together, HDDDM (Hellinger) or a kdq-tree. No single statistics."""

import copy

from serve import serve


def make(task, reference, numeric, categorical, method="HDDDM"):
    from menelaus.data_drift import HDDDM, KdqTreeBatch

    detector = HDDDM(detect_batch=1) if method == "HDDDM" else KdqTreeBatch(alpha=0.05)
    detector.set_reference(reference[numeric].dropna())

    def run(prepared):
        fresh, current = prepared   # a detector learns from what it sees, so each check gets a fresh one
        fresh.update(current)
        return fresh

    return (lambda current: (copy.deepcopy(detector), current[numeric].dropna())), run, lambda result: {
        "drifted": result.drift_state == "drift", "features": []}


if __name__ == "__main__":
    serve(make)
