"""The dashboard of a served model: panels as plain data, one row for each layer, and the JSON that Grafana reads.

A panel holds its PromQL, so the same panels are drawn by Grafana, drawn by
`mlmon.plot.dashboard`, and tried against a real Prometheus in the tests.
"""
from __future__ import annotations

import json
from dataclasses import dataclass

from mlmon._check import one_of
from mlmon.serving.alerts import SLOS, Limits
from mlmon.serving.metrics import LAYERS
from mlmon.serving.slo import DAY, HOUR, MINUTE, Pace

UID = "mlmon"
DATASOURCE = "prometheus"
GRID = 24      # columns of Grafana's page


@dataclass(frozen=True)
class Panel:
    """One picture of the dashboard.

    Parameters
    ----------
    title : str
        Unique; alerts name their panel by it.
    layer : str
        One of `mlmon.serving.metrics.LAYERS`.
    queries : tuple of (legend, PromQL)
        The legend may use labels: ``"{{feature}}"``.
    unit : str
        Grafana's name of the unit: "percentunit", "s", "reqps", "short", "currencyEUR".
    why : str
        What to look for, in one sentence.
    limit : float, optional
        Drawn as a dashed line: where the alert on it fires.
    bad : {"above", "below"}
        On which side of the limit.
    kind : {"timeseries", "stat"}
    """

    title: str
    layer: str
    queries: tuple[tuple[str, str], ...]
    unit: str
    why: str
    limit: float | None = None
    bad: str = "above"
    kind: str = "timeseries"

    def __post_init__(self):
        one_of(self.layer, LAYERS, "layer")
        one_of(self.kind, ("timeseries", "stat"), "kind")
        one_of(self.bad, ("above", "below"), "bad")


def panels(slos=SLOS, *, limits=Limits(), pace=Pace()):
    """The panels of the dashboard, layer by layer.

    Parameters
    ----------
    slos : sequence of SLO
    limits : Limits
    pace : Pace

    Returns
    -------
    tuple of Panel

    Examples
    --------
    >>> [panel.title for panel in panels() if panel.layer == "business"]
    ['Decisions', 'Revenue', 'Cost of mistakes']
    """
    layers = (_business(limits, pace), _model(limits), _prediction(limits, pace), _data(limits, pace), _system(slos, pace))
    return tuple(panel for layer in layers for panel in layer)


def _business(limits, pace):
    hour, day = pace.window(HOUR), pace.window(DAY)
    labelled = f"sum by (model) (rate(mlmon_labelled_predictions_total[{day}]))"
    return [
        Panel("Decisions", "business",
              (("{{model}}: {{decision}}", f"sum by (model, decision) (rate(mlmon_decisions_total[{hour}]))"),),
              "reqps", "The mix of decisions: a shift here is felt by customers first."),
        Panel("Revenue", "business",
              (("{{model}}", f"sum by (model) (rate(mlmon_revenue_euros_total[{hour}]))"),),
              "currencyEUR", "Euros a second that the decisions brought, as fed back."),
        Panel("Cost of mistakes", "business",
              (("{{model}}", f"sum by (model) (rate(mlmon_mistake_cost_euros_total[{day}])) / ({labelled} > 0)"),),
              "currencyEUR", "Euros for each labelled decision; beyond the line, deciding by hand is cheaper.", limits.mistake_cost),
    ]


def _model(limits):
    which = f'measure="{limits.measure}"'
    return [
        Panel("Quality", "model",
              (("{{model}} {{version}} " + limits.measure, f"mlmon_quality_ratio{{{which}}}"),
               ("{{bound}} end of the interval", f"mlmon_quality_bound_ratio{{{which}}}")),
              "percentunit", "Of the cohort whose labels are due. Worry where the whole interval is below the line.", limits.quality, "below"),
        Panel("Labels that have come", "model",
              (("{{model}} {{version}}", "mlmon_label_coverage_ratio"),),
              "percentunit", "Share of the due labels. Below the line, the quality is that of the easy cases.", limits.labelled, "below"),
        Panel("Quality undecided", "model",
              (("{{model}} {{version}}", "mlmon_quality_undecided"),),
              "short", "1 where there are too few labels to say how good the model is.", 0.5, kind="stat"),
    ]


def _prediction(limits, pace):
    window = pace.window(10 * MINUTE)
    asked = f"sum by (model) (rate(mlmon_requests_total[{window}]))"
    fallback = f'sum by (model) (rate(mlmon_requests_total{{outcome="fallback"}}[{window}]))'
    total, count = (f"sum by (model, version) (rate(mlmon_prediction_score_{part}[{window}]))" for part in ("sum", "count"))
    return [
        Panel("Mean score", "prediction", (("{{model}} {{version}}", f"{total} / ({count} > 0)"),),
              "short", "Weighted by traffic. A jump without a release comes from the data."),
        Panel("Prediction PSI", "prediction",
              (("{{model}} {{version}} PSI", "mlmon_prediction_psi"),
               ("{{model}} {{version}} drifted", "mlmon_prediction_drifted")),
              "short", "Distance of the scores from the reference's, and the verdict on it (1 is drifted)."),
        Panel("Answered by a fallback", "prediction",
              (("{{model}}", f"({fallback} or 0 * {asked}) / ({asked} > 0)"),),
              "percentunit", "Share of requests that the model itself did not answer.", limits.fallback),
    ]


