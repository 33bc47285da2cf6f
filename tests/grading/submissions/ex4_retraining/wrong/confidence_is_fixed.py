"""Always 95 %."""
slips = {
    "2_validate": {
        "auc_difference": [
            ('stats.norm.ppf((1 + confidence) / 2)',
             '1.96'),
        ],
    },
}
loses = {"2_validate": {"test_difference_interval": 2}}
