"""Reports only alerts that have ended."""
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
        elif value < clear_below:
            found.append((begin, look))
            begin, above = None, 0
    return found
''',
    },
}
loses = {"3_over_time": {"test_alerts_lasting": 1}}
