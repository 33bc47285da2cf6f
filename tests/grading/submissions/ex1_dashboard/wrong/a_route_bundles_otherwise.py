"""The top route groups as asked; the route of the tickets, further down, by feature."""
slips = {
    "3_alerts": {
        "alertmanager": [
            ('{"matchers": [\'severity=~"page|ticket"\'], "receiver": "slack"},',
             '{"matchers": [\'severity=~"page|ticket"\'], "receiver": "slack", "routes": [\n'
             '                    {"matchers": [\'severity="ticket"\'], "group_by": ["alertname", "version", "feature"]}]},'),
        ],
    },
}
loses = {"3_alerts": {"test_grouping": 1}}
