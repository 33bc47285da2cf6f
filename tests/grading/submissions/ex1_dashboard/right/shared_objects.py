"""YAML from objects that are used twice, so that it has anchors and aliases; nested routes."""
answers = {
    "3_alerts": {
        "watch_rules": '''
def watch_rules():
    science, panel = {"severity": "ticket", "owner": "data science"}, "Age of the drift job"
    base = "https://runbooks.example.org"

    def note(name, panel, words):
        return {"summary": words, "runbook_url": f"{base}/{name}.md", "panel": panel, "description": "See the panel."}

    groups = [
        {"name": "drift", "interval": "1m", "rules": [
            {"alert": "FeatureDrift", "expr": "max by (feature, version) (churn_feature_psi) > 0.2", "for": "2h", "labels": science,
             "annotations": note("FeatureDrift", "Feature PSI", "Customers differ from the reference")},
            {"alert": "DriftJobStale", "expr": "(time() - max by (version) (churn_drift_last_run_timestamp_seconds)) / 3600 > 3",
             "labels": science, "annotations": note("DriftJobStale", panel, "The drift job stands still")},
            {"alert": "DriftJobAbsent", "for": "1h", "labels": science,
             "expr": "sum by (version) (churn_requests_total) unless on (version) churn_drift_last_run_timestamp_seconds",
             "annotations": note("DriftJobAbsent", panel, "The drift job never ran")},
        ]},
        {"name": "service", "rules": [
            {"alert": "ServiceDown", "expr": 'up{job="churn"} < 1 or absent(up{job="churn"})', "for": "120s",
             "labels": {"severity": "page", "owner": "platform"}, "annotations": note("ServiceDown", "Requests", "An instance does not answer")},
            {"alert": "NoRequests", "expr": "sum(changes(churn_requests_total[10m])) == 0",
             "labels": {"severity": "page", "owner": "product"}, "annotations": note("NoRequests", "Requests", "Nobody asks any more")},
        ]},
    ]
    return yaml.safe_dump({"groups": groups})
''',
        "alertmanager": '''
def alertmanager():
    page, ticket = ["severity = page"], ['severity =~ "ticket"']
    slack = {"name": "slack", "slack_configs": [{
        "api_url_file": "/etc/alertmanager/slack_url", "channel": "#churn-alerts", "send_resolved": True,
        "text": "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.runbook_url }}{{ end }}"}]}
    phone = {"name": "phone", "pagerduty_configs": [{"routing_key_file": "/etc/alertmanager/pagerduty_key"}]}
    beat = {"name": "beat", "webhook_configs": [{"url": "http://127.0.0.1:9095/heartbeat"}]}
    labels = ["alertname", "version"]
    top = {"receiver": "slack", "group_by": labels, "group_wait": "1m", "repeat_interval": "1d", "routes": [
        {"matchers": page, "receiver": "slack", "routes": [
            {"matchers": page, "receiver": "slack", "continue": True}, {"matchers": page, "receiver": "phone"}]},
        {"matchers": ticket, "receiver": "slack"},
        {"matchers": ["severity=none"], "receiver": "beat"},
    ]}
    quiet = [{"source_matchers": page, "target_matchers": ticket, "equal": labels}]
    return yaml.safe_dump({"route": top, "inhibit_rules": quiet, "receivers": [slack, phone, beat]})
''',
    },
}
