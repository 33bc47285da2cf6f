"""The same ten answers by other PromQL: without, increase, irate of nothing, 1 minus the good share, unless."""
answers = {
    "2_dashboard": {
        "queries": '''
def queries():
    return {
        "requests": "sum without (instance, outcome) (increase(churn_requests_total[5m])) / 300",
        "error share": """
            1 - sum by (version) (rate(churn_requests_total{outcome="ok"}[5m]))
              / (sum by (version) (rate(churn_requests_total[5m])) != 0)""",
        "latency p95": """histogram_quantile(0.95,
            sum without (instance) (rate(churn_request_latency_seconds_bucket[5m])))""",
        "mean score": """
            sum by (version) (increase(churn_score_sum[10m]))
            / sum by (version) (increase(churn_score_count[10m]))""",
        "offer share": """
            sum by (version) (rate(churn_decisions_total{decision="offer"}[10m]))
            / on (version) sum by (version) (rate(churn_decisions_total{decision=~"offer|wait"}[10m]))""",
        "revenue": "sum by (version) (increase(churn_revenue_euros_total[10m])) * 6",
        "precision": """
            sum by (version) (increase(churn_labels_total{cell="true_positive"}[1d]))
            / (sum by (version) (increase(churn_labels_total{cell="true_positive"}[1d]))
               + sum by (version) (increase(churn_labels_total{cell="false_positive"}[1d])))""",
        "missing share": """
            1 - sum by (feature, version) (rate(churn_feature_values_total{state="present"}[10m]))
              / sum by (feature, version) (rate(churn_feature_values_total[10m]))""",
        "psi": "max without (instance) (churn_feature_psi)",
        "drift age": "min by (version) (time() - churn_drift_last_run_timestamp_seconds)",
    }
''',
    },
}
