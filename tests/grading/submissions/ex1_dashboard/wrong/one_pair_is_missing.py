"""No look at three days: a burn rate of 2 is never seen."""
slips = {
    "3_alerts": {
        "burn_rules": [
            (', (1, "3d", "6h"))',
             ')'),
        ],
    },
}
loses = {"3_alerts": {"test_burn_slow": 2}}
