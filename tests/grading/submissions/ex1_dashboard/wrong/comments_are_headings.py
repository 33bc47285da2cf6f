"""A line with ## within a fenced block begins a section."""
slips = {
    "4_runbook": {
        "read_runbook": [
            ('elif not fenced and line.startswith("## ")',
             'elif line.startswith("## ")'),
        ],
    },
}
loses = {"4_runbook": {"test_read_sections": 2}}
