"""Counts undecided pairs as quiet ones."""
answers = {
    "5_comparing_methods": {
        "alarm_rate": '''
def alarm_rate(detector, pairs):
    verdicts = [DETECTORS[detector](reference, current) for reference, current in pairs]
    alarms, undecided = verdicts.count("drifted"), verdicts.count("undecided")
    decided = len(verdicts) - undecided
    return {"runs": len(verdicts), "alarms": alarms, "undecided": undecided, "rate": alarms / len(verdicts)}
''',
    },
}
loses = {"5_comparing_methods": {"test_alarm_rate_undecided": 1}}
