"""Others are learned from up to the last day."""
slips = {
    "1_trigger": {
        "split": [
            ('elif row["at"] < start:',
             'else:'),
        ],
    },
}
loses = {"1_trigger": {"test_split_time": 2}}
