"""Says ROLLED_BACK, and the canary runs on."""
slips = {
    "4_pipeline": {
        "advance": [
            ('''if step == "roll_back":
        do["withdraw"]()''',
             ''),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_rollback": 2}}
