"""A dashboard of questions of one's own, and JSON from small functions, two panels in a line."""
answers = {
    "2_dashboard": {
        "dashboard": '''
def dashboard(title, panels):
    layers = {layer: [p for p in panels if p["layer"] == layer]
              for layer in "business model prediction data system".split()}
    cells, y = [], 0
    for layer, mine in layers.items():
        if len(mine) == 0:
            continue
        cells.append(dict(type="row", title=layer, collapsed=False, panels=[], gridPos=dict(x=0, y=y, w=24, h=1)))
        lines = [mine[i:i + 2] for i in range(0, len(mine), 2)]
        for j, line in enumerate(lines):
            for i, p in enumerate(line):
                cells.append(_panel(p, dict(x=12 * i, y=y + 1 + 7 * j, w=12, h=7)))
        y += 1 + 7 * len(lines)
    for cell in cells:
        cell["id"] = cells.index(cell) + 1
    return dict(title=title, schemaVersion=41, panels=cells, tags=["churn"], refresh="30s")

def _panel(p, place):
    steps = [dict(color="green", value=None)] + ([dict(color="red", value=p["limit"])] if "limit" in p else [])
    source = dict(type="prometheus", uid="prometheus")
    return dict(type="timeseries", title=p["title"], datasource=source, gridPos=place,
                targets=[dict(refId="A", expr=p["expr"], legendFormat="{{version}}", datasource=source)],
                fieldConfig=dict(defaults=dict(unit=p["unit"], thresholds=dict(mode="absolute", steps=steps)), overrides=[]))
''',
        "my_dashboard": '''
def my_dashboard():
    rows = [
        ("Decisions a second", "business", "sum by (decision) (rate(churn_decisions_total[10m]))", "reqps"),
        ("Euros an hour", "business", "3600 * sum(rate(churn_revenue_euros_total[10m]))", "currencyEUR"),
        ("Cells of the confusion table", "model", "sum by (cell) (increase(churn_labels_total[1h]))", "short"),
        ("Median score", "prediction", "histogram_quantile(0.5, sum by (le) (rate(churn_score_bucket[10m])))", "short"),
        ("High scores", "prediction", """sum(rate(churn_score_bucket{le="+Inf"}[10m]))
                                         - sum(rate(churn_score_bucket{le="0.5"}[10m]))""", "reqps"),
        ("PSI by instance", "data", "churn_feature_psi", "short"),
        ("Last run", "data", "max(churn_drift_last_run_timestamp_seconds)", "s"),
        ("Calls by outcome", "system", "sum by (outcome) (rate(churn_requests_total[5m]))", "reqps"),
        ("Under way", "system", "sum by (instance) (churn_requests_in_progress)", "short"),
    ]
    return dashboard("Churn", [dict(title=t, layer=l, expr=e, unit=u) for t, l, e, u in rows])
''',
    },
}
