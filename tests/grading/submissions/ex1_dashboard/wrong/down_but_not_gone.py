"""up == 0 is silent where there is no up at all."""
slips = {
    "3_alerts": {
        "watch_rules": [
            (' or absent(up{job="churn"})',
             ''),
        ],
    },
}
loses = {"3_alerts": {"test_service_down": 2}}
