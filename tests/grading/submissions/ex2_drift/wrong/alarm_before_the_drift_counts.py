"""Takes a false alarm before the drift for a detection."""
answers = {
    "4_daily_report": {
        "score_alarms": '''
def score_alarms(alarms, start):
    start = len(alarms) if start is None else start
    before, after = alarms[:start], alarms[start:]
    delay = max(0, alarms.index(True) - start) if True in alarms else None
    return {"false_alarms": sum(before), "missed": len(after) - sum(after), "delay": delay}
''',
    },
}
loses = {"4_daily_report": {"test_score_alarms": 1, "test_score_alarms_never": 1}}
