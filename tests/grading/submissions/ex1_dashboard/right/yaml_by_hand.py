"""All YAML by hand, with recording rules that the alerts stand on."""
answers = {
    "3_alerts": {
        "burn": '''
def burn_rate(bad, events, objective):
    if not events:
        return None
    allowed = (1 - objective) * events
    return bad / allowed

def detection_hours(burn, window, factor):
    if burn >= factor:
        return factor / burn * window
''',
        "burn_rules": '''
def burn_rules():
    windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
    text = "groups:\\n- name: record\\n  rules:\\n"
    for window in windows:
        text += f"""
  - record: churn:bad:share{window}
    expr: |
      1 - sum by (version) (rate(churn_requests_total{{outcome="ok"}}[{window}]))
        / sum by (version) (rate(churn_requests_total[{window}]))
  - record: churn:calls:{window}
    expr: sum by (version) (increase(churn_requests_total[{window}]))
"""
    text += "- name: alerts\\n  rules:\\n"
    pairs = {"page": [("1h", "5m", 0.072), ("6h", "30m", 0.03)], "ticket": [("1d", "2h", 0.015), ("3d", "6h", 0.005)]}
    for severity, both in pairs.items():
        tests = [f"(churn:bad:share{long} > {limit} and churn:bad:share{short} > {limit} and churn:calls:{long} >= 100)"
                 for long, short, limit in both]
        text += f"""
  - alert: ErrorBudgetBurn
    expr: {" or ".join(tests)}
    labels:
      severity: {severity}
      owner: platform
    annotations:
      summary: Customers of version {{{{ $labels.version }}}} get no score
      runbook_url: /runbooks/ErrorBudgetBurn.md
      panel: Error share
"""
    return text
''',
        "alertmanager": '''
def alertmanager():
    return """
route:
  receiver: chat
  group_by: [version, alertname, severity]
  repeat_interval: 12h
  routes:
  - receiver: chat
    match_re: {severity: page}
    continue: true
  - receiver: phone
    match: {severity: page}
  - receiver: beat
    match: {severity: none}
  - receiver: chat
    match_re: {severity: .*}
inhibit_rules:
- source_match: {severity: page}
  target_match_re: {severity: ticket}
  equal: [version, alertname]
receivers:
- name: phone
  pagerduty_configs:
  - routing_key_file: /etc/alertmanager/pagerduty_key
    send_resolved: true
- name: chat
  slack_configs:
  - api_url_file: /etc/alertmanager/slack_url
    channel: "#churn-alerts"
    send_resolved: true
    title: '{{ .CommonLabels.alertname }}'
    text: '{{ range .Alerts }}<{{ .Annotations.runbook_url }}|runbook> {{ end }}'
- name: beat
  webhook_configs:
  - url: http://127.0.0.1:9095/heartbeat
"""
''',
    },
}
