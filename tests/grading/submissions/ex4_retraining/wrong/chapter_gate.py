"""The chapter's gate: within 2 %, by the middle of the interval, and nothing else is looked at."""
slips = {
    "2_validate": {
        "gate": [
            ('reasons = [text for broken, text in rules if broken]',
             '''rules = [(found["production"] is not None and found["production"]["difference"] < -0.02, "below 98 % of production")]
    reasons = [text for broken, text in rules if broken]'''),
        ],
    },
}
loses = {"2_validate": {"test_gate_chance": 2, "test_gate_anchor": 2, "test_gate_slices": 1, "test_gate_evidence": 1, "test_gate_loads": 1, "test_gate_reasons": 1}}
