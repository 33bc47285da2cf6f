"""Slack's address stands in the file."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('"api_url_file": "/etc/alertmanager/slack_url"',
             '"api_url": "https://hooks.slack.example/T0/B0/x"'),
        ],
    },
}
loses = {"3_alerts": {"test_messages": 1}}
