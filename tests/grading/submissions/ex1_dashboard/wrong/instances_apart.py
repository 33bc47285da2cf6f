"""Each instance has a promise of its own."""
slips = {
    "3_alerts": {
        "burn_rules": [
            ('f"sum by (version) (',
             'f"sum by (version, instance) ('),
        ],
    },
}
loses = {"3_alerts": {"test_burn_versions": 1}}
