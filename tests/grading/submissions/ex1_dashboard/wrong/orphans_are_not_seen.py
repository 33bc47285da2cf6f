"""A runbook without an alert is no fault."""
slips = {
    "4_runbook": {
        "link_faults": [
            ('            faults.append(("no alert", file))\n',
             ''),
        ],
    },
}
loses = {"4_runbook": {"test_links_files": 2}}
