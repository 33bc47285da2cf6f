"""False positives and false negatives are swapped."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ("{'positive' if decision == 'offer' else 'negative'}",
             "{'positive' if churned else 'negative'}"),
        ],
    },
}
loses = {"1_instrument": {"test_feedback": 2}}
