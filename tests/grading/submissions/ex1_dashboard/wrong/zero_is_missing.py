"""An income of 0 counts as missing: `not value`."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('lost = value is None or value != value',
             'lost = not value or value != value'),
        ],
    },
}
loses = {"1_instrument": {"test_missing": 2}}
