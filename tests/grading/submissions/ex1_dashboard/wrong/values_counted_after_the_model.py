"""Values are counted once the model has answered, so a failed call shows none."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('            scores = self.model(rows)\n',
             ''),
            ('        try:\n            for row in rows:',
             '        try:\n            scores = self.model(rows)\n            for row in rows:'),
        ],
    },
}
loses = {"1_instrument": {"test_missing": 2}}
