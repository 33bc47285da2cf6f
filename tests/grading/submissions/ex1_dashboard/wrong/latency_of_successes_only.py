"""The chapter's slip: latency is observed before the return, so failed calls are not timed."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('            self.latency.labels(self.version).observe(self.clock() - began)\n',
             ''),
            ('            return scores\n',
             '            self.latency.labels(self.version).observe(self.clock() - began)\n            return scores\n'),
        ],
    },
}
loses = {"1_instrument": {"test_latency": 2}}
