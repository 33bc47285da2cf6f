"""The heartbeat's route says continue, and Slack hears it day and night."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('"receiver": "heartbeat"}',
             '"receiver": "heartbeat", "continue": True}'),
            ('[\'severity=~"page|ticket"\']',
             '[\'severity=~".*"\']'),
        ],
    },
}
loses = {"3_alerts": {"test_heartbeat": 1}}
