"""Harm that only labels show goes on."""
slips = {
    "3_canary": {
        "judge": [
            ('if outcomes is not None and outcomes["low"] > 0:',
             'if False:'),
        ],
    },
}
loses = {"3_canary": {"test_judge_outcomes": 1, "test_judge_reason": 1}}
