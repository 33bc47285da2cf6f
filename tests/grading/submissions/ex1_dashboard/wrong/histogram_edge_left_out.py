"""A value on the edge is left out: less, not less or equal."""
slips = {
    "1_instrument": {
        "histogram_text": [
            ('value <= edge',
             'value < edge'),
        ],
    },
}
loses = {"1_instrument": {"test_histogram_buckets": 2}}
