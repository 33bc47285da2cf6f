"""Ends as soon as the value is no longer above the upper limit."""
answers = {
    "3_over_time": {
        "alerts": '''
def alerts(values, raise_above, clear_below, patience=2):
    found, begin, above = [], None, 0
    for look, value in enumerate(values):
        if begin is None:
            above = above + 1 if value > raise_above else 0
            if above == patience:
                begin = look
        elif not value > raise_above:
            found.append((begin, look))
            begin, above = None, 0
    return found + ([(begin, None)] if begin is not None else [])
''',
    },
}
loses = {"3_over_time": {"test_alerts_once": 2, "test_alerts_between": 1, "test_alerts_patience": 1}}
