"""The difference the other way round."""
slips = {
    "2_validate": {
        "auc_difference": [
            ('v, w = v1 - v0, w1 - w0',
             'v, w = v0 - v1, w0 - w1'),
        ],
    },
}
loses = {"2_validate": {"test_difference_sign": 2}}
