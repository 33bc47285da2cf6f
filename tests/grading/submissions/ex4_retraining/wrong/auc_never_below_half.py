"""Turns a model round that is worse than chance."""
slips = {
    "2_validate": {
        "auc_difference": [
            ('return float(v.mean())',
             'return float(max(v.mean(), 1 - v.mean()))'),
        ],
    },
}
loses = {"2_validate": {"test_auc": 2}}
