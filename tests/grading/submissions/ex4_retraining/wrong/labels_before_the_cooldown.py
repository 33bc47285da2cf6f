"""Asks for labels before it looks at the cool-down."""
slips = {
    "1_trigger": {
        "decide": [
            ('if causes and days is not None and days < cooldown:',
             'if causes and days is not None and days < cooldown and evidence["labels"] >= labels:'),
        ],
    },
}
loses = {"1_trigger": {"test_decide_cooldown": 1}}
