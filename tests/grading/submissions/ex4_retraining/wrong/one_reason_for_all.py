"""Gives the action, and one sentence for all of them."""
slips = {
    "1_trigger": {
        "decide": [
            ('why = " and ".join(causes)',
             'why = "something fell" if causes else ""'),
        ],
    },
}
loses = {"1_trigger": {"test_decide_reason": 1}}
