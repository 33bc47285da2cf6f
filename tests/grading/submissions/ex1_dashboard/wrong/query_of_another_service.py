"""The query asks for a metric that is not there."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('topk(5, max by (version, feature) (churn_feature_psi))',
             'topk(5, feature_drift_psi)'),
            ('sum by (feature) (rate(churn_feature_values_total',
             'sum by (feature) (rate(feature_values_total'),
        ],
    },
}
loses = {"4_runbook": {"test_book_queries": 2}}
