"""A tie counts as a win."""
slips = {
    "2_validate": {
        "auc_difference": [
            ('0.5 * (positive[:, None] == negative)',
             '1.0 * (positive[:, None] == negative)'),
        ],
    },
}
loses = {"2_validate": {"test_auc_ties": 1}}
