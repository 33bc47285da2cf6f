"""Leaves dead columns out, as if all were well."""
answers = {
    "4_daily_report": {
        "drift_scores": '''
def drift_scores(reference, current, numeric, categorical, alpha=0.05):
    result = {name: {"method": "ks", "score": None, "threshold": alpha / len(numeric), "status": "ERROR"} for name in numeric}
    result |= {name: {"method": "psi", "score": None, "threshold": 0.1, "status": "ERROR"} for name in categorical}
    alive = [name for name in result if name in current.columns and current[name].notna().any()
             and (name in categorical or pd.api.types.is_numeric_dtype(current[name]))]
    if not alive:
        return result
    definition = DataDefinition(numerical_columns=[name for name in alive if name in numeric],
                                categorical_columns=[name for name in alive if name in categorical])
    metrics = [ValueDrift(column=name, method=result[name]["method"], threshold=result[name]["threshold"]) for name in alive]
    today, before = (Dataset.from_pandas(frame[alive], data_definition=definition) for frame in (current, reference))
    found = json.loads(Report(metrics, include_tests=True).run(today, before).json())
    for metric in found["metrics"]:
        result[metric["config"]["column"]]["score"] = float(metric["value"])
    for test in found["tests"]:
        result[test["metric_config"]["params"]["column"]]["status"] = test["status"]
    return {name: entry for name, entry in result.items() if name in alive}
''',
    },
}
loses = {"4_daily_report": {"test_drift_scores_dead": 1}}
