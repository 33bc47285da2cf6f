"""Each hiccup wakes somebody: the long window is not asked."""
slips = {
    "3_alerts": {
        "burn_rules": [
            ('for window in (long, short)]',
             'for window in (short,)]'),
        ],
    },
}
loses = {"3_alerts": {"test_burn_page": 2, "test_burn_spike": 1, "test_burn_reset": 1, "test_burn_slow": 2}}
