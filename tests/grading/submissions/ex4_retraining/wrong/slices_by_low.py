"""Stops whatever may be worse for a slice."""
slips = {
    "2_validate": {
        "gate": [
            ('gap["high"] < -slice_margin',
             'gap["low"] < -slice_margin'),
        ],
    },
}
loses = {"2_validate": {"test_gate_slices": 1}}
