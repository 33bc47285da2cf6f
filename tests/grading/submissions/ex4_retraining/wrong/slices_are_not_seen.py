"""Looks at the average alone."""
slips = {
    "2_validate": {
        "gate": [
            ('rules.append((gap["high"] < -slice_margin,',
             'rules.append((False,'),
        ],
    },
}
loses = {"2_validate": {"test_gate_slices": 1, "test_gate_reasons": 1}}
