"""An unknown PSI is shown as 0."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('                try:\n                    self.psi.remove(self.version, feature)\n                except KeyError:\n                    pass\n',
             '                self.psi.labels(self.version, feature).set(0)\n'),
        ],
    },
}
loses = {"1_instrument": {"test_drift": 2}}
