"""The infinite bucket counts only what is above the last edge."""
slips = {
    "1_instrument": {
        "histogram_text": [
            ('le="+Inf"}} {len(values)}',
             'le="+Inf"}} {sum(value > max(edges) for value in values)}'),
        ],
    },
}
loses = {"1_instrument": {"test_histogram_total": 1}}
