"""Trains on a handful of labels."""
slips = {
    "1_trigger": {
        "decide": [
            ('if causes and evidence["labels"] < labels:',
             'if causes and evidence["labels"] < 1:'),
        ],
    },
}
loses = {"1_trigger": {"test_decide_labels": 1}}
