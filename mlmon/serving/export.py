"""The files that the real servers read: Prometheus, its rules, Alertmanager, Grafana.

Each function returns plain data; `write` puts all of them into a folder. Run as
``python -m mlmon.serving.export FOLDER`` it writes the files in earnest.
"""
from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mlmon.serving import alerts as _alerts
from mlmon.serving import dashboard as _dashboard
from mlmon.serving.routing import Routing
from mlmon.serving.slo import MINUTE, SLO, Pace, duration

SLACK_TITLE = '{{ .Status | toUpper }}{{ if gt (len .Alerts) 1 }} ({{ len .Alerts }}){{ end }}: {{ (index .Alerts 0).Labels.alertname }}'
SLACK_TEXT = (
    "{{ range .Alerts }}*{{ .Annotations.summary }}*\n{{ .Annotations.description }}\n"
    'Since {{ .StartsAt.UTC.Format "2006-01-02 15:04:05" }} UTC. For {{ .Labels.owner }}: '
    "<{{ .Annotations.runbook_url }}|runbook>, <{{ .Annotations.dashboard_url }}|panel>\n{{ end }}"
)
GRAFANA = "/etc/grafana/provisioning"
PAGE = "{{ (index .Alerts 0).Annotations.summary }}"


@dataclass(frozen=True)
class Contacts:
    """Where messages go. A value that begins with "/" is a file that holds it, so that no secret stands in the YAML.

    Parameters
    ----------
    slack : str
        Address of an incoming webhook of Slack.
    pagerduty_key : str
        Integration key of PagerDuty's Events API v2.
    webhook, heartbeat : str
        Addresses that get every alert, and the one that always fires.
    runbooks : str
        Where runbooks are read; their file name is appended.
    panel : str
        Address of a panel, with ``{id}`` for its number on Grafana or ``{expr}`` for its first query.
    pagerduty : str, optional
        Another server than PagerDuty's own.
    """

    slack: str = "/etc/alertmanager/secrets/slack_url"
    pagerduty_key: str = "/etc/alertmanager/secrets/pagerduty_key"
    webhook: str = "http://inbox:9095/webhook"
    heartbeat: str = "http://inbox:9095/heartbeat"
    runbooks: str = "http://localhost:9095/runbooks"
    panel: str = f"http://localhost:3000/d/{_dashboard.UID}?viewPanel={{id}}"
    pagerduty: str | None = None


def to_inbox(inbox, *, reached=None, panel=Contacts.panel):
    """Contacts that lead to `mlmon.serving.inbox`, which stands for Slack and PagerDuty.

    Parameters
    ----------
    inbox : str
        Its address, as Alertmanager reaches it.
    reached : str, optional
        Its address as a reader reaches it, for the runbooks.
    panel : str
        As in `Contacts`.

    Returns
    -------
    Contacts

    Examples
    --------
    >>> to_inbox("http://127.0.0.1:9095").slack
    'http://127.0.0.1:9095/slack'
    """
    return Contacts(
        slack=f"{inbox}/slack", pagerduty_key="local", pagerduty=f"{inbox}/pagerduty/v2/enqueue", webhook=f"{inbox}/webhook",
        heartbeat=f"{inbox}/heartbeat", runbooks=f"{reached or inbox}/runbooks", panel=panel,
    )


@dataclass(frozen=True)
class Plan:
    """All that is exported: promises, limits, pace, routing, contacts.

    Examples
    --------
    >>> len(Plan().alerts()) > 10
    True
    """

    slos: tuple[SLO, ...] = _alerts.SLOS
    limits: _alerts.Limits = _alerts.Limits()
    pace: Pace = Pace()
    routing: Routing = Routing()
    contacts: Contacts = Contacts()

    def alerts(self):
        """Its alerts."""
        return _alerts.alerts(self.slos, limits=self.limits, pace=self.pace)

    def recordings(self):
        """Its recording rules."""
        return _alerts.recordings(self.slos, pace=self.pace)

    def panels(self):
        """The panels of its dashboard."""
        return _dashboard.panels(self.slos, limits=self.limits, pace=self.pace)


