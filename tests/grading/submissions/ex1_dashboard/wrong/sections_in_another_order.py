"""Mitigation comes before Diagnosis, in one runbook."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('Mitigation="`churnctl restart INSTANCE`, once. If it dies again, take it out and leave the other alone.",\n            Rollback=back, Escalation="The lead of platform, at once',
             'Rollback=back, Mitigation="`churnctl restart INSTANCE`, once. If it dies again, take it out and leave the other alone.",\n            Escalation="The lead of platform, at once'),
        ],
    },
}
loses = {"4_runbook": {"test_book_sections": 2}}
