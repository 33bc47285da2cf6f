"""Asks time.time(), not the clock that was passed."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('began, outcome = self.clock(), "error"',
             'began, outcome = time.time(), "error"'),
            ('observe(self.clock() - began)',
             'observe(time.time() - began)'),
        ],
    },
}
loses = {"1_instrument": {"test_latency": 2}}
