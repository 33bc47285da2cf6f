"""Layers stand in the order in which panels came."""
slips = {
    "2_dashboard": {
        "dashboard": [
            ('for layer in ("business", "model", "prediction", "data", "system"):',
             'for layer in dict.fromkeys(panel["layer"] for panel in panels):'),
        ],
    },
}
loses = {"2_dashboard": {"test_rows": 2}}
