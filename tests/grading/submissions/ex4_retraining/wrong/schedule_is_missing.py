"""Never trains on a quiet month."""
slips = {
    "1_trigger": {
        "decide": [
            ('("the schedule says so", days is not None and days >= schedule),',
             ''),
        ],
    },
}
loses = {"1_trigger": {"test_decide_schedule": 1, "test_decide_reason": 1}}
