"""A point of a list in a section is taken for a field."""
slips = {
    "4_runbook": {
        "read_runbook": [
            ('elif not fenced and heading is None:',
             'elif not fenced:'),
        ],
    },
}
loses = {"4_runbook": {"test_read_missing": 1}}
