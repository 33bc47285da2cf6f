"""Gives nan where there are no pairs."""
slips = {
    "2_validate": {
        "auc_difference": [
            ('raise ValueError("auc needs rows of both classes")',
             'return np.array([np.nan]), np.array([np.nan])'),
        ],
    },
}
loses = {"2_validate": {"test_auc_ties": 1}}
