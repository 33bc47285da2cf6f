"""The five alerts by other PromQL: two rules of one name, min_over_time for a hold, a comparison with a moment."""
answers = {
    "3_alerts": {
        "watch_rules": '''
def watch_rules():
    notes = """
        labels: {severity: %s, owner: %s}
        annotations:
          summary: %s
          runbook_url: https://runbooks.example.org/%s.md
          panel: %s
"""
    def rule(name, expr, severity, owner, panel, summary, hold=None):
        lines = ["", "      - alert: " + name, "        expr: '" + expr + "'"] + (["        for: " + hold] if hold else [])
        return "\\n".join(lines) + notes % (severity, owner, summary, name, panel)

    stamp, mine = "churn_drift_last_run_timestamp_seconds", ("ticket", "data science")
    return "groups:\\n  - name: watch\\n    rules:" + "".join([
        rule("FeatureDrift", "churn_feature_psi > 0.2", *mine, "Feature PSI", "Other customers than the model knows", "120m"),
        rule("DriftJobStale", f"max without (instance) ({stamp}) < time() - 10800", *mine, "Age of the drift job", "Drift goes unseen by everybody"),
        rule("DriftJobAbsent", f"group by (version) (churn_requests_total) unless group by (version) ({stamp})", *mine,
             "Age of the drift job", "Drift of a version goes unseen", "60m"),
        rule("ServiceDown", 'max_over_time(up{job="churn"}[2m]) == 0', "page", "platform", "Requests", "No score from one instance"),
        rule("ServiceDown", 'absent(up{job="churn"})', "page", "platform", "Requests", "No score from anywhere", "2m"),
        rule("NoRequests", "sum(increase(churn_requests_total[10m])) == 0", "page", "product", "Requests", "Nobody asks for scores"),
    ])
''',
    },
}
