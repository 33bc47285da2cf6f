"""Alerts that belong to nobody."""
slips = {
    "3_alerts": {
        "watch_rules": [
            ('"labels": {"severity": severity, "owner": owner}',
             '"labels": {"severity": severity}'),
        ],
    },
}
loses = {"3_alerts": {"test_watch_form": 2}}
