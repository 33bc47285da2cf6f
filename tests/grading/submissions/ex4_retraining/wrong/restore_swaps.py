"""Going back twice goes forth again."""
slips = {
    "4_pipeline": {
        "clean_up": [
            ('do["set_alias"]("champion", version)',
             '''do["set_alias"]("previous_champion", do["get_alias"]("champion"))
    do["set_alias"]("champion", version)'''),
        ],
    },
}
loses = {"4_pipeline": {"test_restore": 2}}
