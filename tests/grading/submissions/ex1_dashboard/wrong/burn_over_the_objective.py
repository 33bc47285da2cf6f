"""Divides by the objective, not by the budget."""
slips = {
    "3_alerts": {
        "burn": [
            ('bad / events / (1 - objective)',
             'bad / events / objective'),
        ],
    },
}
loses = {"3_alerts": {"test_burn_rate": 1}}
