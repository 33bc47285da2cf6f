"""`if days`: a training of today is none."""
slips = {
    "1_trigger": {
        "decide": [
            ('if causes and days is not None and days < cooldown:',
             'if causes and days and days < cooldown:'),
        ],
    },
}
loses = {"1_trigger": {"test_decide_cooldown": 1}}
