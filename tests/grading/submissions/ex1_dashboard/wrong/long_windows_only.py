"""The page goes on for an hour after all is well."""
slips = {
    "3_alerts": {
        "burn_rules": [
            ('for window in (long, short)]',
             'for window in (long,)]'),
        ],
    },
}
loses = {"3_alerts": {"test_burn_reset": 1}}
