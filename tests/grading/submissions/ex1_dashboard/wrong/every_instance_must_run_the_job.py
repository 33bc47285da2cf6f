"""Alarms for the oldest run, not for the newest."""
slips = {
    "3_alerts": {
        "watch_rules": [
            ('f"time() - max by',
             'f"time() - min by'),
        ],
    },
}
loses = {"3_alerts": {"test_drift_stale": 2}}
