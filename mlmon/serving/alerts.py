"""Who is told, of what, and when: the alerts of a served model, as plain data.

Each alert says which number it watches, its limit and the limit's reason, how
urgent it is, who owns it, who is hurt, and where to read on: a runbook and a panel
of the dashboard. `mlmon.serving.export` turns the same data into the files of
Prometheus and Alertmanager.

Severity is what the reader must do: "page" gets somebody out of bed, "ticket" waits
for the morning, "none" only proves that alerts arrive at all.
"""
from __future__ import annotations

from dataclasses import dataclass

from mlmon._check import one_of, positive, share
from mlmon.serving.slo import DAY, HOUR, MINUTE, RULES, SLO, Pace, duration

SEVERITIES = ("page", "ticket", "none")
OWNERS = {
    "business": "product",
    "model": "data science",
    "prediction": "data science",
    "data": "data engineering",
    "system": "platform",
}

_REQUESTS = "sum by (model) (rate(mlmon_requests_total{%s}[$window]))"
_LATENCY = "sum by (model) (rate(mlmon_prediction_latency_seconds_%s[$window]))"

SLOS = (
    SLO(
        name="RequestErrors",
        objective=0.995,
        bad=_REQUESTS % 'outcome=~"error|nonfinite"',
        events=_REQUESTS % 'outcome!="invalid"',
        promise="99.5 % of requests get a finite score",
        panel="Bad requests",
    ),
    SLO(
        name="SlowRequests",
        objective=0.99,
        bad=f'({_LATENCY % "count"} - {_LATENCY % """bucket{le="0.25"}"""})',
        events=_LATENCY % "count",
        promise="99 % of requests are answered within 0.25 s",
        panel="Slow requests",
    ),
)


@dataclass(frozen=True)
class Limits:
    """Thresholds of the alerts that have no error budget, each with its reason.

    Parameters
    ----------
    measure, quality : str, float
        Measure of quality, and what the model must reach for its decisions to be
        worth having. Compared with the upper end of its interval, so that bad luck
        with few labels alarms nobody.
    mistake_cost : float
        Euros that mistakes cost for each labelled prediction, from which on deciding
        by hand is cheaper.
    missing : float
        Share of a feature's values that may be missing: beyond it, imputed values
        decide more than measured ones.
    fallback : float
        Share of requests that a fallback may answer: as much as planned restarts take.
    labelled : float
        Share of predictions that must have got a label once labels are due: below it,
        the quality is that of the easy cases.
    refresh : float
        Seconds between two runs of the drift job. Drift must outlast two runs, so that
        a false alarm of rate alpha becomes one of about alpha squared; three missed
        runs are no longer a delay.
    """

    measure: str = "accuracy"
    quality: float = 0.7
    mistake_cost: float = 20.0
    missing: float = 0.2
    fallback: float = 0.05
    labelled: float = 0.5
    refresh: float = HOUR

    def __post_init__(self):
        one_of(self.measure, ("accuracy", "precision", "recall"), "measure")
        for name in ("quality", "missing", "fallback", "labelled"):
            share(getattr(self, name), name)
        for name in ("mistake_cost", "refresh"):
            positive(getattr(self, name), name)


@dataclass(frozen=True)
class Recording:
    """A number that Prometheus computes ahead, under a name of its own."""

    record: str
    expr: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Alert:
    """One alert.

    Parameters
    ----------
    name : str
        In CamelCase; also the name of its runbook.
    expr : str
        PromQL that has a value while something is wrong, and none while all is well.
    measure : str
        PromQL of the number that is watched. It always has a value; where it has
        none, the alert is blind.
    severity : {"page", "ticket", "none"}
    layer : {"business", "model", "prediction", "data", "system"}
    summary : str
        Who is hurt, in one line. May use Prometheus' templates.
    description : str
        How much, and what the limit is.
    panel : str
        Title of the dashboard's panel that shows the measure.
    hold : float
        Seconds of the rules that `expr` must last.
    """

    name: str
    expr: str
    measure: str
    severity: str
    layer: str
    summary: str
    description: str
    panel: str
    hold: float = 0.0

    def __post_init__(self):
        one_of(self.severity, SEVERITIES, "severity")
        one_of(self.layer, OWNERS, "layer")

    @property
    def owner(self):
        """The team that mends it."""
        return OWNERS[self.layer]

    @property
    def runbook(self):
        """File name of its runbook."""
        return f"{self.name}.md"


