"""Promotes without a way back."""
slips = {
    "4_pipeline": {
        "advance": [
            ('do["set_alias"]("previous_champion", state["before"])',
             'pass'),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_good": 2, "test_advance_again": 2}}
