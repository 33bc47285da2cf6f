"""A call counts once a row."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('self.requests.labels(self.version, outcome).inc()',
             'self.requests.labels(self.version, outcome).inc(len(rows))'),
        ],
    },
}
loses = {"1_instrument": {"test_requests": 2}}
