"""A runbook that belongs to no alert."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('        "ErrorBudgetBurn.md": book(',
             '        "HighDrift.md": book("HighDrift", "ticket", "Sam", "Drift", Meaning="Drift is high, so check the data.", Impact="It is hard to say who is hurt.",\n                             Diagnosis="1. Ask `topk(3, churn_feature_psi)` first of all.", Mitigation="Retrain the model if it is necessary.",\n                             Rollback=back, Escalation="If in doubt then contact Sam."),\n        "ErrorBudgetBurn.md": book('),
        ],
    },
}
loses = {"4_runbook": {"test_books": 1}}
