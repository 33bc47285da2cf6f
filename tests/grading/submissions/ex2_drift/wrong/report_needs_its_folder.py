"""The chapter's way: breaks where the folder does not exist yet."""
answers = {
    "4_daily_report": {
        "save_report": '''
def save_report(day, reference, current, numeric, categorical, folder):
    alive = [name for name in numeric + categorical if name in current.columns and current[name].notna().any()
             and (name in categorical or pd.api.types.is_numeric_dtype(current[name]))]
    definition = DataDefinition(numerical_columns=[name for name in alive if name in numeric],
                                categorical_columns=[name for name in alive if name in categorical])
    today, before = (Dataset.from_pandas(frame[alive], data_definition=definition) for frame in (current, reference))
    snapshot = Report([DataDriftPreset(), DataSummaryPreset()]).run(today, before)
    path = Path(folder) / f"drift_{day}.html"
    snapshot.save_html(str(path))
    return str(path)
''',
    },
}
loses = {"4_daily_report": {"test_save_report_page": 2, "test_save_report_dead": 1}}
