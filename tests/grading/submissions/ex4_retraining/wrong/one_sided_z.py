"""The quantile of one side."""
slips = {
    "2_validate": {
        "auc_difference": [
            ('stats.norm.ppf((1 + confidence) / 2)',
             'stats.norm.ppf(confidence)'),
        ],
    },
}
loses = {"2_validate": {"test_difference_interval": 2}}
