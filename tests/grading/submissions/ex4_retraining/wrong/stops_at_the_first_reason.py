"""Says the first reason only."""
slips = {
    "2_validate": {
        "gate": [
            ('reasons = [text for broken, text in rules if broken]',
             'reasons = [text for broken, text in rules if broken][:1]'),
        ],
    },
}
loses = {"2_validate": {"test_gate_reasons": 1}}
