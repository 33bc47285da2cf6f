"""Never tries to load the candidate."""
slips = {
    "2_validate": {
        "gate": [
            ('(not found["loads"], "it does not load"),',
             ''),
        ],
    },
}
loses = {"2_validate": {"test_gate_loads": 1, "test_gate_reasons": 1}}