def rules(plan=Plan()):
    """Prometheus' file of rules.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    dict

    Examples
    --------
    >>> [group["name"] for group in rules()["groups"]]
    ['business', 'model', 'prediction', 'data', 'system']
    """
    recorded = [{"record": one.record, "expr": one.expr, "labels": dict(one.labels)} for one in plan.recordings()]
    drawn = [panel for panel in _dashboard.dashboard(plan.panels())["panels"] if panel["type"] != "row"]
    links = {panel["title"]: plan.contacts.panel.format(id=panel["id"], expr=quote(panel["targets"][0]["expr"])) for panel in drawn}
    groups = {layer: [_rule(one, plan, links[one.panel]) for one in plan.alerts() if one.layer == layer] for layer in _alerts.OWNERS}
    groups["system"] = recorded + groups["system"]      # one group is evaluated in its order: alerts see what was just recorded
    return {"groups": [{"name": layer, "rules": mine} for layer, mine in groups.items() if mine]}


def _rule(alert, plan, panel):
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": plan.pace.window(alert.hold) if alert.hold else "0s",      # at least four scrapes: one that fails is no fault
        "labels": {"severity": alert.severity, "layer": alert.layer, "owner": alert.owner},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{plan.contacts.runbooks.rstrip('/')}/{alert.runbook}",
            "dashboard_url": panel,
        },
    }


def prometheus(plan=Plan(), *, scoring=("scoring:8000",), alertmanager="alertmanager:9093", rule_files=("rules.yml",)):
    """Prometheus' configuration.

    Parameters
    ----------
    plan : Plan
    scoring : sequence of "host:port"
        Instances of the scoring service.
    alertmanager : "host:port"
    rule_files : sequence of str
        Relative to the configuration.

    Returns
    -------
    dict

    Examples
    --------
    >>> prometheus()["global"]
    {'scrape_interval': '15s', 'scrape_timeout': '10s', 'evaluation_interval': '15s'}
    """
    scrape = duration(plan.pace.scrape)
    timeout = duration(min(10, plan.pace.scrape))
    return {
        "global": {"scrape_interval": scrape, "scrape_timeout": timeout, "evaluation_interval": scrape},
        "rule_files": list(rule_files),
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{"job_name": "scoring", "static_configs": [{"targets": list(scoring)}]}],
    }


def alertmanager(plan=Plan()):
    """Alertmanager's configuration: routes, receivers, inhibitions.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    dict

    Examples
    --------
    >>> [receiver["name"] for receiver in alertmanager()["receivers"]]
    ['heartbeat', 'pagerduty', 'slack', 'webhook']
    """
    routing, hold = plan.routing, plan.pace.hold
    receivers = _receivers(plan.contacts)
    unknown = {route.receiver for route in routing.routes} - set(receivers)
    if unknown:
        raise ValueError(f"routes need receivers among {', '.join(receivers)}, got {', '.join(sorted(unknown))}. Name one of them.")
    timing = {"group_wait": hold(routing.wait), "group_interval": hold(routing.interval), "repeat_interval": hold(routing.repeat)}
    routes = [{"receiver": route.receiver, "matchers": _matchers(route.labels), "continue": route.more} for route in routing.routes]
    for route in routes:
        if route["receiver"] == "heartbeat":      # said often: its absence is what tells
            route["repeat_interval"] = hold(5 * MINUTE)
    return {
        "route": {"receiver": routing.routes[-1].receiver, "group_by": list(routing.group_by), **timing, "routes": routes},
        "inhibit_rules": [
            {"source_matchers": _matchers(one.source), "target_matchers": _matchers(one.target), "equal": list(one.equal)}
            for one in routing.inhibitions
        ],
        "receivers": [{"name": name, **how} for name, how in receivers.items()],
    }


def _matchers(labels):
    return [f'{name}=~"{pattern}"' for name, pattern in labels]


def _receivers(contacts):
    """Alertmanager's form of each receiver, by name."""
    slack = {**_secret("api_url", contacts.slack), "send_resolved": True, "title": SLACK_TITLE, "text": SLACK_TEXT,
             "title_link": "{{ (index .Alerts 0).Annotations.runbook_url }}"}
    pagerduty = {**_secret("routing_key", contacts.pagerduty_key), "send_resolved": True, "description": PAGE, "severity": "critical",
                 "links": [{"text": "runbook", "href": "{{ (index .Alerts 0).Annotations.runbook_url }}"},
                           {"text": "panel", "href": "{{ (index .Alerts 0).Annotations.dashboard_url }}"}]}
    if contacts.pagerduty is not None:
        pagerduty["url"] = contacts.pagerduty
    return {
        "heartbeat": {"webhook_configs": [{"url": contacts.heartbeat, "send_resolved": False}]},
        "pagerduty": {"pagerduty_configs": [pagerduty]},
        "slack": {"slack_configs": [slack]},
        "webhook": {"webhook_configs": [{"url": contacts.webhook, "send_resolved": True}]},
    }


