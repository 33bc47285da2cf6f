"""The chapter's list of failures: a status of ERROR is in none of them."""
answers = {
    "4_daily_report": {
        "summarise": '''
def summarise(day, drift, missing):
    drifted = [name for name, entry in drift.items() if entry["status"] == "FAIL"]
    gaps = [name for name, entry in missing.items() if entry["status"] == "FAIL"]
    failed = bool(drifted or gaps)
    return {"day": day, "status": "FAIL" if failed else "SUCCESS", "alarm": failed, "drifted": drifted, "missing": gaps, "errors": []}
''',
    },
}
loses = {"4_daily_report": {"test_summarise_error": 1}}
