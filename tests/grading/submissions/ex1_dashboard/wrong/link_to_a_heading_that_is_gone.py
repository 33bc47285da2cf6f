"""A link to a section that nobody has."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('[drift](FeatureDrift.md#diagnosis)',
             '[drift](FeatureDrift.md#symptoms)'),
        ],
    },
}
loses = {"4_runbook": {"test_book_links": 1}}
