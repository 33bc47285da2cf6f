"""The type line says counter."""
slips = {
    "1_instrument": {
        "histogram_text": [
            ('} histogram',
             '} counter'),
        ],
    },
}
loses = {"1_instrument": {"test_histogram_form": 1}}
