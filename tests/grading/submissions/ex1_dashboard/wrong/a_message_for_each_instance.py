"""Grouped by instance."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('"group_by": ["alertname", "version"]',
             '"group_by": ["alertname", "version", "instance"]'),
        ],
    },
}
loses = {"3_alerts": {"test_grouping": 1}}
