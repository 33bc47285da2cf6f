"""Learns from all that is there, labels of yesterday too."""
slips = {
    "1_trigger": {
        "split": [
            ('if row["at"] > end or row["label"] is None:',
             'if row["label"] is None:'),
        ],
    },
}
loses = {"1_trigger": {"test_split_mature": 2}}
