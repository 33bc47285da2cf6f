"""Rollback says it in words."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('Rollback="```sh\\nchurnctl drift-job rollback\\n```\\n"',
             'Rollback="Roll the drift job back."'),
        ],
    },
}
loses = {"4_runbook": {"test_book_rollback": 1}}
