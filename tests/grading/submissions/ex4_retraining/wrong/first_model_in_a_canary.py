"""Compares the first model with nothing."""
slips = {
    "4_pipeline": {
        "advance": [
            ('"promote" if state["before"] is None else',
             ''),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_first": 1}}
