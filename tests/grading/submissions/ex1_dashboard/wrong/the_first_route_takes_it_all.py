"""No `continue`: Slack does not see the pages."""
slips = {
    "3_alerts": {
        "alertmanager": [
            (', "continue": True}',
             '}'),
        ],
    },
}
loses = {"3_alerts": {"test_pages": 2}}
