"""A value that holds a colon is cut."""
slips = {
    "4_runbook": {
        "read_runbook": [
            ('(Owner|Severity|Panel): *(.*)"',
             '(Owner|Severity|Panel): *([^:]*)"'),
        ],
    },
}
loses = {"4_runbook": {"test_read_head": 1}}
