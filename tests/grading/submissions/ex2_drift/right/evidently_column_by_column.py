"""One small report a column, and errors caught where they happen."""
answers = {
    "4_daily_report": {
        "drift_scores": '''
def drift_scores(reference, current, numeric, categorical, alpha=0.05):
    result = {}
    for column in [*numeric, *categorical]:
        method, threshold = ("ks", alpha / len(numeric)) if column in numeric else ("psi", 0.1)
        entry = {"method": method, "score": None, "threshold": threshold, "status": "ERROR"}
        kind = {"numerical_columns": [column]} if column in numeric else {"categorical_columns": [column]}
        try:
            definition = DataDefinition(**kind)
            snapshot = Report([ValueDrift(column=column, method=method, threshold=threshold)], include_tests=True).run(
                Dataset.from_pandas(current[[column]], data_definition=definition),
                Dataset.from_pandas(reference[[column]], data_definition=definition))
            found = json.loads(snapshot.json())
            entry.update(score=found["metrics"][0]["value"], status=found["tests"][0]["status"])
        except (KeyError, ValueError, TypeError):
            pass
        result[column] = entry
    return result
''',
        "missing_tests": '''
def missing_tests(reference, current, columns, limit=0.05):
    def one(column):
        if column not in current:
            return {"share": None, "status": "ERROR"}
        definition = DataDefinition(categorical_columns=[column])
        report = Report([MissingValueCount(column=column, share_tests=[lte(limit)])], include_tests=True)
        found = report.run(Dataset.from_pandas(current[[column]], data_definition=definition)).dict()
        return {"share": float(found["metrics"][0]["value"]["share"]), "status": found["tests"][0]["status"].name}
    return {column: one(column) for column in columns}
''',
        "save_report": '''
def save_report(day, reference, current, numeric, categorical, folder):
    columns = []
    for column in numeric + categorical:
        try:
            values = current[column].dropna()
            if len(values) and (column in categorical or values.astype(float).notna().all()):
                columns.append(column)
        except (KeyError, ValueError):
            continue
    definition = DataDefinition(numerical_columns=[c for c in columns if c in numeric], categorical_columns=[c for c in columns if c in categorical])
    before = Dataset.from_pandas(reference[columns], data_definition=definition)
    today = Dataset.from_pandas(current[columns], data_definition=definition)
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = f"{folder}/drift_{day}.html"
    Report(metrics=[DataDriftPreset(), DataSummaryPreset()]).run(today, before).save_html(path)
    return path
''',
    },
}
