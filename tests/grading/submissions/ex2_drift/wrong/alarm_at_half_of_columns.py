"""Evidently's default: no alarm before half of the columns have drifted."""
answers = {
    "4_daily_report": {
        "summarise": '''
def summarise(day, drift, missing):
    drifted = [name for name, entry in drift.items() if entry["status"] == "FAIL"]
    gaps = [name for name, entry in missing.items() if entry["status"] == "FAIL"]
    errors = sorted({name for part in (drift, missing) for name, entry in part.items() if entry["status"] == "ERROR"})
    failed = len(drifted) > len(drift) / 2 or len(gaps) > len(missing) / 2
    status = "ERROR" if errors else "FAIL" if failed else "SUCCESS"
    return {"day": day, "status": status, "alarm": status != "SUCCESS", "drifted": drifted, "missing": gaps, "errors": errors}
''',
    },
}
loses = {"4_daily_report": {"test_summarise_status": 1}}
