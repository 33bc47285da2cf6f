"""A missing label is taken for a 0."""
slips = {
    "1_trigger": {
        "split": [
            ('if row["at"] > end or row["label"] is None:',
             'if row["at"] > end:'),
        ],
    },
}
loses = {"1_trigger": {"test_split_mature": 2}}
