"""Ten calls an hour decide."""
slips = {
    "3_alerts": {
        "burn_rules": [
            (', f"{calls(\'increase\', long)} >= 100"]',
             ']'),
        ],
    },
}
loses = {"3_alerts": {"test_burn_few": 1}}
