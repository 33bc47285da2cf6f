"""The chapter's own: an alert at every look above the limit."""
answers = {
    "3_over_time": {
        "alerts": '''
def alerts(values, raise_above, clear_below, patience=2):
    return [(look, look + 1) for look, value in enumerate(values) if value > raise_above]
''',
    },
}
loses = {"3_over_time": {"test_alerts_once": 2, "test_alerts_between": 1, "test_alerts_patience": 1, "test_alerts_lasting": 1}}
