"""The alert has no runbook_url."""
slips = {
    "3_alerts": {
        "burn_rules": [
            ('                "runbook_url": "https://runbooks.example.org/ErrorBudgetBurn.md",\n',
             ''),
        ],
    },
}
loses = {"3_alerts": {"test_burn_form": 1}}
