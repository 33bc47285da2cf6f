"""NannyML's CBPE on the employment data of its own package: chunks of 10,000 rows.

Writes labels and scores to the file that is named, and the estimates of each chunk as JSON to stdout.
"""

import json
import os
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.simplefilter("ignore")
METRICS = {"auc": "roc_auc", "accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1"}

if __name__ == "__main__":
    import nannyml
    import numpy as np

    reference, analysis, target = nannyml.load_us_census_ma_employment_data()
    analysis = analysis.merge(target, on="id")
    estimator = nannyml.CBPE(
        problem_type="classification_binary", y_pred_proba="predicted_probability", y_pred="prediction", y_true="employed",
        metrics=list(METRICS.values()), chunk_size=10_000)
    estimator.fit(reference)
    frame = estimator.estimate(analysis).filter(period="analysis").to_df()
    np.savez(
        sys.argv[1], y0=reference["employed"], s0=reference["predicted_probability"], s=analysis["predicted_probability"], y=analysis["employed"],
        foretold=analysis["prediction"])
    ends = [[int(a), int(b)] for a, b in zip(frame["chunk", "start_index"], frame["chunk", "end_index"])]
    values = {ours: frame[theirs, "value"].tolist() for ours, theirs in METRICS.items()}
    print(json.dumps({"calibrated": bool(estimator.needs_calibration), "chunks": ends, "values": values}))
