"""What fits nowhere goes to PagerDuty."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('"receiver": "slack", "group_by"',
             '"receiver": "pagerduty", "group_by"'),
        ],
    },
}
loses = {"3_alerts": {"test_others": 1}}
