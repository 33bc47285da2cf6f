"""The traffic is not withdrawn after a promotion."""
slips = {
    "4_pipeline": {
        "advance": [
            ('''do["set_alias"]("champion", version)
        do["withdraw"]()''',
             'do["set_alias"]("champion", version)'),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_good": 2, "test_advance_again": 2}}
