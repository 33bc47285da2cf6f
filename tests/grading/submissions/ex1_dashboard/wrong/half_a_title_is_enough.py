"""A panel is there if its name is part of a title."""
slips = {
    "4_runbook": {
        "link_faults": [
            ('alert["panel"] not in titles for',
             'not any(alert["panel"] in title for title in titles) for'),
        ],
    },
}
loses = {"4_runbook": {"test_links_panels": 1}}
