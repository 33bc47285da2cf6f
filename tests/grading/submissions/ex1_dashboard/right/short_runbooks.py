"""Six runbooks from one template, short, with several queries each."""
answers = {
    "4_runbook": {
        "runbooks": '''
FORM = """# {name}

- Owner: {owner}
- Severity: {severity}
- Panel: {panel}

## Meaning

The alert {name} says: {meaning}

## Impact

{impact}

## Diagnosis

1. Look at the wall, then ask

```promql
{query}
```

2. Ask for everything that fails

```promql
sum by (outcome) (rate(churn_requests_total[5m]))
```

## Mitigation

{mitigation} See [the budget](ErrorBudgetBurn.md#mitigation) as well.

## Rollback

```sh
# the version before
churnctl rollback --to 6
```

## Escalation

Call the lead of {owner} after thirty minutes without success.
"""

def runbooks():
    rows = [
        ("ErrorBudgetBurn", "platform", "page or ticket", "Error share", "calls fail faster than promised.", "Customers get no offer at all.",
         'sum by (instance) (rate(churn_requests_total{outcome!="ok"}[5m]))', "Roll back the newest version first."),
        ("FeatureDrift", "data science", "ticket", "Feature PSI", "customers look different.", "None that is proven as yet.",
         "max by (feature) (churn_feature_psi) > 0.2", "Do not retrain on these hours."),
        ("DriftJobStale", "data science", "ticket", "Age of the drift job", "the job stands still.", "Drift would be seen by nobody.",
         "time() - churn_drift_last_run_timestamp_seconds", "Run it: `churnctl drift-job run`."),
        ("DriftJobAbsent", "data science", "ticket", "Age of the drift job", "the job never ran.", "Drift would be seen by nobody.",
         "sum by (version) (churn_requests_total) unless on (version) churn_drift_last_run_timestamp_seconds", "Run it: `churnctl drift-job run`."),
        ("ServiceDown", "platform", "page", "Requests", "an instance does not answer.", "Half of the customers, or all.",
         'up{job="churn"}', "Restart the instance that is down, once."),
        ("NoRequests", "product", "page", "Requests", "nobody asks for scores.", "No customer gets an offer.",
         "sum(rate(churn_requests_total[5m]))", "Call the shop, whose release it is."),
    ]
    keys = ("name", "owner", "severity", "panel", "meaning", "impact", "query", "mitigation")
    return {f"{row[0]}.md": FORM.format(**dict(zip(keys, row))) for row in rows}
''',
    },
}
