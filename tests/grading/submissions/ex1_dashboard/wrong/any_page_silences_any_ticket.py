"""An inhibition without equal."""
slips = {
    "3_alerts": {
        "alertmanager": [
            (',\n                           "equal": ["alertname", "version"]}',
             '}'),
        ],
    },
}
loses = {"3_alerts": {"test_inhibition": 1}}
