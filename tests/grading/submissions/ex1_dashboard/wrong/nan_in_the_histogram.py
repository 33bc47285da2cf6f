"""Scores that are not finite go into the histogram."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('            for score in finite:\n                self.score.labels(self.version).observe(score)\n',
             '            for score in scores:\n                self.score.labels(self.version).observe(score)\n            for score in finite:\n'),
        ],
    },
}
loses = {"1_instrument": {"test_score": 2}}
