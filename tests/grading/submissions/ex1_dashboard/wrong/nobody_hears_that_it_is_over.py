"""Slack is not told when it is over."""
slips = {
    "3_alerts": {
        "alertmanager": [
            (', "send_resolved": True',
             ''),
        ],
    },
}
loses = {"3_alerts": {"test_messages": 1}}
