"""180 minutes, where Prometheus counts seconds."""
slips = {
    "3_alerts": {
        "watch_rules": [
            ('> 3 * 3600',
             '> 3 * 60'),
        ],
    },
}
loses = {"3_alerts": {"test_drift_stale": 2}}
