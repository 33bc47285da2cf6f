"""Every held-out row judges, however old."""
slips = {
    "1_trigger": {
        "split": [
            ('if row["at"] >= start:',
             'if True:'),
        ],
    },
}
loses = {"1_trigger": {"test_split_time": 2}}
