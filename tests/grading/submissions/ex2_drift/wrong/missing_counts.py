"""Gives the number of missing values in place of their share."""
answers = {
    "4_daily_report": {
        "missing_tests": '''
def missing_tests(reference, current, columns, limit=0.05):
    result = {name: {"share": None, "status": "ERROR"} for name in columns}
    present = [name for name in columns if name in current.columns]
    if not present:
        return result
    definition = DataDefinition(categorical_columns=present)
    metrics = [MissingValueCount(column=name, share_tests=[lte(limit)]) for name in present]
    today, before = (Dataset.from_pandas(frame[present], data_definition=definition) for frame in (current, reference))
    found = json.loads(Report(metrics, include_tests=True).run(today, before).json())
    for metric in found["metrics"]:
        result[metric["config"]["column"]]["share"] = float(metric["value"]["count"])
    for test in found["tests"]:
        result[test["metric_config"]["params"]["column"]]["status"] = test["status"]
    return result
''',
    },
}
loses = {"4_daily_report": {"test_missing_tests_share": 2, "test_missing_tests_today": 1, "test_missing_tests_dead": 1}}
