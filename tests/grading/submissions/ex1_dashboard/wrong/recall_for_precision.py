"""True positives over all who leave: that is the recall."""
slips = {
    "2_dashboard": {
        "queries": [
            ('cell=~".*_positive"',
             'cell=~"true_positive|false_negative"'),
        ],
    },
}
loses = {"2_dashboard": {"test_precision": 1}}
