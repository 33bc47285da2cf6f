"""A canary without an end."""
slips = {
    "3_canary": {
        "judge": [
            ('if seen["hours"] >= longest:',
             'if False:'),
        ],
    },
}
loses = {"3_canary": {"test_judge_longest": 1, "test_judge_reason": 1}}
