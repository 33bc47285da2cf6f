"""Tickets go to PagerDuty as well."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('{"matchers": [\'severity="page"\'], "receiver": "pagerduty", "continue": True}',
             '{"matchers": [\'severity=~"page|ticket"\'], "receiver": "pagerduty", "continue": True}'),
        ],
    },
}
loses = {"3_alerts": {"test_tickets": 1}}
