"""Only the first rule of a name is looked at."""
slips = {
    "4_runbook": {
        "link_faults": [
            ('dict.fromkeys(alert["severity"] for alert in mine)',
             'alert["severity"] for alert in mine[:1]'),
        ],
    },
}
loses = {"4_runbook": {"test_links_agree": 1}}
