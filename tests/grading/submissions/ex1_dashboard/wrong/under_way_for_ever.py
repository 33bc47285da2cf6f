"""A failed call stays under way."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('            self.under_way.labels(self.version).dec()\n',
             ''),
            ('            return scores\n',
             '            self.under_way.labels(self.version).dec()\n            return scores\n'),
        ],
    },
}
loses = {"1_instrument": {"test_in_progress": 1}}
