"""Two weeks without proof are taken for a yes."""
slips = {
    "3_canary": {
        "judge": [
            ('return {"call": "ROLL_BACK", "reason": "nothing was proven in time"}',
             'return {"call": "PROMOTE", "reason": "nothing bad was proven in time"}'),
        ],
    },
}
loses = {"3_canary": {"test_judge_longest": 1}}
