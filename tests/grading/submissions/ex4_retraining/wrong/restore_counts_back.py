"""The version before is taken to be one less."""
slips = {
    "4_pipeline": {
        "clean_up": [
            ('do["set_alias"]("champion", version)',
             '''version = str(int(do["get_alias"]("champion")) - 1)
    do["set_alias"]("champion", version)'''),
        ],
    },
}
loses = {"4_pipeline": {"test_restore": 2}}
