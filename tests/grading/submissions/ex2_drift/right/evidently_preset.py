"""The daily report from whole presets, read from the snapshot's dict."""
answers = {
    "4_daily_report": {
        "drift_scores": '''
def drift_scores(reference, current, numeric, categorical, alpha=0.05):
    limits = {**{c: ("ks", alpha / len(numeric)) for c in numeric}, **{c: ("psi", 0.1) for c in categorical}}
    out = {c: {"method": method, "score": None, "threshold": limit, "status": "ERROR"} for c, (method, limit) in limits.items()}
    num = [c for c in numeric if c in current and current[c].dtype.kind in "iuf" and current[c].count()]
    cat = [c for c in categorical if c in current and current[c].count()]
    definition = DataDefinition(numerical_columns=num, categorical_columns=cat)
    preset = DataDriftPreset(columns=num + cat, num_method="ks", num_threshold=alpha / len(numeric), cat_method="psi", cat_threshold=0.1)
    snapshot = Report([preset], include_tests=True).run(
        current_data=Dataset.from_pandas(current[num + cat], data_definition=definition),
        reference_data=Dataset.from_pandas(reference[num + cat], data_definition=definition))
    found = snapshot.dict()
    for metric in found["metrics"]:
        if metric["config"]["type"].endswith("ValueDrift"):
            out[metric["config"]["column"]]["score"] = float(metric["value"])
    for test in found["tests"]:
        if test["id"] == "drift":
            out[test["metric_config"]["params"]["column"]]["status"] = test["status"].value
    return out
''',
        "missing_tests": '''
def missing_tests(reference, current, columns, limit=0.05):
    present = [c for c in columns if c in current.columns]
    report = Report([MissingValueCount(column=c, share_tests=[lte(limit)]) for c in present], include_tests=True)
    snapshot = report.run(current[present].astype(object), reference[present].astype(object))
    results = json.loads(snapshot.json())
    out = {c: {"share": None, "status": "ERROR"} for c in columns}
    for metric, test in zip(results["metrics"], results["tests"]):
        out[metric["config"]["column"]].update(share=metric["value"]["share"], status=test["status"])
    return out
''',
        "save_report": '''
def save_report(day, reference, current, numeric, categorical, folder):
    num = [c for c in numeric if c in current and current[c].dtype.kind in "iuf" and current[c].count()]
    cat = [c for c in categorical if c in current and current[c].count()]
    definition = DataDefinition(numerical_columns=num, categorical_columns=cat)
    snapshot = Report([DataDriftPreset(columns=num + cat), DataSummaryPreset(columns=num + cat)]).run(
        Dataset.from_pandas(current[num + cat], data_definition=definition),
        Dataset.from_pandas(reference[num + cat], data_definition=definition))
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"drift_{day}.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(snapshot.get_html_str(as_iframe=False))
    return path
''',
    },
}