def _secret(field, value):
    return {f"{field}_file": value} if value.startswith("/") else {field: value}


def grafana(*, prometheus_url="http://prometheus:9090", provisioning=GRAFANA):
    """Grafana's provisioning files: where its data come from, and where its dashboards lie.

    Parameters
    ----------
    prometheus_url : str
        As Grafana reaches it.
    provisioning : str
        Where Grafana sees the folder of these files; the dashboard's JSON lies in it too.

    Returns
    -------
    dict of str to dict
        By file name.

    Examples
    --------
    >>> grafana()["datasources/prometheus.yml"]["datasources"][0]["uid"]
    'prometheus'
    """
    source = {"name": "Prometheus", "uid": _dashboard.DATASOURCE, "type": "prometheus", "access": "proxy",
              "url": prometheus_url, "isDefault": True, "editable": False}
    provider = {"name": "mlmon", "type": "file", "allowUiUpdates": False, "options": {"path": f"{provisioning}/dashboards"}}
    return {
        "datasources/prometheus.yml": {"apiVersion": 1, "datasources": [source]},
        "dashboards/mlmon.yml": {"apiVersion": 1, "providers": [provider]},
    }


def write(folder, plan=Plan(), *, provisioning=GRAFANA, **prometheus_settings):
    """Write every file that the servers read.

    Parameters
    ----------
    folder : path
        Made if missing. Gets ``prometheus/``, ``alertmanager/`` and ``grafana/``.
    plan : Plan
    provisioning : str
        Where Grafana sees the folder ``grafana``.
    **prometheus_settings
        `scoring` and `alertmanager` of `prometheus`.

    Returns
    -------
    list of pathlib.Path

    Examples
    --------
    >>> import tempfile
    >>> [path.name for path in write(tempfile.mkdtemp())][:3]
    ['prometheus.yml', 'rules.yml', 'alertmanager.yml']
    """
    files = {
        "prometheus/prometheus.yml": prometheus(plan, **prometheus_settings),
        "prometheus/rules.yml": rules(plan),
        "alertmanager/alertmanager.yml": alertmanager(plan),
        **{f"grafana/{name}": data for name, data in grafana(provisioning=provisioning).items()},
        "grafana/dashboards/mlmon.json": _dashboard.dashboard(plan.panels()),
    }
    written = []
    for name, data in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=2) + "\n" if path.suffix == ".json" else to_yaml(data), encoding="utf-8")
        written.append(path)
    return written


def to_yaml(data):
    """Plain data as YAML: keys in their order, long text in blocks.

    Examples
    --------
    >>> print(to_yaml({"for": "5m", "expr": "a\\nor b"}), end="")
    for: 5m
    expr: |-
      a
      or b
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper, value):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    Dumper.ignore_aliases = lambda *_: True
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def demo(contacts, *, speed=60.0, scrape=1.0, refresh=5.0):
    """The plan for the demo service: its own limits, and rules that run faster than in earnest.

    Parameters
    ----------
    contacts : Contacts
    speed, scrape : float
        Of the `Pace`.
    refresh : float
        Seconds of the clock between two runs of the drift job.

    Returns
    -------
    Plan

    Examples
    --------
    >>> demo(Contacts()).pace.window(3600)
    '1m'
    """
    limits = _alerts.Limits(refresh=refresh * speed, quality=0.6, mistake_cost=6.0)
    return Plan(limits=limits, pace=Pace(speed, scrape), contacts=contacts)


def main(argv=None):
    """Write the files into a folder: for servers in earnest, or for the demo around an inbox."""
    parser = argparse.ArgumentParser(prog="python -m mlmon.serving.export", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inbox", metavar="URL", help="the demo: send to mlmon.serving.inbox, not to Slack and PagerDuty")
    parser.add_argument("--reached", metavar="URL", help="the inbox as a reader reaches it")
    parser.add_argument("--grafana", metavar="DIR", default=GRAFANA, help="where Grafana sees the folder grafana (%(default)s)")
    chosen = parser.parse_args(argv)
    plan = demo(to_inbox(chosen.inbox, reached=chosen.reached)) if chosen.inbox else Plan()
    for path in write(chosen.folder, plan, provisioning=chosen.grafana):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
