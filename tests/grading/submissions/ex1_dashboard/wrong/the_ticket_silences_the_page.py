"""Source and target of the inhibition the wrong way round: nobody is woken, since the ticket came first."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('"source_matchers": [\'severity="page"\'], "target_matchers": [\'severity="ticket"\']',
             '"source_matchers": [\'severity="ticket"\'], "target_matchers": [\'severity="page"\']'),
        ],
    },
}
loses = {"3_alerts": {"test_inhibition": 1}}