def _data(limits, pace):
    return [
        Panel("Feature PSI", "data", (("{{feature}}", "mlmon_feature_psi"),),
              "short", "Distance of each feature from the reference; the verdict stands beside it."),
        Panel("Missing values", "data", (("{{feature}}", "mlmon_feature_missing_ratio"),),
              "percentunit", "Share of each feature's values that did not arrive.", limits.missing),
        Panel("Drift verdict", "data", (("{{verdict}}", "mlmon_drift_verdict"),),
              "short", "The verdict that stands at 1. Undecided is not stable: somebody must look."),
        Panel("Failures of the monitoring", "data",
              (("{{stage}}", f"sum by (model, stage) (rate(mlmon_monitoring_errors_total[{pace.window(HOUR)}]))"),),
              "short", "Failures a second of what watches the model. They cost the caller nothing, and hide everything.", 0.0),
        Panel("Age of the drift job", "data",
              (("{{model}} {{version}}", "time() - mlmon_drift_last_run_timestamp_seconds"),),
              "s", "Seconds since its last run. Beyond the line, drift goes unseen.", pace.seconds(3 * limits.refresh)),
    ]


def _system(slos, pace):
    five, month = pace.window(5 * MINUTE), pace.window(30 * DAY)
    buckets = f"sum by (le, model) (rate(mlmon_prediction_latency_seconds_bucket[{five}]))"
    quantiles = tuple((f"p{round(100 * q)}", f"histogram_quantile({q}, {buckets})") for q in (0.5, 0.95, 0.99))
    burn = [Panel(slo.panel, "system", (("{{model}}", slo.ratio(five)),), "percentunit",
                  f"Promise: {slo.promise}. Beyond the line it pages.", round(14.4 * slo.budget, 6)) for slo in slos]
    left = tuple((slo.promise, f"1 - ({slo.ratio(month)}) / {slo.budget:.6g}") for slo in slos)
    return [
        Panel("Requests", "system",
              (("{{model}}: {{outcome}}", f"sum by (model, outcome) (rate(mlmon_requests_total[{five}]))"),),
              "reqps", "Traffic by outcome. Nothing at all is an alert too."),
        Panel("Latency", "system", quantiles, "s", "Of the whole service, not the mean of its instances'."),
        *burn,
        Panel("Error budget left", "system", left, "percentunit",
              "Of 30 days. At zero the promise is broken, and releases wait.", 0.0, "below", kind="stat"),
        Panel("Instances up", "system", (("{{instance}}", 'up{job="scoring"}'),),
              "short", "1 where Prometheus reads the service.", 0.5, "below", kind="stat"),
    ]


def dashboard(every=None, *, title="A served model, layer by layer", refresh="10s", since="now-1h"):
    """The dashboard as Grafana's JSON.

    Parameters
    ----------
    every : sequence of Panel, optional
        By default `panels()`.
    title : str
    refresh : str
        How often Grafana asks again.
    since : str
        Where its time begins.

    Returns
    -------
    dict
        Ready for `json.dumps`; its panels have Grafana's numbers, in order from 1.

    Examples
    --------
    >>> made = dashboard()
    >>> [row["title"] for row in made["panels"] if row["type"] == "row"]
    ['business', 'model', 'prediction', 'data', 'system']
    """
    from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    every = panels() if every is None else every
    made = Dashboard(title).uid(UID).tags(["mlmon"]).refresh(refresh).time(since, "now").timezone("browser").readonly()
    for layer in LAYERS:
        mine = [panel for panel in every if panel.layer == layer]
        if mine:
            made = made.with_row(Row(layer))
            for panel, width in zip(mine, _widths(len(mine))):
                made = made.with_panel(_grafana(panel, width))
    found = json.loads(JSONEncoder(sort_keys=True).encode(made.build()))
    for number, panel in enumerate(found["panels"], start=1):
        panel["id"] = number
    return found


def _widths(count):
    """Columns of the panels of a layer: whole lines of at most four, each as wide as the page."""
    lines = -(-count // 4)
    sizes = [count // lines + (line < count % lines) for line in range(lines)]
    return [GRID // size for size in sizes for _ in range(size)]


def _grafana(panel, width):
    """The SDK's builder of one panel."""
    from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
    from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
    from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode
    from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos, Threshold, ThresholdsMode

    source = DataSourceRef(type_val="prometheus", uid=DATASOURCE)
    made = {"stat": stat, "timeseries": timeseries}[panel.kind].Panel()
    made = made.title(panel.title).description(panel.why).unit(panel.unit).datasource(source)
    made = made.grid_pos(GridPos(h=8, w=width, x=0, y=0))
    for letter, (legend, expr) in zip("ABCDEFGH", panel.queries):
        query = prometheus.Dataquery().ref_id(letter).expr(expr).legend_format(legend).datasource(source)
        made = made.with_target(query.instant() if panel.kind == "stat" else query.range())
    if panel.limit is not None:
        low, high = ("green", "red") if panel.bad == "above" else ("red", "green")
        steps = [Threshold(color=low, value=None), Threshold(color=high, value=float(panel.limit))]
        made = made.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    if panel.limit is not None and panel.kind == "timeseries":
        made = made.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return made
