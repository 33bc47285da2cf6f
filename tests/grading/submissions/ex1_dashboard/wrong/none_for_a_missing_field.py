"""None where a field is missing."""
slips = {
    "4_runbook": {
        "read_runbook": [
            ('found = {"title": "", "owner": "", "severity": "", "panel": "", "sections": {}}',
             'found = {"title": None, "owner": None, "severity": None, "panel": None, "sections": {}}'),
        ],
    },
}
loses = {"4_runbook": {"test_read_missing": 1}}
