"""All versions in one sum: the canary hides."""
slips = {
    "3_alerts": {
        "burn_rules": [
            ('f"sum by (version) (',
             'f"sum ('),
        ],
    },
}
loses = {"3_alerts": {"test_burn_versions": 1}}
