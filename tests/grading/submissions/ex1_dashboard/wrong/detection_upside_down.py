"""Burn over factor: faster fires would take longer."""
slips = {
    "3_alerts": {
        "burn": [
            ('window * factor / burn',
             'window * burn / factor'),
        ],
    },
}
loses = {"3_alerts": {"test_detection_hours": 2}}
