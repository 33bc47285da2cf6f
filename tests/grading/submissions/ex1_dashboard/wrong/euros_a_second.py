"""Euros a second."""
slips = {
    "2_dashboard": {
        "queries": [
            ('f"3600 * {total',
             'f"{total'),
        ],
    },
}
loses = {"2_dashboard": {"test_revenue": 1}}
