"""The exported files are those that the real servers take; Grafana's dashboard says what the panels say."""

import dataclasses
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlmon.serving import compose, dashboard, export, metrics, routing

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All files, for servers in earnest."""
    made = tmp_path_factory.mktemp("export")
    export.write(made)
    return made


@pytest.fixture(scope="module")
def grafana(folder):
    return json.loads((folder / "grafana/dashboards/mlmon.json").read_text())


def drawn(made):
    return [panel for panel in made["panels"] if panel["type"] != "row"]


def test_prometheus_takes_its_configuration_and_its_rules(promtool, folder):
    # promtool reads the configuration and the rules that it names.
    code, told = promtool("check", "config", folder / "prometheus/prometheus.yml")
    assert code == 0 and "1 rule files found" in told, told


def test_alertmanager_takes_its_configuration(amtool, folder):
    # amtool reads it as Alertmanager does.
    code, told = amtool("check-config", folder / "alertmanager/alertmanager.yml")
    assert code == 0 and "4 receivers" in told, told


@pytest.mark.parametrize("labels", [
    dict(zip(("severity", "model", "alertname"), words))
    for words in itertools.product(("page", "ticket", "none", "unheard"), ("credit",), ("FeatureDrift", "ScoringServiceDown"))
])
def test_alertmanager_routes_as_routing_says(amtool, folder, labels):
    # amtool's own routing of the file agrees with the plain data for every severity.
    code, told = amtool("config", "routes", "test", f"--config.file={folder / 'alertmanager/alertmanager.yml'}",
                        *(f"{name}={value}" for name, value in labels.items()))
    assert code == 0 and told.splitlines()[0].split(",") == routing.Routing().receivers(labels)


def test_a_route_to_nobody_is_refused():
    # Alertmanager would refuse the whole file at its start.
    plan = export.Plan(routing=routing.Routing(routes=(routing.Route("phone", (("severity", "page"),)),)))
    with pytest.raises(ValueError, match="routes need receivers among heartbeat, pagerduty, slack, webhook, got phone"):
        export.alertmanager(plan)


def test_no_secret_stands_in_the_files(folder):
    # Slack's address and PagerDuty's key come from files, which the server reads itself.
    made = yaml.safe_load((folder / "alertmanager/alertmanager.yml").read_text())
    receivers = {receiver["name"]: receiver for receiver in made["receivers"]}
    assert "api_url" not in receivers["slack"]["slack_configs"][0]
    assert receivers["slack"]["slack_configs"][0]["api_url_file"].startswith("/etc/alertmanager/secrets")
    assert receivers["pagerduty"]["pagerduty_configs"][0]["routing_key_file"].startswith("/etc/alertmanager/secrets")


def test_yaml_says_what_the_data_say(folder):
    # Long text in blocks, umlauts and templates survive the way to the file and back.
    assert yaml.safe_load((folder / "prometheus/rules.yml").read_text()) == export.rules()
    text = {"a": "line\nnext: {{ $value }}", "b": "3 €", "c": [1, 2.5, True, None]}
    assert yaml.safe_load(export.to_yaml(text)) == text


def test_every_layer_has_its_row_of_panels(grafana):
    # Grafana's rows are the catalogue's layers, in its order, and each has panels beneath.
    kinds = [(panel["type"], panel["title"]) for panel in grafana["panels"]]
    assert [title for kind, title in kinds if kind == "row"] == list(metrics.LAYERS)
    for layer in metrics.LAYERS:
        assert kinds[kinds.index(("row", layer)) + 1][0] != "row"


def test_the_dashboard_survives_the_sdk(grafana):
    # Grafana's own library reads the JSON back into the same one.
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    def plain(made):
        return [(panel["title"], panel["type"], [target["expr"] for target in panel.get("targets", [])]) for panel in made["panels"]]

    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(json.loads(json.dumps(grafana)))))
    assert plain(again) == plain(grafana)


def test_panels_have_numbers_queries_and_places_of_their_own(grafana):
    # Grafana drops a query without refId, and draws panels of equal id or place over each other.
    panels = grafana["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in drawn(grafana):
        letters = [target["refId"] for target in panel["targets"]]
        assert letters and letters == list("ABCDEFGH"[: len(letters)])
        assert panel["datasource"]["uid"] == dashboard.DATASOURCE
    cells = [(x, y) for panel in panels for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
             for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < dashboard.GRID


def test_provisioning_leads_to_the_dashboard_and_its_data(folder, grafana):
    # The data source that the panels name is the one that is provisioned; the folder is where the JSON lies.
    source = yaml.safe_load((folder / "grafana/datasources/prometheus.yml").read_text())["datasources"][0]
    assert {panel["datasource"]["uid"] for panel in drawn(grafana)} == {source["uid"]}
    provider = yaml.safe_load((folder / "grafana/dashboards/mlmon.yml").read_text())["providers"][0]
    assert provider["options"]["path"] == f"{export.GRAFANA}/dashboards"


def references(node):
    """Every data source that a piece of JSON names, at any depth."""
    if isinstance(node, dict) and "datasource" in node:
        yield node["datasource"]
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(inner)


def test_every_data_source_that_grafana_is_told_of_is_provisioned(folder, grafana):
    # Panels name one and so does each of their queries; a uid that nobody provides is an empty panel, without a word.
    sources = yaml.safe_load((folder / "grafana/datasources/prometheus.yml").read_text())["datasources"]
    named = list(references(grafana))
    assert len(named) == sum(1 + len(panel["targets"]) for panel in drawn(grafana))
    assert {(one["type"], one["uid"]) for one in named} == {(source["type"], source["uid"]) for source in sources}


def test_limits_are_drawn_where_the_alerts_fire(grafana):
    # A floor is red below, a ceiling red above, each at the number that the rule compares with.
    limits = export.Plan().limits
    steps = {panel["title"]: panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps") for panel in drawn(grafana)}
    assert steps["Quality"] == [{"color": "red", "value": None}, {"color": "green", "value": limits.quality}]
    assert steps["Missing values"] == [{"color": "green", "value": None}, {"color": "red", "value": limits.missing}]
    assert steps["Bad requests"][1]["value"] == pytest.approx(14.4 * 0.005)


def test_a_link_to_a_panel_leads_to_that_panel(grafana):
    # The annotation of each alert ends in the number that the panel has on the dashboard.
    numbers = {panel["title"]: panel["id"] for panel in drawn(grafana)}
    wanted = {(alert.name, alert.severity): numbers[alert.panel] for alert in export.Plan().alerts()}
    for group in export.rules()["groups"]:
        for rule in (rule for rule in group["rules"] if "alert" in rule):
            assert rule["annotations"]["dashboard_url"].endswith(f"viewPanel={wanted[rule['alert'], rule['labels']['severity']]}")


def test_compose_is_what_the_package_prints():
    # compose.yaml is made by the package, and read by Docker: the two may not drift apart.
    told = subprocess.run([sys.executable, "-m", "mlmon.serving.compose"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert (ROOT / "compose.yaml").read_text() == told
    assert yaml.safe_load(told) == compose.compose()


def test_compose_names_only_what_exists(tmp_path):
    # No Docker here; so each command is one that parses, each file one that export writes, each host one of its services.
    services = compose.compose()["services"]
    export.main([str(tmp_path), "--inbox", "http://inbox:9095", "--reached", "http://localhost:9095", "--grafana", "/config/grafana"])
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    for name, service in services.items():
        words = service.get("command", [])
        if words[:2] == ["python", "-m"]:
            helped = subprocess.run([sys.executable, "-m", words[2], "--help"], capture_output=True, text=True, cwd=ROOT)
            assert helped.returncode == 0, name
            assert all(word in helped.stdout for word in words[3:] if word.startswith("--")), name
        for file in re.findall(r"/config/(\S+\.yml)", " ".join(words)):
            assert file in written, (name, file)
        assert set(service.get("depends_on", {})) <= set(services)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    hosts = set(re.findall(r"http://([a-z]+):", json.dumps([services, [path.read_text() for path in tmp_path.rglob("*.yml")]])))
    assert hosts <= {*services, "localhost"}
    copied = re.findall(r"^COPY (.+) \S+$", services["config"]["build"]["dockerfile_inline"], re.M)
    assert all((ROOT / file).exists() for line in copied for file in line.split())


def test_the_demo_export_is_taken_too(promtool, amtool, tmp_path):
    # The faster rules, and the messages into the inbox, are read by the same tools.
    export.write(tmp_path, export.demo(export.to_inbox("http://inbox:9095"), speed=600, scrape=0.2))
    assert promtool("check", "config", tmp_path / "prometheus/prometheus.yml")[0] == 0
    assert amtool("check-config", tmp_path / "alertmanager/alertmanager.yml")[0] == 0


def test_a_panel_of_no_layer_is_refused():
    with pytest.raises(ValueError, match="layer needs one of 'business'"):
        dataclasses.replace(dashboard.panels()[0], layer="network")
