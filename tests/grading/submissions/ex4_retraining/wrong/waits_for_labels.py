"""Rolls back on labels only."""
slips = {
    "3_canary": {
        "judge": [
            ('if errors["low"] > 0:',
             'if errors["low"] > 0 and outcomes is not None:'),
        ],
    },
}
loses = {"3_canary": {"test_judge_errors": 2}}
