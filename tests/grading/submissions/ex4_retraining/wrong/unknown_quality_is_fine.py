"""Blocks on broken data only: UNDECIDED passes."""
slips = {
    "1_trigger": {
        "decide": [
            ('if evidence["quality"] != "STABLE":',
             'if evidence["quality"] == "DRIFTED":'),
        ],
    },
}
loses = {"1_trigger": {"test_decide_quality": 2}}
