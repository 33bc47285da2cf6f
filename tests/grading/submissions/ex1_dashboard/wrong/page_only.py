"""The runbook says page, and the alert comes as a ticket too."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('"page or ticket"',
             '"page"'),
        ],
    },
}
loses = {"4_runbook": {"test_book_agrees": 1}}
