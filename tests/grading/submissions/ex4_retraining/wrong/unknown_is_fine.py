"""When nobody knows, it waits."""
slips = {
    "1_trigger": {
        "decide": [
            ('if "STABLE" not in (evidence["performance"], evidence["estimated"]):',
             'if False:'),
        ],
    },
}
loses = {"1_trigger": {"test_decide_unknown": 1}}