def recordings(slos=SLOS, *, pace=Pace(), rules=RULES):
    """Shares of bad events over each window of the burn-rate rules, and the events of the long ones.

    Parameters
    ----------
    slos : sequence of SLO
    pace : Pace
    rules : sequence of BurnRule

    Returns
    -------
    tuple of Recording
        Named after the windows that they have in earnest.

    Examples
    --------
    >>> recordings(SLOS[:1])[0].record
    'model:slo_bad:ratio_rate5m'
    """
    windows = sorted({window for rule in rules for window in (rule.long, rule.short)})
    longs = sorted({rule.long for rule in rules})
    found = []
    for slo in slos:
        labels = (("slo", slo.name),)
        found += [Recording(_bad(window), slo.ratio(pace.window(window)), labels) for window in windows]
        for window in longs:
            events = slo.events.replace("$window", pace.window(window))
            found.append(Recording(_events(window), f"{events} * {pace.range(window):.6g}", labels))
    return tuple(found)


def alerts(slos=SLOS, *, limits=Limits(), pace=Pace(), rules=RULES):
    """Every alert of a served model.

    Parameters
    ----------
    slos : sequence of SLO
    limits : Limits
    pace : Pace
    rules : sequence of BurnRule

    Returns
    -------
    tuple of Alert

    Examples
    --------
    >>> [alert.name for alert in alerts() if alert.severity == "page"]
    ['RequestErrorsBudgetBurn', 'SlowRequestsBudgetBurn', 'ScoringServiceDown', 'NoPredictions']
    """
    every = [alert for slo in slos for alert in burn_alerts(slo, rules=rules)]
    for part in (_system, _prediction, _data, _freshness, _model, _business):
        every += part(limits, pace)
    return tuple(sorted(every, key=lambda alert: SEVERITIES.index(alert.severity)))


def burn_alerts(slo, *, rules=RULES):
    """The alerts of one objective: one for each severity, with all rules of that severity.

    Parameters
    ----------
    slo : SLO
    rules : sequence of BurnRule

    Returns
    -------
    list of Alert

    Examples
    --------
    >>> [alert.severity for alert in burn_alerts(SLOS[0])]
    ['page', 'ticket']
    >>> print(burn_alerts(SLOS[0], rules=RULES[:1])[0].expr)
    (model:slo_bad:ratio_rate1h{slo="RequestErrors"} > 0.072 and model:slo_bad:ratio_rate5m{slo="RequestErrors"} > 0.072
      and model:slo_events:increase1h{slo="RequestErrors"} >= 100)
    """
    found = []
    for severity in dict.fromkeys(rule.severity for rule in rules):
        mine = [rule for rule in rules if rule.severity == severity]
        found.append(Alert(
            name=f"{slo.name}BudgetBurn",
            expr="\nor\n".join(_burns(slo, rule) for rule in mine),
            measure=f'{_bad(mine[0].short)}{{slo="{slo.name}"}}',
            severity=severity,
            layer="system",
            summary="{{ $labels.model }} breaks its promise: " + slo.promise,
            description="{{ $value | humanizePercentage }} of events are bad, where "
                        f"{slo.budget:.2%} are allowed. At this rate the budget of {slo.days} days is gone "
                        f"within {max(slo.days / rule.factor for rule in mine):.2g} days.",
            panel=slo.panel,
        ))
    return found


def _burns(slo, rule):
    limit, which = f"{rule.factor * slo.budget:.6g}", f'{{slo="{slo.name}"}}'
    return (f"({_bad(rule.long)}{which} > {limit} and {_bad(rule.short)}{which} > {limit}\n"
            f"  and {_events(rule.long)}{which} >= {slo.least})")


def _bad(window):
    return f"model:slo_bad:ratio_rate{duration(window)}"


def _events(window):
    return f"model:slo_events:increase{duration(window)}"


