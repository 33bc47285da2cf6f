"""The alert that most tutorials have: more than 1 % of the calls within five minutes, and everybody is woken."""
answers = {
    "3_alerts": {
        "burn_rules": '''
def burn_rules():
    return """
groups:
  - name: alerts
    rules:
      - alert: ErrorBudgetBurn
        expr: sum(rate(churn_requests_total{outcome="error"}[5m])) / sum(rate(churn_requests_total[5m])) > 0.01
        labels: {severity: page}
        annotations: {summary: Too many errors}
"""
''',
        "alertmanager": '''
def alertmanager():
    return """
route:
  receiver: everybody
receivers:
  - name: everybody
    slack_configs:
      - api_url: https://hooks.slack.example/T0/B0/x
        channel: "#alerts"
    pagerduty_configs:
      - routing_key: abc
"""
''',
    },
}
loses = {"3_alerts": {"test_burn_page": 2, "test_burn_spike": 1, "test_burn_slow": 2, "test_burn_few": 1, "test_burn_versions": 1,
                      "test_burn_form": 1, "test_tickets": 1, "test_others": 1, "test_heartbeat": 1, "test_inhibition": 1,
                      "test_grouping": 1, "test_messages": 1}}
