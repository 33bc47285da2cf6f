"""The chapter's canary: a fixed limit for errors, and it promotes at once."""
slips = {
    "3_canary": {
        "judge": [
            ('if errors["low"] > 0:',
             '''if errors["high"] < 0.01:
        return {"call": "PROMOTE", "reason": "errors are below one percent"}
    if errors["low"] > 0:'''),
        ],
    },
}
loses = {"3_canary": {"test_judge_errors": 2, "test_judge_promote": 2, "test_judge_longest": 1, "test_judge_outcomes": 1}}