def _system(limits, pace):
    traffic = f"sum by (model) (rate(mlmon_requests_total[{pace.window(10 * MINUTE)}]))"
    return [
        Alert(
            name="ScoringServiceDown",
            expr='up{job="scoring"} == 0 or absent(up{job="scoring"})',
            measure='up{job="scoring"}',
            severity="page",
            layer="system",
            summary="Nobody gets a prediction: the scoring service does not answer",
            description="Prometheus cannot read {{ or $labels.instance \"any instance\" }} of it.",
            panel="Instances up",
            hold=max(MINUTE, 8 * pace.speed),      # Prometheus takes 5.5 s of the clock to find its targets, at any pace
        ),
        Alert(
            name="NoPredictions",
            expr=f"{traffic} == 0",
            measure=traffic,
            severity="page",
            layer="system",
            summary="Nobody asks {{ $labels.model }} any more: its callers are cut off",
            description=f"No request within {duration(10 * MINUTE)}, though the service is up.",
            panel="Requests",
            hold=5 * MINUTE,
        ),
        Alert(
            name="Watchdog",
            expr="vector(1)",
            measure="vector(1)",
            severity="none",
            layer="system",
            summary="All is well: alerts arrive",
            description="It always fires. Where it no longer arrives, no other alert does.",
            panel="Instances up",
        ),
    ]


def _prediction(limits, pace):
    window = pace.window(10 * MINUTE)
    asked = f"sum by (model) (rate(mlmon_requests_total[{window}]))"
    answered = f'sum by (model) (rate(mlmon_requests_total{{outcome="fallback"}}[{window}]))'
    fallback = f"({answered} or 0 * {asked}) / ({asked} > 0)"
    return [
        Alert(
            name="FallbackInUse",
            expr=f"{fallback} > {limits.fallback:g}",
            measure=fallback,
            severity="ticket",
            layer="prediction",
            summary="Customers get second-best answers: a fallback speaks for {{ $labels.model }}",
            description=f"{{{{ $value | humanizePercentage }}}} of requests, where {limits.fallback:.0%} are planned for.",
            panel="Answered by a fallback",
            hold=10 * MINUTE,
        ),
        Alert(
            name="PredictionDrift",
            expr="mlmon_prediction_drifted == 1",
            measure="mlmon_prediction_drifted",
            severity="ticket",
            layer="prediction",
            summary="{{ $labels.model }} {{ $labels.version }} scores customers differently from its reference",
            description='PSI of the scores: {{ with query (printf "mlmon_prediction_psi{model=%q,version=%q}" '
                        "$labels.model $labels.version) }}{{ . | first | value | printf \"%.2f\" }}{{ end }}.",
            panel="Prediction PSI",
            hold=2 * limits.refresh,
        ),
    ]


def _data(limits, pace):
    return [
        Alert(
            name="FeatureDrift",
            expr='mlmon_drift_verdict{verdict="drifted"} == 1',
            measure='mlmon_drift_verdict{verdict="drifted"}',
            severity="ticket",
            layer="data",
            summary="{{ $labels.model }} {{ $labels.version }} sees other customers than it has learnt from",
            description='Farthest off: {{ range $i, $f := query (printf "topk(3, mlmon_feature_psi{model=%q,version=%q})" '
                        "$labels.model $labels.version) }}{{ if $i }}, {{ end }}{{ $f.Labels.feature }} "
                        "(PSI {{ $f.Value | printf \"%.2f\" }}){{ end }}.",
            panel="Feature PSI",
            hold=2 * limits.refresh,
        ),
        Alert(
            name="FeatureMissing",
            expr=f"mlmon_feature_missing_ratio > {limits.missing:g}",
            measure="mlmon_feature_missing_ratio",
            severity="ticket",
            layer="data",
            summary="{{ $labels.model }} guesses: its feature {{ $labels.feature }} does not arrive",
            description=f"{{{{ $value | humanizePercentage }}}} of its values are missing, where {limits.missing:.0%} may be.",
            panel="Missing values",
            hold=2 * limits.refresh,
        ),
        Alert(
            name="DriftUndecided",
            expr='mlmon_drift_verdict{verdict="undecided"} == 1',
            measure='mlmon_drift_verdict{verdict="undecided"}',
            severity="ticket",
            layer="data",
            summary="Nobody knows whether {{ $labels.model }} {{ $labels.version }} drifts",
            description='The window holds {{ with query (printf "mlmon_drift_window_rows{model=%q,version=%q}" '
                        "$labels.model $labels.version) }}{{ . | first | value }}{{ else }}no{{ end }} rows.",
            panel="Drift verdict",
            hold=6 * limits.refresh,
        ),
    ]


