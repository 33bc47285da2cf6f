"""Asks that low is above 0."""
slips = {
    "2_validate": {
        "gate": [
            ('gap["low"] < -margin',
             'gap["low"] < (-margin if other == "anchor" else 0)'),
        ],
    },
}
loses = {"2_validate": {"test_gate_chance": 2}}
