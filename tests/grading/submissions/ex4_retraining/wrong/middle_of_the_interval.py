"""Looks at the difference, not at its low end."""
slips = {
    "2_validate": {
        "gate": [
            ('gap["low"] < -margin',
             'gap["difference"] < -margin'),
        ],
    },
}
loses = {"2_validate": {"test_gate_chance": 2, "test_gate_anchor": 2}}
