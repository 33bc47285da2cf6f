"""HOLD promotes."""
slips = {
    "4_pipeline": {
        "advance": [
            ('"HOLD": "watch"',
             '"HOLD": "promote"'),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_good": 2, "test_advance_rollback": 2, "test_advance_hold": 1, "test_advance_state": 1}}
