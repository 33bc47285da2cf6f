"""The chapter's imports and result keys, gone since Evidently 0.7."""
answers = {
    "4_daily_report": {
        "drift_scores": '''
def drift_scores(reference, current, numeric, categorical, alpha=0.05):
    from evidently import ColumnMapping
    from evidently.report import Report
    from evidently.metric_preset import DataDriftPreset

    mapping = ColumnMapping(numerical_features=numeric, categorical_features=categorical)
    report = Report(metrics=[DataDriftPreset()])
    report.run(reference_data=reference, current_data=current, column_mapping=mapping)
    columns = report.as_dict()["metrics"][1]["result"]["drift_by_columns"]
    return {name: {"method": found["stattest_name"], "score": found["drift_score"], "threshold": found["stattest_threshold"],
                   "status": "FAIL" if found["drift_detected"] else "SUCCESS"} for name, found in columns.items()}
''',
    },
}
loses = {"4_daily_report": {"test_drift_scores_value": 2, "test_drift_scores_status": 2, "test_drift_scores_budget": 1, "test_drift_scores_dead": 1}}
