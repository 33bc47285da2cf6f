"""Trains again the day after."""
slips = {
    "1_trigger": {
        "decide": [
            ('if causes and days is not None and days < cooldown:',
             'if causes and days is not None and days < 0:'),
        ],
    },
}
loses = {"1_trigger": {"test_decide_cooldown": 1}}
