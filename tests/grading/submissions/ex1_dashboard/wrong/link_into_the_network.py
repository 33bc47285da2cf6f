"""The way out is a wiki, which is down with the network."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('look at [drift](FeatureDrift.md#diagnosis) after',
             'read [the wiki](https://wiki.example.org/drift) after'),
        ],
    },
}
loses = {"4_runbook": {"test_book_links": 1}}
