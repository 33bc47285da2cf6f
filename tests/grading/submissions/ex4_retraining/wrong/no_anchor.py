"""Compares with production only: small losses add up."""
slips = {
    "2_validate": {
        "gate": [
            ('for other in ("production", "anchor"):',
             'for other in ("production",):'),
        ],
    },
}
loses = {"2_validate": {"test_gate_anchor": 2, "test_gate_reasons": 1}}
