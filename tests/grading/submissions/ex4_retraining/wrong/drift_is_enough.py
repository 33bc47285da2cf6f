"""Trains whatever the trigger says, but for WAIT."""
slips = {
    "4_pipeline": {
        "advance": [
            ('"train" if told["action"] == "RETRAIN" else "skip"',
             '"skip" if told["action"] == "WAIT" else "train"'),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_skip": 1, "test_advance_notify": 1}}
