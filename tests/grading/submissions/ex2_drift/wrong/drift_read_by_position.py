"""Reads results by position; the first metric of a preset is the count of drifted columns."""
answers = {
    "4_daily_report": {
        "drift_scores": '''
def drift_scores(reference, current, numeric, categorical, alpha=0.05):
    result = {name: {"method": "ks", "score": None, "threshold": alpha / len(numeric), "status": "ERROR"} for name in numeric}
    result |= {name: {"method": "psi", "score": None, "threshold": 0.1, "status": "ERROR"} for name in categorical}
    alive = [name for name in result if name in current.columns and current[name].notna().any()
             and (name in categorical or pd.api.types.is_numeric_dtype(current[name]))]
    definition = DataDefinition(numerical_columns=[name for name in alive if name in numeric],
                                categorical_columns=[name for name in alive if name in categorical])
    preset = DataDriftPreset(columns=alive, num_method="ks", num_threshold=alpha / len(numeric), cat_method="psi", cat_threshold=0.1)
    today, before = (Dataset.from_pandas(frame[alive], data_definition=definition) for frame in (current, reference))
    found = json.loads(Report([preset], include_tests=True).run(today, before).json())
    for i, name in enumerate(alive):
        value = found["metrics"][i]["value"]
        result[name]["score"] = float(value["share"] if isinstance(value, dict) else value)
        result[name]["status"] = found["tests"][i]["status"]
    return result
''',
    },
}
loses = {"4_daily_report": {"test_drift_scores_value": 2, "test_drift_scores_status": 2, "test_drift_scores_budget": 1, "test_drift_scores_dead": 1}}
