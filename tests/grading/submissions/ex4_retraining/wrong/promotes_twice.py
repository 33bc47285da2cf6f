"""The second attempt notes the new champion as the previous one."""
slips = {
    "4_pipeline": {
        "advance": [
            ('do["set_alias"]("previous_champion", state["before"])',
             'do["set_alias"]("previous_champion", do["get_alias"]("champion"))'),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_again": 2}}
