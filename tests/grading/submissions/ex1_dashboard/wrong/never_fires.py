"""A limit in percent, where shares are from 0 to 1: silence for ever."""
slips = {
    "3_alerts": {
        "burn_rules": [
            ('{factor * 0.005:g}',
             '{factor * 0.5:g}'),
        ],
    },
}
loses = {"3_alerts": {"test_burn_page": 2, "test_burn_spike": 1, "test_burn_reset": 1, "test_burn_slow": 2, "test_burn_few": 1, "test_burn_versions": 1}}
