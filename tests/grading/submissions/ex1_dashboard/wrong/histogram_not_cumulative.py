"""Each bucket counts what lies between two edges, not all at or below its own."""
slips = {
    "1_instrument": {
        "histogram_text": [
            ('    for edge in edges:\n',
             '    for below, edge in zip([float("-inf"), *edges], edges):\n'),
            ('sum(value <= edge for',
             'sum(below < value <= edge for'),
        ],
    },
}
loses = {"1_instrument": {"test_histogram_buckets": 2}}
