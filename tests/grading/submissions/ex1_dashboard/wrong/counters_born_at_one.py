"""No series is touched before the first call."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('            self.requests.labels(version, outcome)\n',
             '            pass\n'),
            ('            self.decisions.labels(version, decision)\n',
             '            pass\n'),
            ('            self.cells.labels(version, cell)\n',
             '            pass\n'),
            ('                self.values.labels(version, feature, state)\n',
             '                pass\n'),
        ],
    },
}
loses = {"1_instrument": {"test_zero": 2}}
