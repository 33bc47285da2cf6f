"""Uses one holdout without end."""
slips = {
    "2_validate": {
        "gate": [
            ('(found["uses"] >= uses,',
             '(False,'),
        ],
    },
}
loses = {"2_validate": {"test_gate_evidence": 1, "test_gate_reasons": 1}}
