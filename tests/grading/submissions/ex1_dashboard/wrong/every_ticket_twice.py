"""Two routes that say continue lead to Slack, and a ticket takes both."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('{"matchers": [\'severity=~"page|ticket"\'], "receiver": "slack"},',
             '{"matchers": [\'severity=~"page|ticket"\'], "receiver": "slack", "continue": True},\n'
             '                {"matchers": [\'severity="ticket"\'], "receiver": "slack"},'),
        ],
    },
}
loses = {"3_alerts": {"test_grouping": 1}}