def _freshness(limits, pace):
    age, stale = "time() - mlmon_drift_last_run_timestamp_seconds", pace.seconds(3 * limits.refresh)
    window = pace.window(HOUR)
    failures = f"sum by (model, stage) (rate(mlmon_monitoring_errors_total[{window}]))"
    return [
        Alert(
            name="DriftJobStale",
            expr=f"{age} > {stale:.6g}",
            measure=age,
            severity="ticket",
            layer="data",
            summary="Drift of {{ $labels.model }} {{ $labels.version }} goes unseen: its drift job stands still",
            description=f"Last run {{{{ $value | humanizeDuration }}}} ago, where {duration(3 * limits.refresh)} are too many.",
            panel="Age of the drift job",
        ),
        Alert(
            name="DriftJobAbsent",
            expr="mlmon_model_info unless on (model, version) mlmon_drift_last_run_timestamp_seconds",
            measure="mlmon_model_info",
            severity="ticket",
            layer="data",
            summary="Drift of {{ $labels.model }} {{ $labels.version }} goes unseen: its drift job never ran",
            description="It is served, and no drift job of it has ever ended.",
            panel="Age of the drift job",
            hold=3 * limits.refresh,
        ),
        Alert(
            name="MonitoringErrors",
            expr=f"{failures} > 0",
            measure=failures,
            severity="ticket",
            layer="data",
            summary="What watches {{ $labels.model }} fails itself, at the stage {{ $labels.stage }}",
            description="{{ $value | humanize }} failures a second, where none is right. No caller notices.",
            panel="Failures of the monitoring",
        ),
    ]


def _model(limits, pace):
    upper = f'mlmon_quality_bound_ratio{{measure="{limits.measure}",bound="upper"}}'
    windows = f"[{pace.window(6 * HOUR)}:{pace.hold(10 * MINUTE)}]"
    coverage = "mlmon_label_coverage_ratio"
    return [
        Alert(
            name="QualityBelowTarget",
            expr=f"avg_over_time(({upper} < bool {limits.quality:g}){windows}) > 0.5",
            measure=upper,
            severity="ticket",
            layer="model",
            summary=f"{{{{ $labels.model }}}} {{{{ $labels.version }}}} decides worse than {limits.quality:.0%} {limits.measure}",
            description="Even the upper end of its interval lies below, in {{ $value | humanizePercentage }} of the last "
                        f"{duration(6 * HOUR)}.",
            panel="Quality",
        ),
        Alert(
            name="LabelsMissing",
            expr=f"{coverage} < {limits.labelled:g} or mlmon_quality_undecided == 1",
            measure=coverage,
            severity="ticket",
            layer="model",
            summary="Nobody knows how good {{ $labels.model }} {{ $labels.version }} is: labels do not arrive",
            description=f"Fewer than {limits.labelled:.0%} of the predictions whose labels are due have one.",
            panel="Labels that have come",
            hold=HOUR,
        ),
    ]


def _business(limits, pace):
    window = pace.window(DAY)
    labelled = f"sum by (model) (rate(mlmon_labelled_predictions_total[{window}]))"
    cost = f"sum by (model) (rate(mlmon_mistake_cost_euros_total[{window}])) / ({labelled} > 0)"
    return [
        Alert(
            name="MistakesCostly",
            expr=f"{cost} > {limits.mistake_cost:g}",
            measure=cost,
            severity="ticket",
            layer="business",
            summary="{{ $labels.model }} costs more than it saves",
            description=f"Its mistakes cost {{{{ $value | printf \"%.2f\" }}}} euros a decision, where {limits.mistake_cost:g} "
                        "are what deciding by hand costs.",
            panel="Cost of mistakes",
            hold=HOUR,
        )
    ]
