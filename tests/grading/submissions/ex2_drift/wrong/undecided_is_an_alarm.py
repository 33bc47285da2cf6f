"""Counts every verdict but stable as an alarm."""
answers = {
    "5_comparing_methods": {
        "alarm_rate": '''
def alarm_rate(detector, pairs):
    verdicts = [DETECTORS[detector](reference, current) for reference, current in pairs]
    alarms = sum(verdict != "stable" for verdict in verdicts)
    return {"runs": len(verdicts), "alarms": alarms, "undecided": verdicts.count("undecided"), "rate": alarms / len(verdicts)}
''',
    },
}
loses = {"5_comparing_methods": {"test_alarm_rate_undecided": 1}}
