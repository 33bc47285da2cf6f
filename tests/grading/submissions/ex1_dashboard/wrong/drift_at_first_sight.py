"""No `for`: an hour of drift is an alert."""
slips = {
    "3_alerts": {
        "watch_rules": [
            ('> 0.2", "2h",',
             '> 0.2", "0s",'),
        ],
    },
}
loses = {"3_alerts": {"test_feature_drift": 2}}
