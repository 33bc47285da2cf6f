"""The decision's label is called action."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('"Customers by decision.", "decision")',
             '"Customers by decision.", "action")'),
        ],
    },
}
loses = {"1_instrument": {"test_decisions": 1, "test_catalogue": 2, "test_zero": 2}}
