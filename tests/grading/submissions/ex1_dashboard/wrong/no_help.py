"""The metrics have no help text."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('return kind(name, help, ["version"',
             'return kind(name, "", ["version"'),
        ],
    },
}
loses = {"1_instrument": {"test_catalogue": 2, "test_conforms": 1}}
