"""Promotes before labels come."""
slips = {
    "3_canary": {
        "judge": [
            ('if outcomes is not None and max(errors["high"], outcomes["high"]) < margin:',
             'if max(errors["high"], outcomes["high"] if outcomes else 0) < margin:'),
        ],
    },
}
loses = {"3_canary": {"test_judge_promote": 2}}
