"""A labelling loop of modAL, entropy over a pool: CPU seconds a round. Runs in modAL's own interpreter."""

import json
import sys
import time

import numpy as np


def main():
    job = json.load(sys.stdin)
    from modAL.models import ActiveLearner
    from modAL.uncertainty import entropy_sampling
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    X = rng.normal(size=(job["pool"], job["features"]))
    y = (rng.random(job["pool"]) < 1 / (1 + np.exp(-(8 * X.sum(axis=1) / np.sqrt(job["features"]) - 5)))).astype(int)
    first = rng.permutation(job["pool"])[: job["start"]]
    learner = ActiveLearner(LogisticRegression(solver="newton-cholesky"), query_strategy=entropy_sampling, X_training=X[first], y_training=y[first])
    X, y = np.delete(X, first, axis=0), np.delete(y, first)
    start = time.process_time()
    for _ in range(job["rounds"]):
        chosen, _ = learner.query(X, n_instances=job["budget"])
        learner.teach(X[chosen], y[chosen])
        X, y = np.delete(X, chosen, axis=0), np.delete(y, chosen)
    print(json.dumps((time.process_time() - start) / job["rounds"]), flush=True)


if __name__ == "__main__":
    main()
