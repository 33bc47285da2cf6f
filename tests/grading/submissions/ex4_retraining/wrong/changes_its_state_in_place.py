"""Writes into the state that it was given."""
slips = {
    "4_pipeline": {
        "advance": [
            ('step, version = state["step"], state.get("version")',
             '''step, version = state["step"], state.get("version")
    state.setdefault("action", "RETRAIN")'''),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_state": 1}}
