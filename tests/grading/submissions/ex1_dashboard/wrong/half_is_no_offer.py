"""A score of 0.5 is not enough for an offer."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('score >= 0.5',
             'score > 0.5'),
        ],
    },
}
loses = {"1_instrument": {"test_decisions": 1}}
