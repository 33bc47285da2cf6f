"""Counts values above, in a row or not."""
answers = {
    "3_over_time": {
        "alerts": '''
def alerts(values, raise_above, clear_below, patience=2):
    found, begin, above = [], None, 0
    for look, value in enumerate(values):
        if begin is None:
            above += value > raise_above
            if above == patience:
                begin = look
        elif value < clear_below:
            found.append((begin, look))
            begin, above = None, 0
    return found + ([(begin, None)] if begin is not None else [])
''',
    },
}
loses = {"3_over_time": {"test_alerts_patience": 1}}
