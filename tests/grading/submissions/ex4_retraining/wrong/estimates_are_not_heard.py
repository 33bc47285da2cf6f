"""An estimated fall is no cause."""
slips = {
    "1_trigger": {
        "decide": [
            ('("estimated performance fell", evidence["estimated"] == "DRIFTED"),',
             ''),
        ],
    },
}
loses = {"1_trigger": {"test_decide_fall": 2, "test_decide_reason": 1}}
