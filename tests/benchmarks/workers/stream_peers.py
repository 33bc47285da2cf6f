"""The detectors of one library on one stream of errors: CPU seconds one value at a time, and where the library can, a whole array at a time.

Runs in that library's own interpreter. The job names the library, how many values each detector gets, and the repeats.
"""

import json
import random
import sys
import time

NAMES = {      # a library's name of each detector that it has; published constants, its own defaults
    "mlmon": ["CUSUM", "PageHinkley", "DDM", "EDDM", "HDDMA", "HDDMW", "ADWIN", "KSWIN"],
    "river": ["PageHinkley", "DDM", "EDDM", "HDDMA", "HDDMW", "ADWIN", "KSWIN"],
    "frouros": ["CUSUM", "PageHinkley", "DDM", "EDDM", "HDDMA", "HDDMW", "ADWIN", "KSWIN"],
    "menelaus": ["CUSUM", "PageHinkley", "DDM", "EDDM", "ADWIN"],
}
RATE = 0.2


def mlmon(name):
    from mlmon.drift import stream

    detector = stream.CUSUM(RATE, 0.05, 9.6, side="up") if name == "CUSUM" else getattr(stream, name)()
    return detector, detector.update


def river(name):
    from river import drift
    from river.drift import binary

    make = getattr(drift, name, None) or getattr(binary, name)
    detector = make(seed=1) if name == "KSWIN" else make()

    def step(x):
        detector.update(x)
        return detector.drift_detected

    return detector, step


def frouros(name):
    from frouros.detectors import concept_drift

    detector = getattr(concept_drift, name)()

    def step(x):
        detector.update(value=x)
        if detector.drift:
            detector.reset()
            return True
        return False

    return detector, step


def menelaus(name):
    from menelaus import change_detection, concept_drift

    if name in ("DDM", "EDDM"):
        detector = getattr(concept_drift, name)()

        def step(x):
            detector.update(1, 1 - x)      # truth and prediction
            return detector.drift_state == "drift"
    else:
        detector = getattr(change_detection, name)()

        def step(x):
            detector.update(x)
            return detector.drift_state == "drift"

    return detector, step


LIBRARIES = {"mlmon": mlmon, "river": river, "frouros": frouros, "menelaus": menelaus}


def timed(call, count):
    """What a call gives, and its CPU seconds divided by a count."""
    start = time.process_time()
    answer = call()
    return answer, (time.process_time() - start) / count


def main():
    job = json.load(sys.stdin)
    make, draw = LIBRARIES[job["library"]], random.Random(job["seed"])
    values = [float(draw.random() < RATE) for _ in range(max(job["values"].values()))]
    found = {}
    for name, size in job["values"].items():
        try:
            runs = [timed(lambda step=make(name)[1]: sum(map(bool, map(step, values[:size]))), size) for _ in range(job["repeats"])]
        except Exception as error:      # a peer may not bear the stream
            found[name] = {"error": f"{type(error).__name__}: {error}"}
            continue
        found[name] = {"each": min(seconds for _, seconds in runs), "alarms": runs[0][0]}
    if job["library"] == "mlmon":
        import numpy as np

        many = np.random.default_rng(job["seed"]).random(job["many"]) < RATE
        for name in job["values"]:
            runs = [timed(lambda detector=make(name)[0]: detector.update_many(many), len(many)) for _ in range(3 * job["repeats"])]
            found[name]["many"] = min(seconds for _, seconds in runs)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
