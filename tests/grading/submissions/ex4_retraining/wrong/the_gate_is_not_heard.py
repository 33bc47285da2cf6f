"""Deploys whatever the gate says."""
slips = {
    "4_pipeline": {
        "advance": [
            ('"reject" if not told["approved"] else',
             ''),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_reject": 2, "test_advance_notify": 1}}
