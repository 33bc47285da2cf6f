"""Tells a person, and leaves the canary running."""
slips = {
    "4_pipeline": {
        "clean_up": [
            ('''try:
        do["withdraw"]()
    finally:
        do''',
             'do'),
        ],
    },
}
loses = {"4_pipeline": {"test_clean_up": 2, "test_clean_up_told": 1}}
