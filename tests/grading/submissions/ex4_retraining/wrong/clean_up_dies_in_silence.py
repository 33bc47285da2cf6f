"""When withdrawing dies, nobody hears of the crash."""
slips = {
    "4_pipeline": {
        "clean_up": [
            ('''try:
        do["withdraw"]()
    finally:
        do''',
             '''do["withdraw"]()
    do'''),
        ],
    },
}
loses = {"4_pipeline": {"test_clean_up_told": 1}}
